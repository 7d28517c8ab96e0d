"""Wires of an array: how far a mesh rises, and the voltage with which a line writes its farthest cell."""

from .sensing import bit_line_resistance
from .technology import Technology
from .write import write_path_voltage

#: Of RC, when the far end of a distributed line has half of a step at its near end.
_HALF = 0.38


def mesh_rise(technology: Technology, current: float) -> float:
    """Rise in V of a mesh above ground where it is highest, a bound.

    Parameters
    ----------
    technology : Technology
    current : float
        In A, into the mesh from every cell of one row in the middle of the array.

    Returns
    -------
    float
        0 for a technology without a mesh.

    Notes
    -----
    A strap takes the current of its columns, and at an edge of half a column more, through a via, and half of it goes
    to each of its ends.
    """
    if "mesh" not in technology.lines.values():
        return 0.0
    half = technology["mesh.strap_columns"] / 2
    via = (2 * half + 0.5) * technology["mesh.via_resistance"]
    along = half * (half + 1) / 2 * technology["mesh.resistance_per_cell"]
    return current * (via + along) + mesh_shift(technology, current)


def mesh_shift(technology: Technology, current: float) -> float:
    """Rise in V of a mesh at rows beside the one into which every cell lets `current` in A, a bound."""
    if "mesh" not in technology.lines.values():
        return 0.0
    strap = technology["mesh.strap_resistance_per_cell"] * technology["bit_line.cells"] / 4
    return current * (technology["mesh.strap_columns"] + 0.5) * strap


def write_line_voltage(technology: Technology, bit: int) -> float:
    """Voltage in V of a line that writes the farthest cell of its column with the write current.

    All cells of a row are written to the same bit, each held the other one, and nearer cells get more.
    """
    current = technology[f"write.current_{bit}"]
    path = write_path_voltage(technology, bit == 0, current)
    return path + current * bit_line_resistance(technology) + mesh_rise(technology, current)


def word_line_delay(technology: Technology) -> float:
    """Time in s until the far end of a word line has passed half of its step, of a distributed RC line."""
    cells = technology["word_line.cells"]
    ohms, farads = (technology[f"word_line.{key}_per_cell"] * cells for key in ("resistance", "capacitance"))
    return _HALF * ohms * farads


def access_time(technology: Technology) -> float:
    """Time in s from the clock's edge until the far end of a word line is up: flip-flop, row decoder, line."""
    return technology["decoder.clock_to_q"] + technology["decoder.delay"] + word_line_delay(technology)
