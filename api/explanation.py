"""One output, step by step: the paper's 3-bit example of Fig. 6, from rows to the sum."""

from dataclasses import dataclass

import numpy as np

from spinplane.behavioral import bit_planes
from spinplane.compiler import Convolution
from spinplane.machine import Op, Operand, Program, command_dtype, load_machine
from spinplane.sim import available_simulators
from spinplane.sim.run import run_programs

#: Fig. 6: C0(I) = 0110, and a count of 0001 that is shifted by 3 to 1000. The other bits are chosen to fit.
FIG_6_INPUTS = (2, 1, 3, 0)
FIG_6_WEIGHTS = (4, 3, 0, 2)
_BITS = 3


@dataclass(frozen=True, kw_only=True)
class Step:
    """One AND of two rows, its count and what it adds.

    Parameters
    ----------
    m, n : int
        Planes of the input and of the weight.
    row_i, row_w, sensed : str
        Bits of the two rows and of their AND, as the RTL's array gave them, first position left.
    count : int
    total : int
        Sum after this step.
    """

    m: int
    n: int
    row_i: str
    row_w: str
    sensed: str
    count: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A dot product as the sub-array takes it.

    Parameters
    ----------
    inputs, weights : tuple of int
    steps : tuple of Step
    result : int
        From the accumulator of the RTL.
    simulator : str
    """

    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    steps: tuple[Step, ...]
    result: int
    simulator: str

    def __str__(self) -> str:
        lines = [
            "One output of the paper's Fig. 6: I*W = Σm Σn 2^(m+n)·bitcount(and(Cn(W), Cm(I)))",
            f"I = {list(self.inputs)}, W = {list(self.weights)}: {_BITS} bits each, a column for each position",
            "",
            "m  n  Cm(I)  Cn(W)  AND   count  shifted by  adds    sum",
        ]
        for step in self.steps:
            shift = step.m + step.n
            lines.append(
                f"{step.m}  {step.n}  {step.row_i}   {step.row_w}   {step.sensed}  {step.count:04b}   {shift:<10}"
                f"  {step.count << shift:06b}  {step.total}"
            )
        pairs = list(zip(self.inputs, self.weights, strict=True))
        lines += [
            "",
            f"{' + '.join(f'{i}·{w}' for i, w in pairs)} = {sum(i * w for i, w in pairs)}; "
            f"the accumulator of the RTL on {self.simulator} holds {self.result}",
        ]
        return "\n".join(lines)


def explain(*, simulator: str | None = None) -> Explanation:
    """Walk through one output of Fig. 6's example on the RTL of the machine ``tiny``.

    The dot product runs as one command; then each row, and each AND of two rows, is sensed again and read out.

    Parameters
    ----------
    simulator : {"verilator", "icarus", "amaranth"}, optional
        The quickest to build of those that can be used, if not given.
    """
    usable = available_simulators()
    simulator = simulator or ("icarus" if "icarus" in usable else (*usable, "amaranth")[0])
    machine, operand = load_machine("tiny"), Operand(bits=_BITS)
    weights = np.array(FIG_6_WEIGHTS).reshape(1, 1, 1, -1)
    layer = Convolution(machine, weights, (1, 1, len(FIG_6_INPUTS)), w=operand, i=operand, name="Fig. 6")
    dot = layer.program(np.array(FIG_6_INPUTS).reshape(1, 1, 1, -1))
    kernel_row = layer.layout.batch_row(0)
    pairs = [(m, n) for n in range(_BITS) for m in range(_BITS)]
    ands = np.zeros(len(pairs), dtype=command_dtype(machine))
    ands["op"], ands["emit"], ands["length"] = Op.AND.value, 1, len(FIG_6_INPUTS) - 1
    ands["row_a"] = [m for m, _ in pairs]
    ands["row_b"] = [kernel_row + n for _, n in pairs]
    nothing = np.zeros((0, machine.columns), dtype=np.uint8)
    sensing = Program(machine=machine, commands=ands, rows=nothing, masks=nothing)
    run = run_programs([dot, sensing], simulator=simulator)

    planes_i, planes_w = bit_planes(FIG_6_INPUTS, _BITS), bit_planes(FIG_6_WEIGHTS, _BITS)
    steps, total = [], 0
    for (m, n), row in zip(pairs, run.runs[1].rows, strict=True):
        sensed = row[: len(FIG_6_INPUTS)]
        total += int(sensed.sum()) << (m + n)
        steps.append(
            Step(
                m=m,
                n=n,
                row_i=_text(planes_i[m]),
                row_w=_text(planes_w[n]),
                sensed=_text(sensed),
                count=int(sensed.sum()),
                total=total,
            )
        )
    return Explanation(
        inputs=FIG_6_INPUTS,
        weights=FIG_6_WEIGHTS,
        steps=tuple(steps),
        result=int(run.runs[0].results[0]),
        simulator=simulator,
    )


def _text(bits: np.ndarray) -> str:
    return "".join(map(str, bits))
