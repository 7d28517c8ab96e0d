"""What a machine's design consists of: flip-flops and banks of each module, counted without writing its Verilog.

Components are elaborated, which takes seconds where Verilog takes ten times as long. Of a module's registers those
count that its Verilog has: a signal that a clock alone assigns, whole; of others the bits that it assigns; none on
which no output depends. Tests compare both.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Amaranth 0.5 has no public way to read the statements of a fragment.
from amaranth.hdl import ClockSignal, Const, Fragment, Module, ResetSignal, Signal, Value
from amaranth.hdl._ast import Assign, Concat, Operator, Part, Slice, Statement, Switch, SwitchValue
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.hdl.accelerator import Accelerator
from spinplane.hdl.common.bank import BANK
from spinplane.hdl.common.verilog import VerilogPlatform
from spinplane.hdl.export.machine_verilog import ACCELERATOR, hardware_sources
from spinplane.machine import Machine, Name
from spinplane.machine.external.cache import VERILOG, Cache

_COMB = "comb"


@dataclass(frozen=True, kw_only=True)
class ModuleCensus:
    """What a module itself has, without those that it places.

    Parameters
    ----------
    flip_flops : int
    modules : dict of str to int
        How often it places others.
    banks : tuple of (str, int, int, int)
        Instance, words, width and reads of each bank that it places.
    """

    flip_flops: int
    modules: dict[str, int]
    banks: tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Census:
    """What a design consists of.

    Parameters
    ----------
    modules : dict of str to ModuleCensus
        Leaves before those that place them.
    """

    modules: dict[str, ModuleCensus]

    def placed(self, top: str = str(ACCELERATOR)) -> Counter[str]:
        """How often each module is in a module, itself included."""
        found = Counter({top: 1})
        for name in reversed(self.modules):
            for child, number in self.modules[name].modules.items():
                found[child] += number * found[name]
        return found

    def flip_flops(self, top: str = str(ACCELERATOR)) -> int:
        """Bits of the registers of a module and of all that it places."""
        return sum(number * self.modules[name].flip_flops for name, number in self.placed(top).items())


@cache
def census(machine: Machine, kept_in: Path | None = None) -> Census:
    """What the accelerator of a machine consists of.

    Parameters
    ----------
    machine : Machine
    kept_in : Path, optional
        Folder of a cache, in which it is looked up and left behind as Verilog is.
    """

    def text() -> str:
        counting = _Counting()
        counting.count(str(ACCELERATOR), Accelerator(machine))
        return json.dumps({name: asdict(module) for name, module in counting.modules.items()})

    if kept_in is None:
        found = text()
    else:
        # The counting is a part of what it follows from.
        origin = f"{machine.fingerprint}{hardware_sources()}{Path(__file__).read_text('utf-8')}"
        digest = hashlib.sha256(origin.encode()).hexdigest()[:16]
        found = Cache(kept_in).text(VERILOG, Name(f"census-{digest}"), text)
    return Census(
        modules={
            name: ModuleCensus(
                flip_flops=module["flip_flops"],
                modules=module["modules"],
                banks=tuple((instance, *sizes) for instance, *sizes in module["banks"]),
            )
            for name, module in json.loads(found).items()
        }
    )


class _Counting(VerilogPlatform):
    """Counts what components have, each by the name of its module once, in place of converting it."""

    def __init__(self) -> None:
        super().__init__()
        self.modules: dict[str, ModuleCensus] = {}  # type: ignore[assignment]
        self._placed: list[list[tuple[str, str, wiring.Component]]] = []

    def place(self, m: Module, name: str, component: wiring.Component, reset: Value | None) -> None:
        component._MustUse__used = True  # type: ignore[attr-defined]
        module = re.sub(r"_\d+$", "", name)
        self._placed[-1].append((module, name, component))
        if getattr(component, "black_box", None) is None:
            self.count(module, component)

    def count(self, name: str, component: wiring.Component) -> None:
        """Count what a component and all that it places has."""
        if name in self.modules:
            return
        self._placed.append([])
        fragment = Fragment.get(component, self)
        placed = self._placed.pop()
        assert not fragment.subfragments, f"{name} has sub-modules that are not placed"
        outputs = [*_ports(component, Out)]
        for _, _, one in placed:
            outputs += _ports(one, In)
        self.modules[name] = ModuleCensus(
            flip_flops=_registers(fragment.statements, outputs),
            modules=dict(Counter(module for module, _, _ in placed if module in self.modules)),
            banks=tuple(
                (instance, *(one.black_box[key] for key in ("WORDS", "WIDTH", "READS")))
                for _, instance, one in sorted(placed, key=lambda entry: entry[1])
                if getattr(one, "black_box_module", None) == BANK
            ),
        )


def _ports(component: wiring.Component, flow: wiring.Flow) -> Iterator[Value]:
    for _, member, value in component.signature.flatten(component):
        if member.flow is flow:
            yield Value.cast(value)


def _registers(statements: Any, outputs: Iterable[Value]) -> int:
    """Bits of registers on which an output depends."""
    depends: dict[int, set[int]] = {}
    clocked: dict[int, int] = {}
    combinational: set[int] = set()
    widths: dict[int, int] = {}
    for domain, of_domain in statements.items():
        for assign, conditions in _assigned(of_domain, frozenset()):
            read = conditions | _read(assign.rhs) | _read_by_target(assign.lhs)
            for signal, low, high in _targets(assign.lhs, 0, len(assign.lhs)):
                depends.setdefault(id(signal), set()).update(read)
                if domain == _COMB:
                    combinational.add(id(signal))
                else:
                    clocked[id(signal)] = clocked.get(id(signal), 0) | (1 << high) - (1 << low)
                    widths[id(signal)] = len(signal)
    alive: set[int] = set()
    waiting = [signal for value in outputs for signal in _read(value)]
    while waiting:
        signal = waiting.pop()
        if signal not in alive:
            alive.add(signal)
            waiting += depends.get(signal, ())
    return sum(
        bits.bit_count() if signal in combinational else widths[signal]
        for signal, bits in clocked.items()
        if signal in alive
    )


def _assigned(
    statements: Iterable[Statement], conditions: frozenset[int]
) -> Iterator[tuple[Assign, frozenset[int]]]:
    """Assignments, with the signals that decide whether they happen."""
    for statement in statements:
        if isinstance(statement, Assign):
            yield statement, conditions
        elif isinstance(statement, Switch):
            inner = conditions | _read(statement.test)
            for _, of_case, _ in statement.cases:
                yield from _assigned(of_case, inner)


def _read(value: Value) -> frozenset[int]:
    """Signals that a value depends on."""
    if isinstance(value, Signal):
        return frozenset({id(value)})
    return frozenset().union(*map(_read, _parts(value)))


def _parts(value: Value) -> tuple[Value, ...]:
    match value:
        case Operator():
            return tuple(value.operands)
        case Slice():
            return (value.value,)
        case Part():
            return value.value, value.offset
        case Concat():
            return tuple(value.parts)
        case SwitchValue():
            return (value.test, *(of_case for _, of_case in value.cases))
        case Const() | ClockSignal() | ResetSignal():
            return ()
    raise TypeError(f"no census of {type(value).__name__}")


def _read_by_target(value: Value) -> frozenset[int]:
    """Signals that decide which bits are assigned."""
    match value:
        case Part():
            return _read_by_target(value.value) | _read(value.offset)
        case Slice():
            return _read_by_target(value.value)
        case Operator():
            return _read_by_target(value.operands[0])
        case Concat():
            return frozenset().union(*map(_read_by_target, value.parts))
        case SwitchValue():
            return frozenset().union(_read(value.test), *(_read_by_target(one) for _, one in value.cases))
    return frozenset()


def _targets(value: Value, low: int, high: int) -> Iterator[tuple[Signal, int, int]]:
    """Signals, with the bits of them that an assignment to bits `low` to `high` of a value reaches."""
    match value:
        case Signal():
            yield value, low, high
        case Slice():
            yield from _targets(value.value, value.start + low, value.start + high)
        case Part():
            yield from _targets(value.value, 0, len(value.value))
        case Operator():
            yield from _targets(value.operands[0], low, min(high, len(value.operands[0])))
        case Concat():
            at = 0
            for part in value.parts:
                first, last = max(low, at), min(high, at + len(part))
                if first < last:
                    yield from _targets(part, first - at, last - at)
                at += len(part)
        case SwitchValue():
            for _, of_case in value.cases:
                yield from _targets(of_case, 0, min(high, len(of_case)))
        case _:
            raise TypeError(f"no census of an assignment to {type(value).__name__}")
