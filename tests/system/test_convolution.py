"""The accelerator against the paper's Eq. 3: whole convolutions of every bit-width, coding and geometry on the RTL.

The bench is ``sim/benches/bench_convolution.py``; here are the convolutions that it is given.
"""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral import decode
from spinplane.behavioral.convolution import pair, sides
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import layer_graph
from spinplane.compiler.graph import Layer
from spinplane.machine import MAX_BITS, Coding, Machine, Operand, load_machine
from spinplane.sim import BenchFailure
from spinplane.sim.benches.convolution_cases import CASES_VARIABLE, ConvolutionCase, load_cases, save_cases
from tests.accelerator_benches import run_accelerator_bench

#: The smallest machine that comes with the package, with rows for kernels of 8 planes and 198 positions.
MACHINE = replace(load_machine("tiny"), name="tall", rows=256)
SLOW = Machine(
    name="slow",
    sub_arrays=4,
    rows=128,
    columns=128,
    segments=4,
    sense_cycles=2,
    write_cycles=3,
    image_words=4096,
)
WIDTHS = list(product(range(1, MAX_BITS + 1), repeat=2))
CODINGS = [Coding.TWOS_COMPLEMENT, Coding.DOREFA, Coding.UNSIGNED]
# Channels and kernels whose windows are shorter than a row of 64 columns, as long as one or as a segment, and several
# rows long with a rest or without.
SHORT = [(1, (3, 3)), (2, (2, 3)), (3, (1, 1)), (2, (3, 2)), (1, (5, 3))]
EQUAL = [(4, (4, 4)), (16, (2, 2)), (64, (1, 1)), (8, (2, 2))]
LONG = [(8, (3, 5)), (22, (3, 3)), (16, (3, 4)), (65, (1, 2))]


def operand(bits: int, choice: int) -> Operand:
    codings = [*CODINGS, Coding.BIPOLAR] if bits == 1 else CODINGS
    return Operand(bits=bits, coding=codings[choice % len(codings)])


