"""The functional accelerator against the contract as contract loops, bit for bit and event for event."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of, random_pass
from contract_interpreter import Interpreter, UnknownCell
from contract_output import PARAMETERS, MissingWord, pack, unpack
from hypothesis import given, settings
from network_strategies import networks

from spinplane.behavioral import ArrayError
from spinplane.behavioral.accelerator import Accelerator, AcceleratorRun
from spinplane.behavioral.output import output_stage
from spinplane.behavioral.output.step_table import StepTable
from spinplane.behavioral.prepared_pass import Mode
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.machine import AcceleratorCounters, FaultMap, Machine, SpinplaneError, load_machine
from spinplane.machine.codec import encode
from spinplane.machine.descriptor import FIELD_INDEX, Kind, Load
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, Program
from spinplane.machine.registers import Error
from spinplane.machine.variation import Variation

MODES: tuple[Mode, ...] = ("exact", "bit_plane")

ONE_BUS = Machine(
    name="one-bus",
    sub_arrays=3,
    rows=128,
    columns=32,
    segments=1,
    results_per_cycle=1,
    image_words=1024,
    kernel_words=512,
    parameter_beats=64,
    threshold_beats=256,
)

PLANES = FeatureMap(
    layout="planes",
    base=8,
    line_bits=200,
    pixel_bits=40,
    plane_bits=10,
    planes=4,
    channels=3,
    height=2,
    width=4,
)


def prepare(
    machine: Machine,
    seed: int,
    *passes: Pass,
    faults: FaultMap | None = None,
    tag: int = 7,
    mode: Mode = "exact",
) -> tuple[Accelerator, Interpreter]:
    accelerator = Accelerator(machine, faults, mode)
    banks = fill_banks(machine, seed)
    for name, bank in banks.items():
        getattr(accelerator.state, name)[:] = bank
    words = program_of(machine, *passes, tag=tag)
    accelerator.program[: len(words)] = words
    return accelerator, Interpreter(machine, **banks, faults=faults)


def assert_equal(accelerator: Accelerator, run: AcceleratorRun, contract: Interpreter) -> None:
    assert run.error is Error.NONE
    np.testing.assert_array_equal(accelerator.state.image, contract.image)
    array = accelerator.state.array
    np.testing.assert_array_equal(array.written, contract.written)
    np.testing.assert_array_equal(array.cells, contract.cells)
    counted = run.counters.as_dict()
    for name in ("row_writes", "ands", "image_reads", "image_writes", "kernel_reads", "parameter_reads"):
        assert counted[name] == contract.events[name], name
    assert counted["bit_counts"] == counted["ands"]
    assert counted["row_reads"] == counted["ors"] == 0


def some_faults(machine: Machine, seed: int) -> FaultMap:
    rng = np.random.default_rng(seed)
    shape = (machine.sub_arrays, machine.columns)
    cells = rng.integers(0, [machine.sub_arrays, machine.rows, machine.columns], (400, 3))
    cells = np.unique(cells, axis=0)
    none = FaultMap.none(machine)
    return FaultMap(
        sub_arrays=machine.sub_arrays,
        rows=machine.rows,
        columns=machine.columns,
        stuck=np.column_stack([cells, rng.integers(0, 2, len(cells))]),
        read_thresholds=none.read_thresholds,
        and_thresholds=rng.choice(4, shape, p=[0.02, 0.1, 0.8, 0.08]),
        or_thresholds=none.or_thresholds,
    )


@pytest.mark.parametrize("machine", [FEW, ONE_BUS], ids=lambda machine: machine.name)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(40))
def test_a_layer_is_what_the_contract_says(machine: Machine, seed: int, mode: Mode) -> None:
    choices = {"clusters": 0} if machine.row_buses == 1 else {}
    layer_pass = random_pass(machine, seed, **choices)
    accelerator, contract = prepare(machine, seed, layer_pass, mode=mode)
    run = accelerator.run()
    contract.run_pass(layer_pass)
    assert_equal(accelerator, run, contract)
    assert run.counters.shifts == run.counters.ands * layer_pass.slots


@pytest.mark.parametrize("machine", [FEW, ONE_BUS], ids=lambda machine: machine.name)
def test_codes_from_steps_are_what_the_contract_says(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums whose codes rise or fall with them take their codes from a list of steps, as many sums do."""
    monkeypatch.setattr(output_stage, "_TABLE_CODES", 0)
    used, levels = [], StepTable.levels
    monkeypatch.setattr(StepTable, "levels", lambda table, sums: used.append(table) or levels(table, sums))
    for seed in range(60):
        choices = {"clusters": 0} if machine.row_buses == 1 else {}
        layer_pass = random_pass(machine, seed, raw=0, residual=0, own_code=0, **choices)
        accelerator, contract = prepare(machine, seed, layer_pass)
        run = accelerator.run()
        contract.run_pass(layer_pass)
        assert_equal(accelerator, run, contract)
    assert len(used) >= 10


