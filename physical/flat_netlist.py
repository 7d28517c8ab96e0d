"""A machine's netlists as one: gates, flip-flops and what memories give, all with nets of their own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spinplane.machine import Name, PinName, SpinplaneError

from .boolean import evaluator
from .library import Cell, Library

#: The net of the constant 0; that of 1 follows.
ZERO, ONE = 0, 1
_CONSTANTS: dict[int | str, int] = {"0": ZERO, "1": ONE, "x": ZERO, "z": ZERO}


@dataclass(frozen=True, kw_only=True)
class PlacedCell:
    """A cell of the library, placed.

    Parameters
    ----------
    cell : Cell
    module : Name
        Module that places it.
    nets : mapping of PinName to int
        Net of each pin.
    """

    cell: Cell
    module: Name
    nets: Mapping[PinName, int]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One output of a gate: its ``net``, its ``inputs`` and what it makes of their values."""

    net: int
    inputs: tuple[int, ...]
    function: Callable[[Sequence[int], int], int]


@dataclass(frozen=True, kw_only=True)
class FlipFlop:
    """Nets of a flip-flop that takes ``data`` at every edge of the one clock."""

    output: int
    data: int


@dataclass(frozen=True, kw_only=True)
class FlatNetlist:
    """Netlists of modules, placed in one another.

    Parameters
    ----------
    cells : tuple of PlacedCell
    gates : tuple of Gate
        In an order in which every gate stands behind those that drive it.
    flip_flops : tuple of FlipFlop
    sources : dict of int to tuple
        Nets whose values come from a simulation of the RTL, those of inputs, of flip-flops and of what memories give:
        the names of the instances down to it, the name of the signal there, and the bit of it.
    nets : int
        Their number.
    """

    cells: tuple[PlacedCell, ...]
    gates: tuple[Gate, ...]
    flip_flops: tuple[FlipFlop, ...]
    sources: Mapping[int, tuple[tuple[str, ...], str, int]]
    nets: int


def flat_netlist(top: Name, modules: Mapping[Name, Mapping[str, Any]], library: Library) -> FlatNetlist:
    """Put netlists together.

    Parameters
    ----------
    top : Name
    modules : mapping of Name to dict
        As `module_cells` returns them.
    library : Library
        To whose cells they are mapped.

    Raises
    ------
    SpinplaneError
        If a cell is no gate and no flip-flop of one clock without set and reset, or a flip-flop has no name.
    """
    placing = _Placing(modules, library)
    placing.place(top, (), {})
    return placing.netlist()


