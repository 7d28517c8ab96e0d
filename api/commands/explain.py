"""One output, step by step: the paper's 3-bit example of Fig. 6, from rows to the sum."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinplane.behavioral import bit_planes
from spinplane.compiler.frontend.model_zoo import layer_graph
from spinplane.compiler.graph import Layer
from spinplane.device.technology import Technology
from spinplane.machine import MachineClock, Operand
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import Shown
from spinplane.sim import BenchFailure, available_simulators

from .clock import clock_line
from .run import run_network
from .trace import trace
from .trace_result import Trace

#: Fig. 6: C0(I) = 0110, and a count of 0001 that is shifted by 3 to 1000. The other bits are chosen to fit.
FIG_6_INPUTS = (2, 1, 3, 0)
FIG_6_WEIGHTS = (4, 3, 0, 2)
_BITS = 3
_MACHINE = "tiny"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One plane of the input ANDed with one of the weight: its count and its contribution to the sum.

    Parameters
    ----------
    m, n : int
        Planes of the input and of the weight.
    array_row_i, array_row_w : int
        Rows of the sub-array. Planes of the input that lie side by side in a row are sensed at once.
    row_i, row_w, sensed : str
        Bits of the two planes and of their AND, first position left.
    count : int
    total : int
        Sum after this step.
    """

    m: int
    n: int
    array_row_i: int
    array_row_w: int
    row_i: str
    row_w: str
    sensed: str
    count: int
    total: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Explanation(Shown):
    """A dot product as a sub-array computes it.

    Parameters
    ----------
    inputs, weights : tuple of int
    steps : tuple of Step
        Of the functional machine.
    result : int
        From the RTL, which has been compared with the functional machine and with plain numpy.
    simulator : str
    cycles : int or None
        Of the run, steady.
    clock : MachineClock or None
        None where nothing is said of the technology, and the default one cannot be the machine's.
    """

    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    steps: tuple[Step, ...]
    result: int
    simulator: str
    cycles: int | None = None
    clock: MachineClock | None = None

    @property
    def heading(self) -> str:
        """What is explained."""
        return "One output of the paper's Fig. 6"

    @property
    def main_figure(self) -> str:
        """The sum, and its steps."""
        return f"sum {self.result} in {len(self.steps)} steps"

    def records(self) -> tuple[Record, ...]:
        """A record for each step."""
        return tuple(map(record_of, self.steps))

    def __str__(self) -> str:
        lines = [
            f"{self.heading}: I*W = Σm Σn 2^(m+n)·bitcount(and(Cn(W), Cm(I)))",
            f"I = {list(self.inputs)}, W = {list(self.weights)}: {_BITS} bits each, one column per position",
            f"one window and one kernel on the accelerator {_MACHINE}; the planes of a row are sensed at once",
            "",
            "m  n  row I  row W  Cm(I)  Cn(W)  AND   count  shifted by  adds    sum",
        ]
        for step in self.steps:
            shift = step.m + step.n
            lines.append(
                f"{step.m}  {step.n}  {step.array_row_i:<5}  {step.array_row_w:<5}  {step.row_i}   {step.row_w}   "
                f"{step.sensed}  {step.count:04b}   {shift:<10}  {step.count << shift:06b}  {step.total}"
            )
        pairs = list(zip(self.inputs, self.weights, strict=True))
        lines += [
            "",
            f"{' + '.join(f'{i}·{w}' for i, w in pairs)} = {sum(i * w for i, w in pairs)}; "
            f"the sum of the RTL on {self.simulator} is {self.result}",
        ]
        if self.cycles is not None:
            lines += [f"a steady run takes {self.cycles} cycles", clock_line(self.clock, steady=self.cycles)]
        return "\n".join(lines)


def explain(
    *,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    simulator: str | None = None,
) -> Explanation:
    """Walk through one output of Fig. 6's example on the accelerator of the machine ``tiny``.

    The example is a network of one kernel and one window. It runs on the RTL; the steps of its sum are traced in the
    functional machine.

    Parameters
    ----------
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    simulator : {"verilator", "icarus", "amaranth"}, optional
        By default the quickest to build of those that can be used.

    Raises
    ------
    SpinplaneError
        If the simulator is not there, or the clock does not fit.
    BenchFailure
        If the RTL differs from the functional machine, the prediction or plain numpy.
    """
    usable = available_simulators()
    simulator = simulator or ("icarus" if "icarus" in usable else (*usable, "amaranth")[0])
    operand, positions = Operand(bits=_BITS), len(FIG_6_INPUTS)
    kernel = Layer(
        name="Fig. 6",
        weights=np.array(FIG_6_WEIGHTS).reshape(1, 1, 1, positions),
        w=operand,
        i=operand,
        bias=np.zeros(1, dtype=np.int64),
    )
    graph, inputs = layer_graph(kernel, (1, 1, positions)), np.array(FIG_6_INPUTS).reshape(1, 1, positions)
    run = run_network(
        graph, inputs, machine=_MACHINE, technology=technology, clock=clock, simulator=simulator
    )
    if run.mismatches:
        raise BenchFailure(f"{run.mismatches} mismatches between the RTL and its reference")
    return Explanation(
        inputs=FIG_6_INPUTS,
        weights=FIG_6_WEIGHTS,
        steps=_steps(trace(graph, inputs, output=(0, 0, 0), machine=_MACHINE)),
        result=int(run.outputs.item()),
        simulator=simulator,
        cycles=run.cycles,
        clock=run.clock,
    )


def _steps(traced: Trace) -> tuple[Step, ...]:
    """The sub-blocks of each AND, which hold neighbouring planes of the input, one after the other."""
    planes_i, planes_w = bit_planes(FIG_6_INPUTS, _BITS), bit_planes(FIG_6_WEIGHTS, _BITS)
    steps, total = list[Step](), 0
    for sensed in traced.steps:
        first_plane = sensed.plane_group * len(sensed.bits)
        # Beyond the operand's planes the sub-blocks are empty.
        for m, bits in list(enumerate(sensed.bits, first_plane))[: _BITS - first_plane]:
            count, n = bits.count("1"), sensed.plane
            total += count << (m + n)
            steps.append(
                Step(
                    m=m,
                    n=n,
                    array_row_i=sensed.row_i,
                    array_row_w=sensed.row_w,
                    row_i="".join(map(str, planes_i[m])),
                    row_w="".join(map(str, planes_w[n])),
                    sensed=bits,
                    count=count,
                    total=total,
                )
            )
    return tuple(steps)