def test_words_of_thresholds_and_tables_that_do_not_exist() -> None:
    """The pass ends where a written beat looks into one, and else is as if they existed."""
    missed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        layer_pass = random_pass(FEW, seed, raw=0, search_reads=seed % 5, table=seed % 3 == 0)
        accelerator, contract = prepare(FEW, seed, layer_pass)
        for beat, lane in np.ndindex(FEW.parameter_beats, FEW.results_per_cycle):
            octets = contract.parameters[beat, 16 * lane : 16 * lane + 16]
            parameters = unpack(PARAMETERS, int.from_bytes(octets.tobytes(), "little"))
            base = FEW.threshold_beats - int(rng.choice([1, 2, 8, 33, 60, 160]))
            word = pack(PARAMETERS, parameters | {"threshold_base": base}).to_bytes(16, "little")
            octets[:] = np.frombuffer(word, dtype=np.uint8)
        accelerator.state.parameters[:] = contract.parameters
        run = accelerator.run()
        try:
            contract.run_pass(layer_pass)
        except MissingWord:
            missed += 1
            assert (run.error, run.error_descriptor) == (Error.PARAMETER_BANK, 1)
        else:
            assert_equal(accelerator, run, contract)
    assert 10 <= missed <= 50


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(8))
def test_layers_after_each_other_share_the_array(seed: int, mode: Mode) -> None:
    passes = [random_pass(FEW, 100 + 3 * seed + k) for k in range(3)]
    accelerator, contract = prepare(FEW, seed, *passes, mode=mode)
    run = accelerator.run()
    for layer_pass in passes:
        contract.run_pass(layer_pass)
    assert_equal(accelerator, run, contract)
    assert len(run.layers) == 5
    for name, total in run.counters.as_dict().items():
        assert total == sum(getattr(layer, name) for layer in run.layers)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(8))
def test_faults_change_the_same_bits(seed: int, mode: Mode) -> None:
    passes = [random_pass(FEW, 200 + 2 * seed + k) for k in range(2)]
    faults = some_faults(FEW, seed)
    accelerator, contract = prepare(FEW, seed, *passes, mode=mode, faults=faults)
    run = accelerator.run()
    for layer_pass in passes:
        contract.run_pass(layer_pass)
    assert_equal(accelerator, run, contract)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_cells_that_vary_change_the_same_bits(seed: int, mode: Mode) -> None:
    rng = np.random.default_rng(seed)
    shape = (FEW.sub_arrays, FEW.rows, FEW.columns)
    parallel = rng.integers(2600, 3400, shape)
    references = rng.integers(4400, 5200, (FEW.sub_arrays, FEW.columns))
    variation = Variation(
        parallel=parallel,
        antiparallel=parallel * 10 // 17,
        read_references=references,
        and_references=references,
        or_references=references,
    )
    faults = replace(some_faults(FEW, seed), variation=variation)
    passes = [random_pass(FEW, 300 + 2 * seed + k, channels=7) for k in range(2)]
    accelerator, contract = prepare(FEW, seed, *passes, mode=mode, faults=faults)
    run = accelerator.run()
    for layer_pass in passes:
        contract.run_pass(layer_pass)
    assert_equal(accelerator, run, contract)


