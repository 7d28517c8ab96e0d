"""Fault maps as the files that ``sot_mram_array.v`` reads."""

from pathlib import Path

import numpy as np

from spinplane.machine.faults import NOMINAL_THRESHOLDS, FaultMap
from spinplane.machine.files import write_file
from spinplane.machine.transient import Draws, Stream
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
        ``+faults=…``, ``+variation=…`` if cells vary, and ``+transient=…`` if there are transient faults.
    """
    if faults is None:
        return []
    lines = folder / "faults.txt"
    write_file(lines, _fault_lines(faults).encode())
    arguments = [f"+faults={lines}"]
    if faults.variation is not None:
        prefix = folder / "variation-"
        write_variation(prefix, faults.variation)
        arguments.append(f"+variation={prefix}")
    if faults.transient is not None:
        words = folder / "transient.hex"
        write_file(words, _rate_words(faults).encode())
        arguments.append(f"+transient={words}")
    return arguments


def _rate_words(faults: FaultMap) -> str:
    """Seed and rates of transient faults as ``sot_mram_array.v`` reads them."""
    assert faults.transient is not None
    draws = Draws(faults.transient, sub_arrays=faults.sub_arrays, rows=faults.rows, columns=faults.columns)
    turning = [draws.turning[stream] for stream in Stream if stream is not Stream.DECAY]
    words = np.concatenate([*turning, *(draws.thresholds[stream] for stream in Stream)])
    return "".join(f"{value:016x}\n" for value in (faults.transient.seed, *words.tolist()))


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
