"""What functions take besides paths: arrays, fault maps and places, as values or as what names them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.arguments import as_path, is_path, refusal
from spinplane.machine.array_files import IMAGES, read_array
from spinplane.machine.faults import FaultMap


def load_array(path: str | Path) -> np.ndarray:
    """An array of numbers from a .npy file.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    SpinplaneError
        If it is missing, cut short, too large, or not a .npy file of numbers.
    """
    return read_array(as_path("path", path), f"input {path}", "not a .npy file of numbers", limits=IMAGES)


def as_array(argument: str, values: np.ndarray | str | Path) -> np.ndarray:
    """Numbers as they are given, or from the .npy file that is named.

    Parameters
    ----------
    argument : str
        What the message names.
    values : array_like, str or Path

    Raises
    ------
    SpinplaneError
        If they are no numbers, and as `load_array`.
    """
    if is_path(values):
        return load_array(as_path(argument, values))  # type: ignore[arg-type]
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise refusal(argument, values, "an array of numbers, or the path of a .npy file")
    return array


def as_fault_map(faults: FaultMap | str | Path | None) -> FaultMap | None:
    """A fault map as it is given, or from the file that `FaultMap.save` wrote; None for None."""
    if faults is None or isinstance(faults, FaultMap):
        return faults
    if not is_path(faults):
        raise refusal("faults", faults, "a FaultMap, or the path of its file")
    return FaultMap.load(as_path("faults", faults))


def as_place(output: Sequence[int] | str) -> tuple[int, int, int]:
    """Kernel, line and column of a value, from three whole numbers or from text: ``3,0,0``.

    Raises
    ------
    SpinplaneError
        If it is neither.
    """
    parts: Sequence[Any] = output.split(",") if isinstance(output, str) else ()
    if isinstance(output, Sequence | np.ndarray) and not isinstance(output, str):
        parts = [str(part) if isinstance(part, int | np.integer) else "" for part in output]
    if len(parts) != 3 or not all(part.strip().isascii() and part.strip().isdecimal() for part in parts):
        raise SpinplaneError(f"output {output!r}: expected k,y,x, such as 3,0,0")
    k, y, x = map(int, parts)
    return k, y, x