def test_kernels_stay_until_another_program_comes() -> None:
    layer_pass = random_pass(FEW, 3, load=Load.UNLESS_RESIDENT)
    accelerator, contract = prepare(FEW, 3, layer_pass)
    accelerator.program[3:6] = program_of(FEW, layer_pass, tag=8)
    first = accelerator.run()
    contract.run_pass(layer_pass)
    assert accelerator.resident == 7
    second = accelerator.run()
    contract.run_pass(layer_pass, load=False)
    loaded = layer_pass.load_rows * layer_pass.load_sub_arrays
    assert first.counters.kernel_reads == loaded > 0 == second.counters.kernel_reads
    assert second.counters.cycles < first.counters.cycles
    np.testing.assert_array_equal(accelerator.state.image, contract.image)
    assert accelerator.run(3).counters.kernel_reads == loaded
    assert accelerator.resident == 8
    accelerator.program[0] = 0
    assert accelerator.run().error is Error.NO_HEADER
    assert accelerator.resident == 0
    assert accelerator.run(3).counters.kernel_reads == loaded


def test_kernels_of_no_tag_are_never_resident() -> None:
    layer_pass = random_pass(FEW, 3, load=Load.UNLESS_RESIDENT)
    accelerator, _ = prepare(FEW, 3, layer_pass, tag=0)
    assert accelerator.run().counters.kernel_reads == accelerator.run().counters.kernel_reads > 0


def test_kernels_that_nobody_loaded_are_refused() -> None:
    layer_pass = random_pass(FEW, 5, load=Load.NEVER)
    accelerator, contract = prepare(FEW, 5, layer_pass)
    with pytest.raises(
        ArrayError, match=r"^EN_AND senses an unknown cell: sub-array 0, kernel row \d+ and row set"
    ):
        accelerator.run()
    with pytest.raises(UnknownCell):
        contract.run_pass(layer_pass, load=False)


@pytest.mark.parametrize("faulty", [False, True])
def test_rows_that_the_walk_leaves_out_are_those_of_the_layer_before(faulty: bool) -> None:
    layer_pass = random_pass(FEW, 11, clusters=0, pools=1, in_bytes=0)
    stale = replace(layer_pass, first_columns=layer_pass.first_columns - 1, load=Load.NEVER)
    faults = some_faults(FEW, 1) if faulty else None
    accelerator, contract = prepare(FEW, 11, layer_pass, stale, faults=faults)
    assert_equal(
        accelerator,
        accelerator.run(),
        (contract.run_pass(layer_pass), contract.run_pass(stale, load=False), contract)[-1],
    )


def test_a_row_without_ones_meets_unknown_cells() -> None:
    layer_pass = replace(random_pass(FEW, 5, load=Load.NEVER), in_height=0, pad_code=0)
    accelerator, contract = prepare(FEW, 5, layer_pass)
    run = accelerator.run()
    contract.run_pass(layer_pass, load=False)
    assert run.counters.image_reads == contract.events["image_reads"]
    np.testing.assert_array_equal(accelerator.state.image, contract.image)


BROKEN_HEADERS = {
    "kind": (Kind.LAYER.value, Error.NO_HEADER),
    "version": (1, Error.VERSION),
    "machine": (1, Error.MACHINE),
}


@pytest.mark.parametrize("name", BROKEN_HEADERS)
def test_header(name: str) -> None:
    value, error = BROKEN_HEADERS[name]
    accelerator, _ = prepare(FEW, 3, random_pass(FEW, 3))
    accelerator.program[0, FIELD_INDEX[name]] = value
    assert accelerator.run() == AcceleratorRun(
        counters=AcceleratorCounters(), layers=(), error=error, error_descriptor=0, error_word=0
    )


