"""Fault maps as the files that ``sot_mram_array.v`` reads."""

from pathlib import Path

import numpy as np

from spinplane.machine.faults import NOMINAL_THRESHOLDS, FaultMap
from spinplane.machine.files import write_file
from spinplane.machine.variation import Variation

#: Hexadecimal digits of a word of ``+variation``.
_DIGITS = 5


def fault_arguments(faults: FaultMap | None, folder: Path) -> list[str]:
    """Write a fault map into a folder; returns what a simulation is told of it.

    Parameters
    ----------
    faults : FaultMap or None
        Without, there is nothing to tell.
    folder : Path

    Returns
    -------
    list of str
        ``+faults=…``, and ``+variation=…`` if cells vary.
    """
    if faults is None:
        return []
    lines = folder / "faults.txt"
    write_file(lines, _fault_lines(faults).encode())
    if faults.variation is None:
        return [f"+faults={lines}"]
    prefix = folder / "variation-"
    write_variation(prefix, faults.variation)
    return [f"+faults={lines}", f"+variation={prefix}"]


def _fault_lines(faults: FaultMap) -> str:
    """The faults as ``sot_mram_array.v`` reads them: kind, sub-array, row, column, value."""
    lines = [(0, *map(int, stuck)) for stuck in faults.stuck]
    for kind, (name, nominal) in enumerate(NOMINAL_THRESHOLDS.items(), start=1):
        thresholds = getattr(faults, f"{name}_thresholds")
        for sub_array, column in np.argwhere(thresholds != nominal):
            lines.append((kind, int(sub_array), 0, int(column), int(thresholds[sub_array, column])))
    return "".join(" ".join(map(str, line)) + "\n" for line in lines)


def write_variation(prefix: Path, variation: Variation) -> None:
    """Write a file for each sub-array as ``sot_mram_array.v`` reads them: a word of 20 bits a column, row by row.

    Parameters
    ----------
    prefix : Path
        Path of the files without the number of the sub-array.
    variation : Variation
    """
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    places = 4 * np.arange(_DIGITS)[::-1]
    cells = (variation.parallel, variation.antiparallel)
    references = (variation.read_references, variation.and_references, variation.or_references)
    for number in range(len(variation.parallel)):
        words = [
            *(of_state[number] for of_state in cells),
            np.stack([of_all[number] for of_all in references]),
        ]
        conductances = np.concatenate(words).astype(np.int32).reshape(-1, 1)
        text = digits[conductances >> places & 15]
        lines = np.column_stack([text, np.full(len(text), ord("\n"), dtype=np.uint8)])
        write_file(prefix.with_name(f"{prefix.name}{number}"), lines.tobytes())
