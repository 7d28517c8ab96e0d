"""Commands in processes of their own that are forked, not started: ``python -m tests.forked_commands`` takes jobs.

A job is a list of arguments, the folder to run in and, where it is to be killed, the number of the event before which
it is: of those by which a process changes files or starts programs. What takes long and writes nothing is remembered
from one job to the next, or small in place of large. Jobs come as JSON on the standard input, a line each, and
outcomes go as JSON to the standard output.
"""

import contextlib
import io
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
#: Events of Python's audit hooks by which a process changes files; an `open` counts if it is not for reading.
_EVENTS = frozenset(
    {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "subprocess.Popen", "fcntl.flock"}
)
#: Event: a program has just been started and runs.
STARTED = "started"
_UNLIMITED = resource.RLIM_INFINITY
#: Status of a command that ended in a traceback: no test expects it.
BROKEN = 70
#: A design in the place of an accelerator, whose Verilog and gates take long.
_SMALL_DESIGN = {
    "sub_array": "module sub_array (input clk, input a, output reg y);\nalways @(posedge clk) y <= ~a;\nendmodule\n",
    "accelerator": "module accelerator (input clk, input rst, input a, output y, output z);\n"
    "  sub_array one (\n    .clk(clk), .a(a), .y(y)\n  );\n"
    "  sub_array two (\n    .clk(clk), .a(a), .y(z)\n  );\nendmodule\n",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command to run.

    Parameters
    ----------
    arguments : sequence of str
    folder : str
        Where it runs. Its cache lies there in ``cache``, its scratch files of the system in ``tmp``.
    kill_at : int, optional
        Event before which it is killed.
    signal : int
        With which it is.
    most_bytes : int
        That it can write into one file, as if the disk were full then. Its programs can write more: Python's own would
        leave broken byte code among the sources.
    seconds : int
        Of a processor that it may take itself, its own programs not counted.
    most_seconds : int
        After which it is killed with all that it has started, as it waits for something.
    simulated : bool
        Simulate the accelerator, in place of running the functional machine.
    variables : mapping of str to str
        Further ones of the environment.
    """

    arguments: Sequence[str]
    folder: str
    kill_at: int | None = None
    signal: int = signal.SIGKILL
    most_bytes: int = _UNLIMITED
    seconds: int = 60
    most_seconds: int = 300
    simulated: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended.

    Parameters
    ----------
    status : int
        Exit status, or −number of the signal that ended it; `BROKEN` after an exception other than SystemExit.
    errors : str
        What it wrote to its standard error, with the traceback of such an exception.
    events : list of str
        Those that change files or start programs; not told of one that was killed.
    mebibytes : int
        The most memory that it has held.
    """

    status: int
    errors: str
    events: list[str]
    mebibytes: int


class Commands:
    """A process that runs commands one after the other; modules are imported once for all of them."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.forked_commands"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        )

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run commands and tell how each has ended."""
        return [self._run(job) for job in jobs]

    def _run(self, job: Job) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asdict(job)), file=self._process.stdin, flush=True)
        told = self._process.stdout.readline()
        assert told, "the process that forks commands has died; its traceback is in the captured errors"
        return Outcome(**json.loads(told))

    def __enter__(self) -> "Commands":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def _fork(job: Job, scratch: Path) -> Outcome:
    errors, counted = scratch / "errors", scratch / "events"
    counted.write_text("[]", encoding="ascii")
    child = os.fork()
    if not child:
        _become(job, errors, counted)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(job.most_seconds)
    _, status, used = os.wait4(child, 0)
    signal.alarm(0)
    return Outcome(
        status=os.waitstatus_to_exitcode(status),
        errors=errors.read_text(encoding="utf-8", errors="replace"),
        events=json.loads(counted.read_text(encoding="ascii")),
        mebibytes=used.ru_maxrss >> 10,
    )


def _become(job: Job, errors: Path, counted: Path) -> NoReturn:
    """The child: run the command and end with it."""
    status, seen = BROKEN, list[str]()
    try:
        _enter(job, errors)
        _count(job, seen)
        from spinplane.cli import main

        main(list(job.arguments))
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_UNLIMITED, _UNLIMITED))
        traceback.print_exc()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_UNLIMITED, _UNLIMITED))
        counted.write_text(json.dumps(seen), encoding="ascii")
        os._exit(status)


