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
        "matplotlib.backends.backend_agg",
    ],
)
def test_an_interrupted_import_ends_in_one_line(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_INTERRUPTING.format(module=module), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "spinplane", "compile", "digits-1-4", "--picture", str(tmp_path / "map.png")],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "spinplane: interrupted\n")
    assert not list(tmp_path.glob("*map*"))


#: Interrupts the process while it builds the hardware: at the twentieth of Amaranth's modules.
_BUILDING = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
made = []
def hook(event, arguments):
    if event == "import" and arguments[0] == "spinplane.hdl.export.files":
        from amaranth.hdl import Module
        begin = Module.__init__
        def init(self):
            begin(self)
            made.append(self)
            if len(made) == 20:
                made.clear()
                os.kill(os.getpid(), signal.SIGINT)
        Module.__init__ = init
sys.addaudithook(hook)
"""


def test_an_interrupt_while_hardware_is_built_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_BUILDING, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "spinplane", "export", "--machine", "tiny", "-o", str(tmp_path / "rtl")],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "SPINPLANE_BUILD": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "spinplane: interrupted\n")
    assert not (tmp_path / "rtl").exists()
