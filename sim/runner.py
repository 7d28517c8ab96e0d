"""Run cocotb benches on a simulator."""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from spinplane.machine import Name
from spinplane.machine.external.cache import Cache
from spinplane.machine.external.process import run
from spinplane.machine.files import older_than

from .model import SimulationModel, build_model
from .tools import find_cocotb, find_python_library

#: Environment variable that gives a bench the names of the top's inputs, separated by spaces.
INPUTS_VARIABLE = "SPINPLANE_INPUTS"

#: For benches that use it: `cocotbext.axi` calls functions that cocotb 2 discourages.
WARNINGS = "error::DeprecationWarning," + ",".join(
    f"ignore::DeprecationWarning:cocotbext.axi.{module}"
    for module in ("axi_master", "axil_master", "reset", "stream")
)

_DAY_SECONDS = 86400


class BenchFailure(RuntimeError):
    """A bench that found a fault, ran no test, or whose simulation died."""


@dataclass(frozen=True, kw_only=True)
class BenchRun:
    """Outcome of `run_bench`.

    Parameters
    ----------
    bench : str
    simulator : str
    tests : int
        Tests that ran.
    failures : tuple of str
        Names of those that failed.
    message : str
        What went wrong first: the text of the Verilog ``$fatal``, else of the first failure, else the last
        line of the log; empty if nothing did.
    log : Path
    folder : Path
        Where the simulation ran.
    waves : Path or None
        The VCD.
    build_seconds, run_seconds : float
    cached : bool
        Whether the model was compiled already.
    """

    bench: str
    simulator: str
    tests: int
    failures: tuple[str, ...]
    message: str
    log: Path
    folder: Path
    waves: Path | None
    build_seconds: float
    run_seconds: float
    cached: bool

    @property
    def passed(self) -> bool:
        """Whether all tests passed and the simulation ended as it should."""
        return not self.message

    def check(self) -> "BenchRun":
        """Return the run itself if it passed.

        Raises
        ------
        BenchFailure
            If it did not, with its message.
        """
        if not self.passed:
            failed = ", ".join(self.failures) or "simulation"
            raise BenchFailure(
                f"{self.bench} on {self.simulator}: {failed}: {self.message} (log: {self.log})"
            )
        return self


def run_bench(
    bench: str,
    sources: Sequence[Path] | Mapping[Name, str],
    top: str,
    *,
    simulator: str,
    environment: Mapping[str, str] | None = None,
    build_root: Path | None = None,
    run_folder: Path | None = None,
    waves: bool = False,
    testcase: str | Sequence[str] | None = None,
    seed: int | None = None,
    timeout_s: float = 900.0,
    plusargs: Sequence[str] = (),
) -> BenchRun:
    """Compile a design, unless it is compiled already, and run a cocotb bench on it.

    Parameters
    ----------
    bench : str
        Module of the bench, as ``"spinplane.sim.benches.array.bench_row_decoder"``.
    sources : sequence of Path, or mapping of Name to str
        Verilog files, or Verilog text by module name as `spinplane.hdl.common.verilog.verilog_modules` returns it.
    top : str
        Top module; its ports are what the bench sees.
    simulator : {"verilator", "icarus"}
    environment : mapping of str to str, optional
        Environment variables for the bench, added to those of this process.
    build_root : Path, optional
        Holds the models and the runs; `default_build_root` if not given.
    run_folder : Path, optional
        Emptied and used for the log, results and waves. If not given, a new folder, which a run of a later
        day removes.
    waves : bool
        Write all signals to a VCD.
    testcase : str or sequence of str, optional
        Names of the tests to run; all if not given.
    seed : int, optional
        What cocotb derives ``cocotb.RANDOM_SEED`` of each test from; 1 if not given.
    timeout_s : float
        A simulation that takes longer has failed.
    plusargs : sequence of str
        Arguments for the design, as ``"+name=value"``.

    Returns
    -------
    BenchRun
        Failed tests, a ``$fatal`` and a simulator that dies are told by it; see `BenchRun.check`.

    Raises
    ------
    SpinplaneError
        If the simulator or what it needs is missing, or it refuses the sources.
    BenchFailure
        If no test ran, though the simulation did not fail.
    """
    root = Cache(build_root).root
    model = build_model(sources, top, simulator=simulator, build_root=root, waves=waves)
    folder = _fresh_folder(run_folder) if run_folder else new_folder(root / "runs", bench)
    log, results = folder / "log.txt", folder / "results.xml"
    variables = _environment(bench, model, results, testcase, 1 if seed is None else seed)
    start = time.monotonic()
    status = run(
        [*_command(model), *plusargs],
        folder=folder,
        environment=variables | dict(environment or {}),
        log=log,
        seconds=timeout_s,
    ).status
    run_seconds = time.monotonic() - start
    text = log.read_text(encoding="utf-8", errors="replace")
    tests, failures = _read_results(results)
    message = f"no end after {timeout_s:g} s" if status is None else _message(text, failures, status, results)
    if not tests and (not message or "No tests were discovered" in text):
        raise BenchFailure(f"{bench} on {simulator}: no test ran (log: {log})")
    waveform = folder / ("dump.vcd" if simulator == "verilator" else "waves.vcd")
    return BenchRun(
        bench=bench,
        simulator=simulator,
        tests=tests,
        failures=tuple(failures),
        message=message,
        log=log,
        folder=folder,
        waves=waveform if waveform.is_file() else None,
        build_seconds=model.build_seconds,
        run_seconds=run_seconds,
        cached=model.cached,
    )


