# amaranth: UnusedElaboratable=no
"""Pipelines whose clock may stop between turns or beats: what these yield rests on nothing that came before them.

So it makes no difference that registers would have changed in the cycles in between.
"""

from graphlib import TopologicalSorter

from amaranth.hdl import Fragment, Value
from amaranth.hdl._ir import build_netlist
from amaranth.hdl._nir import AssignmentList, FlipFlop, Net, Netlist, Top
from amaranth.lib import wiring

from spinplane.hdl import Activation, LanePhases, WindowCorrection
from spinplane.hdl.output.scaler import QUANTIZED, Scaler
from spinplane.machine import Machine
from spinplane.machine.timing import MULTIPLY_CYCLES

MACHINE = Machine(
    name="stopped", sub_arrays=8, rows=64, columns=32, segments=2, results_per_cycle=8, multipliers=2
)


#: A bit of a register or of what is assigned to, or another cell with all of its bits.
Node = tuple[int, int]


def _node(found: Netlist, net: Net) -> Node:
    by_bit = isinstance(found.cells[net.cell], FlipFlop | AssignmentList)
    return net.cell, net.bit if by_bit else 0


def _inputs(found: Netlist, node: Node) -> set[Node]:
    number, bit = node
    nets: set[Net]
    match found.cells[number]:
        case Top():
            nets = set()
        case FlipFlop(data=data):
            nets = {data[bit]}
        case AssignmentList(default=default, assignments=assignments):
            taken = [one for one in assignments if 0 <= bit - one.start < len(one.value)]
            nets = {default[bit], *(net for one in taken for net in (one.cond, one.value[bit - one.start]))}
        case cell:
            nets = cell.input_nets()
    return {_node(found, net) for net in nets if net.is_cell}


def ages(unit: wiring.Component, *held: str) -> dict[str, int]:
    """Cycles since the oldest input on which each output, and what each held register takes, rests.

    What rests on a held register counts from there. If others hold what they had, this raises
    `graphlib.CycleError`.
    """
    ports = [
        ("__".join(map(str, path)), Value.cast(value), None)
        for path, _, value in unit.signature.flatten(unit)
    ]
    found = build_netlist(Fragment.get(unit, None), ports=ports)
    registers = {
        signal.name: {_node(found, net) for net in value}
        for signal, value in found.signals.items()
        if signal.name in held
    }
    assert sorted(registers) == sorted(held)
    cut = set().union(*registers.values())
    ends = {
        name: {_node(found, net) for net in value if net.is_cell} for name, value in found.top.ports_o.items()
    }
    ends |= {name: set().union(*(_inputs(found, bit) for bit in bits)) for name, bits in registers.items()}
    before: dict[Node, set[Node]] = {}
    open_nodes = set().union(*ends.values())
    while open_nodes:
        node = open_nodes.pop()
        before[node] = set() if node in cut else _inputs(found, node)
        open_nodes |= before[node] - before.keys()
    age: dict[Node, int] = {}
    for node in TopologicalSorter(before).static_order():
        is_register = isinstance(found.cells[node[0]], FlipFlop) and node not in cut
        age[node] = is_register + max((age[other] for other in before[node]), default=0)
    return {name: max((age[node] for node in nodes), default=0) for name, nodes in ends.items()}


def test_a_turn_of_a_scaler() -> None:
    """A residual is added to the sum of the turn just before it, in which the clock does not stop either."""
    assert ages(Scaler(MACHINE), "sum") == {
        "sum": QUANTIZED - 3,
        "level": 3,
        "takes_level": 1,
        "value": 3,
        "takes_value": 2,
        "active": 2,
    }


def test_a_beat_of_a_lane() -> None:
    """Nodes are counted from the beat's begin on; a code needs the cycle before it, one of a table three."""
    held = ("value_register", "level_register", "first_below")
    assert ages(Activation(16), *held) == {
        "value_register": 0,
        "level_register": 0,
        "first_below": 1,
        "beyond": 2,
        "kept_level": 0,
        "kept_value": 0,
        "code": 3,
        "thresholds__enable": 1,
        "thresholds__address": 1,
        "active": 2,
    }


def test_sums_of_a_beat() -> None:
    assert ages(WindowCorrection(MACHINE)) == {"sums": WindowCorrection.LATENCY, "active": 2}


def test_turns_of_a_beat() -> None:
    """Its lanes and phases are counted from a start on, and come to their first values again."""
    held = ("works", "second", "lane", "phase", "wait")
    assert ages(LanePhases(MACHINE), *held) == {
        **dict.fromkeys(held, 0),
        "turns": MULTIPLY_CYCLES + 1,
        "active": MULTIPLY_CYCLES + 1,
    }