def _enter(job: Job, errors: Path) -> None:
    """Go to the job's folder, with its output, limits and functions."""
    os.setpgid(0, 0)
    for number, target in ((1, os.devnull), (2, errors)):
        os.dup2(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(job.folder)
    tempfile.tempdir = str(Path(job.folder) / "tmp")
    os.makedirs(tempfile.tempdir, exist_ok=True)
    os.environ |= {"SPINPLANE_BUILD": str(Path(job.folder) / "cache"), "TMPDIR": tempfile.tempdir}
    os.environ |= job.variables
    tempfile.tempdir = os.environ["TMPDIR"]
    if job.simulated:
        _simulate()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if job.signal == signal.SIGINT:  # may come between the opening of a file and its `with`
        warnings.simplefilter("ignore", ResourceWarning)
    signal.setitimer(signal.ITIMER_VIRTUAL, job.seconds)
    if job.most_bytes != _UNLIMITED:
        sys.dont_write_bytecode = True
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.most_bytes, _UNLIMITED))


def _count(job: Job, seen: list[str]) -> None:
    """Note the events from now on, and send the signal before the one at which the job is to be killed."""

    def note(event: str) -> None:
        seen.append(event)
        if len(seen) - 1 == job.kill_at:
            os.kill(os.getpid(), job.signal)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            note(event)

    class Popen(subprocess.Popen[Any]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_UNLIMITED, _UNLIMITED))
            super().__init__(*arguments, **options)
            resource.setrlimit(resource.RLIMIT_FSIZE, (job.most_bytes, _UNLIMITED))
            note(STARTED)

    subprocess.Popen = Popen  # type: ignore[misc]
    sys.addaudithook(hook)


def _remember(module: ModuleType, name: str) -> None:
    """Let a function that takes long and writes nothing give again what it gave for the same arguments."""
    function, given = getattr(module, name), dict[bytes, Any]()

    def remembered(*arguments: Any, **options: Any) -> Any:
        key = pickle.dumps((arguments, options))
        if key not in given:
            given[key] = function(*arguments, **options)
        return given[key]

    setattr(module, name, remembered)


def _warm() -> None:
    """Import what commands import, put small things in the place of large ones, and run one."""
    import small_networks

    import spinplane
    import spinplane.commands.rtl_runs as rtl_runs
    import spinplane.hdl.export.machine_verilog as verilog
    from spinplane.machine import Name

    for name in spinplane.__all__:
        getattr(spinplane, name)
    rtl_runs.run_accelerator = small_networks.functional_rtl  # type: ignore[assignment]
    verilog.verilog_modules = lambda *_: {Name(name): text for name, text in _SMALL_DESIGN.items()}
    _run_here("compile digits-1-4 --no-check -o n.npz --json c.json --html c.html --picture map.png")


@cache
def _warm_for(command: str, simulated: bool) -> None:
    """What a kind of job needs beside, done once."""
    if command == "device":
        import spinplane.commands.device as device
        import spinplane.device.write as write

        device.report_device = partial(device.report_device, writes=20)
        for name in ("run_ensemble", "simulate"):
            _remember(write, name)
        _run_here("device --trials 1000 -o out")
    if simulated:
        _tiny_verilog()


@cache
def _tiny_verilog() -> dict[Any, str]:
    from spinplane.hdl.accelerator import Accelerator
    from spinplane.hdl.common.verilog import verilog_modules
    from spinplane.machine import load_machine

    return verilog_modules(Accelerator(load_machine("tiny")), "accelerator")


def _simulate() -> None:
    """Take the accelerator of the machine `tiny` again, and simulate it."""
    import spinplane.commands.rtl_runs as rtl_runs
    import spinplane.hdl.export.machine_verilog as verilog
    from spinplane.sim.accelerator import run_accelerator

    rtl_runs.run_accelerator = run_accelerator
    verilog.verilog_modules = lambda *_: _tiny_verilog()


def _run_here(command: str) -> None:
    """Run a command in this process, in a folder that goes."""
    from spinplane.cli import app

    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        app(command.split(), result_action="return_value").show("")
        os.chdir(before)


if __name__ == "__main__":
    _warm()
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            job = Job(**json.loads(line))
            _warm_for(job.arguments[0], job.simulated)
            print(json.dumps(asdict(_fork(job, Path(folder)))), flush=True)
