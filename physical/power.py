"""Energy of a machine's logic in a run, module by module: what its nets' changes take in cells, pins and wires."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spinplane.machine import Name, PinName

from .activity import Activity
from .flat_netlist import FlatNetlist, PlacedCell
from .internal_power import LibraryEnergy


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What changes of nets take, summed over a run.

    Parameters
    ----------
    cells_j : float
        In J, in the cells and at their pins: without wires.
    wires : int
        Changes of a wire from an output to one input. Each takes half of the wire's capacitance times V².
    """

    cells_j: float
    wires: int

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(cells_j=self.cells_j + other.cells_j, wires=self.wires + other.wires)

    def __sub__(self, other: "Changes") -> "Changes":
        return Changes(cells_j=self.cells_j - other.cells_j, wires=self.wires - other.wires)


NOTHING = Changes(cells_j=0.0, wires=0)


@dataclass(frozen=True, kw_only=True)
class ModuleEnergy:
    """Energy of all instances of a module in a run, without what is placed in them.

    Parameters
    ----------
    settled : Changes
        With gates that take no time, the least.
    glitches : Changes
        What gates that take one time each add.
    clock : Changes
        Of the flip-flops' clock pins in one cycle.
    flip_flops : int
    """

    settled: Changes
    glitches: Changes
    clock: Changes
    flip_flops: int


def module_energies(
    netlist: FlatNetlist, activity: Activity, energy: LibraryEnergy, *, slew_s: float
) -> dict[Name, ModuleEnergy]:
    """Energies of a run by module.

    A net's energy is that of the cell that drives it; of a net that a memory or an input drives, each pin is that of
    the cell it belongs to.

    Parameters
    ----------
    netlist : FlatNetlist
    activity : Activity
        Of the run.
    energy : LibraryEnergy
        Of the library to which the netlist is mapped.
    slew_s : float
        Duration in s of every edge.
    """
    loads = _Loads.of(netlist, energy)
    settled, unit_delay = (
        _changes(netlist, energy, loads, toggles, slew_s)
        for toggles in (activity.settled, activity.unit_delay)
    )
    clocks: dict[Name, list[Changes]] = {}
    for placed in netlist.cells:
        if placed.cell.storage is not None:
            clocks.setdefault(placed.module, []).append(_clock(placed, energy, slew_s))
    return {
        module: ModuleEnergy(
            settled=of_module,
            glitches=unit_delay[module] - of_module,
            clock=sum(clocks.get(module, ()), NOTHING),
            flip_flops=len(clocks.get(module, ())),
        )
        for module, of_module in settled.items()
    }


@dataclass(frozen=True, kw_only=True)
class _Loads:
    """Pins that read each net: their number and their capacitance in F."""

    pins: Sequence[int]
    farads: Sequence[float]

    @classmethod
    def of(cls, netlist: FlatNetlist, energy: LibraryEnergy) -> "_Loads":
        """The loads of all nets of a netlist."""
        pins, farads = [0] * netlist.nets, [0.0] * netlist.nets
        for placed in netlist.cells:
            for pin, net in _inputs(placed):
                pins[net] += 1
                farads[net] += energy.cells[placed.cell.name].capacitances[pin]
        return cls(pins=pins, farads=farads)


def _inputs(placed: PlacedCell) -> list[tuple[PinName, int]]:
    return [(pin, placed.nets[pin]) for pin in placed.cell.inputs if pin in placed.nets]


def _changes(
    netlist: FlatNetlist, energy: LibraryEnergy, loads: _Loads, toggles: Sequence[int], slew_s: float
) -> dict[Name, Changes]:
    joules: dict[Name, float] = {}
    wires: dict[Name, int] = {}
    half = energy.voltage**2 / 2
    driven = {
        placed.nets[pin] for placed in netlist.cells for pin in placed.cell.outputs if pin in placed.nets
    }
    for placed in netlist.cells:
        of_cell = energy.cells[placed.cell.name]
        total, number = 0.0, 0
        for pin in placed.cell.outputs:
            if pin in placed.nets and toggles[placed.nets[pin]]:
                net = placed.nets[pin]
                load = loads.farads[net]
                total += toggles[net] * (of_cell.of_edge(pin, load, slew_s) + half * load)
                number += toggles[net] * loads.pins[net]
        for pin, net in _inputs(placed):
            total += toggles[net] * of_cell.of_edge(pin, 0.0, slew_s)
            if net not in driven:
                total += toggles[net] * half * of_cell.capacitances[pin]
                number += toggles[net]
        joules[placed.module] = joules.get(placed.module, 0.0) + total
        wires[placed.module] = wires.get(placed.module, 0) + number
    return {module: Changes(cells_j=joules[module], wires=wires[module]) for module in joules}


def _clock(placed: PlacedCell, energy: LibraryEnergy, slew_s: float) -> Changes:
    """Both edges of a cycle at a flip-flop's clock pin."""
    of_cell = energy.cells[placed.cell.name]
    pin = PinName(placed.cell.storage.clock) if placed.cell.storage else PinName("")
    charge = energy.voltage**2 * of_cell.capacitances[pin]
    return Changes(cells_j=2 * of_cell.of_edge(pin, 0.0, slew_s) + charge, wires=2)


def total(of_modules: Mapping[Name, ModuleEnergy], names: Sequence[str]) -> ModuleEnergy:
    """Several modules together; those that are not there take nothing."""
    found = [of_modules[Name(name)] for name in names if name in of_modules]
    return ModuleEnergy(
        settled=sum((one.settled for one in found), NOTHING),
        glitches=sum((one.glitches for one in found), NOTHING),
        clock=sum((one.clock for one in found), NOTHING),
        flip_flops=sum(one.flip_flops for one in found),
    )
