"""The one place in which processes are started: without a shell, with an environment that is listed here.

What is started ends with this process, in whatever way that ends.
"""

import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..files import naming

_log = logging.getLogger("spinplane")

# What a program needs to run at all, to find the user's compilers and libraries, and to speak his language. Not among
# them: MAKEFLAGS, SPICE_SCRIPTS, TCLLIBPATH and others with which a program takes further commands.
_KEPT = frozenset(
    [
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CPATH", "LIBRARY_PATH", "SDKROOT", "CCACHE_DIR"),
        *("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    ]
)


# Limits itself, then becomes the program. (A function between fork and exec may hang where there are threads.)
_LIMITED = """\
import os, resource, sys
seconds = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that has ended.

    Parameters
    ----------
    status : int or None
        What it ended with, negative for a signal; None if its time was over and it was killed.
    output, errors : str
        What it said; empty where that went into a log.
    """

    status: int | None
    output: str = ""
    errors: str = ""


def tool_environment(**more: str) -> dict[str, str]:
    """The environment of a tool: of this process's own what `run` lets through, and what the tool is told."""
    own = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith("LC_")}
    return own | more


def python_command(*arguments: str) -> list[str]:
    """Command of a child that is Python. The current folder, where a stranger's files may lie, is not on its path."""
    return [sys.executable, "-P", *arguments]


def run_limited(command: Sequence[str | Path], *, folder: Path, cpu_seconds: int) -> Ended:
    """Run a program that may take so many seconds of a processor, however busy the machine is.

    Parameters
    ----------
    command : sequence of str or Path
    folder : Path
    cpu_seconds : int
        Its children have as many each.

    Returns
    -------
    Ended
        With errors told in the output; status None if the time was over.

    Raises
    ------
    OSError
        If Python cannot be started.
    """
    ended = run([*python_command("-c", _LIMITED, str(cpu_seconds)), *command], folder=folder, together=True)
    return Ended(status=None) if ended.status == -signal.SIGXCPU else ended


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: str | None = None,
    log: Path | None = None,
    together: bool = False,
    seconds: float | None = None,
) -> Ended:
    """Start a program, without a shell, and wait for its end.

    Parameters
    ----------
    command : sequence of str or Path
        Program and arguments.
    folder : Path, optional
        Where it runs, and where its temporary files lie: they go with the folder.
    environment : mapping of str to str, optional
        All of its environment; `tool_environment` if not given.
    given : str, optional
        What it reads from its standard input, which is empty otherwise.
    log : Path, optional
        File to which its output and errors are appended.
    together : bool
        Errors are told in the output.
    seconds : float, optional
        After which it is killed.

    Raises
    ------
    OSError
        If it cannot be started, or fails and its log cannot be written.
    """
    if log is not None:
        with log.open("ab") as out:
            ended = _run(command, folder, environment, given, out, subprocess.STDOUT, seconds)
        if ended.status:
            with naming(log), log.open("ab") as out:  # it could not say that the disk is full
                out.write(b"\n")
        return ended
    errors = subprocess.STDOUT if together else subprocess.PIPE
    return _run(command, folder, environment, given, subprocess.PIPE, errors, seconds)


def _run(
    command: Sequence[str | Path],
    folder: Path | None,
    environment: Mapping[str, str] | None,
    given: str | None,
    output: object,
    errors: int,
    seconds: float | None,
) -> Ended:
    start = time.monotonic()
    variables = dict(tool_environment() if environment is None else environment)
    if folder is not None:
        variables["TMPDIR"] = "."
    with (
        _Leash() as leash,
        subprocess.Popen(  # type: ignore[call-overload]
            [str(word) for word in command],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=output,
            stderr=errors,
            encoding="utf-8",
            errors="replace",
            **leash.options,
        ) as process,
    ):
        leash.hold(process.pid)
        try:
            said, complained = process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired:
            return Ended(status=None)
        finally:
            process.kill()
    _log.info("ran %s: status %d after %.1f s", command[0], process.returncode, time.monotonic() - start)
    return Ended(status=process.returncode, output=said or "", errors=complained or "")


class _Leash:
    """Kills a program, and what that has started, when it is closed: by the end of this process at the latest.

    That is a pipe of which the program has one end: Linux signals its group when the other one is closed. Elsewhere
    programs go on to their ends.
    """

    def __init__(self) -> None:
        self._theirs, self._ours = os.pipe()
        self.options: dict[str, object] = {}
        if hasattr(fcntl, "F_SETSIG"):
            fcntl.fcntl(self._theirs, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(self._theirs, fcntl.F_SETFL, fcntl.fcntl(self._theirs, fcntl.F_GETFL) | os.O_ASYNC)
            self.options = {"pass_fds": [self._theirs], "process_group": 0}

    def hold(self, group: int) -> None:
        """Take a program that was started with the `options`."""
        if self.options:
            with suppress(ProcessLookupError):  # where nobody is told of ends, it may have gone
                fcntl.fcntl(self._theirs, fcntl.F_SETOWN, -group)

    def __enter__(self) -> "_Leash":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ours)
        os.close(self._theirs)
