"""Commands in a terminal: colours as it and `NO_COLOR` say, and Ctrl-C in the middle of the work of other processes."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from onnx_models import BEGIN, CONV, save

COMMAND = [sys.executable, "-m", "spinplane"]
#: Foreground colours; bold and italic letters are none.
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]")
#: Machines of which a sweep takes some time.
SPACE = """
base = "tiny"
networks = ["made.onnx"]
[space]
rows = { from = 64, to = 512, step = 64 }
columns = [64, 128, 256]
"""


def in_terminal(arguments: list[str], **environment: str) -> tuple[int, str]:
    """Exit code and all that a terminal is given."""
    given = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=given | {"TERM": "xterm-256color"} | environment,
        start_new_session=True,
    )
    os.close(theirs)
    told = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        told += part
    os.close(ours)
    return process.wait(), told.decode()


@pytest.mark.parametrize("arguments", [["--help"], ["compile", "--help"], ["compile", "no-such-network"]])
def test_colours_are_those_that_a_terminal_has(arguments: list[str]) -> None:
    code, told = in_terminal(arguments)
    plain_code, plain = in_terminal(arguments, NO_COLOR="1")
    dumb_code, dumb = in_terminal(arguments, TERM="dumb")
    assert code == plain_code == dumb_code
    assert COLOUR.search(told)
    assert not COLOUR.search(plain)
    assert "\x1b" not in dumb


def test_a_table_has_no_escapes_in_a_dumb_terminal() -> None:
    code, told = in_terminal(["list"], TERM="dumb")
    assert code == 0
    assert "digits-1-4" in told
    assert "\x1b" not in told


def of_session(number: int) -> list[int]:
    """Processes of a session, in whatever group: each tool that a command runs is in one of its own."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, NotADirectoryError):
            continue
        if folder.name.isdigit() and int(fields[3]) == number and fields[0] != "Z":
            found.append(int(folder.name))
    return found


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "processes"),
    [
        (["synth", "--machine", "tiny", "--no-timing", "--json", "found.json"], 2),
        (["sweep", "space.toml", "--jobs", "2", "-o", "found", "--json", "found.json"], 4),
    ],
    ids=["synth", "sweep"],
)
def test_ctrl_c_ends_all_processes_in_one_line(arguments: list[str], processes: int, tmp_path: Path) -> None:
    """A terminal interrupts all of a command's processes at once."""
    save(tmp_path / "made.onnx", [*BEGIN, CONV], {}, output="s")
    (tmp_path / "space.toml").write_text(SPACE, encoding="utf-8")
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        env=os.environ | {"SPINPLANE_BUILD": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Even where the tests run in the background of a shell, which has its children ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while len(of_session(process.pid)) < processes:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal interrupts: tools are in groups of their own
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1:] == ["spinplane: interrupted"]
    assert "Traceback" not in err
    assert not (tmp_path / "found.json").exists()
    for _ in range(6000):  # they may take a moment to go
        if not of_session(process.pid):
            return
        time.sleep(0.01)
    raise AssertionError(f"processes {of_session(process.pid)} are still there")