BROKEN_LAYERS = {
    "kind": (Kind.HEADER.value, Error.KIND),
    "rounding": (9, Error.FIELD),
    "own_rounding": (9, Error.FIELD),
    "pool": (3, Error.FIELD),
    "search_reads": (5, Error.FIELD),
    "multiplies_total": (1, Error.FIELD),
    "total_high": (0xFFFFFFFF, Error.FIELD),
    "raw": (1, Error.FIELD),
    "load": (3, Error.FIELD),
    "pieces": (256, Error.FIELD),
    "start_y": (1 << 15, Error.FIELD),
    "log_clusters": (3, Error.FIELD),
    "log_clusters_x": (3, Error.FIELD),
    "log_slots": (2, Error.FIELD),
    "log_planes": (2, Error.FIELD),
    "length": (64, Error.FIELD),
    "last_length": (64, Error.FIELD),
    "plane_groups": (7, Error.FIELD),
    "load_sub_arrays": (4, Error.FIELD),
    "interval": (0, Error.FIELD),
    "input_row": (FEW.rows, Error.ROW),
    "window_step": (FEW.rows, Error.ROW),
    "kernel_row": (FEW.rows - 1, Error.ROW),
    "in_base": (FEW.image_words * FEW.columns, Error.IMAGE_BANK),
    "out_first_bit": (1, Error.IMAGE_BANK),
    "out_plane_bits": (3, Error.IMAGE_BANK),
    "out_base": (FEW.image_words * FEW.columns, Error.IMAGE_BANK),
    "load_base": (FEW.kernel_words, Error.KERNEL_BANK),
    "parameter_base": (FEW.parameter_beats, Error.PARAMETER_BANK),
    "residual_base": (FEW.image_words * FEW.columns, Error.IMAGE_BANK),
    "scale_base": (FEW.parameter_beats, Error.PARAMETER_BANK),
}


@pytest.mark.parametrize("name", BROKEN_LAYERS)
def test_a_layer_that_the_hardware_refuses(name: str) -> None:
    value, error = BROKEN_LAYERS[name]
    fixed = {"multiplies": 1, "residual": 1, "in_place": 0, "own_code": 0, "raw": 0, "search_reads": 2}
    fixed |= {"pools": 1, "region_x": 2, "clusters": 0, "out_planes": 2}
    fixed |= {"in_bytes": 0, "in_planes": 2, "planes": 2, "slots": 2}
    layer_pass = replace(random_pass(FEW, 4, **fixed), interval=99, total_low=0)
    accelerator, contract = prepare(FEW, 3, layer_pass)
    accelerator.program[1, FIELD_INDEX[name]] = value
    accelerator.resident = 7
    run = accelerator.run()
    assert (run.error, run.error_descriptor) == (error, 1)
    assert run.error_word == (FIELD_INDEX[name] if error is Error.FIELD else 0)
    assert len(run.layers) == 1
    assert accelerator.resident == 0
    np.testing.assert_array_equal(accelerator.state.image, contract.image)


@pytest.mark.parametrize("name", ["float_scale", "residual", "own_code"])
def test_a_layer_that_multiplies_nothing(name: str) -> None:
    layer_pass = random_pass(FEW, 3, multiplies=0)
    accelerator, _ = prepare(FEW, 3, layer_pass)
    accelerator.program[1, FIELD_INDEX[name]] = 1
    run = accelerator.run()
    assert (run.error, run.error_descriptor, run.error_word) == (Error.FIELD, 1, FIELD_INDEX[name])


def test_a_region_with_more_beats_than_the_pooling_memory() -> None:
    machine = replace(FEW, pool_beats=4)
    layer_pass = random_pass(machine, 3, pools=1, region_x=2, clusters=0, kernel_tiles=3, slots=2)
    whole = {"beats": 4, "last_beats": 4, "sub_arrays": 4, "last_sub_arrays": 4, "load_sub_arrays": 4}
    layer_pass = replace(layer_pass, **whole)
    accelerator, _ = prepare(machine, 3, layer_pass)
    assert accelerator.run().error is Error.PARAMETER_BANK


def test_a_program_without_end() -> None:
    layer_pass = random_pass(FEW, 3)
    accelerator, _ = prepare(FEW, 3, *[layer_pass] * (FEW.descriptors - 2))
    accelerator.program[-1] = encode(layer_pass)
    run = accelerator.run()
    assert (run.error, run.error_descriptor) == (Error.NO_END, FEW.descriptors)
    assert accelerator.run(FEW.descriptors).error is Error.NO_END