class _Placing:
    """Places modules, each instance with nets of its own."""

    def __init__(self, modules: Mapping[Name, Mapping[str, Any]], library: Library) -> None:
        self.modules = modules
        self.library = library
        self.cells: list[PlacedCell] = []
        self.gates: list[Gate] = []
        self.flip_flops: list[FlipFlop] = []
        self.sources: dict[int, tuple[tuple[str, ...], str, int]] = {}
        self.nets = len(_CONSTANTS)
        self._same: dict[int, int] = {}

    def netlist(self) -> FlatNetlist:
        """What was placed. Nets that modules join, as those of two equal outputs or of a constant, have one number."""

        def of(net: int) -> int:
            while net in self._same:
                net = self._same[net]
            return net

        gates = [replace(gate, net=of(gate.net), inputs=tuple(map(of, gate.inputs))) for gate in self.gates]
        return FlatNetlist(
            cells=tuple(
                replace(cell, nets={pin: of(net) for pin, net in cell.nets.items()}) for cell in self.cells
            ),
            gates=tuple(_in_order(gates)),
            flip_flops=tuple(FlipFlop(output=of(one.output), data=of(one.data)) for one in self.flip_flops),
            sources={of(net): signal for net, signal in self.sources.items()},
            nets=self.nets,
        )

    def _join(self, one: int, other: int) -> None:
        """Note that two nets are one; constants stay themselves."""
        while one in self._same:
            one = self._same[one]
        while other in self._same:
            other = self._same[other]
        if one != other:
            self._same[max(one, other)] = min(one, other)

    def place(self, module: Name, path: tuple[str, ...], ports: Mapping[str, Sequence[int]]) -> None:
        """Place a module whose ports are nets of the module around it; those of the top are new."""
        netlist = self.modules[module]
        nets: dict[int | str, int] = dict(_CONSTANTS)
        for port, entry in netlist["ports"].items():
            given = ports.get(port)
            for number, bit in enumerate(entry["bits"]):
                if given is not None:
                    self._join(nets.setdefault(bit, given[number]), given[number])
                elif bit not in nets:
                    nets[bit] = self._new()
                    if entry["direction"] == "input" and not path:
                        self.sources[nets[bit]] = (path, port, number)
        names = {
            # Yosys keeps the escape of a name that would begin with a dollar sign.
            bit: (name.removeprefix("\\"), number)
            for name, entry in netlist["netnames"].items()
            if not entry["hide_name"]
            for number, bit in enumerate(entry["bits"])
        }

        def net(bit: int | str) -> int:
            if bit not in nets:
                nets[bit] = self._new()
            return nets[bit]

        for instance, entry in netlist["cells"].items():
            kind, connections = entry["type"], entry["connections"]
            bits = {pin: [net(bit) for bit in of] for pin, of in connections.items()}
            if kind in self.modules:
                self.place(Name(kind), (*path, instance), bits)
            elif kind in self.library.cells:
                self._cell(kind, module, path, bits, connections, names)
            elif kind != "$scopeinfo":
                for pin, flow in entry["port_directions"].items():
                    if flow == "output":
                        for number, of in enumerate(bits[pin]):
                            self.sources[of] = ((*path, instance), pin, number)

    def _new(self) -> int:
        self.nets += 1
        return self.nets - 1

    def _cell(
        self,
        kind: str,
        module: Name,
        path: tuple[str, ...],
        bits: Mapping[str, Sequence[int]],
        connections: Mapping[str, Sequence[int | str]],
        names: Mapping[int | str, tuple[str, int]],
    ) -> None:
        cell = self.library.cells[kind]
        nets = {pin: bits[pin][0] for pin in (*cell.inputs, *cell.outputs) if pin in bits}
        self.cells.append(PlacedCell(cell=cell, module=module, nets=nets))
        if cell.storage is None:
            for pin, function in cell.functions.items():
                if pin in nets:
                    inputs = tuple(nets[name] for name in cell.inputs)
                    evaluate = evaluator(function, cell.inputs)
                    self.gates.append(Gate(net=nets[pin], inputs=inputs, function=evaluate))
            return
        (output,) = (pin for pin in cell.functions if pin in nets)
        storage = cell.storage
        if storage.is_latch or cell.functions[output] != storage.state or storage.data not in nets:
            raise SpinplaneError(f"library {self.library.source}: cell {kind} is no plain flip-flop")
        (bit,) = connections[output]
        if bit not in names:
            raise SpinplaneError(f"netlist of {module}: a flip-flop has no name")
        self.sources[nets[output]] = (path, *names[bit])
        self.flip_flops.append(FlipFlop(output=nets[output], data=nets[PinName(storage.data)]))


def _in_order(gates: Sequence[Gate]) -> list[Gate]:
    """Gates behind those that drive them.

    Raises
    ------
    SpinplaneError
        If gates drive one another in a circle.
    """
    driver = {gate.net: gate for gate in gates}
    done: dict[int, Gate] = {}
    for first in gates:
        stack: list[tuple[Gate, Iterator[int]]] = [(first, iter(first.inputs))]
        on_stack = {first.net}
        while stack:
            gate, inputs = stack[-1]
            waits = next((net for net in inputs if net in driver and net not in done), None)
            if waits is None:
                done[gate.net] = gate
                on_stack.discard(gate.net)
                stack.pop()
            elif waits in on_stack:
                raise SpinplaneError("gates drive one another in a circle")
            else:
                on_stack.add(waits)
                stack.append((driver[waits], iter(driver[waits].inputs)))
    return list(done.values())
