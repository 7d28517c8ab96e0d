"""Five cells in a chain: computed by hand from the tables of a Liberty file, by OpenSTA, and by ABC."""

import re
from collections import Counter
from pathlib import Path

import pytest

from spinplane.machine import Name
from spinplane.machine.files import write_file
from spinplane.physical.library import read_library
from spinplane.physical.logic_path import worst_logic_path
from spinplane.physical.timing import Netlists, find_sta, worst_paths
from spinplane.physical.yosys import find_yosys

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"
LIBERTY = GSCL45NM.read_text(encoding="utf-8")
CHAIN = Name("chain")
#: Cell, and the pin through which the path goes; all of them invert.
CELLS = (("INVX1", "A"), ("NAND2X1", "B"), ("NOR2X1", "A"), ("AOI21X1", "C"), ("INVX2", "A"))
#: ABC has one capacitance of a pin where OpenSTA has one for each edge.
ABC_SHARE = 0.03


def _block(text: str, head: str) -> str:
    """What stands in the braces after a head."""
    start = re.search(head + r"\s*\{", text)
    assert start is not None, head
    depth, at = 1, start.end()
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[start.end() : at - 1]


def _numbers(text: str, key: str) -> list[float]:
    found = re.search(rf"{key} *\(([^;]*)\);", text)
    assert found is not None
    return [float(number) for number in re.findall(r"[-\d.e]+", found[1])]


def _cell(name: str) -> str:
    return _block(LIBERTY, rf"cell \({name}\)")


def _capacitance(cell: str, pin: str, edge: str) -> float:
    found = re.search(rf"{edge}_capacitance : ([\d.]+)", _block(_cell(cell), rf"pin\({pin}\)"))
    assert found is not None
    return float(found[1])


def _table(cell: str, pin: str, table: str, load: float, slew: float) -> float:
    """A table at a load in pF and a slew in ns: between its four nearest points, and beyond its ends along them."""
    output = _block(_cell(cell), r"pin\(Y\)")
    arcs = [_block(output[match.start() :], r"timing\(\)") for match in re.finditer(r"timing\(\)", output)]
    arc = next(arc for arc in arcs if f'related_pin : "{pin}"' in arc)
    text = _block(arc, rf"{table}\(\w+\)")
    loads, slews, values = (_numbers(text, key) for key in ("index_1", "index_2", "values"))
    row, column = _segment(loads, load), _segment(slews, slew)
    x = (load - loads[row]) / (loads[row + 1] - loads[row])
    y = (slew - slews[column]) / (slews[column + 1] - slews[column])
    near, far = (
        values[at * len(slews) + column] * (1 - y) + values[at * len(slews) + column + 1] * y
        for at in (row, row + 1)
    )
    return near * (1 - x) + far * x


def _segment(points: list[float], at: float) -> int:
    return max(0, min(len(points) - 2, sum(point <= at for point in points) - 1))


def by_hand(first: str, sinks: tuple[int, ...]) -> float:
    """Delay in ns from an edge, rise or fall, at the first cell's input; each output drives so many inverters, too."""
    edge, slew, total = first, 0.0, 0.0
    for number, (cell, pin) in enumerate(CELLS):
        edge = {"rise": "fall", "fall": "rise"}[edge]
        load = sinks[number] * _capacitance("INVX1", "A", edge)
        if number + 1 < len(CELLS):
            load += _capacitance(*CELLS[number + 1], edge)
        total += _table(cell, pin, f"cell_{edge}", load, slew)
        # Far below the table's ends the line through its first points falls below zero.
        slew = max(0.0, _table(cell, pin, f"{edge}_transition", load, slew))
    return total


def netlist(sinks: tuple[int, ...]) -> tuple[str, Counter[str]]:
    """The chain as Verilog with all other inputs tied, and its cells."""
    others = {"NAND2X1": {"A": "1'b1"}, "NOR2X1": {"B": "1'b0"}, "AOI21X1": {"A": "1'b0", "B": "1'b0"}}
    nets = ["a", *(f"n{number}" for number in range(len(CELLS) - 1)), "y"]
    lines, ends = [], ["y"]
    for number, (cell, pin) in enumerate(CELLS):
        pins = {pin: nets[number], "Y": nets[number + 1], **others.get(cell, {})}
        lines.append(f"{cell} c{number} ({', '.join(f'.{key}({net})' for key, net in pins.items())});")
        for sink in range(sinks[number]):
            ends.append(f"s{number}_{sink}")
            lines.append(f"INVX1 i{number}_{sink} (.A({nets[number + 1]}), .Y({ends[-1]}));")
    ports = f"module chain (clk, a, {', '.join(ends)});\ninput clk;\ninput a;\noutput {', '.join(ends)};\n"
    text = f"{ports}wire {', '.join(nets[1:-1])};\n"
    cells = Counter(cell for cell, _ in CELLS) + Counter({"INVX1": sum(sinks)})
    return text + "\n".join(lines) + "\nendmodule\n", cells


@pytest.mark.parametrize(
    "sinks", [(0, 0, 0, 0, 0), (70, 0, 0, 0, 0), (10, 80, 90, 0, 0), (200, 0, 100, 0, 0)]
)
def test_three_ways_agree(sinks: tuple[int, ...], tmp_path: Path) -> None:
    text, cells = netlist(sinks)
    netlists = Netlists(folder=tmp_path)
    for file, content in {**netlists.files(), "library.lib": LIBERTY, "chain.netlist.v": text}.items():
        write_file(tmp_path / file, content.encode())
    hand = max(by_hand(edge, sinks) for edge in ("rise", "fall"))
    path = worst_paths(CHAIN, {"chain": cells}, netlists, find_sta()).with_ports
    assert path is not None
    assert path.delay_ns == pytest.approx(hand, abs=1e-4)
    assert (path.start, path.end) == ("a", "y")
    path = worst_logic_path(
        CHAIN, {"chain": cells}, netlists, read_library(GSCL45NM), find_yosys()
    ).with_ports
    assert path is not None
    assert path.delay_ns == pytest.approx(hand, rel=ABC_SHARE)
    assert (path.start, path.end) == ("a", "y")
