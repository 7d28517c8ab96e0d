"""The command's manners: one line and exit code 2 for what is wrong, nothing half-written."""

import errno
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import spinplane
from spinplane.cli import main
from spinplane.hdl.export.files import Export
from spinplane.machine import SpinplaneError, load_machine
from spinplane.report.results import KINDS

TINY = """
name = "mine"
sub_arrays = 1
rows = 32
columns = 32
segments = 1
"""


#: What a command returns.
RESULT = Export(machine="tiny", top="top", folder=Path("rtl"), modules=("top",), files=("top.v",))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Commands that do nothing; each leaves its arguments."""
    calls: list[Any] = []

    def command(*arguments: object, **options: object) -> Export:
        calls.append((*arguments, options))
        return RESULT

    for name in ("export", "synth", "train"):
        monkeypatch.setattr(spinplane, name, command)
    return calls


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Exit code and the only line of stderr, without the name of the program."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("spinplane: ")
    assert printed.err.count("\n") == 1
    return ended.value.code, printed.err.removeprefix("spinplane: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exprot"], 'Unknown command "exprot". Did you mean "export"?'),
        (["export", "--machine", "tiny", "-o", "x", "--speed", "9"], "--speed"),
        (["export", "--machine", "tiny"], "--output"),
        (["synth", "--machine", "tiny", "--fpga", "xc8"], 'Invalid value "xc8" for --fpga. Choose from:'),
        (["demo", "--simulator", "modelsim"], 'Invalid value "modelsim" for --simulator. Choose from:'),
        (["demo", "--digit", "x"], 'Invalid value for --digit: unable to convert "x" into int.'),
    ],
)
def test_what_the_parser_refuses(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = failure(arguments, capsys)
    assert code == 2
    assert message in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["export", "--machine", "small", "-o", "x"],
            "machine 'small' is neither a file nor one of paper, paper-overlap, paper8, tiny, wide",
        ),
        (["demo", "--digit", "11"], "digit = 11: must be a whole number from 0 to 9"),
        (["demo", "--machine", "nowhere.toml"], "machine 'nowhere.toml' is neither a file nor one of "),
        (
            ["synth", "--machine", "tiny", "--liberty", "nowhere.lib"],
            "Liberty file nowhere.lib: no such file",
        ),
        (
            ["synth", "--machine", "tiny", "--liberty", "nowhere.lib", "--fpga", "xc7"],
            "give either a Liberty file or an FPGA family, not both",
        ),
        (
            ["synth", "--machine", "tiny", "--period-ns", "0"],
            "period_ns = 0.0: must be a positive number",
        ),
        (
            ["synth", "--machine", "tiny", "--fpga", "xc7", "--adders", "fast"],
            "adders, a period and timing are of a Liberty file, not of an FPGA family",
        ),
    ],
)
def test_what_a_command_refuses(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = failure(arguments, capsys)
    assert code == 2
    assert text.startswith(message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TINY + "rows", "not TOML: "),
        (TINY.replace("rows = 32", "rows = 7"), "rows = 7: must be a whole number from 8 to 4096"),
        (TINY + "colums = 3\n", "unknown key 'colums': did you mean 'columns'?"),
        (TINY.replace("rows = 32\n", ""), "missing key 'rows'"),
    ],
)
def test_a_wrong_machine_file(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    code, told = failure(["export", "--machine", str(path), "-o", str(tmp_path / "rtl")], capsys)
    assert code == 2
    assert told.startswith(f"machine file {path}: {message}")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, taken = tmp_path / "mine.toml", tmp_path / "taken"
    machine.write_text(TINY, encoding="utf-8")
    taken.write_text("mine", encoding="utf-8")
    assert failure(["export", "--machine", str(machine), "-o", str(taken)], capsys) == (
        2,
        f'Invalid value "{taken}" for -o. Not a folder.',
    )
    assert taken.read_text(encoding="utf-8") == "mine"


def test_a_json_file_that_cannot_be_written_is_refused_before_the_work(
    quick: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["synth", "--machine", "tiny", "--json"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    beyond = tmp_path / "file" / "new" / "a.json"
    assert failure([*command, str(tmp_path)], capsys) == (
        2,
        f'Invalid value "{tmp_path}" for --json. Is a folder.',
    )
    assert failure([*command, str(beyond)], capsys) == (
        2,
        f'Invalid value "{beyond}" for --json. {tmp_path / "file"} is not a folder.',
    )
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert failure([*command, str(tmp_path / "a.json")], capsys) == (
        2,
        f'Invalid value "{tmp_path / "a.json"}" for --json. Cannot be written.',
    )
    assert quick == []


def test_json_beside_the_table(quick: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "a.json"
    main(["synth", "--machine", "tiny", "--fpga", "ice40", "--json", str(path)])
    options = {
        "liberty": None,
        "adders": "ripple",
        "period_ns": None,
        "timing": None,
        "clock_gating": "none",
        "technology": None,
    }
    assert quick == [("tiny", {**options, "fpga": "ice40"})]
    assert capsys.readouterr().out == f"{RESULT}\n"
    assert spinplane.read_result(path) == RESULT
    provenance = spinplane.read_provenance(path)
    assert provenance.command == f"spinplane synth --machine tiny --fpga ice40 --json {path}"
    assert provenance.machine == load_machine("tiny")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (SpinplaneError("two\n  lines"), 2, "two lines"),
        (OSError(errno.ENOSPC, "No space left on device", "a.v"), 2, "a.v: No space left on device"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "output: No space left on device"),
        (OSError(errno.EISDIR, "Is a directory", "a.tmp", None, "a"), 2, "a: Is a directory"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), 2, "a: Permission denied"),
        (spinplane.BenchFailure("3 mismatches"), 1, "3 mismatches"),
    ],
)
def test_errors_become_one_line(
    error: Exception,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(spinplane, "synth", fail)
    assert failure(["synth", "--machine", "tiny"], capsys) == (code, message)


def test_a_mistake_of_the_program_is_no_request_gone_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(spinplane, "synth", fail)
    with pytest.raises(ValueError, match="a bug"):
        main(["synth", "--machine", "tiny"])


def test_train_hands_everything_on(quick: list[Any], tmp_path: Path) -> None:
    main(
        [
            "train",
            "--network",
            "digits",
            "--bits",
            "1:2",
            "--data",
            str(tmp_path),
            "--epochs",
            "3",
            "--resume",
        ]
    )
    (network, bits, data, options), *others = quick
    assert (network, bits, data, others) == ("digits", "1:2", tmp_path, [])
    assert (options["epochs"], options["resume"], options["seed"], options["edge_bits"]) == (3, True, 0, None)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"{version('spinplane')}\n"
    main(["--help"])
    helped = capsys.readouterr().out
    main([])
    assert capsys.readouterr().out == helped
    for name in ("demo", "export", "synth", "train", "cache"):
        assert f"│ {name} " in helped
    for name in (
        "demo",
        "compile",
        "run",
        "trace",
        "accuracy",
        "device",
        "energy",
        "export",
        "synth",
        "train",
        "cache",
        "doctor",
    ):
        main([name, "--help"])
        told = capsys.readouterr().out
        assert "--json" in told
        assert ("--html" in told) == (name not in ("export", "cache"))


def test_what_is_asked_for_late_is_there() -> None:
    for name in spinplane.__all__:
        assert getattr(spinplane, name).__name__ in (name, "launch")
    with pytest.raises(AttributeError, match=r"^module 'spinplane' has no attribute 'simulate'$"):
        spinplane.simulate  # noqa: B018


def test_help_waits_for_no_simulator() -> None:
    late = "('amaranth', 'cocotb', 'jinja2', 'matplotlib', 'torch')"
    code = f"import sys, spinplane.cli; print([m for m in {late} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def spinplane_process(arguments: list[str], stdout: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spinplane", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_as_a_module_into_a_pipe_that_is_closed() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    table, helped = (
        spinplane_process(arguments, writer) for arguments in (["demo", "--explain"], ["--help"])
    )
    os.close(writer)
    assert (table.returncode, table.stderr) == (141, "")
    assert (helped.returncode, helped.stderr) == (1, "")  # Rich ends this one itself


def test_onto_a_full_disk() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        run = spinplane_process(["--version"], full)
    assert (run.returncode, run.stderr) == (2, "spinplane: output: No space left on device\n")


@pytest.mark.parametrize(
    "kind",
    [
        # PyTorch comes with what these are made by.
        pytest.param(kind, marks=pytest.mark.training if kind in ("StudyResult", "TrainingResult") else ())
        for kind in KINDS
    ],
)
def test_results_are_told_in_text(kind: str) -> None:
    assert getattr(spinplane, kind).__str__ is not object.__str__
