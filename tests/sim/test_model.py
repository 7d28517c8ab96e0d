import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.sim import model as module
from spinplane.sim.model import build_model

BUFFER = "module buffer(input a, output b);\n  assign b = a;\nendmodule\n"


def test_a_model_is_built_once_for_its_content(tmp_path):
    build = {"simulator": "icarus", "build_root": tmp_path}
    first = build_model({"buffer": BUFFER}, "buffer", **build)
    again = build_model({"buffer": BUFFER}, "buffer", **build)
    other = build_model({"buffer": BUFFER.replace("= a", "= ~a")}, "buffer", **build)
    waves = build_model({"buffer": BUFFER}, "buffer", waves=True, **build)
    assert [m.cached for m in (first, again, other, waves)] == [False, True, False, False]
    assert first.program == again.program
    assert len({m.folder for m in (first, other, waves)}) == 3
    assert first.program.is_file()


def test_a_verilator_model_is_built_once_and_leaves_no_objects():
    build = {"simulator": "verilator"}
    shutil.rmtree(build_model({"buffer": BUFFER}, "buffer", **build).folder)
    first = build_model({"buffer": BUFFER}, "buffer", **build)
    again = build_model({"buffer": BUFFER}, "buffer", **build)
    assert (first.cached, again.cached) == (False, True)
    assert first.build_seconds > 0
    assert sorted(path.name for path in first.folder.iterdir()) == [
        "buffer.v",
        "build.log",
        "model",
        "ports.vlt",
    ]


def test_the_log_of_a_verilator_model_has_no_lint() -> None:
    text = "module widen(input a, output [1:0] interrupt);\n  assign interrupt = a;\nendmodule\n"
    model = build_model({"widen": text}, "widen", simulator="verilator")
    assert "%Warning" not in (model.folder / "build.log").read_text()


def test_files_and_texts_give_the_same_model(tmp_path):
    path = tmp_path / "buffer.v"
    path.write_text(BUFFER)
    build = {"simulator": "icarus", "build_root": tmp_path}
    assert (
        build_model([path], "buffer", **build).folder
        == build_model({"buffer": BUFFER}, "buffer", **build).folder
    )


def test_what_a_killed_build_left_is_built_anew(tmp_path):
    build = {"simulator": "icarus", "build_root": tmp_path}
    folder = build_model({"buffer": BUFFER}, "buffer", **build).folder
    shutil.rmtree(folder)
    half = folder.with_name(f".{folder.name}")
    half.mkdir()
    (half / "model.vvp").write_text("half of it")
    model = build_model({"buffer": BUFFER}, "buffer", **build)
    assert not model.cached
    assert "half of it" not in model.program.read_text()
    assert not half.exists()


@pytest.mark.parametrize("kept", [0, 100])
def test_a_model_that_is_cut_short_is_built_anew(
    kept: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build = {"simulator": "icarus", "build_root": tmp_path}
    model = build_model({"buffer": BUFFER}, "buffer", **build)
    whole = model.program.read_bytes()
    model.program.write_bytes(whole[:kept])
    assert not build_model({"buffer": BUFFER}, "buffer", **build).cached
    assert caplog.messages == [f"cache: {model.folder} is damaged: it is made anew"]
    assert build_model({"buffer": BUFFER}, "buffer", **build).cached


def test_processes_share_one_build(tmp_path):
    script = (
        "from spinplane.sim.model import build_model; "
        f"print(build_model({{'buffer': {BUFFER!r}}}, 'buffer', simulator='icarus').cached)"
    )
    environment = os.environ | {"SPINPLANE_BUILD": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    outputs = sorted(process.communicate()[0].strip() for process in processes)
    assert outputs == ["False", "True", "True"]


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_sources_that_do_not_compile_are_refused_in_one_line(simulator, tmp_path):
    bad = BUFFER.replace("assign b = a", "assign b = no_such_module.a")
    with pytest.raises(SpinplaneError) as error:
        build_model({"buffer": bad}, "buffer", simulator=simulator, build_root=tmp_path)
    assert str(error.value).startswith(f"{simulator} could not build buffer: ")
    log = re.search(r"\(all of it in (.*build\.log)\)$", str(error.value))
    assert log
    assert "no_such_module" in Path(log[1]).read_text()
    assert "\n" not in str(error.value)


def test_a_missing_top_is_named(tmp_path):
    with pytest.raises(SpinplaneError) as error:
        build_model({"buffer": BUFFER}, "adder", simulator="icarus", build_root=tmp_path)
    assert str(error.value) == "no module 'adder' with ports among buffer.v"


def test_an_unknown_simulator_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"^simulator 'spice': must be one of verilator, icarus$"):
        build_model({"buffer": BUFFER}, "buffer", simulator="spice", build_root=tmp_path)


def test_two_files_of_one_name_are_refused(tmp_path):
    paths = [tmp_path / "a" / "x.v", tmp_path / "b" / "x.v"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(BUFFER)
    with pytest.raises(ValueError, match=r"^two Verilog files of the same name among "):
        build_model(paths, "buffer", simulator="icarus", build_root=tmp_path)


def test_the_build_root_is_chosen_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SPINPLANE_BUILD", str(tmp_path / "elsewhere"))
    assert default_build_root() == tmp_path / "elsewhere"
    monkeypatch.delenv("SPINPLANE_BUILD")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_build_root() == tmp_path / "spinplane"


@pytest.mark.parametrize(
    "text",
    [
        "module m(a, b, c);\n  input [3:0] a;\n  wire [3:0] a;\n  input b;\n  output [1:0] c;\nendmodule\n",
        "module m #(parameter N = 2, parameter P = (N + 1)) (\n  input wire [N-1:0] a, b, // output d\n"
        "  output reg [(N>0)-1:0] c = 0\n);\n  always @(*) c = 1;\nendmodule\n",
        "module m(a, b, c);\n  function f; input d; f = d; endfunction\n"
        "  input [3:0] a; input b; output c;\nendmodule\n",
        "(* top = 1 *)\nmodule other(input z);\nendmodule\n"
        "module m(input signed [3:0] a, input b, output c);\nendmodule\n",
    ],
)
def test_ports_are_found_in_header_and_body(text):
    assert module._ports("m", {"m.v": text}) == {"a": "input", "b": "input", "c": "output"}
