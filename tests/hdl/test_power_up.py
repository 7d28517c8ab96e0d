# amaranth: UnusedElaboratable=no
"""Power-up: without any initial value a reset brings the export to idle, and no word line is up meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module
from power_up import strip_export

from spinplane.commands.export import export_machine
from spinplane.hdl.array.sub_array import SubArray
from spinplane.machine import load_machine
from spinplane.machine.external.cache_folder import default_build_root

#: Power-ups on Verilator, each with other random values.
POWER_UPS = 20
#: Looked at between the clock edges, too, and before the first one: a nanosecond after any line has changed.
AT_ANY_TIME = """
  always @(standby or wwl or rwl or references) begin
    #1;
    if (standby === 1'b1 && {wwl, rwl, references} !== 0) $fatal(1, "%m: a line is high while the reset is");
  end
endmodule
"""


def powered_up(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, folder / "bench" / "run.py", *options], capture_output=True, text=True, check=False
    )


def stripped(
    name: str, folder: Path, *, asynchronous_reset: bool = False, clock_gating: str = "none"
) -> Path:
    exported = export_machine(
        load_machine(name),
        folder / name,
        kept_in=default_build_root(),
        asynchronous_reset=asynchronous_reset,
        clock_gating=clock_gating,
    )
    assert strip_export(exported.folder, exported.modules) > 300
    return exported.folder


def watch_lines_at_any_time(folder: Path) -> None:
    """Icarus knows delays without a further option."""
    array = folder / "sot_mram_array.v"
    text = array.read_text(encoding="utf-8")
    assert text.count("\nendmodule\n") == 1
    array.write_text(text.replace("\nendmodule\n", AT_ANY_TIME), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "asynchronous_reset", "clock_gating"),
    [
        ("tiny", False, "none"),
        ("tiny", False, "cells"),
        pytest.param("tiny", True, "none", marks=pytest.mark.thorough),
        pytest.param("tiny", False, "enables", marks=pytest.mark.thorough),
        pytest.param("tiny", True, "cells", marks=pytest.mark.thorough),
        pytest.param("paper8", False, "none", marks=pytest.mark.thorough),
    ],
)
def test_icarus_begins_with_everything_unknown(
    name: str, asynchronous_reset: bool, clock_gating: str, tmp_path: Path
) -> None:
    folder = stripped(name, tmp_path, asynchronous_reset=asynchronous_reset, clock_gating=clock_gating)
    watch_lines_at_any_time(folder)
    run = powered_up(folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("accelerator: PASSED\n")


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "clock_gating"), [("tiny", "none"), ("tiny", "cells")])
def test_verilator_begins_with_random_values(name: str, clock_gating: str, tmp_path: Path) -> None:
    folder = stripped(name, tmp_path, clock_gating=clock_gating)
    run = powered_up(folder, "--simulator", "verilator", "--power-ups", str(POWER_UPS))
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("output, counters and log are as expected") == POWER_UPS


@pytest.mark.thorough
def test_a_line_that_is_up_in_a_reset_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several assignments the last one holds: the gate of the write word lines is left out."""
    elaborate = SubArray.elaborate

    def without_the_gate(self: SubArray, platform: object) -> Module:
        m = elaborate(self, platform)
        m.d.comb += self._write_lines.enable.eq(self._of_any_writer("write_enable"))
        return m

    monkeypatch.setattr(SubArray, "elaborate", without_the_gate)
    exported = export_machine(load_machine("tiny"), tmp_path / "tiny")
    strip_export(exported.folder, exported.modules)
    watch_lines_at_any_time(exported.folder)
    run = powered_up(exported.folder)
    assert run.returncode == 1
    assert "a line is high while the reset is" in run.stdout + run.stderr
