"""What a proof is: a unit between free inputs, what holds of it, what can be reached, and a fault that breaks it."""

import importlib
import inspect
import types
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Cover, Fragment, Module, Signal, Value
from amaranth.lib import wiring

from .smt import Design, holds_always, is_inductive, is_reachable, is_steady


class Harness:
    """A unit whose inputs are free, and statements of it.

    Parameters
    ----------
    unit : Component
    boxes : tuple of type
        Components within the unit that are left out: what they drive is free in each cycle.

    Attributes
    ----------
    boxes : list of Component
        Those that were left out, in their order.
    """

    def __init__(self, unit: wiring.Component, boxes: tuple[type[wiring.Component], ...] = ()) -> None:
        self.m = Module()
        self.boxes: list[Any] = []
        with ExitStack() as stack:
            for box in boxes:
                stack.enter_context(mock.patch.object(box, "elaborate", self._leave_out))
            self.unit = Fragment.get(unit, None)
        self.m.submodules.unit = self.unit
        self._ports = _signals(unit, wiring.In)
        for box in self.boxes:
            self._ports += _signals(box, wiring.Out)

    @property
    def _leave_out(self) -> Callable[..., Module]:
        def elaborate(box: wiring.Component, platform: object) -> Module:
            self.boxes.append(box)
            return Module()

        return elaborate

    def free(self, shape: Any, name: str) -> Any:
        """A signal that can have any value in each cycle."""
        signal = Signal(shape, name=name)
        self._ports.append(Value.cast(signal))
        return signal

    def constant(self, shape: Any, name: str) -> Any:
        """A signal that has any value, and keeps it."""
        signal = self.free(shape, name)
        self.assume(signal == self.delayed(signal, 1))
        return signal

    def beside(self, component: wiring.Component) -> None:
        """Another unit, sound in any case; its inputs that nothing drives are free."""
        self.m.submodules += component
        self._ports += _signals(component, wiring.In)

    def delayed(self, value: Value, cycles: int) -> Signal:
        """What a value was some cycles ago."""
        for _ in range(cycles):
            stage = Signal(Value.cast(value).shape(), name="delayed", reset_less=True)
            self.m.d.sync += stage.eq(value)
            value = stage
        return value

    def after(self, cycles: int) -> Value:
        """High from so many cycles after a reset on."""
        age = Signal(range(cycles + 1), name="age")
        with self.m.If(age != cycles):
            self.m.d.sync += age.eq(age + 1)
        return age == cycles

    def local(self, name: str) -> Signal:
        """The signal of that name within the unit."""
        found = {
            id(signal): signal
            for statements in self.unit.statements.values()
            for statement in statements
            for signal in statement._lhs_signals()
            if signal.name == name
        }
        (signal,) = found.values()
        return signal

    def locals(self, name: str) -> list[Signal]:
        """The signals of that name within the unit and what it contains, in their order."""
        found: dict[int, Signal] = {}
        fragments = [self.unit]
        while fragments:
            fragment = fragments.pop(0)
            fragments += [Fragment.get(inner, None) for inner, *_ in fragment.subfragments]
            for statements in fragment.statements.values():
                for statement in statements:
                    found |= {
                        id(signal): signal for signal in statement._lhs_signals() if signal.name == name
                    }
        return list(found.values())

    def flip_flops(self, *but: str) -> list[Signal]:
        """Those within the unit and what it contains, `but` for some of its parts."""
        found: dict[int, Signal] = {}
        fragments = [self.unit]
        while fragments:
            fragment = fragments.pop(0)
            fragments += [
                Fragment.get(inner, None) for inner, name, *_ in fragment.subfragments if name not in but
            ]
            for statement in fragment.statements.get("sync", ()):
                found |= {id(signal): signal for signal in statement._lhs_signals()}
        return list(found.values())

    def resettable(self, *but: str) -> list[Signal]:
        """The flip-flops with a reset."""
        return [signal for signal in self.flip_flops(*but) if not signal.reset_less]

    def prove(self, *conditions: Value) -> None:
        """What always holds."""
        self.m.d.comb += [Assert(condition) for condition in conditions]

    def steady(self, outputs: Sequence[Value], fixed: Sequence[Value] = ()) -> None:
        """What no input changes in its own cycle, but those that are fixed meanwhile."""
        for name, values in (("steady", outputs), ("fixed", fixed)):
            for number, value in enumerate(values):
                signal = self.free(Value.cast(value).shape(), f"{name}_{number}")
                self.m.d.comb += signal.eq(value)

    def assume(self, *conditions: Value) -> None:
        """What whoever drives the unit keeps to."""
        self.m.d.comb += [Assume(condition) for condition in conditions]

    def reach(self, *conditions: Value) -> None:
        """What can happen: a proof about what never does says nothing."""
        self.m.d.comb += [Cover(condition) for condition in conditions]

    def design(self) -> Design:
        """The harness in SMT2."""
        return Design.read(rtlil.convert(self.m, name="top", ports=self._ports))


