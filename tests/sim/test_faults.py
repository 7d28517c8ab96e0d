"""A fault map in the RTL's array and in the functional machine: the same wrong bits."""

from dataclasses import replace

import numpy as np
import pytest

import spinplane
from spinplane.behavioral import Accelerator
from spinplane.behavioral.array.sot_mram_array import ArrayError, SotMramArray
from spinplane.cli import main
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.transient import TransientFaults
from spinplane.samples import sample_digit
from spinplane.sim.accelerator import run_accelerator
from tests.campaigns import faults_on_rtl as campaign
from tests.faulty_memories import Shipped, random_faults, transient_faults, varied_faults, with_transient
from tests.hdl.array.test_sot_mram_array import EXCLUSIVE, MACHINE, OVERLAP, run
from tests.networks_on_rtl import input_codes
from tests.system.test_accelerator_networks import compiled_networks


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


@pytest.mark.thorough
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("varied", [False, True], ids=["drifted", "varied"])
def test_every_xor_of_a_faulty_array(varied, simulator):
    """Both amplifiers decide with their own faults, with 0 and with 1 in unknown cells."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        faults = (
            varied_faults(EXCLUSIVE, rng, seed)
            if varied
            else random_faults(EXCLUSIVE, rng, cells=20, drifted=0.4)
        )
        if seed == 2:
            rates = {"write": rng.random(2) / 10, "disturb": rng.random(12) / 10, "decay": 2e-3}
            faults = replace(faults, transient=TransientFaults(seed=7, **rates))
        run(simulator, "random_row_operations", EXCLUSIVE, faults=faults).check()


@pytest.mark.thorough
def test_a_tenth_of_the_memories_with_faults():
    """Of networks that are not hurt, and of those of which nothing is left."""
    seen = campaign.run(range(campaign.CASES // 10))
    assert sum(seen.values()) == campaign.CASES // 10
    assert len(seen) > 2


def test_two_draws_of_transient_faults_on_a_shipped_network():
    shipped = Shipped()
    for seed in (5, 6):
        assert shipped.wrong_values(transient_faults(shipped.machine, seed, decades=(-4, -3.5))) > 0


@pytest.mark.parametrize("varied", [False, True], ids=["drifted", "varied"])
def test_one_map_on_a_shipped_network(varied):
    machine, rng = load_machine("paper8"), np.random.default_rng(1)
    faults = (
        varied_faults(machine, rng, 1) if varied else random_faults(machine, rng, cells=2000, drifted=0.003)
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
