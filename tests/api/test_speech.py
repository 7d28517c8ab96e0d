"""What a command says besides its result: nothing, files, or all that it does; and where it may write."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from spinplane.cli import main

COMPILE = ["compile", "digits-1-4", "--no-check"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    main(arguments)
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_a_quiet_command_says_nothing_and_does_its_work(place: Path, capsys) -> None:
    assert told([*COMPILE, "--quiet", "-o", "n.npz", "--json", "c.json"], capsys) == ("", "")
    assert {path.name for path in place.iterdir()} == {"n.npz", "n.npz.png", "c.json"}


def test_a_quiet_command_tells_errors(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compile", "nothing", "-q"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("spinplane: model 'nothing'")


def test_a_verbose_command_tells_what_it_reads_and_when(capsys) -> None:
    out, err = told([*COMPILE, "-v"], capsys)
    assert "steady" in out
    assert re.search(r"^ +\d+\.\d\d s  read .*paper8\.toml: \d+ bytes$", err, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d\d s  open .*digits-1-4\.onnx$", err, re.MULTILINE)
    assert told(COMPILE, capsys) == (out, "")


@pytest.mark.parametrize(
    "command",
    [
        "compile digits-1-4 --no-check -o new/n.npz --json c.json --html c.html",
        "compile digits-1-4 --no-check --picture map.png",
        "trace digits-1-4 --no-check --input x.npy --output 0,0,0 --json t.json --html t.html",
        "accuracy digits-1-4 --no-check --images 2 --json a.json --html a.html",
        "compare digits-1-4 --samples 1 --json c.json",
        "energy --csv e.csv --json e.json",
        "cache --json c.json",
        *(
            pytest.param(command, marks=pytest.mark.thorough)
            for command in (
                "demo --explain --json e.json",
                "export --machine tiny -o rtl --json e.json",
                "synth --machine tiny --no-timing --json s.json --html s.html",
                "device --set write.pulse=6 --sweep voltage=1:1.3:2 --json d.json --html d.html",
                "estimate digits-1-4 --no-check --csv e.csv --json e.json --html e.html",
                "run digits-1-4 --no-check --input x.npy --json r.json --html r.html",
                "accuracy digits-1-4 --no-check --images 1 --seeds 1 --multiple 1 --html a.html",
            )
        ),
    ],
)
def test_every_new_file_is_named(command: str, place: Path, capsys) -> None:
    import numpy as np

    np.save("x.npy", np.zeros((1, 28, 28), np.uint8))
    out, err = told(command.split(), capsys)
    new = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()} - {"x.npy"}
    for folder, number in re.findall(r"^wrote (\S+): (\d+) files$", err, re.MULTILINE):
        inside = {name for name in new if name.startswith(f"{folder}/")}
        assert len(inside) == int(number)
        new -= inside
    named = set(re.findall(r"^wrote (\S+)$", err, re.MULTILINE)) | {
        name for name in new if re.search(rf"(?<![\w./]){re.escape(name)}(?!\w)", out)
    }
    assert new
    assert named == new


def test_files_that_were_written_before_an_error_are_named(capsys) -> None:
    with pytest.raises(SystemExit):
        main([*COMPILE, "--json", "c.json", "--html", "/dev/full", "--picture", "map.png"])
    out, err = capsys.readouterr()
    assert "map.png" in out
    assert err == "wrote c.json\nspinplane: /dev/full: No space left on device\n"


#: Runs a command as a user who may write nothing here.
_NOBODY = """\
import logging, os
from pathlib import Path
from spinplane.command_line.options import folder_for
if not os.geteuid():
    os.setgid(65534)
    os.setuid(65534)
logging.basicConfig(format="%(message)s")
print(folder_for(Path("build") / "device"))
"""


def test_a_default_folder_that_cannot_be_written_gives_way(place: Path, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("temporary")
    other.chmod(0o777)
    within = Path(tempfile.gettempdir())
    for folder in (other, *(parent for parent in other.parents if within in parent.parents)):
        folder.chmod(folder.stat().st_mode | 0o711)
    place.chmod(0o555)
    run = subprocess.run(
        [sys.executable, "-c", _NOBODY],
        env=os.environ | {"TMPDIR": str(other), "HOME": str(other)},
        capture_output=True,
        text=True,
        check=False,
    )
    place.chmod(0o755)
    folder = Path(run.stdout.strip())
    assert folder.parent == other, run
    assert run.stderr == f"build/device cannot be written: files go to {folder}; -o names another folder\n"
