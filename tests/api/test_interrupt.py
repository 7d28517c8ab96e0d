"""An interrupt while the command still imports modules: one line and exit 130, as later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Interrupts the process at the import of a module.
_INTERRUPTING = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
def hook(event, arguments):
    if event == "import" and arguments[0] == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
"""


@pytest.mark.parametrize(
    "module",
    [
        "spinplane.cli",
        "cyclopts",
        "spinplane.machine",
        "numpy",
        "spinplane.command_line.answer",
        "spinplane.compiler.codegen.program",
        "onnx",
    ],
)
def test_an_interrupted_import_ends_in_one_line(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_INTERRUPTING.format(module=module), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "spinplane", "compile", "digits-1-4"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "spinplane: interrupted\n")