def convolution(seed: int, w_bits: int, i_bits: int, machine: Machine = MACHINE) -> ConvolutionCase:
    """A convolution of a pair of bit-widths: what it is like runs through all choices, its values are random."""
    number = WIDTHS.index((w_bits, i_bits)) + 7 * seed
    rng = np.random.default_rng([seed, w_bits, i_bits])
    w, i = operand(w_bits, number), operand(i_bits, number // 3)
    channels, kernel = (SHORT, EQUAL, LONG)[number % 3][number // 3 % 4]
    groups = (1, 1, 2, 1, 3)[number % 5]
    stride = (1, 2, (2, 1), (1, 3))[number // 2 % 4]
    padding = (0, 1, (1, 0), (0, 2, 1, 1), 1)[number // 5 % 5]
    dilation = ((1, 2), 1, 2)[number // 7 % 3] if number % 3 == 0 else 1
    # What needs a ninth bit is refused: 0 beside 256 odd values, and two offsets of which one is 128 or more.
    if i.bits == MAX_BITS and i.coding is Coding.DOREFA:
        padding = 0
    if w.bits == MAX_BITS and w.coding is Coding.DOREFA:
        groups = 1
    if w.bits == MAX_BITS and w.coding is not Coding.UNSIGNED and i.scale == 2:
        i = Operand(bits=i_bits)
    kernels = groups * int(rng.integers(1, 4 if number % 3 else 9))
    # Two or three positions in each direction, whatever the geometry.
    steps, spread = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    seen = spread * (np.array(kernel) - 1) + 1 + steps * rng.integers(1, 3 if number % 3 else 4, 2)
    height, width = np.maximum(seen - 2 * (padding == 1) - rng.integers(0, 2), kernel)
    layer = Layer(
        name=f"convolution {w}:{i}",
        weights=decode(rng.integers(0, 2**w_bits, (kernels, channels, *kernel)), w),
        w=w,
        i=i,
        stride=pair(stride, "stride"),
        padding=sides(padding),
        dilation=pair(dilation, "dilation"),
        groups=groups,
        bias=rng.integers(-500, 500, kernels) * (number % 4 > 0),
    )
    shape = (1 + number % 2, channels * groups, int(height), int(width))
    return case_of(layer, decode(rng.integers(0, 2**i_bits, shape), i), machine)


def case_of(layer: Layer, inputs: np.ndarray, machine: Machine = MACHINE) -> ConvolutionCase:
    _, channels, height, width = inputs.shape
    names = ("stride", "padding", "dilation", "groups", "bias")
    return ConvolutionCase(
        program=compile_graph(layer_graph(layer, (channels, height, width)), machine),
        inputs=inputs,
        weights=layer.weights,
        w=layer.w,
        i=layer.i,
        options={name: getattr(layer, name) for name in names},
    )


def extremes() -> list[ConvolutionCase]:
    """Least and greatest values everywhere, padding everywhere but in one position, weights of 0 alone."""
    s8, u1 = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT), Operand(bits=1)
    bipolar, none = Operand(bits=1, coding=Coding.BIPOLAR), np.zeros(1, dtype=np.int64)
    deep = np.full((1, 16, 3, 3), s8.smallest)
    return [
        *(
            case_of(Layer(name="deep", weights=np.full_like(deep, value), w=s8, i=s8, bias=none), deep)
            for value in (s8.smallest, s8.largest)
        ),
        case_of(
            Layer(
                name="border",
                weights=np.ones((2, 1, 3, 3), dtype=np.int64),
                w=bipolar,
                i=bipolar,
                bias=np.zeros(2, dtype=np.int64),
                padding=(1, 1, 1, 1),
            ),
            -np.ones((1, 1, 1, 1), dtype=np.int64),
        ),
        case_of(
            Layer(
                name="zeros",
                weights=np.zeros((3, 1, 1, 1), dtype=np.int64),
                w=u1,
                i=u1,
                bias=np.array([5, 0, -7]),
            ),
            np.ones((1, 1, 2, 2), dtype=np.int64),
        ),
    ]


def run(cases: list[ConvolutionCase], simulator: str, folder: Path, machine: Machine = MACHINE) -> None:
    """All convolutions on one build of a machine, one program after the other."""
    given = folder / "cases"
    given.mkdir()
    save_cases(given, cases)
    run_accelerator_bench("bench_convolution", machine, simulator, folder, {CASES_VARIABLE: str(given)})


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("simulator", "pairs"),
    [("icarus", WIDTHS[::7]), ("verilator", WIDTHS)],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} pairs",
)
def test_every_width_of_weights_and_inputs(
    simulator: str, pairs: list[tuple[int, int]], tmp_path: Path
) -> None:
    run([*(convolution(0, w, i) for w, i in pairs), *extremes()], simulator, tmp_path)


def test_the_extremes_are_what_they_should_be() -> None:
    sums = [case.expected().ravel().tolist() for case in extremes()]
    assert sums[0] == [16 * 9 * 128 * 128]
    assert sums[1] == [16 * 9 * 127 * -128]
    assert sums[2] == [-1, -1]
    assert sums[3] == [5] * 4 + [0] * 4 + [-7] * 4


@pytest.mark.thorough
def test_a_slower_sense_and_four_segments(tmp_path: Path) -> None:
    cases = [convolution(0, w, i, SLOW) for w, i in WIDTHS[3:64:22]]
    run(cases, "icarus", tmp_path, SLOW)


@pytest.mark.thorough
def test_every_width_in_other_geometries(tmp_path: Path) -> None:
    run([convolution(seed, w, i) for seed in range(1, 9) for w, i in WIDTHS], "verilator", tmp_path)


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_one_wrong_weight_is_noticed(simulator: str, tmp_path: Path) -> None:
    right = convolution(0, 2, 3)
    weights = right.weights.copy()
    weights[-1, -1, 0, 0] = next(v for v in decode(range(4), right.w) if v != weights[-1, -1, 0, 0])
    with pytest.raises(BenchFailure, match=r"convolution 1: 2:3 bits, .* sums are wrong"):
        run([right, replace(right, weights=weights)], simulator, tmp_path)


def test_the_convolutions_leave_nothing_out() -> None:
    cases = [convolution(0, w, i) for w, i in WIDTHS]
    assert [(case.w.bits, case.i.bits) for case in cases] == WIDTHS
    pairs = {(case.w.coding, case.i.coding) for case in cases}
    assert pairs >= set(product(CODINGS, repeat=2))
    assert {coding for pair in pairs for coding in pair} == set(Coding)
    lengths = {int(np.prod(case.weights.shape[1:])) for case in cases}
    assert {length for length in lengths if length < 64} >= {3, 9, 12, 32}
    assert 64 in lengths
    assert {length for length in lengths if length > 64} >= {120, 130, 192, 198}
    for name in ("stride", "padding", "dilation", "groups"):
        assert len({str(case.options[name]) for case in cases}) >= 3, name
    assert {len(case.inputs) for case in cases} == {1, 2}
    assert {bool(case.options["bias"].any()) for case in cases} == {False, True}
    assert {case.program.input.layout for case in cases} == {"bytes", "planes"}
    sizes = {case.inputs.shape[2:] for case in cases}
    assert any(height % 2 and width % 2 for height, width in sizes)
    # What the accelerator does in passes, and what it codes with a bit more.
    assert {len(case.program.descriptors) > 3 for case in cases} == {False, True}
    assert {case.program.input.planes > case.i.bits for case in cases} == {False, True}


def test_convolutions_are_read_as_they_were_written(tmp_path: Path) -> None:
    cases = [convolution(0, 1, 1), convolution(0, 4, 3)]
    save_cases(tmp_path, cases)
    for found, case in zip(load_cases(tmp_path), cases, strict=True):
        assert str(found) == str(case)
        np.testing.assert_array_equal(found.expected(), case.expected())
        np.testing.assert_array_equal(found.codes, case.codes)
        np.testing.assert_array_equal(found.program.descriptors, case.program.descriptors)
