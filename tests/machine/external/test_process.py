"""How other programs are started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spinplane.machine.external.process import Ended, python_command, run, run_limited, tool_environment

SHOW = "import json, os, sys; print(json.dumps([dict(os.environ), sys.path, sys.stdin.read()]))"


def test_output_and_errors() -> None:
    code = "import sys; print('é'); print('bad', file=sys.stderr); sys.exit(3)"
    command = [sys.executable, "-c", code]
    assert run(command) == Ended(status=3, output="é\n", errors="bad\n")
    assert sorted(run(command, together=True).output.split()) == ["bad", "é"]


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for text in ("one", "two"):
        assert run([sys.executable, "-c", f"print('{text}')"], log=log) == Ended(status=0)
    assert log.read_text() == "one\ntwo\n"


def test_a_log_that_a_full_disk_has_cut_is_named() -> None:
    with pytest.raises(OSError, match="No space left on device") as raised:
        run([sys.executable, "-c", "print('text')"], log=Path("/dev/full"))
    assert raised.value.filename == "/dev/full"


def test_temporary_files_lie_where_it_runs(tmp_path: Path) -> None:
    code = "import os, tempfile; print(os.path.realpath(tempfile.mkdtemp()))"
    for environment in (None, dict(os.environ)):
        made = run([sys.executable, "-c", code], folder=tmp_path, environment=environment).output
        assert Path(made.strip()).parent == tmp_path


def test_what_it_is_given_and_where(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), sys.stdin.read())"
    assert run([sys.executable, "-c", code], folder=tmp_path, given="x").output == f"{tmp_path} x\n"
    assert run([sys.executable, "-c", code], folder=tmp_path).output == f"{tmp_path} \n"


def test_signals_and_time() -> None:
    assert run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).status == -signal.SIGKILL
    assert run([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.2) == Ended(status=None)


#: Starts a program of its own; both keep a pipe open until they end.
_PAIR = """\
import os, sys, time
out, own = open(sys.argv[1], "w"), os.fork()
if own:
    print("started", file=out, flush=True)
time.sleep(30)
print("ended by themselves", file=out)
"""
#: What was started in the background of a shell ignores SIGINT, and so does all that it starts.
_RUNS = """\
import signal, sys
from spinplane.machine.external.process import python_command, run
signal.signal(signal.SIGINT, signal.default_int_handler)
run(python_command("-c", *sys.argv[1:]))
"""


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_it_started_ends_with_it(way: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-c", _RUNS, _PAIR, pipe], stderr=subprocess.DEVNULL) as command:
        with pipe.open() as told:
            assert told.readline() == "started\n"
            command.send_signal(way)
            assert told.read() == ""
        assert command.wait() == -way


def test_what_a_program_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    told = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(told, True)
    code = _PAIR.replace("flush=True)", "flush=True)\n    sys.exit()")
    assert run(python_command("-c", code, str(pipe)), log=tmp_path / "log") == Ended(status=0)
    assert os.read(told, 99) == b"started\n"
    assert os.read(told, 99) == b""
    os.close(told)


def test_a_limit_counts_what_a_program_computes(tmp_path: Path) -> None:
    endless, idle = "while True: pass", "import time; time.sleep(1.5); print('done')"
    found = [
        run_limited([sys.executable, "-c", code], folder=tmp_path, cpu_seconds=1) for code in (endless, idle)
    ]
    assert found == [Ended(status=None), Ended(status=0, output="done\n")]


def test_words_are_no_shell_s(tmp_path: Path) -> None:
    words = ["$(touch canary)", "`touch canary`", "; touch canary", "> canary", "a b", "*"]
    code = "import sys; print(sys.argv[1:])"
    assert run([sys.executable, "-c", code, *words], folder=tmp_path).output == f"{words}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "MAKEFLAGS",
            "MAKEFILES",
            "GNUMAKEFLAGS",
            "SPICE_SCRIPTS",
            "SPICE_LIB_DIR",
            "TCLLIBPATH",
            "TCL_LIBRARY",
        ),
        *(
            "PYTHONSTARTUP",
            "PYTHONINSPECT",
            "LD_PRELOAD",
            "BASH_ENV",
            "ENV",
            "VERILATOR_ROOT",
            "IVERILOG_VPI_MODULE_PATH",
        ),
    ],
)
def test_variables_that_bring_commands_are_left_behind(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    monkeypatch.setenv("LC_ALL", "C")
    assert name not in tool_environment()
    assert tool_environment(**{name: "x"})[name] == "x"
    assert tool_environment()["LC_ALL"] == "C"
    assert tool_environment()["PATH"] == os.environ["PATH"]


def test_a_child_that_is_python_imports_nothing_from_the_folder_it_runs_in(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("open('canary', 'w')")
    for arguments in (["-c", "import json; print(json.dumps(1))"], ["-m", "json.tool", "--help"]):
        assert run(python_command(*arguments), folder=tmp_path).status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["json.py"]
