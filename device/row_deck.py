"""A circuit deck of a whole row operation with its wires: read, AND or OR, and write, of every column at once."""

import itertools
from collections.abc import Sequence

import numpy as np

from spinplane.machine import Name
from spinplane.machine.external import spice
from spinplane.machine.external.text import Text, fill

from .bit_cell import Access, drive_lines
from .netlist import TransistorModel, cell_lines, deck_head, run_nodes
from .network import driven_far, strap_columns, wire_resistance
from .technology import Technology

_LINE, _HEAD, _STRAP, _GROUND = Name("line"), Name("head"), Name("strap"), Name("ground")


def row_deck(
    technology: Technology,
    operation: str,
    rows: Sequence[int],
    cells: np.ndarray,
    *,
    model: TransistorModel | None = None,
) -> Text:
    """The deck of one operation in every column of some rows, at the operating point.

    Parameters
    ----------
    technology : Technology
    operation : {"write_0", "write_1", "read"}
    rows : sequence of int
        In ascending order; one of a write, one or more of a read.
    cells : ndarray of shape (rows of the array, columns), bool
        Cells in the anti-parallel state. Only `rows` of it are in the deck: the others leak a little.
    model : TransistorModel, optional

    Returns
    -------
    Text
        It prints ``head_LINE_COLUMN``, the driven ends of column lines, and ``line_LINE_ROW_COLUMN``, lines at their
        cells. LINE counts the technology's lines, ROW the rows of the deck.
    """
    count, columns = cells.shape
    access = Access(operation=operation, rows=tuple(rows), columns=tuple(range(columns)))
    drives, levels = drive_lines(technology, (access,), cells.shape)
    lines, shown = deck_head(technology, model), []
    needed = {
        end
        for element in technology.elements
        if element.name in technology.operations[operation].conducts
        for end in element.between
    }
    nodes: dict[str, Text] = dict.fromkeys(technology.lines, spice.SUPPLY)
    for index, (line, way) in enumerate(technology.lines.items()):
        if line not in needed:
            continue
        at = [[spice.node(_LINE, index, r, c) for c in range(columns)] for r in range(len(rows))]
        shown += [node for row in at for node in row]
        if way == "mesh":
            lines += _mesh(technology, at, rows, count)
            continue
        chains = at if way == "row" else [list(column) for column in zip(*at, strict=True)]
        places = list(range(columns)) if way == "row" else list(rows)
        if driven_far(technology, line):
            chains, places = [chain[::-1] for chain in chains], [count - 1 - r for r in reversed(places)]
        for number, chain in enumerate(chains):
            head = spice.node(_HEAD, index, number)
            key = (line, rows[number] if way == "row" else number)
            lines += _driven(head, drives[key], levels[key])
            lines += _chain(head, chain, places, wire_resistance(technology, line), half=True)
            shown.append(head)
    names = list(technology.lines)
    for r, row in enumerate(rows):
        for column in range(columns):
            ends = {line: spice.node(_LINE, names.index(line), r, column) for line in needed & set(names)}
            state = bool(cells[row, column])
            lines += cell_lines(technology, operation, (r, column), nodes | ends, state, model)
    title = fill("@name@: @columns@ columns with their wires", name=technology.name, columns=columns)
    return spice.operating_point(title, lines, shown)


def run_row_deck(technology: Technology, deck: Text) -> dict[str, np.ndarray]:
    """Voltages of the lines of a row deck, from ngspice.

    Returns
    -------
    dict of str to ndarray
        By the name of the line its voltages at the cells, shape (rows of the deck, columns), and by ``"head "`` and
        the name those of its driven ends, shape (lines,).
    """
    found: dict[str, dict[tuple[int, ...], float]] = {}
    names = list(technology.lines)
    for node, volts in run_nodes(deck).items():
        kind, index, *place = node.split("_")
        key = names[int(index)] if kind == _LINE else f"head {names[int(index)]}"
        found.setdefault(key, {})[tuple(map(int, place))] = volts
    arrays = {}
    for key, values in found.items():
        arrays[key] = np.empty(np.max(list(values), axis=0) + 1)
        for at, volts in values.items():
            arrays[key][at] = volts
    return arrays


def _driven(head: Text, drive: str, level: float) -> list[Text]:
    if drive == "read":
        return [spice.current_source(head, head, level)]
    return [] if drive == "float" else [spice.voltage_source(head, head, level)]


def _chain(
    head: Text, chain: Sequence[Text], places: Sequence[int], ohms: float, *, half: bool
) -> list[Text]:
    """Wires from a driven end to nodes at `places`, counted in cells from there, half a cell to the first."""
    lines, last, at = [], head, -0.5 if half else 0.0
    for node, place in zip(chain, places, strict=True):
        lines.append(spice.resistor(fill("w@to@", to=node), (last, node), ohms * (place - at)))
        last, at = node, place
    return lines


def _mesh(
    technology: Technology, at: Sequence[Sequence[Text]], rows: Sequence[int], count: int
) -> list[Text]:
    row, strap, via = (
        technology[f"mesh.{key}"]
        for key in ("resistance_per_cell", "strap_resistance_per_cell", "via_resistance")
    )
    lines = []
    for r, nodes in enumerate(at):
        lines += _chain(nodes[0], nodes[1:], range(1, len(nodes)), row, half=False)
        for number, column in enumerate(strap_columns(technology, len(nodes))):
            node = spice.node(_STRAP, r, number)
            lines.append(spice.resistor(fill("via@at@", at=node), (node, nodes[column]), via))
    for number in range(len(strap_columns(technology, len(at[0])))):
        chain = [spice.GROUND, *(spice.node(_STRAP, r, number) for r in range(len(rows))), spice.GROUND]
        places = [-0.5, *rows, count - 0.5]
        for r, (first, second) in enumerate(itertools.pairwise(chain)):
            ohms = strap * (places[r + 1] - places[r])
            lines.append(spice.resistor(spice.node(_GROUND, r, number), (first, second), ohms))
    return lines
