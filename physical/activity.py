"""How often each net of a netlist rises or falls while a network runs: settled values, and gates of one delay each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spinplane.machine import SpinplaneError

from .flat_netlist import ONE, ZERO, FlatNetlist
from .waveform import Waveform, widths

#: Steps after which gates of one delay each have settled, or something circles.
_MOST_STEPS = 10_000


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Changes of each net.

    Parameters
    ----------
    cycles : int
        From one cycle to the next, so many times.
    settled : list of int
        With gates that take no time: a net changes once a cycle at most.
    unit_delay : list of int
        With gates that take one time each, whatever they drive: glitches as long as one gate's delay are in it.
    """

    cycles: int
    settled: list[int]
    unit_delay: list[int]


def activity(netlist: FlatNetlist, waveform: Waveform, cycles: range) -> Activity:
    """Changes of each net over neighbouring cycles of a simulated run.

    Parameters
    ----------
    netlist : FlatNetlist
    waveform : Waveform
        Of the RTL, with the signals of the netlist's sources.
    cycles : range

    Raises
    ------
    SpinplaneError
        If a flip-flop of the netlist would take something else than the RTL's does.
    """
    ones = (1 << len(cycles)) - 1
    values = _settle(netlist, _sources(netlist, waveform, cycles), ones)
    _check(netlist, waveform, cycles, values)
    steps = ones >> 1
    settled = [((value ^ value >> 1) & steps).bit_count() for value in values]
    return Activity(cycles=len(cycles) - 1, settled=settled, unit_delay=_unit_delay(netlist, values, steps))


def _sources(netlist: FlatNetlist, waveform: Waveform, cycles: range) -> dict[int, int]:
    signals = {
        signal: waveform.bits(signal, width, cycles)
        for signal, width in widths(netlist.sources.values()).items()
    }
    return {net: signals[path, name][bit] for net, (path, name, bit) in netlist.sources.items()}


def _settle(netlist: FlatNetlist, sources: Mapping[int, int], ones: int) -> list[int]:
    """Value of each net in all cycles at once."""
    values = [0] * netlist.nets
    values[ZERO], values[ONE] = 0, ones
    for net, value in sources.items():
        values[net] = value
    for gate in netlist.gates:
        values[gate.net] = gate.function([values[net] for net in gate.inputs], ones)
    return values


def _check(netlist: FlatNetlist, waveform: Waveform, cycles: range, values: Sequence[int]) -> None:
    """Compare what flip-flops take with what the RTL's hold next, where the simulator knows it."""
    steps = values[ONE] >> 1
    for flip_flop in netlist.flip_flops:
        path, name, bit = netlist.sources[flip_flop.output]
        if (values[flip_flop.data] ^ values[flip_flop.output] >> 1) & steps and waveform.is_known(
            (path, name), cycles
        ):
            raise SpinplaneError(
                f"the netlist does not run as the RTL: {'.'.join((*path, name))}[{bit}] differs"
            )


def _unit_delay(netlist: FlatNetlist, settled: Sequence[int], steps: int) -> list[int]:
    """Changes on the way from each cycle's values to the next one's, all cycles at once.

    Sources change first; then each gate takes, step by step, what its inputs were a step before.
    """
    changes = [0] * len(settled)
    before = [value & steps for value in settled]
    readers: dict[int, list[int]] = {}
    for number, gate in enumerate(netlist.gates):
        for net in gate.inputs:
            readers.setdefault(net, []).append(number)
    changed: dict[int, int] = {}
    for net in netlist.sources:
        changed[net] = settled[net] >> 1
    for _ in range(_MOST_STEPS):
        moved = [net for net, value in changed.items() if value != before[net]]
        for net in moved:
            changes[net] += (changed[net] ^ before[net]).bit_count()
            before[net] = changed[net]
        if not moved:
            return changes
        changed = {}
        for number in {number for net in moved for number in readers.get(net, ())}:
            gate = netlist.gates[number]
            changed[gate.net] = gate.function([before[net] for net in gate.inputs], steps)
    raise SpinplaneError("gates of the netlist do not settle")
