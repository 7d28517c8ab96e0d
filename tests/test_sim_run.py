"""Whole convolutions on the RTL of an engine: bit-exact with the oracle, counters equal and predicted."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from spinplane.behavioral import Engine, bit_planes, convolve, decode
from spinplane.compiler import Convolution
from spinplane.machine import Coding, Machine, Op, Operand, Program, command_dtype, load_machine
from spinplane.sim.run import run_programs

TINY = load_machine("tiny")
CODINGS = [Coding.TWOS_COMPLEMENT, Coding.DOREFA, Coding.UNSIGNED]
# Channels and kernels whose windows are shorter than a row of 64 columns, as long as one or as a segment, and several
# rows long with a rest or without.
SHORT = [(1, (3, 3)), (2, (2, 3)), (3, (1, 1)), (2, (3, 2)), (1, (5, 3))]
EQUAL = [(4, (4, 4)), (16, (2, 2)), (64, (1, 1)), (8, (2, 2))]
LONG = [(8, (3, 5)), (22, (3, 3)), (16, (3, 4)), (65, (1, 2))]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A convolution with its inputs and options."""

    inputs: np.ndarray
    weights: np.ndarray
    options: dict[str, Any]

    def mapped(self, machine: Machine) -> Convolution:
        return Convolution(machine, self.weights, self.inputs.shape[1:], **self.options)


def operand(bits: int, choice: int) -> Operand:
    codings = [*CODINGS, Coding.BIPOLAR] if bits == 1 else CODINGS
    return Operand(bits=bits, coding=codings[choice % len(codings)])


