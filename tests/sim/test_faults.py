"""A fault map in the RTL's array and in the functional machine: the same wrong bits."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import spinplane
from spinplane.behavioral import Accelerator
from spinplane.behavioral.array.sot_mram_array import ArrayError, SotMramArray
from spinplane.cli import main
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.device import draw_fault_map, load_technology
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.transient import TransientFaults
from spinplane.models import open_model
from spinplane.samples import sample_digit
from spinplane.sim import available_simulators
from spinplane.sim.accelerator import run_accelerator
from tests.hdl.array.test_sot_mram_array import EXCLUSIVE, MACHINE, OVERLAP, run
from tests.networks_on_rtl import input_codes
from tests.system.test_accelerator_networks import compiled_networks


def random_faults(machine, rng, cells, drifted):
    """Stuck cells, and amplifiers with any threshold; seldom so many that every sum is noise."""
    shape = (machine.sub_arrays, machine.rows, machine.columns)
    chosen = rng.choice(np.prod(shape), cells, replace=False)
    stuck = np.stack([*np.unravel_index(chosen, shape), rng.integers(0, 2, cells)], axis=1)
    none = FaultMap.none(machine)
    thresholds = {}
    for name, most in (("read", 2), ("and", 3), ("or", 3)):
        nominal = getattr(none, f"{name}_thresholds")
        drift = rng.random(nominal.shape) < drifted
        thresholds[f"{name}_thresholds"] = np.where(drift, rng.integers(0, most + 1, nominal.shape), nominal)
    return FaultMap(sub_arrays=shape[0], rows=shape[1], columns=shape[2], stuck=stuck, **thresholds)


def with_transient(faults, rng, seed, rate):
    """Transient faults of some rate beside what a map has."""
    write, disturb = rate * rng.random(2), 0.05 * rate * rng.random(12)
    transient = TransientFaults(seed=seed, write=tuple(write), disturb=tuple(disturb), decay=1e-4 * rate)
    return replace(faults, transient=transient)


def check_wrong_bits(faults_of, simulator, machine=None):
    """Random networks in the memories that `faults_of` gives: RTL and functional machine are wrong in the same bits.

    Returns
    -------
    int
        Codes and sums that are not those of a memory without faults.
    """
    machine, wrong = machine or load_machine("tiny"), 0
    for seed, (_, program, inputs) in enumerate(compiled_networks(machine, 3)):
        codes, faults = input_codes(program, inputs), faults_of(machine, seed)
        functional, right = Accelerator(machine, faults), Accelerator(machine)
        for accelerator in (functional, right):
            accelerator.load(program)
            accelerator.write_map(program.input, codes)
        expected = functional.run()
        right.run()
        rtl = run_accelerator(
            program, [codes], simulator=simulator, limit=expected.counters.cycles, faults=faults
        ).images[0]
        assert rtl.record.counters == expected.counters
        for layer, values in zip(program.layers, rtl.maps, strict=True):
            if values is not None:
                assert (values == functional.read_map(layer.output)).all(), layer.name
                wrong += int((values != right.read_map(layer.output)).sum())
    return wrong


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_random_networks_give_the_same_wrong_bits(simulator):
    def faults_of(machine, seed):
        return random_faults(machine, np.random.default_rng(seed), cells=300, drifted=0.1)

    assert check_wrong_bits(faults_of, simulator)


@pytest.mark.parametrize(("name", "simulator"), [("tiny", "verilator"), ("tiny-overlap", "icarus")])
def test_random_networks_have_the_same_transient_faults(name, simulator):
    """Writes beside senses change none of the draws."""
    tiny = load_machine("tiny")
    machine = tiny if name == "tiny" else replace(tiny, name=name, write_overlap="same_array")

    def faults_of(machine, seed):
        return with_transient(FaultMap.none(machine), np.random.default_rng(seed), seed, 0.5)

    assert check_wrong_bits(faults_of, simulator, machine)


def test_a_map_without_faults_changes_nothing():
    assert not check_wrong_bits(lambda machine, seed: FaultMap.none(machine), "icarus")


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("testcase", ["random_row_operations", "senses_during_writes"])
def test_every_sense_of_a_faulty_array(testcase, simulator):
    """EN_M, EN_AND and EN_OR, of which a network needs the second alone; the last two with transient faults."""
    machine = OVERLAP if testcase == "senses_during_writes" else MACHINE
    for seed in range(4):
        rng = np.random.default_rng(seed)
        faults = FaultMap.none(machine) if seed == 2 else random_faults(machine, rng, cells=20, drifted=0.4)
        if seed >= 2:
            rates = {"write": rng.random(2) / 10, "disturb": rng.random(12) / 10, "decay": 2e-3}
            faults = replace(faults, transient=TransientFaults(seed=(1 << 64) - seed, **rates))
        senses_xor = seed >= 2 and machine is MACHINE
        run(simulator, testcase, EXCLUSIVE if senses_xor else machine, faults=faults).check()


def _varied_faults(machine, rng, seed):
    return draw_fault_map(
        machine,
        load_technology("sot-mram"),
        seed,
        sigma_ra=rng.uniform(0.02, 0.2),
        sigma_tmr=rng.uniform(0.05, 0.4),
        offset_sigma=10 ** rng.uniform(-3, -1.7),
        weak_cells=10 ** rng.uniform(-5, -2),
    )


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("varied", [False, True], ids=["drifted", "varied"])
def test_every_xor_of_a_faulty_array(varied, simulator):
    """Both amplifiers decide with their own faults, with 0 and with 1 in unknown cells."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        faults = (
            _varied_faults(EXCLUSIVE, rng, seed)
            if varied
            else random_faults(EXCLUSIVE, rng, cells=20, drifted=0.4)
        )
        if seed == 2:
            rates = {"write": rng.random(2) / 10, "disturb": rng.random(12) / 10, "decay": 2e-3}
            faults = replace(faults, transient=TransientFaults(seed=7, **rates))
        run(simulator, "random_row_operations", EXCLUSIVE, faults=faults).check()


