# amaranth: UnusedElaboratable=no
"""The datasheet: its numbers are those of the machine."""

import re
from dataclasses import replace

from spinplane.hdl.common.clock_gate import ClockGating
from spinplane.hdl.export.datasheet import datasheet
from spinplane.machine import Machine, MachineClock, load_machine
from spinplane.machine.passes import Pass
from spinplane.machine.timing import fetch_cycles

PORTS = [
    {"name": "clk", "direction": "input", "width": 1},
    {"name": "rst", "direction": "input", "width": 1},
    {"name": "axil__awaddr", "direction": "input", "width": 32},
    {"name": "axi__rdata", "direction": "output", "width": 128},
    {"name": "interrupt", "direction": "output", "width": 1},
]
MACROS = [{"module": "accelerator", "instance": "log_bank", "words": 256, "width": 624, "reads": 1}]


def sheet(machine: Machine) -> str:
    return datasheet(machine, PORTS, MACROS)


def test_chapters() -> None:
    assert re.findall(r"^## (.*)$", sheet(load_machine("paper")), re.MULTILINE) == [
        *("Ports", "Sizes", "Banks", "Memory macros", "Throughput", "Latencies", "Reset")
    ]


def test_clock_gating_has_a_chapter_where_there_is_some() -> None:
    machine = load_machine("tiny")
    for gating, word in ((ClockGating.ENABLES, "have an enable"), (ClockGating.CELLS, "`clock_gate`")):
        text = datasheet(machine, PORTS, MACROS, clock_gating=gating)
        assert word in text.partition("\n## Clock gating\n")[2]


def test_numbers_of_the_paper_machine() -> None:
    machine = load_machine("paper")
    text, fetch = sheet(machine), fetch_cycles(machine)
    searched = Pass(machine=machine, search_reads=1).last_write_cycles
    for line in (
        "| `axil__awaddr` | input | 32 | AXI4-Lite: registers |",
        "| `axi__rdata` | output | 128 | AXI4: banks |",
        "| rows × columns of each | 512 × 256 |",
        "| accumulators of each | 4 of 32 bits |",
        "| kernel | 0x20000000 | 524288 | 256 | 16384 |",
        "| `log_bank` | `accelerator` | 256 | 624 | 1 |",
        "| one-bit products | 8192 |",
        "| bits written into the arrays | 4096 |",
        "| multipliers that the lanes share | 4 |",
        f"| start of a program | first cycle of the first pass | {2 * fetch} |",
        f"| a beat of results accepted | its last write (one plane, one read of thresholds) | {searched} |",
    ):
        assert f"\n{line}\n" in text


def test_a_clock_has_a_section() -> None:
    clock = MachineClock(technology="own", clock_hz=2.5e8, fastest_hz=3.0899e8)
    text = datasheet(load_machine("wide"), PORTS, MACROS, clock=clock)
    section = text.split("\n## Clock\n\n")[1].split("\n\n## Reset\n")[0]
    assert section.startswith(
        "250 MHz, a period of 4.000 ns. Cycles of a sense: 2, of a write pulse: 3. With arrays of own whose lines "
        "are as long as these they hold up to 308.9 MHz: "
    )


def test_slow_pulses_divide_the_throughput() -> None:
    text = sheet(load_machine("wide"))
    assert "| one-bit products | 2048 (one AND takes 2 cycles) |" in text
    assert "| cycles per sense, per write pulse | 2, 3 |" in text


def test_a_machine_without_a_description() -> None:
    text = sheet(replace(load_machine("tiny"), description=""))
    assert text.startswith("# Accelerator, machine tiny\n\nAn accelerator for")
