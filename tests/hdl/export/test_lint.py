# amaranth: UnusedElaboratable=no
"""Verilator, Icarus, slang and Yosys on an export: no message but the waived, no waiver without one."""

import os
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from odd_machine import ODD
from pyslang.driver import Driver

from spinplane.hdl.common.clock_gate import ClockGating
from spinplane.hdl.export.files import Export, export
from spinplane.hdl.export.lint import WAIVERS
from spinplane.machine import load_machine
from spinplane.physical import run_script
from spinplane.sim.tools import find_icarus, find_verilator

#: A tool, a rule and the file that it is about.
Message = tuple[str, str, str]
LARGE = ("wide",)
EXPORTS = [
    (load_machine("tiny"), ClockGating.NONE),
    (ODD, ClockGating.NONE),
    (load_machine("tiny"), ClockGating.CELLS),
    pytest.param((load_machine("tiny"), ClockGating.ENABLES), marks=pytest.mark.thorough),
    *(pytest.param((load_machine(name), ClockGating.NONE), marks=pytest.mark.thorough) for name in LARGE),
]


@pytest.fixture(scope="module", params=EXPORTS, ids=lambda given: f"{given[0].name}-{given[1].value}")
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Export:
    machine, clock_gating = request.param
    return export(machine, tmp_path_factory.mktemp(machine.name), clock_gating=clock_gating)


def verilog_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.v"))


def verilator(folder: Path, *arguments: str) -> str:
    found = find_verilator()
    run = subprocess.run(
        [found.executable, "--lint-only", "--quiet", *arguments],
        cwd=folder,
        env=found.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def slang(folder: Path, options: str, monkeypatch: pytest.MonkeyPatch) -> set[Message]:
    monkeypatch.chdir(folder)
    driver = Driver()
    driver.addStandardArgs()
    assert driver.parseCommandLine(f"slang {options}")
    assert driver.processOptions()
    assert driver.parseAllSources()
    engine, sources = driver.diagEngine, driver.sourceManager
    return {
        ("slang", engine.getOptionName(found.code), os.path.basename(sources.getFileName(found.location)))
        for found in driver.createCompilation().getAllDiagnostics()
        if engine.getSeverity(found.code, found.location).name != "Ignored"
    }


def without_waivers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[Message]:
    said = verilator(folder, "-Wall", "-Wno-fatal", "-f", "simulation.f")
    found = re.findall(r"^%Warning-(\w+): ([^:]+):", said, re.MULTILINE)
    return {("verilator", rule, file) for rule, file in found} | slang(
        folder, "-Wextra -f simulation.f", monkeypatch
    )


def waived(message: Message, modules: tuple[str, ...]) -> list[int]:
    """Numbers of the waivers of a message: of generated modules alone."""
    tool, rule, file = message
    return [
        number
        for number, waiver in enumerate(WAIVERS)
        if (waiver.tool, waiver.rule) == (tool, rule)
        and file.removesuffix(".v") in modules
        and fnmatchcase(file, f"{waiver.modules}.v")
    ]


@pytest.mark.thorough
def test_a_message_without_the_waivers_has_its_waiver(
    exported: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = without_waivers(exported.folder, monkeypatch)
    assert messages
    assert [message for message in messages if not waived(message, exported.modules)] == []


@pytest.mark.thorough
def test_every_waiver_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed: set[int] = set()
    for name, clock_gating in (("tiny", ClockGating.CELLS), ("wide", ClockGating.NONE)):
        exported = export(load_machine(name), tmp_path / name, clock_gating=clock_gating)
        for message in without_waivers(exported.folder, monkeypatch):
            needed.update(waived(message, exported.modules))
    assert [waiver for number, waiver in enumerate(WAIVERS) if number not in needed] == []


def test_no_text_holds_a_waiver(exported: Export) -> None:
    for name in verilog_files(exported.folder):
        text = (exported.folder / name).read_text(encoding="utf-8")
        assert not re.search(r"lint_off|pragma|verilator", text), name


def test_a_users_own_file_is_looked_at_whole(exported: Export, tmp_path: Path) -> None:
    """Even if its name ends as that of a generated module."""
    own = tmp_path / "checksum.v"
    own.write_text("module checksum(input wire [3:0] a, output wire [7:0] b); assign b = a; endmodule\n")
    assert "sum" in exported.modules
    said = verilator(exported.folder, "-Wall", "-Wno-fatal", "lint.vlt", str(own))
    assert re.findall(r"^%Warning-(\w+): ([^:]+):", said, re.MULTILINE) == [("WIDTHEXPAND", str(own))]


def test_verilator_knows_the_waived_files_from_elsewhere(exported: Export, tmp_path: Path) -> None:
    listed = (exported.folder / "simulation.f").read_text(encoding="utf-8").split()
    files = [str(exported.folder / name) for name in ("lint.vlt", *listed)]
    assert verilator(tmp_path, "-Wall", *files) == ""


@pytest.mark.parametrize("by", ["list", pytest.param("glob", marks=pytest.mark.thorough)])
def test_verilator_has_nothing_to_warn_of(exported: Export, by: str) -> None:
    sources = ("-f", "lint.f") if by == "list" else ("-Wall", "lint.vlt", *verilog_files(exported.folder))
    assert verilator(exported.folder, *sources) == ""


def test_slang_has_nothing_to_warn_of(exported: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    assert slang(exported.folder, "-f slang.f", monkeypatch) == set()


@pytest.mark.parametrize("by", ["list", "glob"])
def test_icarus_has_nothing_to_warn_of(exported: Export, by: str, tmp_path: Path) -> None:
    sources = ["-f", "simulation.f"] if by == "list" else verilog_files(exported.folder)
    run = subprocess.run(
        [find_icarus(), "-g2012", "-Wall", "-o", tmp_path / "model", *sources],
        cwd=exported.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("by", "passes"),
    [
        ("list", "synth -run begin:fine -top accelerator\nstat -top accelerator"),
        pytest.param("glob", "proc\nstat -top accelerator", marks=pytest.mark.thorough),
    ],
)
def test_yosys_has_nothing_to_warn_of(exported: Export, by: str, passes: str, tmp_path: Path) -> None:
    """Without gates, which take minutes and see no Verilog. The latch of a clock gate is meant."""
    listed = (exported.folder / "synthesis.f").read_text(encoding="utf-8").split()
    names = listed if by == "list" else verilog_files(exported.folder)
    for name in names:
        shutil.copy(exported.folder / name, tmp_path)
    read = "".join(f"read_verilog {name}\n" for name in names)
    log = run_script(f"{read}hierarchy -check -top accelerator\n{passes}\ncheck -assert\n", tmp_path)
    warnings = [line for line in log.splitlines() if "warning" in line.lower()]
    latch = r"Warning: Latch inferred for signal `\\clock_gate\.\\passes' from process .*"
    assert [line for line in warnings if not re.fullmatch(latch, line)] == []
    assert len(warnings) == names.count("clock_gate.v")
    counted = log.rpartition("design hierarchy")[2]
    assert "sot_mram_array" in counted
    assert re.search(r"\bbank\b", counted)
