"""Cases for the bench of whole convolutions: a program for each, its images and its results."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinplane.behavioral import convolve
from spinplane.machine import Coding, Operand
from spinplane.machine.array_files import OWN, archive_bytes, open_archive
from spinplane.machine.files import write_file
from spinplane.machine.program import Program

#: Environment variable that names the folder of the cases for the bench.
CASES_VARIABLE = "SPINPLANE_CONVOLUTIONS"


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvolutionCase:
    """A convolution, compiled.

    Parameters
    ----------
    program : Program
        Of this one layer, which leaves its sums.
    inputs : ndarray of shape (batch, channels, height, width), int64
    weights : ndarray of shape (kernels, channels / groups, height, width), int64
        Both are values, not codes.
    w, i : Operand
    options : dict
        Stride, padding, dilation, groups and bias, as `spinplane.behavioral.convolve` takes them.
    """

    program: Program
    inputs: np.ndarray
    weights: np.ndarray
    w: Operand
    i: Operand
    options: dict[str, Any]

    @property
    def codes(self) -> np.ndarray:
        """Inputs as they lie in the image bank."""
        return (self.inputs - self.program.input.offset) // self.program.input.scale

    def expected(self) -> np.ndarray:
        """Sums of shape (batch, kernels, height, width) by Eq. 3 of the paper: ANDs of bit-planes, counted."""
        return convolve(self.inputs, self.weights, w=self.w, i=self.i, **self.options)

    def __str__(self) -> str:
        options = ", ".join(f"{name} {value}" for name, value in self.options.items() if name != "bias")
        kernels = "×".join(map(str, self.weights.shape))
        images = "×".join(map(str, self.inputs.shape))
        coding = f"{self.w.coding.value}:{self.i.coding.value}"
        return f"{self.w.bits}:{self.i.bits} bits, {coding}, kernels {kernels}, images {images}, {options}"


def save_cases(folder: Path, cases: Sequence[ConvolutionCase]) -> None:
    """Write convolutions into an empty folder."""
    for number, case in enumerate(cases):
        case.program.save(folder / f"{number}.program")
        options = {**case.options, "bias": np.asarray(case.options["bias"]).tolist()}
        operands = [(one.bits, one.coding.value, one.zero_point) for one in (case.w, case.i)]
        head = np.array(json.dumps([operands, options]))
        arrays = {"head": head, "inputs": case.inputs, "weights": case.weights}
        write_file(folder / f"{number}.npz", archive_bytes(arrays, compressed=False))


def load_cases(folder: Path) -> list[ConvolutionCase]:
    """Read convolutions; the inverse of `save_cases`."""
    cases = []
    for number in range(len(list(folder.glob("*.npz")))):
        path = folder / f"{number}.npz"
        with open_archive(path, str(path), "not a case", OWN) as arrays:
            operands, options = json.loads(arrays.text("head"))
            w, i = (
                Operand(bits=bits, coding=Coding(coding), zero_point=zero_point)
                for bits, coding, zero_point in operands
            )
            tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
            cases.append(
                ConvolutionCase(
                    program=Program.load(folder / f"{number}.program"),
                    inputs=arrays.read("inputs"),
                    weights=arrays.read("weights"),
                    w=w,
                    i=i,
                    options=tuples | {"bias": np.array(options["bias"])},
                )
            )
    return cases
