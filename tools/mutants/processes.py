"""Processes that run pytest in a tree: one that begins with nothing imported, or a fork of one that has collected."""

import os
import re
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType

import pytest

from . import footprints
from .changes import Change, place_of
from .plan import ROOT

#: Seconds of processor time that a process of a test may take: a mutant that needs more hangs.
MOST_SECONDS = 150
#: Where packages lie under their import names.
PACKAGES = "build/packages"
#: Of pytest: somebody stopped it, its arguments are wrong, there are no tests.
_NO_VERDICT = (-signal.SIGTERM, -signal.SIGINT, 4, 5)
_TAIL = 4_000
#: What tests import and no mutant changes; processes begin with it.
_IMPORTED = ["amaranth.hdl", "amaranth.sim", "cocotb_tools.runner", "matplotlib.pyplot", "numpy"]
_IMPORTED += ["numpy.testing", "onnx", "onnx.helper", "onnxruntime", "pytest", "qonnx", "rich"]
_IMPORTED += ["scipy.optimize", "tflite", "tools.mutants.processes"]

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(_IMPORTED)


def run_tests(
    tree: Path,
    tests: Sequence[str],
    listed: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: int = MOST_SECONDS,
) -> tuple[int, str]:
    """Exit status and output of pytest in a process of its own.

    Parameters
    ----------
    tree : Path
    tests : sequence of str
        Arguments of pytest.
    listed : sequence of str, optional
        Those of their tests that are run, in this order.
    environment : mapping of str to str, optional
    seconds : int
    """
    output = tree / "build" / "tests.log"
    arguments = (tree, environment or {}, output, list(tests), listed, seconds)
    process = _PROCESSES.Process(target=_run, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode, output.read_text(encoding="utf-8", errors="replace")


def first_failure(tests: Sequence[str], status: int, output: str) -> tuple[str, str] | None:
    """The test that failed, and its message; None if all passed.

    Raises
    ------
    RuntimeError
        If the tests say nothing.
    """
    if status == 0:
        return None
    if status in _NO_VERDICT:
        raise RuntimeError(f"no verdict of {' '.join(tests)}: {status}\n{output[-_TAIL:]}")
    summary = output.rpartition("short test summary info")[2]
    found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - (.*))?$", summary, re.MULTILINE)
    if found is None:
        return tests[0] if len(tests) == 1 else f"one of {len(tests)} tests", f"exit status {status}"
    return found[1], found[2] or ""


class Collected:
    """A process that has collected tests of a tree, and forks to run some of them with a change.

    Parameters
    ----------
    tree : Path
    tests : sequence of str
        Arguments of pytest.
    """

    def __init__(self, tree: Path, tests: Sequence[str]) -> None:
        self._output = tree / "build" / "tests.log"
        self._orders, orders = _PROCESSES.Pipe()
        arguments = (tree, list(tests), self._output, orders)
        self._process = _PROCESSES.Process(target=_collect, args=arguments, daemon=True)
        self._process.start()
        orders.close()
        self._orders.recv()

    def run(self, listed: Sequence[str], file: Path, sound: str, mutated: str) -> tuple[int, str] | None:
        """Exit status and output of pytest; None if the change does not fit what was imported and run before."""
        self._orders.send((list(listed), file, sound, mutated))
        status = self._orders.recv()
        if status is None:
            return None
        return status, self._output.read_text(encoding="utf-8", errors="replace")


class _Forks:
    """Plugin of pytest that forks when tests are to run, as often as it is told."""

    def __init__(self, ran: Mapping[int, CodeType], output: Path, orders: Connection) -> None:
        self._ran, self._output, self._orders = ran, output, orders

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Return in each fork, so that tests run, and never in the process itself."""
        sys.setprofile(None)
        ran = {place_of(code) for code in self._ran.values()}
        named = {item.nodeid: item for item in session.items}
        self._orders.send("collected")
        while True:
            try:
                listed, file, sound, mutated = self._orders.recv()
            except EOFError:
                os._exit(0)
            change = Change.of(file, sound, mutated)
            if not change.fits(ran):
                self._orders.send(None)
                continue
            process = os.fork()
            if not process:
                _limit(self._output, MOST_SECONDS)
                change.make()
                session.items = [named[name] for name in listed if name in named]
                return None
            self._orders.send(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def _run(
    tree: Path,
    environment: Mapping[str, str],
    output: Path,
    tests: list[str],
    listed: Sequence[str] | None,
    seconds: int,
) -> None:
    """Run pytest in this process, which ends with it."""
    _begin(tree, environment)
    _limit(output, seconds)
    plugins: list[object] = [footprints]
    if listed is not None:
        plugins.append(footprints.Chooser(list(listed)))
    _test(tests, plugins)


def _collect(tree: Path, tests: list[str], output: Path, orders: Connection) -> None:
    """Collect tests, noting what runs, and fork for orders."""
    _begin(tree, {})
    codes: dict[int, CodeType] = {}

    def called(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            codes[id(frame.f_code)] = frame.f_code

    sys.setprofile(called)
    # Without capture a fork decides where its output goes.
    _test(["--capture=no", *tests], [_Forks(codes, output, orders)])


def _begin(tree: Path, environment: Mapping[str, str]) -> None:
    """Make this process one that was started in the tree, as `python -m pytest` is."""
    os.setsid()
    packages = str(tree / PACKAGES)
    os.environ.update(
        {
            "PYTHONPATH": packages,
            "PYTHONDONTWRITEBYTECODE": "",
            "SPINPLANE_BUILD": str(tree / "build"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "400",
            "COCOTB_MAX_FAILURES": "1",
            **environment,
        }
    )
    sys.dont_write_bytecode = False
    os.chdir(tree)
    assert not any(name.partition(".")[0] in ("spinplane", "tests") for name in sys.modules)
    sys.path[:] = [str(tree), packages, *(path for path in sys.path if path != str(ROOT))]


def _limit(output: Path, seconds: int) -> None:
    """Send output to a file, and end this process if it takes more processor time."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    with output.open("wb") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)


def _test(tests: list[str], plugins: list[object]) -> None:
    arguments = ["-x", "-q", "-rfE", "--tb=line", "-p", "no:cacheprovider"]
    if "-m" not in tests:
        arguments += ["-m", "not thorough and not training"]
    status = pytest.main([*arguments, *tests], plugins=plugins)
    sys.stdout.flush()
    os._exit(int(status))
