# amaranth: UnusedElaboratable=no
"""The datasheet of a machine: ports, sizes, banks, cycles and the effect of a reset, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spinplane.machine import MOST_SLOTS, Machine, MachineClock, clock_text
from spinplane.machine.passes import Pass
from spinplane.machine.timing import END_CYCLES, ENGINE_CYCLES, FINISH_CYCLES, fetch_cycles

from ..asynchronous_reset import RELEASE_CYCLES
from ..common.clock_gate import CLOCK_GATE, ClockGating
from .register_map import bank_rows

#: Clock edges with `rst` that bring any state to idle.
RESET_CYCLES = 1
#: Prefix of each bus's ports, with a description.
_BUSES = {
    "axil__": "AXI4-Lite: registers",
    "axi__": "AXI4: banks",
}
_OTHERS = {
    "clk": "all ports are synchronous to its rising edge",
    "rst": "reset, active high",
    "interrupt": "high while DONE and INTERRUPT_ENABLE are set",
}


def datasheet(
    machine: Machine,
    ports: Sequence[Mapping[str, Any]],
    macros: Sequence[Mapping[str, Any]],
    *,
    clock: MachineClock | None = None,
    asynchronous_reset: bool = False,
    clock_gating: ClockGating = ClockGating.NONE,
) -> str:
    """The datasheet.

    Parameters
    ----------
    machine : Machine
    ports : sequence of mappings
        Name, direction and width of each port of the top module.
    macros : sequence of mappings
        Instance, words, width and read ports of each memory macro.
    clock : MachineClock, optional
        If given, a section is about it.
    asynchronous_reset : bool
        The top is an `AsynchronousReset`.
    clock_gating : ClockGating
    """
    parts = [
        f"# Accelerator, machine {machine.name}",
        f"{machine.description}\n" if machine.description else "",
        "An accelerator for quantized convolutional networks. A host writes a program and an image into the banks, "
        "writes START, and reads the result after the interrupt. In between the accelerator runs alone, in a number of "
        "cycles that does not depend on the data. `registers.md` describes the registers and banks; `accelerator.h` "
        "defines them for C.",
        "## Ports",
        _table(("port", "direction", "bits", "description"), map(_port, ports)),
        "## Sizes",
        _table(("size", "value"), _sizes(machine)),
        "## Banks",
        "The memories that a host accesses over AXI4.",
        _table(
            ("bank", "address", "words", "bits per word", "KiB"),
            (
                (row.name, f"0x{row.address:08x}", row.words, row.width, f"{row.size / 1024:g}")
                for row in bank_rows(machine)
            ),
        ),
        "## Memory macros",
        "Each is a black box `bank` with the ports of `bank_stub.v`: one masked write port, and read ports that "
        "deliver data in the next cycle. Reading a word while it is written returns its old contents. SRAM macros take "
        "their place; none needs contents at power-up. The image bank consists of two, for even and odd words; the "
        "banks of parameters, scales and thresholds have one for each part of a word that is read on its own.",
        _table(
            ("instance", "in module", "words", "bits per word", "read ports"),
            ((f"`{m['instance']}`", f"`{m['module']}`", m["words"], m["width"], m["reads"]) for m in macros),
        ),
        "## Throughput",
        _table(("what", "per cycle, at most"), _throughput(machine)),
        "## Latencies",
        _table(("from", "to", "cycles"), _latencies(machine)),
        *(("## Clock", _clock(machine, clock)) if clock else ()),
        "## Reset",
        _reset(asynchronous_reset),
        "It brings any state of the flip-flops to idle, as at power-up. While it is high no word line and no reference "
        "of an array is, also before the first clock edge. It ends a program at once and clears the registers, the "
        "counters and RESIDENT. A row whose write pulse it cuts is unknown; to end a program without cutting one, "
        "write ABORT. The arrays' other cells, the banks and the log keep their contents; none needs any at power-up.",
        *_clock_gating(clock_gating),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _clock(machine: Machine, clock: MachineClock) -> str:
    return (
        f"{clock_text(clock.clock_hz)}, a period of {1e9 / clock.clock_hz:.3f} ns. Cycles of a sense: "
        f"{machine.sense_cycles}, of a write pulse: {machine.write_cycles}. With arrays of {clock.technology} whose "
        f"lines are as long as these they hold up to {clock_text(clock.fastest_hz)}: a flip-flop, the row decoder and "
        "the word line are counted, and then the bit line and its amplifier, or the write. The logic has a bound of "
        "its own, which static timing of its netlist tells."
    )


def _reset(asynchronous: bool) -> str:
    if asynchronous:
        return (
            f"`rst` is active high and takes effect without a clock; two flip-flops release it {RELEASE_CYCLES} cycles "
            f"after it falls, and the buses are not to be used before. {RESET_CYCLES} cycle is enough."
        )
    return f"`rst` is synchronous and active high; {RESET_CYCLES} cycle is enough."


def _clock_gating(gating: ClockGating) -> tuple[str, ...]:
    if gating is ClockGating.NONE:
        return ()
    how = {
        ClockGating.ENABLES: "The flip-flops of these units have an enable, beside which a reset counts.",
        ClockGating.CELLS: (
            f"Each of these units has a clock of its own behind a `{CLOCK_GATE}`: a latch that is open while `clk` is "
            "low, and an AND. A library's clock-gate cell takes its place, positive edge, its enable before the latch. "
            "The clock behind it is to be balanced with `clk`."
        ),
    }[gating]
    return (
        "## Clock gating",
        "Sub-arrays with their memory arrays, input streamer, window sum with its bank, layer controller, row pair "
        "generator, kernel loader, sense walk and row store stand still in cycles in which none of their flip-flops "
        f"can change, but for a reset. {how}",
    )


def _port(port: Mapping[str, Any]) -> tuple[object, ...]:
    name = port["name"]
    text = _OTHERS.get(name) or next(text for prefix, text in _BUSES.items() if name.startswith(prefix))
    return f"`{name}`", port["direction"], port["width"], text


def _sizes(machine: Machine) -> Iterable[tuple[object, ...]]:
    return (
        ("sub-arrays in lock-step", machine.sub_arrays),
        ("rows × columns of each", f"{machine.rows} × {machine.columns}"),
        ("accumulators of each", f"{machine.segments} of {machine.accumulator_bits} bits"),
        ("kernels side by side in a row, at most", min(machine.segments, MOST_SLOTS)),
        ("row buses (clusters of sub-arrays, at most)", machine.row_buses),
        ("cycles per sense, per write pulse", f"{machine.sense_cycles}, {machine.write_cycles}"),
        ("rows sensed while another is written", "yes" if machine.overlaps_writes else "no"),
        ("results per cycle (lanes of the output stage)", machine.results_per_cycle),
        ("multipliers that the lanes share", machine.multipliers),
        ("bits of the AXI4 data bus", machine.bus_bits),
        ("beats per pooling region, at most", machine.pool_beats),
        ("descriptors", machine.descriptors),
    )


def _throughput(machine: Machine) -> Iterable[tuple[object, ...]]:
    products = machine.sub_arrays * machine.columns
    sense = f" (one AND takes {machine.sense_cycles} cycles)" if machine.sense_cycles > 1 else ""
    return (
        ("one-bit products", f"{products // machine.sense_cycles}{sense}"),
        ("bits written into the arrays", f"{products // machine.write_cycles}"),
        ("results leaving the engine", machine.results_per_cycle),
        ("bits to and from the banks over AXI4", machine.bus_bits),
    )


def _latencies(machine: Machine) -> Iterable[tuple[object, ...]]:
    fetch = fetch_cycles(machine)
    searched = Pass(machine=machine, search_reads=1).last_write_cycles
    multiplied = Pass(machine=machine, multiplies=True).last_write_cycles
    return (
        ("start of a program", "first cycle of the first pass", 2 * fetch),
        ("end of a pass", "first cycle of the next pass", FINISH_CYCLES + fetch),
        ("end of the last pass", "interrupt", FINISH_CYCLES + fetch + END_CYCLES),
        ("last row of a kernel tile sensed", "its first results at the output stage", ENGINE_CYCLES),
        ("a beat of results accepted", "its last write (one plane, one read of thresholds)", searched),
        ("a beat of results accepted", "its last write (one plane, one product)", multiplied),
        ("AXI4 read address", "first beat", 2),
        ("AXI4-Lite read address", "data", 3),
        ("AXI4-Lite write address and data", "response", 2),
    )


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