class Shipped:
    """A shipped network on the RTL and the functional machine, with the same faults."""

    def __init__(self):
        self.machine, graph = load_machine("paper8"), open_model("digits-1-4")
        self.program = compile_graph(graph, self.machine)
        inputs = graph.encode_input(sample_digit(5))
        self.codes = ((inputs - self.program.input.offset) // self.program.input.scale)[0]
        self.right = run_graph(graph, inputs)

    def wrong_values(self, faults):
        """Both have the same values in every map; returns those of the last that are wrong."""
        program = self.program
        functional = Accelerator(self.machine, faults)
        functional.load(program)
        functional.write_map(program.input, self.codes)
        expected = functional.run()
        rtl = run_accelerator(
            program,
            [self.codes],
            simulator=available_simulators()[0],
            limit=expected.counters.cycles,
            faults=faults,
        ).images[0]
        assert rtl.record.counters == expected.counters
        for layer, values in zip(program.layers, rtl.maps, strict=True):
            assert (values == functional.read_map(layer.output)).all(), layer.name
        return int((functional.read_map(program.layers[-1].output) != self.right[-1][0]).sum())

    def check_50(self, faults_of):
        """Wrong values of 50 seeds."""
        # The first compiles the model; then as many at once as a small computer takes.
        wrong = [self.wrong_values(faults_of(0))]
        with ThreadPoolExecutor(2) as threads:
            wrong += threads.map(self.wrong_values, map(faults_of, range(1, 50)))
        return wrong


@pytest.mark.thorough
def test_50_maps_on_a_shipped_network():
    """Every fifth memory has cells that vary, the others stuck cells and drifted amplifiers."""
    shipped = Shipped()

    def faults_of(seed):
        rng = np.random.default_rng(seed)
        if seed % 5 == 0:
            return _varied_faults(shipped.machine, rng, seed)
        cells, drifted = int(10 ** rng.uniform(0, 5)), 10 ** rng.uniform(-4, -1)
        return random_faults(shipped.machine, rng, cells=cells, drifted=drifted)

    assert max(shipped.check_50(faults_of)) == 10


def _transient_faults(machine, seed, decades=(-6.5, -3.0)):
    """Of rates from rare to frequent; every fifth with stuck cells and drifted amplifiers, too."""
    rng = np.random.default_rng(seed)
    static = FaultMap.none(machine) if seed % 5 else random_faults(machine, rng, cells=1000, drifted=0.001)
    return with_transient(static, rng, seed, 10 ** rng.uniform(*decades))


@pytest.mark.thorough
def test_50_draws_of_transient_faults_on_a_shipped_network():
    shipped = Shipped()
    wrong = shipped.check_50(lambda seed: _transient_faults(shipped.machine, seed))
    assert max(wrong) == 10
    assert min(wrong) == 0


def test_two_draws_of_transient_faults_on_a_shipped_network():
    shipped = Shipped()
    for seed in (5, 6):
        assert shipped.wrong_values(_transient_faults(shipped.machine, seed, decades=(-4, -3.5))) > 0


@pytest.mark.parametrize("varied", [False, True], ids=["drifted", "varied"])
def test_one_map_on_a_shipped_network(varied):
    machine, rng = load_machine("paper8"), np.random.default_rng(1)
    faults = (
        _varied_faults(machine, rng, 1) if varied else random_faults(machine, rng, cells=2000, drifted=0.003)
    )
    result = spinplane.run_network("digits-1-4", sample_digit(5), machine=machine, faults=faults)
    assert result.mismatches == 0
    assert sum(layer.wrong for layer in result.layers) > 0


def test_stuck_cells_are_unknown_until_they_are_written():
    machine = load_machine("tiny")
    stuck = np.array([[0, 3, 5, 1]])
    none = FaultMap.none(machine)
    faults = FaultMap(
        sub_arrays=2,
        rows=64,
        columns=64,
        stuck=stuck,
        read_thresholds=none.read_thresholds,
        and_thresholds=none.and_thresholds,
        or_thresholds=none.or_thresholds,
    )
    array = SotMramArray(machine, faults)
    columns = np.ones((1, 64), dtype=np.uint8)
    with pytest.raises(ArrayError, match="row 3, column 0 was never written"):
        array.read(slice(0, 1), np.array([3]), columns)
    array.write(slice(0, 2), 3, np.zeros(64, dtype=np.uint8), columns[0])
    assert array.read(slice(0, 2), np.array([3]), columns).sum(axis=(1, 2)).tolist() == [1, 0]


def test_a_map_of_another_machine_is_refused():
    tiny, faults = load_machine("tiny"), FaultMap.none(load_machine("paper8"))
    ((_, program, inputs),) = compiled_networks(tiny, 1)
    with pytest.raises(
        SpinplaneError, match=r"fault map of 8 sub-arrays of 512×256 does not fit machine tiny"
    ):
        run_accelerator(
            program, [input_codes(program, inputs)], simulator="icarus", limit=9999, faults=faults
        )


def test_the_command_takes_a_fault_map(capsys, tmp_path):
    machine = load_machine("paper8")
    faults = random_faults(machine, np.random.default_rng(1), cells=2000, drifted=0.003)
    faults.save(tmp_path / "faults.npz")
    np.save(tmp_path / "x.npy", sample_digit(5))
    arguments = ["run", "digits-1-4", "--input", str(tmp_path / "x.npy"), "--faults"]
    main([*arguments, str(tmp_path / "faults.npz")])
    assert "by the faults of the memory" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*arguments, str(tmp_path / "x.npy")])
    assert "not a fault map" in capsys.readouterr().err
