"""What a design consists of, counted on its components, is what its Verilog has."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from odd_machine import ODD

from spinplane.evaluation.census import census
from spinplane.evaluation.flip_flops import flip_flops
from spinplane.hdl.export.machine_verilog import machine_verilog
from spinplane.hdl.export.memories import placed_banks
from spinplane.machine import Machine, Name, load_machine
from spinplane.machine.external.cache import Cache
from spinplane.machine.external.cache_folder import default_build_root

REGISTER = re.compile(r"^  (?:output )?reg (?:\[(\d+):0\] )?(\S+?) *(?:=.*)?;$", re.MULTILINE)
CLOCKED = re.compile(r"always @\(posedge clk\)\n    (?:if \(.*\) )?(\S+) +(?:\[\S+\] +)?<=")
PLACED = re.compile(r"^  (\w+) (?:#\(|\\|\w)", re.MULTILINE)
MODULE = """module leaf(clk, q);
  output reg [6:0] q = 7'h00;
  reg [2:0] combinational;
  reg \\one$1  = 1'h0;
  always @(posedge clk)
    q <= q_next;
  always @(posedge clk)
    \\one$1  <= two;
  always @*
    combinational = q[2:0];
endmodule
"""


def registers(text: str) -> int:
    """Bits of the registers of a module's Verilog."""
    widths = {register: int(high or 0) + 1 for high, register in REGISTER.findall(text)}
    return sum(widths[register] for register in set(CLOCKED.findall(text)))


def test_registers_of_verilog_are_those_with_a_clock() -> None:
    assert registers(MODULE) == 8


@pytest.mark.parametrize(
    "machine", [load_machine("tiny"), load_machine("paper8"), ODD], ids=lambda one: one.name
)
def test_a_census_is_what_the_verilog_has(machine: Machine) -> None:
    verilog = machine_verilog(machine, default_build_root())
    counted = census(machine).modules
    assert list(counted) == list(map(str, verilog))
    for name, text in verilog.items():
        own = counted[str(name)]
        assert own.flip_flops == registers(text), name
        placed = [child for child in PLACED.findall(text) if child in verilog]
        assert own.modules == {child: placed.count(child) for child in placed}, name
    banks = [
        (bank["module"], (bank["instance"], bank["words"], bank["width"], bank["reads"]))
        for bank in placed_banks(verilog)
    ]
    assert sorted(banks) == sorted((name, bank) for name, own in counted.items() for bank in own.banks)


def test_a_machine_has_more_flip_flops_with_wider_accumulators() -> None:
    tiny = load_machine("tiny")
    kept = default_build_root()
    assert 8_000 < flip_flops(tiny, kept) < 10_000
    assert flip_flops(replace(tiny, accumulator_bits=tiny.accumulator_bits + 1), kept) > flip_flops(
        tiny, kept
    )


def test_machines_that_print_alike_share_neither_verilog_nor_census(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []

    def text(cache: Cache, kind: Name, name: Name, make: Callable[[], str]) -> str:
        names.append(name)
        return "{}"

    monkeypatch.setattr(Machine, "__repr__", lambda machine: "a machine")
    monkeypatch.setattr(Cache, "text", text)
    machine = load_machine("tiny")
    for one in (machine, replace(machine, pool_beats=32)):
        machine_verilog(one, tmp_path)
        census(one, tmp_path)
    assert len(set(names)) == len(names) == 4
