"""All public functions take the same things, refuse anything else in one line, and have their commands' defaults."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import BEGIN, CONV, quant, save
from small_networks import small_graph, small_images

import spinplane
from spinplane.cli import app
from spinplane.commands.in_memory import FUNCTIONAL
from spinplane.device import load_technology, machine_clock
from spinplane.machine import FaultMap, Machine, MachineClock, SpinplaneError, load_machine
from spinplane.models import ModelFile, open_network

TINY = load_machine("tiny")
SHIPPED = Path(load_technology.__code__.co_filename).parent


class Reached(Exception):
    """All arguments were taken: what would take long is not done."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A public function.

    Parameters
    ----------
    given : callable
        A request, in a folder.
    stop : str
        What is reached when all arguments were taken; empty where the function is quick.
    stops : mapping of str to str
        The same of an argument that is read before.
    """

    given: Callable[[Path], dict[str, Any]] = lambda folder: {}
    stop: str = ""
    stops: Mapping[str, str] = field(default_factory=dict)


def a_result(folder: Path) -> dict[str, Any]:
    spinplane.write_result(spinplane.catalogue("machines"), folder / "result.json")
    return {"path": folder / "result.json"}


def a_space(folder: Path) -> Path:
    (folder / "space.toml").write_text('networks = ["digits-1-1"]', encoding="utf-8")
    return folder / "space.toml"


def an_array(folder: Path) -> Path:
    np.save(folder / "x.npy", small_images(1))
    return folder / "x.npy"


#: Every public function: one that is new needs a row. Arguments are found by their annotations.
ROWS = {
    "accuracy": Row(
        given=lambda folder: {"model": small_graph(), "machine": "tiny", "sigmas_ra": [0.05], "check": False},
        stop="spinplane.commands.accuracy.load_images",
    ),
    "and_rows": Row(given=lambda folder: {"a": 0, "b": 1}),
    "catalogue": Row(),
    "check_gates": Row(given=lambda folder: {"machine": "tiny"}, stop="spinplane.commands.export.bench_case"),
    "classify": Row(given=lambda folder: {"folder": folder}, stop="spinplane.commands.demo.export"),
    "compare": Row(
        given=lambda folder: {"model": made_file(folder)},
        stop="spinplane.commands.compare.compare_with_file",
        stops={"values": "spinplane.models.Network.arrange"},
    ),
    "compile_model": Row(
        given=lambda folder: {
            "model": small_graph(),
            "machine": "tiny",
            "check": False,
            "picture": folder / "rows.png",
        },
        stop="spinplane.commands.compile.compile_graph",
    ),
    "compute_in_memory": Row(
        given=lambda folder: {
            "machine": "tiny",
            "commands": [spinplane.write_rows(0, [0] * 64)],
            "simulator": FUNCTIONAL,
        },
        stop="spinplane.commands.in_memory._program",
    ),
    "demo": Row(given=lambda folder: {"folder": folder}, stop="spinplane.commands.demo_convolution.export"),
    "doctor": Row(),
    "estimate": Row(
        given=lambda folder: {"model": small_graph(), "machine": "tiny", "check": False},
        stop="spinplane.commands.estimate.compile_graph",
    ),
    "event_energies": Row(stop="spinplane.evaluation.event_energies"),
    "exchange": Row(
        given=lambda folder: {"machine": "tiny", "folder": folder},
        stop="spinplane.commands.exchange.hardware_of",
    ),
    "explain": Row(
        given=lambda folder: {"simulator": "amaranth"}, stop="spinplane.commands.run.open_network"
    ),
    "export": Row(
        given=lambda folder: {"machine": "tiny", "folder": folder},
        stop="spinplane.commands.export.bench_case",
    ),
    "load_array": Row(given=lambda folder: {"path": an_array(folder)}),
    "load_machine": Row(given=lambda folder: {"machine": "tiny"}),
    "open_model": Row(given=lambda folder: {"model": small_graph(), "check": False}),
    "or_rows": Row(given=lambda folder: {"a": 0, "b": 1}),
    "paper": Row(
        stop="spinplane.reproduction.paper.all_rows",
        stops={"study": "spinplane.reproduction.paper.trained_errors"},
    ),
    "read_provenance": Row(given=a_result),
    "read_result": Row(given=a_result),
    "read_rows": Row(given=lambda folder: {"row": 0}),
    "report_device": Row(
        given=lambda folder: {"folder": folder}, stop="spinplane.commands.device.write_pulse"
    ),
    "report_network": Row(
        given=lambda folder: {"model": small_graph(), "machine": "tiny", "rtl": False, "check": False},
        stop="spinplane.commands.report_network.compile_graph",
        stops={"values": "spinplane.models.Network.arrange"},
    ),
    "run_network": Row(
        given=lambda folder: {
            "model": small_graph(),
            "values": small_images(1),
            "machine": "tiny",
            "simulator": "amaranth",
            "check": False,
        },
        stop="spinplane.commands.simulators.usable_simulator",
    ),
    "sweep": Row(
        given=lambda folder: {"space": a_space(folder)}, stop="spinplane.exploration.sweep.looked_at"
    ),
    "sweep_device": Row(
        given=lambda folder: {"technology": "sot-mram", "key": "temperature", "jobs": 1},
        stop="spinplane.commands.device_sweep.figures_at",
    ),
    "synth": Row(given=lambda folder: {"machine": "tiny"}, stop="spinplane.physical.synthesize"),
    "tidy_cache": Row(),
    "trace": Row(
        given=lambda folder: {
            "model": small_graph(),
            "values": small_images(1),
            "output": (0, 0, 0),
            "machine": "tiny",
            "check": False,
        },
        stop="spinplane.models.Network.arrange",
    ),
    "train": Row(
        given=lambda folder: {"network": "digits", "bits": "1:4", "data": folder, "output": folder},
        stop="spinplane.commands.train.launch",
    ),
    "write_page": Row(
        given=lambda folder: {"result": spinplane.catalogue("machines"), "path": folder / "page.html"}
    ),
    "write_result": Row(
        given=lambda folder: {"result": spinplane.catalogue("machines"), "path": folder / "result.json"}
    ),
    "write_rows": Row(given=lambda folder: {"row": 0, "bits": [0, 1]}),
    "xor_rows": Row(given=lambda folder: {"a": 0, "b": 1}),
}
#: Commands with options of a function, and the functions that they call.
COMMANDS = {
    "accuracy": ["accuracy"],
    "cache": ["tidy_cache"],
    "compare": ["compare"],
    "compile": ["compile_model"],
    "demo": ["classify", "demo", "explain"],
    "device": ["report_device", "sweep_device"],
    "energy": ["event_energies"],
    "estimate": ["estimate"],
    "exchange": ["exchange"],
    "export": ["export"],
    "list": ["catalogue"],
    "paper": ["paper"],
    "report": ["report_network"],
    "run": ["run_network"],
    "sweep": ["sweep"],
    "synth": ["synth", "check_gates"],
    "trace": ["trace"],
    "train": ["train"],
}
#: Options that have another name in the function.
RENAMED = {
    ("accuracy", "sigma_ra"): "sigmas_ra",
    ("accuracy", "sigma_tmr"): "sigmas_tmr",
    ("accuracy", "offset_sigma"): "offset_sigmas_v",
    ("accuracy", "multiple"): "multiples",
    ("accuracy", "write_error"): "write_errors",
    ("accuracy", "disturb"): "disturbs",
    ("accuracy", "decay"): "decays",
    ("accuracy", "output"): "folder",
    ("cache", "limit"): "limit_mb",
    ("demo", "output"): "folder",
    ("device", "output"): "folder",
    ("estimate", "technology"): "technologies",
    ("estimate", "layers"): "by_layer",
    ("export", "output"): "folder",
    ("paper", "output"): "folder",
    ("sweep", "output"): "folder",
}
#: What a function need not have: with `--machine` left out it depends on the simulator, and a call writes no pictures
#: unless it is told where, and needs what cannot follow an argument without a default.
DIFFERENT = {
    ("demo", "machine", "classify"),
    ("device", "output", "report_device"),
    ("device", "output", "sweep_device"),
    ("device", "technology", "sweep_device"),
}


@cache
def signature(name: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(getattr(spinplane, name)).parameters


def kind_of(parameter: inspect.Parameter) -> str:
    """What an argument is, by its annotation; empty where the face has nothing to do with it."""
    told = str(parameter.annotation)
    for kind, sign in {
        "model": "ModelFile",
        "machine": "machine.Machine",
        "technology": "Technology",
        "faults": "FaultMap",
        "array": "ndarray",
        "path": "Path",
    }.items():
        if sign in told or (kind == "machine" and re.search(r"\bMachine \| str", told)):
            return kind
    return ""


ARGUMENTS = [
    (name, parameter.name, kind_of(parameter))
    for name in ROWS
    for parameter in signature(name).values()
    if kind_of(parameter)
]


@cache
def clock(machine: Machine, technology: str, hertz: float | None) -> MachineClock:
    return machine_clock(machine, load_technology(technology), hertz)


@pytest.fixture(autouse=True)
def clocks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine's clock may be takes a tenth of a second: it is found once."""
    monkeypatch.setattr(
        "spinplane.commands.clock.machine_clock",
        lambda machine, technology, hertz: clock(machine, technology.name, hertz),
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose models are written, and so imported and checked, once."""
    return tmp_path_factory.mktemp("models")


def made_file(folder: Path) -> Path:
    """A network of one layer that quantizes its input."""
    if (folder / "made.onnx").exists():
        return folder / "made.onnx"
    return save(folder / "made.onnx", [*BEGIN, CONV, quant("s", "y", 4)], {})


def unquantized_file(folder: Path) -> Path:
    if (folder / "unquantized.onnx").exists():
        return folder / "unquantized.onnx"
    nodes = [
        quant("w", "wq", 3),
        helper.make_node("Conv", ["x", "wq"], ["s"], name="conv"),
        quant("s", "y", 4),
    ]
    return save(folder / "unquantized.onnx", nodes, {})


def forms(kind: str, folder: Path, own: Any) -> dict[str, Any]:
    """All forms of an argument that mean something, by what they are."""
    made = {
        "model": lambda: {
            "name": "digits-1-1",
            "name in the literature": "digits:1:1",
            "text": str(made_file(folder)),
            "path": made_file(folder),
            "graph": small_graph(),
            "model file": ModelFile(path=str(unquantized_file(folder)), bits=4),  # type: ignore[arg-type]
            "proto": onnx.load(made_file(folder)),
        },
        "machine": lambda: (
            {"name": "tiny", "text": _toml(folder, "tiny"), "path": Path(_toml(folder, "tiny"))}
            | {"object": TINY}
        ),
        "technology": lambda: {
            "name": "sot-mram",
            "text": str(SHIPPED / "sot-mram.toml"),
            "path": SHIPPED / "sot-mram.toml",
            "object": load_technology("sot-mram"),
        },
        "faults": lambda: {
            "text": str(_faults(folder)),
            "path": _faults(folder),
            "object": FaultMap.none(TINY),
        },
        "array": lambda: {"text": str(an_array(folder)), "path": an_array(folder), "object": small_images(1)},
        "path": lambda: {"text": str(own or folder / "new"), "path": Path(own or folder / "new")},
    }
    return made[kind]()


def _toml(folder: Path, name: str) -> str:
    source = Path(load_machine.__code__.co_filename).with_name(f"{name}.toml")
    (folder / "own.toml").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    return str(folder / "own.toml")


def _faults(folder: Path) -> Path:
    FaultMap.none(TINY).save(folder / "faults.npz")
    return folder / "faults.npz"


def stopping(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    def stop(*_: Any, **__: Any) -> Any:
        raise Reached

    monkeypatch.setattr(target, stop)


def test_every_public_function_has_a_row() -> None:
    public = {name for name in spinplane.__all__ if inspect.isfunction(getattr(spinplane, name))}
    assert public == set(ROWS), "a new public function needs a row in ROWS"


@pytest.mark.parametrize("name", ROWS)
def test_whatever_takes_a_path_takes_text(name: str) -> None:
    for parameter in signature(name).values():
        told = str(parameter.annotation)
        assert "Path" not in told or "str" in told, f"{name}({parameter.name}: {told})"


@pytest.mark.parametrize(("name", "argument", "kind"), ARGUMENTS)
def test_every_form_of_an_argument_is_taken(
    name: str, argument: str, kind: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROWS[name]
    given = row.given(tmp_path)
    for form, value in forms(kind, models if kind == "model" else tmp_path, given.get(argument)).items():
        if name == "compare" and form in ("graph", "name in the literature"):
            continue  # is no file
        stop = row.stops.get(argument, row.stop)
        with monkeypatch.context() as patch:
            if not stop:
                getattr(spinplane, name)(**given | {argument: value})
                continue
            stopping(patch, stop)
            with pytest.raises(Reached):
                getattr(spinplane, name)(**given | {argument: value})


@pytest.mark.parametrize(("name", "argument", "kind"), ARGUMENTS)
@pytest.mark.parametrize("value", [object(), [[1], [2, 3]]], ids=["object", "ragged"])
def test_a_value_of_another_type_is_told_in_one_line(
    name: str, argument: str, kind: str, value: Any, tmp_path: Path
) -> None:
    told = {"network": "model", "technologies": "technology"}.get(argument, argument)
    with pytest.raises(SpinplaneError, match=rf"^{told} = .*: must be an? ") as error:
        getattr(spinplane, name)(**ROWS[name].given(tmp_path) | {argument: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [[], 0, ()])
def test_nothing_is_not_taken_for_the_default(value: Any) -> None:
    with pytest.raises(SpinplaneError, match=r"^technology = "):
        spinplane.synth("tiny", technology=value)


def test_a_proto_is_checked_as_its_file_is(tmp_path: Path) -> None:
    path = made_file(tmp_path)
    proto = onnx.load(path)
    proto.graph.name = "mine"
    file, given = open_network(path), open_network(proto)
    assert given.notes == file.notes
    assert "are equal" in given.notes.check
    assert (given.graph.name, given.name, file.graph.name) == ("mine", "mine", "made")
    assert [layer.name for layer in given.graph.layers] == [layer.name for layer in file.graph.layers]
    again = onnx.ModelProto.FromString(proto.SerializeToString())
    assert open_network(again) is given
    proto.graph.node[-1].op_type = "Erode"
    with pytest.raises(SpinplaneError, match=r"^model mine: .*Erode"):
        open_network(proto)
    proto.graph.name = ""
    with pytest.raises(SpinplaneError, match=r"^model model: .*Erode"):
        open_network(proto)


def test_a_proto_is_compared_with_what_its_file_computes(tmp_path: Path) -> None:
    assert not spinplane.compare(onnx.load(made_file(tmp_path)), samples=1).differing


def test_text_names_what_is_written(tmp_path: Path) -> None:
    compiled = spinplane.compile_model(small_graph(), machine="tiny", output=str(tmp_path / "program.npz"))
    assert compiled.file == tmp_path / "program.npz"
    assert compiled.picture == tmp_path / "program.npz.png"
    assert {path.name for path in tmp_path.iterdir()} == {"program.npz", "program.npz.png"}


@pytest.mark.parametrize("output", [(0, 0, 0), [0, 0, 0], "0,0,0", np.zeros(3, dtype=np.int64)])
def test_a_place_is_text_or_three_numbers(output: Any) -> None:
    traced = spinplane.trace(small_graph(), small_images(1), output=output, machine="tiny", layer="conv")
    assert traced.output == (0, 0, 0)


@pytest.mark.parametrize("output", [(3, 0), "3,0", (3, 0, 0.5), (True, 0, 0), 3, None])
def test_a_place_that_is_none_is_told(output: Any) -> None:
    with pytest.raises(SpinplaneError, match=r"^output .*: expected k,y,x, such as 3,0,0$"):
        spinplane.trace(small_graph(), small_images(1), output=output, machine="tiny")


@pytest.mark.parametrize("technologies", ["sot-mram", ["sot-mram"], load_technology("sot-mram")])
def test_one_technology_and_several_are_taken_alike(
    technologies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(_: Any, __: Any, chosen: Any, **others: Any) -> list[str]:
        return [technology.name for technology, _ in chosen]

    monkeypatch.setattr("spinplane.commands.estimate.estimate_program", named)
    found: Any = spinplane.estimate(small_graph(), machine="tiny", technologies=technologies)
    assert found == ["sot-mram"]


def test_other_hardware_is_among_the_names_of_technologies() -> None:
    with pytest.raises(SpinplaneError, match=r"one of sot-mram, .*, sram, .*; did you mean 'sram'\?$"):
        spinplane.estimate(small_graph(), machine="tiny", technologies="sramm")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("digits-1-5", "digits-1-"), ("svhn", "svhn:1:4"), ("lenet:", "lenet:1:4"), ("svnh:1:4", "svhn")],
)
def test_a_network_that_was_meant_is_told(name: str, meant: str) -> None:
    with pytest.raises(SpinplaneError, match=rf"; did you mean '{meant}"):
        spinplane.open_model(name)


def test_every_command_has_its_functions() -> None:
    commands = {name for name in app.resolved_commands() if not name.startswith("-")}
    assert commands - {"completion", "doctor"} == set(COMMANDS), "a new command needs a row in COMMANDS"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_functions_have_the_same_defaults(command: str) -> None:
    compared = 0
    for option in inspect.signature(app.resolved_commands()[command].default_command).parameters.values():
        for function in COMMANDS[command]:
            of_function = signature(function).get(RENAMED.get((command, option.name), option.name))
            if of_function is not None and (command, option.name, function) not in DIFFERENT:
                assert of_function.default == option.default, (option.name, function)
                compared += 1
    assert compared


def test_annotations_tell_what_an_argument_is() -> None:
    kinds = {kind for _, _, kind in ARGUMENTS}
    assert kinds == {"model", "machine", "technology", "faults", "array", "path"}
    assert ("trace", "values", "array") in ARGUMENTS
    assert ("synth", "machine", "machine") in ARGUMENTS
