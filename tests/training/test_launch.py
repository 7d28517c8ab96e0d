"""What ``spinplane train`` runs: how it dispatches, and what it says without PyTorch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.training.launch import launch


def test_without_torch_one_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.startswith("spinplane.training.") and n != launch.__module__]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    text = r"^torch is not installed: run 'pip install \"spinplane\[train\]\"'$"
    with pytest.raises(SpinplaneError, match=text):
        launch("digits", "1:4", tmp_path, output=tmp_path)


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, spinplane, spinplane.training.launch; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_ends_with_that_line_and_2(tmp_path: Path) -> None:
    arguments = ["spinplane", "train", "--network", "digits", "--bits", "1:4", "--data", str(tmp_path)]
    code = f"import sys; sys.modules['torch'] = None; sys.argv = {arguments}; import spinplane.cli as c; c.main()"
    # Cyclopts looks for pytest's variables and warns that it was given no arguments.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    run = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment
    )
    expected = "spinplane: torch is not installed: run 'pip install \"spinplane[train]\"'\n"
    assert (run.returncode, run.stderr) == (2, expected)


@pytest.mark.training
def test_bits_choose_between_a_training_and_the_study(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match=r"^network 'x' is not one of "):
        launch("x", "1:4", tmp_path, output=tmp_path)
    with pytest.raises(SpinplaneError, match=r"^network 'x' is not one of "):
        launch("x", "all", tmp_path, output=tmp_path)
    with pytest.raises(SpinplaneError, match=r"^bits 'six': expected W:I or W:I:G, such as 1:4 or 2:2:8$"):
        launch("digits", "six", tmp_path, output=tmp_path)