def test_a_pass_that_contradicts_itself() -> None:
    layer_pass = random_pass(FEW, 3, clusters=0, raw=0, kernel_tiles=2, slots=1)
    row = layer_pass.kernel_row - 1
    for changes, message in (
        ({"kernel_row": row}, f"array row {row} holds both input and kernels in one pass"),
        ({"last_beats": 5}, "descriptor field last_beats: 10 lanes for"),
    ):
        accelerator, _ = prepare(FEW, 3, replace(layer_pass, **changes))
        with pytest.raises(SpinplaneError, match=f"^{message}"):
            accelerator.run()


def test_rows_that_meet_themselves() -> None:
    layer_pass = random_pass(FEW, 3)
    accelerator, _ = prepare(FEW, 3, replace(layer_pass, kernel_row=layer_pass.input_row))
    run = accelerator.run()
    assert (run.error, run.error_descriptor) == (Error.ROW, 1)


def test_output_on_the_input_of_the_same_pass_is_refused() -> None:
    layer_pass = random_pass(FEW, 3, raw=0)
    layer_pass = replace(layer_pass, out_base=layer_pass.in_base - layer_pass.in_base % 2)
    accelerator, _ = prepare(FEW, 3, layer_pass)
    with pytest.raises(SpinplaneError, match=r"^image bit \d+ is both input and output of one pass$"):
        accelerator.run()


def test_a_value_of_more_than_32_bits_is_refused() -> None:
    layer_pass = replace(random_pass(FEW, 3, raw=1), window_sum_scale=0)
    accelerator, _ = prepare(FEW, 3, layer_pass)
    accelerator.state.parameters[:, 0:4] = [255, 255, 255, 127]
    with pytest.raises(OverflowError, match=r"^sum before scaling \d+ does not fit in 32 bits$"):
        accelerator.run()


def test_banks_that_cannot_hold_a_program() -> None:
    machine = load_machine("tiny")
    program = Program(
        machine=machine,
        name="none",
        descriptors=np.zeros((65, 128), np.uint32),
        kernel_rows=np.zeros((0, 8), np.uint8),
        parameters=np.zeros((0, 32), np.uint8),
        scales=np.zeros((0, 32), np.uint8),
        thresholds=np.zeros((0, 32), np.uint8),
        input=PLANES,
        layers=(),
    )
    accelerator = Accelerator(machine)
    with pytest.raises(SpinplaneError, match=r"^program memory of \(64, 128\) .* cannot hold \(65, 128\)$"):
        accelerator.load(program)
    with pytest.raises(
        SpinplaneError, match=r"^kernel bank of \(8192, 8\) \(words, size\) cannot hold \(1, 4\)$"
    ):
        accelerator.load(replace(program, kernel_rows=np.zeros((1, 4), np.uint8)))
    with pytest.raises(
        SpinplaneError, match=r"^feature map from bit 300000 to \d+: the image bank has 262144 bits$"
    ):
        accelerator.write_map(replace(PLANES, base=300000), np.zeros((3, 2, 4), int))


@given(networks())
@settings(max_examples=25, deadline=None)
def test_networks_give_the_values_of_the_oracle(network: tuple) -> None:
    graph, inputs = network
    machine = load_machine("tiny")
    try:
        program = compile_graph(graph, machine)
    except SpinplaneError:
        return
    accelerator = Accelerator(machine)
    accelerator.load(program)
    for picture, wanted in zip(inputs, zip(*run_graph(graph, inputs), strict=True), strict=True):
        accelerator.write_map(program.input, (picture - program.input.offset) // program.input.scale)
        assert accelerator.run().error is Error.NONE
        for layer, values in zip(program.layers, wanted, strict=True):
            if layer.kept:
                codes = accelerator.read_map(layer.output)
                np.testing.assert_array_equal(codes * layer.output.scale + layer.output.offset, values)
