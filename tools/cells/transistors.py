"""Transistors of a cell, from its netlist in ``physical/cells45.toml``: complementary gates, some of them clocked.

A line ``Y = !(A & B)`` is a gate: a pull-down network of its expression, and the dual one up to the supply. ``x2``
doubles its widths. ``while C not N`` makes it drive only while C is 1 and N is 0, through two more transistors.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Widths in µm of an inverter of one unit of drive. gscl45nm's inverters gain 1.22 fF a unit from X1 to X8, and these
#: two gates load a driver with 1.22 fF.
NMOS_WIDTH, PMOS_WIDTH = 0.25, 0.5
#: Lengths in µm of a diffusion by FreePDK45's rules (https://www.eda.ncsu.edu/wiki/FreePDK45:Contents): at a
#: contact, 0.035 to the gate (CONTACT.6), its own 0.065 (CONTACT.1) and 0.005 around it (CONTACT.4); without one, half
#: of the 0.14 between two gates (POLY.2).
_CONTACT, _SHARED = 0.105, 0.07
_LINE = re.compile(r"(\w+) = !(.+?)(?: x([\d.]+))?(?: while (\w+) not (\w+))?")


@dataclass(frozen=True, kw_only=True)
class Transistor:
    """A transistor: its ends from the output to the supply, its gate, and its width in µm."""

    channel: str
    ends: tuple[str, str]
    gate: str
    width: float

    def line(self, number: int) -> str:
        """The element for ngspice; its model is ``NMOS_VTG`` or ``PMOS_VTG``."""
        bulk = "0" if self.channel == "n" else "vdd"
        words = [f"M{number}", self.ends[0], self.gate, self.ends[1], bulk]
        words += [f"{self.channel.upper()}MOS_VTG", f"W={self.width:.6g}u", "L=50n"]
        for terminal, end in zip("DS", self.ends, strict=True):
            length, edges = (_SHARED, 1) if end.startswith("inner") else (_CONTACT, 2)
            words.append(f"A{terminal}={self.width * length:.6g}p")
            words.append(f"P{terminal}={edges * self.width + 2 * length:.6g}u")
        return " ".join(words)


def transistors(netlist: Sequence[str]) -> list[Transistor]:
    """Transistors of a cell.

    Each path to a supply has the resistance of the unit's one transistor, so that those in series are wider.

    Raises
    ------
    ValueError
        If a line is no gate.
    """
    found: list[Transistor] = []
    for number, line in enumerate(netlist):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{line!r}: no gate")
        output, expression, drive, high, low = match.groups()
        tree = ast.parse(expression, mode="eval").body
        for channel, clock in (("n", high), ("p", low)):
            network = _Network(channel, float(drive or 1), f"inner{number}{channel}")
            found += network.between(output, "0" if channel == "n" else "vdd", tree, clock)
    return found


class _Network:
    def __init__(self, channel: str, drive: float, inner: str) -> None:
        self.channel = channel
        self.unit = drive * (NMOS_WIDTH if channel == "n" else PMOS_WIDTH)
        self.inner = inner
        self.nodes = 0

    def between(self, output: str, supply: str, tree: ast.expr, clock: str | None) -> Iterator[Transistor]:
        if clock is None:
            yield from self._part(tree, output, supply, 1)
        else:  # nearest to the output, where it keeps what the data does from the stored charge
            depth = self._depth(tree)
            node = self._node()
            yield from self._part(ast.Name(clock), output, node, 1 / (depth + 1))
            yield from self._part(tree, node, supply, depth / (depth + 1))

    def _part(self, tree: ast.expr, near: str, far: str, resistance: float) -> Iterator[Transistor]:
        """What conducts between two nodes with a part of the unit's resistance."""
        if isinstance(tree, ast.Name):
            width = self.unit / resistance
            yield Transistor(channel=self.channel, ends=(near, far), gate=tree.id, width=width)
            return
        assert isinstance(tree, ast.BinOp)
        if not self._in_series(tree):
            yield from self._part(tree.left, near, far, resistance)
            yield from self._part(tree.right, near, far, resistance)
            return
        left, right = self._depth(tree.left), self._depth(tree.right)
        node = self._node()
        yield from self._part(tree.left, near, node, resistance * left / (left + right))
        yield from self._part(tree.right, node, far, resistance * right / (left + right))

    def _in_series(self, tree: ast.BinOp) -> bool:
        return isinstance(tree.op, ast.BitAnd if self.channel == "n" else ast.BitOr)

    def _depth(self, tree: ast.expr) -> int:
        """Transistors on the longest path through a part."""
        if isinstance(tree, ast.Name):
            return 1
        assert isinstance(tree, ast.BinOp)
        depths = self._depth(tree.left), self._depth(tree.right)
        return sum(depths) if self._in_series(tree) else max(depths)

    def _node(self) -> str:
        self.nodes += 1
        return f"{self.inner}{self.nodes}"
