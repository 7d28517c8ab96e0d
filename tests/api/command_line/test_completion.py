"""Shells complete commands, options, names and files, from a script that `spinplane completion` prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spinplane.cli import main
from spinplane.machine import machine_names

#: Completes the words after the script as bash would at the tab key.
TAB = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$(($# - 2))
_spinplane
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script for bash."""
    path = tmp_path_factory.mktemp("completion") / "spinplane.bash"
    path.write_text(printed("bash"), encoding="utf-8")
    return path


def printed(shell: str) -> str:
    command = [sys.executable, "-m", "spinplane", "completion", shell]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def completed(script: Path, folder: Path, *words: str) -> list[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    run = subprocess.run(
        ["bash", "-c", TAB, "bash", str(script), "spinplane", *words],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert not run.stderr
    return run.stdout.split()


def test_bash_takes_the_script(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_commands_options_and_choices_are_completed(script: Path, tmp_path: Path) -> None:
    assert completed(script, tmp_path, "comp") == ["compile", "compare", "completion"]
    assert completed(script, tmp_path, "compile", "--mach") == ["--machine"]
    assert completed(script, tmp_path, "list", "t") == ["technologies"]


def test_names_and_files_are_completed(script: Path, tmp_path: Path) -> None:
    (tmp_path / "paper-own.toml").touch()
    (tmp_path / "paper.txt").touch()
    (tmp_path / "papers").mkdir()
    own = [name for name in machine_names() if name.startswith("paper")]
    offered = completed(script, tmp_path, "compile", "--machine", "pap")
    assert offered == [*own, "paper-own.toml", "papers/"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_scripts_with_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", shell])
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("compile", "accuracy", "list"))


def test_a_shell_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["completion", "csh"])
    assert end.value.code == 2
    assert "Choose from" in capsys.readouterr().err