def _signals(component: wiring.Component, flow: wiring.Flow) -> list[Value]:
    members = component.signature.flatten(component)
    return [Value.cast(value) for _, member, value in members if member.flow is flow]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A property of a unit.

    Parameters
    ----------
    unit : type
    says : str
        The property, as a sentence.
    harness : callable
        Gets the unit's class, or a faulty one.
    width : str
        Of the unit that is proven, in the words of its parameters.
    machine : str, optional
        Widths of the largest machine, where they are larger.
    steps : int
        Cycles after a reset in which it is looked at; 1 for what has no state, 0 for what holds in any state of the
        flip-flops, before a reset too.
    inductive : bool
        Whether it holds in all cycles, by induction from `steps` cycles to the next one.
    reached : int
        Cycles after a reset within which all that is to be reached is.
    sound, faulty : str
        Text of the unit's file, which is there once, and what takes its place in its mutant.
    part : type, optional
        A component that the unit places and whose file has the fault, if not the unit's.
    apart : bool
        Whether the solver is asked for each assertion alone: faster where they have little in common.
    seconds : float
        Time limit of a question to the solver.
    """

    unit: type[wiring.Component]
    says: str
    harness: Callable[[Callable[..., Any]], Harness]
    width: str
    machine: str = ""
    steps: int = 1
    inductive: bool = False
    reached: int = field(default=0)
    sound: str
    faulty: str
    part: type[wiring.Component] | None = None
    apart: bool = False
    seconds: float = 1200

    @property
    def method(self) -> str:
        """How it is proven, in words."""
        if self.steps == 0:
            return "any state"
        if self.inductive:
            return f"induction ({self.steps})"
        return "whole" if self.steps == 1 else f"bounded ({self.steps})"

    def holds(self, unit: Callable[..., Any] | None = None) -> bool:
        """Whether it is proven, of the unit or of another one in its place."""
        design = self.harness(unit or self.unit).design()
        assert design.asserts or design.steady, "nothing is stated"
        if design.steady:
            return is_steady(design, self.seconds)
        if self.steps == 0:
            return is_inductive(design, 0, self.seconds)
        return all(
            holds_always(part, self.steps, self.seconds)
            and (not self.inductive or is_inductive(part, self.steps, self.seconds, among=design))
            for part in (design.alone() if self.apart else [design])
        )

    def mutant_fails_in(self) -> str:
        """Where its mutant breaks it: within so many cycles after a reset, or only in the induction's step."""
        design = self.harness(self.mutant()).design()
        if self.steps == 0 or self.method == "whole":
            return self.method
        cycles = max(self.steps, self.reached)
        stands = holds_always(design, cycles, self.seconds)
        return "induction only" if stands else f"{cycles} cycles"

    def unreached(self) -> list[int]:
        """Numbers of the covers that are never met."""
        design = self.harness(self.unit).design()
        assert design.covers, "nothing is to be reached"
        steps = self.reached or self.steps
        return [cover for cover in design.covers if not is_reachable(design, cover, steps, self.seconds)]

    def mutant(self) -> Any:
        """The unit with its fault."""
        faulty = _exec(self.part or self.unit, self.sound, self.faulty)
        if self.part is None:
            return faulty[self.unit.__name__]
        around = _exec(self.unit, "", "")
        assert self.part.__name__ in around
        around[self.part.__name__] = faulty[self.part.__name__]
        return around[self.unit.__name__]


def _exec(unit: type[wiring.Component], sound: str, faulty: str) -> dict[str, Any]:
    """The names of a unit's file, after a text in it is another one."""
    module = inspect.getmodule(unit)
    assert module is not None
    text = inspect.getsource(module)
    if sound:
        assert text.count(sound) == 1, f"{sound!r} is there {text.count(sound)} times"
        text = text.replace(sound, faulty)
    made = types.ModuleType(module.__name__)
    made.__file__, made.__package__ = module.__file__, module.__package__
    exec(compile(text, str(module.__file__), "exec"), made.__dict__)
    return made.__dict__


def load(*names: str) -> dict[str, Proof]:
    """All proofs of some modules of this folder, by name."""
    found: dict[str, Proof] = {}
    for name in names:
        found |= importlib.import_module(f".{name}", __package__).PROOFS
    return found
