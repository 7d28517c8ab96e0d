"""What Verilator's makefile lists is found, and compiled in units of bounded size."""

from pathlib import Path

import pytest

from spinplane.sim import cpp
from spinplane.sim.cpp import CppJob, VerilatedParts
from spinplane.sim.tools import Compiler

MAKEFILE = """\
VM_COVERAGE = 0
VM_PARALLEL_BUILDS = 1
VM_TIMING = 1
VM_TRACE = 1
VM_TRACE_VCD = 1
VM_VPI = 1
VM_CLASSES_FAST += \\
  Vtop \\
  Vtop___024root__0 \\

VM_CLASSES_SLOW += \\
  Vtop__ConstPool_0 \\

VM_SUPPORT_FAST += \\
  Vtop__Dpi \\

VM_SUPPORT_SLOW += \\

VM_GLOBAL_FAST += \\
  verilated \\
  verilated_vpi \\

VM_GLOBAL_SLOW += \\
"""


def test_the_lists_of_the_makefile_are_read() -> None:
    parts = VerilatedParts.of(MAKEFILE)
    assert parts.fast == ("Vtop", "Vtop___024root__0", "Vtop__Dpi")
    assert parts.slow == ("Vtop__ConstPool_0",)
    assert parts.library == ("verilated", "verilated_vpi")
    assert parts.features == {
        "VM_SC": 0,
        "VM_COVERAGE": 0,
        "VM_TIMING": 1,
        "VM_TRACE": 1,
        "VM_TRACE_VCD": 1,
        "VM_VPI": 1,
    }


def test_small_files_are_compiled_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpp, "_UNIT_BYTES", 10)
    parts = VerilatedParts.of(MAKEFILE)
    for name in (*parts.fast, *parts.slow):
        (tmp_path / f"{name}.cpp").write_text("int x;")
    called: list[list[str]] = []
    job = CppJob(
        folder=tmp_path,
        compiler=Compiler(command=("zig", "c++"), version="1"),
        include=Path("include"),
        parts=parts,
        call=called.append,
    )
    objects = job.compile_design(Path("main.cpp"))
    assert objects == ["main.o", "unit-O1-0.o", "unit-O1-1.o", "unit-O1-2.o", "unit-O0-0.o"]
    assert (tmp_path / "unit-O1-1.cpp").read_text() == '#include "Vtop___024root__0.cpp"\n'
    assert {command[:2] == ["zig", "c++"] for command in called} == {True}
    assert all("-std=gnu++20" in command and "-DVM_TIMING=1" in command for command in called)


@pytest.mark.parametrize(("program", "precompiles"), [(("g++",), True), (("zig", "c++"), False)])
def test_many_units_read_a_compiled_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: tuple[str, ...], precompiles: bool
) -> None:
    monkeypatch.setattr(cpp, "_UNIT_BYTES", 1)
    monkeypatch.setattr(cpp, "_HEADER_UNITS", 3)
    parts = VerilatedParts.of(MAKEFILE)
    for name in (*parts.fast, *parts.slow):
        (tmp_path / f"{name}.cpp").write_text("int x;")
    called: list[list[str]] = []
    job = CppJob(
        folder=tmp_path,
        compiler=Compiler(command=program, version="1"),
        include=Path("include"),
        parts=parts,
        call=called.append,
    )
    job.compile_design(Path("main.cpp"))
    made = [command for command in called if command[-1].endswith(".gch")]
    reading = [command[command.index("-include") + 1] for command in called if "-include" in command]
    if precompiles:
        assert [command[-1] for command in made] == ["header-O1.h.gch"]
        assert called.index(made[0]) < min(n for n, command in enumerate(called) if "-include" in command)
        assert reading == ["header-O1.h"] * 3
        # A compiler ignores a header that was compiled with other options.
        fast = [command for command in called if "-O1" in command]
        assert len({tuple(command[: command.index("-std=gnu++20")]) for command in fast}) == 1
    else:
        assert made == reading == []