def layer(w_bits: int, i_bits: int, number: int) -> Layer:
    """Convolution `number` of the sweep: what it is like runs through all choices, its values are random."""
    rng = np.random.default_rng([w_bits, i_bits])
    w, i = operand(w_bits, number), operand(i_bits, number // 3)
    channels, kernel = (SHORT, EQUAL, LONG)[number % 3][number // 3 % 4]
    groups = (1, 1, 2, 1, 3)[number % 5]
    kernels = groups * int(rng.integers(1, 4 if number % 3 else 9))
    stride = (1, 2, (2, 1), (1, 3))[number // 2 % 4]
    padding = (0, 1, (1, 0), (0, 2, 1, 1), 1)[number // 5 % 5]
    dilation = ((1, 2), 1, 2)[number // 7 % 3] if number % 3 == 0 else 1
    # Two or three positions in each direction, whatever the geometry.
    steps, spread = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    seen = spread * (np.array(kernel) - 1) + 1 + steps * rng.integers(1, 3 if number % 3 else 4, 2)
    height, width = np.maximum(seen - 2 * (padding == 1) - rng.integers(0, 2), kernel)
    batch = 1 + number % 2
    options = {"w": w, "i": i, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if number % 4:
        options["bias"] = rng.integers(-500, 500, kernels)
    codes_w = rng.integers(0, 2**w_bits, (kernels, channels, *kernel))
    codes_i = rng.integers(0, 2**i_bits, (batch, channels * groups, height, width))
    return Layer(inputs=decode(codes_i, i), weights=decode(codes_w, w), options=options)


def sweep() -> list[Layer]:
    """All W:I of 1 to 8 bits."""
    pairs = product(range(1, 9), repeat=2)
    return [layer(w_bits, i_bits, number) for number, (w_bits, i_bits) in enumerate(pairs)]


def check(layers: list[Layer], machine: Machine, simulator: str) -> None:
    """Run all layers on one build and compare with the oracle, the functional machine and the prediction."""
    mapped = [layer.mapped(machine) for layer in layers]
    programs = [c.program(layer.inputs) for c, layer in zip(mapped, layers, strict=True)]
    runs = run_programs(programs, simulator=simulator).runs
    golden = Engine(machine)
    for convolution, layer, program, run in zip(mapped, layers, programs, runs, strict=True):
        expected = convolve(layer.inputs, layer.weights, **layer.options)
        np.testing.assert_array_equal(convolution.outputs(run.results), expected)
        assert run.counters == golden.run(program).counters
        predicted = convolution.predicted(len(layer.inputs))
        assert replace(run.counters, cycles=0, stalled=0) == predicted


def test_every_width_of_weights_and_inputs_on_verilator() -> None:
    check(sweep(), TINY, "verilator")


def test_some_widths_on_icarus() -> None:
    check(sweep()[::9], TINY, "icarus")


def test_a_slower_sense_and_four_segments() -> None:
    machine = Machine(
        name="slow", sub_arrays=3, rows=64, columns=128, segments=4, sense_cycles=2, write_cycles=3
    )
    check(sweep()[3:64:11], machine, "icarus")


def test_amaranth() -> None:
    small = Machine(name="small", sub_arrays=1, rows=16, columns=32, segments=2, accumulator_bits=16)
    check([layer(2, 2, 0)], small, "amaranth")


def test_the_sweep_leaves_nothing_out() -> None:
    layers = sweep()
    mapped = [layer.mapped(TINY) for layer in layers]
    assert {(c.w.bits, c.i.bits) for c in mapped} == set(product(range(1, 9), repeat=2))
    pairs = {(c.w.coding, c.i.coding) for c in mapped}
    assert pairs >= set(product(CODINGS, repeat=2))
    assert {coding for pair in pairs for coding in pair} == set(Coding)
    lengths = {int(np.prod(layer.weights.shape[1:])) for layer in layers}
    assert {length for length in lengths if length < 64} >= {3, 9, 12, 32}
    assert 64 in lengths
    assert {length for length in lengths if length > 64} >= {120, 130, 192, 198}
    assert {c.layout.packed for c in mapped} == {False, True}
    assert {c.layout.passes > 1 for c in mapped} == {False, True}
    assert {c.layout.outside_row != c.layout.kernel_row for c in mapped} == {False, True}
    for name in ("stride", "padding", "dilation", "groups"):
        assert len({str(layer.options[name]) for layer in layers}) >= 3, name
    assert {len(layer.inputs) for layer in layers} == {1, 2}
    assert {"bias" in layer.options for layer in layers} == {False, True}
    sizes = {layer.inputs.shape[2:] for layer in layers}
    assert any(height % 2 and width % 2 for height, width in sizes)


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_fig_6(simulator: str) -> None:
    """3-bit operands of 4 elements: C0(I) = 0110; and(C2(W), C1(I)) counts 0001, shifted by 3 it is 1000.

    The other bits are ours.
    """
    inputs, weights = np.array([2, 1, 3, 0]), np.array([4, 3, 0, 2])
    planes = [*bit_planes(inputs, 3), *bit_planes(weights, 3)]
    rows = np.zeros((6, TINY.columns), np.uint8)
    rows[:, :4] = planes
    commands = np.zeros(10, command_dtype(TINY))
    commands["op"] = [Op.WRITE.value] * 6 + [op.value for op in (Op.READ, Op.AND, Op.DOT, Op.DOT)]
    commands["row_d"][:6] = range(6)
    commands["emit"][6:], commands["clear"][8:], commands["length"][6:] = 1, 1, 3
    c1_i, c2_w = 1, 5
    commands["row_a"][7:9], commands["row_b"][7:9], commands["shift"][8] = c1_i, c2_w, 1 + 2
    commands["row_b"][9], commands["planes_a"][9], commands["planes_b"][9] = 3, 2, 2
    program = Program(machine=TINY, commands=commands, rows=rows, masks=np.ones_like(rows))
    (run,) = run_programs([program], simulator=simulator).runs
    c0_i, anded = run.rows[:, :4]
    assert c0_i.tolist() == [0, 1, 1, 0]
    assert anded.tolist() == [1, 0, 0, 0]
    assert run.results.tolist() == [0b1000, inputs @ weights]
    assert (run.counters.row_reads, run.counters.ands, run.counters.bit_counts) == (1, 1 + 1 + 9, 1 + 9)