def _command(model: SimulationModel) -> list[str]:
    if model.simulator == "verilator":
        return [str(model.program), *(["--trace"] if model.waves else [])]
    return ["vvp", "-m", find_cocotb().icarus_library, str(model.program), "-vcd" if model.waves else "-none"]


def _environment(
    bench: str, model: SimulationModel, results: Path, testcase: str | Sequence[str] | None, seed: int
) -> dict[str, str]:
    """Environment of a cocotb simulation, free of the settings of one that may surround this process."""
    ours = ("COCOTB_", "GPI_", "PYGPI_")
    kept = "COCOTB_MAX_FAILURES"  # who only asks whether a bench fails may end it at once
    variables = {key: value for key, value in os.environ.items() if key == kept or not key.startswith(ours)}
    variables |= {
        "GPI_USERS": f"{find_python_library()};{find_cocotb().entry_point}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "PYTHONWARNINGS": "error::DeprecationWarning",
        "COCOTB_TOPLEVEL": model.top,
        "COCOTB_TEST_MODULES": bench,
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_RANDOM_SEED": str(seed),
        # cocotb would rewrite the assertions of every module that is imported, numpy's included.
        "COCOTB_REWRITE_ASSERTION_FILES": "bench_*.py *_driver.py",
        "TOPLEVEL_LANG": "verilog",
        INPUTS_VARIABLE: " ".join(model.inputs),
    }
    if model.simulator == "verilator":
        variables["COCOTB_TRUST_INERTIAL_WRITES"] = "1"
    if testcase is not None:
        names = [testcase] if isinstance(testcase, str) else testcase
        variables["COCOTB_TEST_FILTER"] = rf"\.({'|'.join(map(re.escape, names))})$"
    return variables


def _read_results(results: Path) -> tuple[int, dict[str, str]]:
    """Number of tests that ran, and the message of each that failed by its name."""
    try:
        cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return 0, {}
    ran = [case for case in cases if case.find("skipped") is None]
    failures = {}
    for case in ran:
        failure = case.find("failure") if case.find("failure") is not None else case.find("error")
        if failure is not None:
            first_line = (failure.get("message") or "").partition("\n")[0]
            failures[case.get("name", "")] = f"{failure.get('type', '')}: {first_line}".strip(": ")
    return len(ran), failures


def _message(log: str, failures: Mapping[str, str], status: int, results: Path) -> str:
    # Verilator: "[71000] %Fatal: a.v:3: Assertion failed in top.a: text"; Icarus: "FATAL: a.v:3: text".
    fatal = re.search(
        r"^(?:\[\d+\] %Fatal: \S+:\d+: Assertion failed in \S+: |FATAL: \S+:\d+: )(.*)$", log, re.MULTILINE
    )
    if fatal:
        return fatal[1].strip()
    if failures:
        return next(iter(failures.values()))
    if status or not results.is_file():
        raised = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit)\b.*$", log, re.MULTILINE)
        lines = log.strip().splitlines()
        return (raised or lines or [f"the simulator ended with status {status}"])[-1].strip()
    return ""


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder.resolve()


def new_folder(home: Path, bench: str) -> Path:
    """A new folder for a run of a bench; those of days before are removed."""
    home.mkdir(parents=True, exist_ok=True)
    for old in older_than(_DAY_SECONDS, home):
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{bench.rpartition('.')[2]}-", dir=home))
