"""Many images at once against one after the other: the same maps, the same state, in both modes."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of, random_pass
from hypothesis import given, settings
from network_strategies import networks
from small_networks import small_graph, small_images

from spinplane.behavioral import Accelerator, accelerator, bit_strings
from spinplane.behavioral.output import output_stage as output_stage
from spinplane.behavioral.prepared_pass import Mode
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.device import draw_fault_map, load_technology
from spinplane.machine import FaultMap, SpinplaneError, load_machine
from spinplane.machine.descriptor import Kind
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, Program, ProgramLayer
from tests.behavioral.test_accelerator import MODES, some_faults

HALF = FEW.image_words * FEW.columns // 2
#: The lower half of the image bank as a map of bytes, and the upper half.
LOWER = FeatureMap(
    layout="bytes",
    base=0,
    line_bits=1024,
    pixel_bits=8,
    plane_bits=0,
    planes=8,
    channels=1,
    height=16,
    width=128,
)
UPPER = replace(LOWER, base=HALF)
TINY = load_machine("tiny")


def few_program(seed: int, *passes: Pass) -> Program:
    """Random banks, and passes that read the lower half of the image bank and write the upper one."""
    banks = fill_banks(FEW, seed)
    layers = tuple(
        ProgramLayer(name=f"{number}", descriptors=(number,), output=UPPER, kept=True)
        for number in range(1, len(passes) + 1)
    )
    return Program(
        machine=FEW,
        name="few",
        descriptors=program_of(FEW, *passes),
        kernel_rows=banks["kernel"],
        parameters=banks["parameters"],
        scales=banks["scales"],
        thresholds=banks["thresholds"],
        input=LOWER,
        layers=layers,
    )


def few_images(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 16, 128)).astype(np.uint8)


def assert_as_one_by_one(
    program: Program,
    images: np.ndarray,
    mode: Mode,
    faults: FaultMap | None = None,
    before: Program | None = None,
) -> None:
    together, alone = Accelerator(program.machine, faults, mode), Accelerator(program.machine, faults, mode)
    for one in (together, alone):
        if before is not None:
            one.load(before)
            one.run()
        one.load(program)
    found = together.run_images(images)
    for at, image in enumerate(images):
        alone.write_map(program.input, image)
        run = alone.run()
        np.testing.assert_array_equal(found.maps[len(program.layers) - 1][at], alone.read_map(UPPER))
    assert found.run == run
    np.testing.assert_array_equal(together.state.image, alone.state.image)
    np.testing.assert_array_equal(together.state.array.cells, alone.state.array.cells)
    np.testing.assert_array_equal(together.state.array.written, alone.state.array.written)
    np.testing.assert_array_equal(together.state.row_sums, alone.state.row_sums)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("faulty", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_random_passes_give_the_same_as_one_by_one(seed: int, faulty: bool, mode: Mode) -> None:
    passes = [random_pass(FEW, 400 + 2 * seed + k) for k in range(2)]
    faults = some_faults(FEW, seed) if faulty else None
    assert_as_one_by_one(few_program(seed, *passes), few_images(seed, 5), mode, faults)


@pytest.mark.parametrize("seed", range(8))
def test_what_an_image_leaves_in_the_bank_is_read_by_the_next(seed: int) -> None:
    """The first pass reads what the second one writes: the images cannot run together."""
    first, second = (random_pass(FEW, 500 + 2 * seed + k, residual=0) for k in range(2))
    first = replace(first, in_base=first.in_base + HALF, out_base=0)
    assert_as_one_by_one(few_program(seed, first, second), few_images(seed, 3), "exact")


def test_what_an_image_leaves_in_the_array_is_met_by_the_next() -> None:
    first = random_pass(FEW, 11, clusters=0, pools=1, in_bytes=0)
    stale = replace(first, first_columns=first.first_columns - 1)
    program, before = few_program(11, stale, first), few_program(11, first)
    assert_as_one_by_one(program, few_images(1, 3), "exact", before=before)


@pytest.mark.parametrize("mode", MODES)
@given(network=networks())
@settings(max_examples=15, deadline=None)
def test_networks_give_the_values_of_the_oracle(mode: Mode, network: tuple) -> None:
    graph, inputs = network
    try:
        program = compile_graph(graph, TINY)
    except SpinplaneError:
        return
    machine = Accelerator(TINY, mode=mode)
    machine.load(program)
    codes = (inputs - program.input.offset) // program.input.scale
    numbers = range(len(program.layers))
    for resident in (False, True):
        found = machine.run_images(codes[:1] if not resident else codes, layers=numbers)
        assert found.run.counters == predict(program, resident=resident).total
    for number, values in enumerate(run_graph(graph, inputs)):
        output = program.layers[number].output
        np.testing.assert_array_equal(
            found.maps[number].astype(np.int64) * output.scale + output.offset, values
        )


@given(network=networks())
@settings(max_examples=15, deadline=None)
def test_codes_are_the_bits_that_lie_in_the_bank(network: tuple) -> None:
    """The same with every map read from its bits, and codes from tables in place of arithmetic."""
    graph, inputs = network
    try:
        program = compile_graph(graph, TINY)
    except SpinplaneError:
        return
    codes = (inputs - program.input.offset) // program.input.scale
    found = []
    for held, table_codes in ((True, output_stage._TABLE_CODES), (False, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(output_stage, "_TABLE_CODES", table_codes)
            if not held:
                patch.setattr(bit_strings.CodeMap, "find", lambda self, banks: None)
            machine = Accelerator(TINY)
            machine.load(program)
            found.append((machine.run_images(codes, layers=range(len(program.layers))), machine.state.image))
    (by_codes, image), (by_bits, same_image) = found
    assert by_codes.run == by_bits.run
    for number in by_codes.maps:
        np.testing.assert_array_equal(by_codes.maps[number], by_bits.maps[number])
    np.testing.assert_array_equal(image, same_image)


@pytest.mark.parametrize("mode", MODES)
@given(network=networks())
@settings(max_examples=10, deadline=None)
def test_faults_change_the_same_values_in_both_modes(mode: Mode, network: tuple) -> None:
    graph, inputs = network
    try:
        program = compile_graph(graph, TINY)
    except SpinplaneError:
        return
    faults = draw_fault_map(
        TINY, load_technology("sot-mram"), 1, offset_sigma=0.02, weak_cells=0.02, sigma_ra=0.2, sigma_tmr=0.3
    )
    codes = (inputs - program.input.offset) // program.input.scale
    images = []
    for of_mode in MODES:
        machine = Accelerator(TINY, faults, of_mode)
        machine.load(program)
        machine.run_images(codes)
        images.append((machine.state.image, machine.state.array.cells))
    np.testing.assert_array_equal(images[0][0], images[1][0])
    np.testing.assert_array_equal(images[0][1], images[1][1])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bank", ["kernel", "parameters", "scales", "thresholds"])
def test_a_bank_that_changes_is_seen(bank: str, mode: Mode) -> None:
    name = "kernel_rows" if bank == "kernel" else bank
    changed = 0
    for seed in range(8):
        choices = {"multiplies": 1, "raw": 0, "search_reads": 3, "residual": 0, "own_code": 0}
        program = few_program(seed, random_pass(FEW, seed, **choices))
        machine, images = Accelerator(FEW, mode=mode), few_images(1, 2)
        machine.load(program)
        before = machine.run_images(images).maps[0]
        other = getattr(few_program(seed + 1, *program.passes), name)
        getattr(machine.state, bank)[:] = other
        after = machine.run_images(images).maps[0]
        changed += int((after != before).any())
        fresh = Accelerator(FEW, mode=mode)
        fresh.load(replace(program, **{name: other}))
        np.testing.assert_array_equal(after, fresh.run_images(images).maps[0])
    assert changed > 3


def loaded(mode: Mode = "exact") -> tuple[Accelerator, Program, np.ndarray]:
    program = compile_graph(small_graph(), TINY)
    machine = Accelerator(TINY, mode=mode)
    machine.load(program)
    return machine, program, small_images(3).astype(np.uint8)


@pytest.mark.parametrize("mode", MODES)
def test_cells_that_somebody_overwrites_are_seen(mode: Mode) -> None:
    machine, program, images = loaded(mode)
    machine.run_images(images)
    kernel_row = program.passes[0].kernel_row
    before = machine.run_images(images, layers=(0,)).maps[0]
    machine.state.array.cells[:, kernel_row] ^= 1
    assert (machine.run_images(images, layers=(0,)).maps[0] != before).any()


def test_many_images_take_no_more_memory_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_CHUNK", 1 << 20)
    machine, _, images = loaded()
    images = np.tile(images, (2000, 1, 1, 1))
    machine.run_images(images[:10])
    tracemalloc.start()
    found = machine.run_images(images)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.maps[1]) == 6000
    np.testing.assert_array_equal(found.maps[1][:3], found.maps[1][-3:])
    # The maps that are returned, twice while they are put together, and a chunk with its room.
    assert peak < 2 * found.maps[1].nbytes + 6 * (1 << 20)


@pytest.mark.parametrize("mode", MODES)
def test_factors_that_have_no_room_are_computed_again(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = draw_fault_map(TINY, load_technology("sot-mram"), 1, offset_sigma=0.02, sigma_ra=0.2)
    program, images = compile_graph(small_graph(), TINY), small_images(4).astype(np.uint8)
    found = []
    for kept in (accelerator._KEPT, 5000):
        monkeypatch.setattr(accelerator, "_KEPT", kept)
        machine = Accelerator(TINY, faults, mode)
        machine.load(program)
        found += [machine.run_images(images).maps[1], machine.run_images(images).maps[1]]
        assert 0 <= machine._room.left < kept
    for again in found[1:]:
        np.testing.assert_array_equal(found[0], again)


def test_what_cannot_run_is_refused() -> None:
    machine, program, images = loaded()
    with pytest.raises(SpinplaneError, match=r"^0 images: must be at least 1$"):
        machine.run_images(images[:0])
    with pytest.raises(SpinplaneError, match=r"^codes of shape \(3, 1, 6, 5\): the map has \(1, 6, 6\)"):
        machine.run_images(images[..., :5])
    with pytest.raises(SpinplaneError, match=r"^code 4: must be from 0 to 3$"):
        machine.run_images(images + 1)
    machine.program[1, 0] = Kind.HEADER.value
    with pytest.raises(SpinplaneError, match=r"^the program ends with KIND at descriptor 1$"):
        machine.run_images(images)
    with pytest.raises(SpinplaneError, match="load a program before running images"):
        Accelerator(program.machine).run_images(images)
