"""No file runs anything: hostile names go through every reader, and through all that uses what it lets pass."""

import pickle
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from canaries import COMMANDS, watched
from integer_models import saved
from tflite_networks import Network

import spinplane
from spinplane.cli import main
from spinplane.commands.data_set import load_images
from spinplane.compiler.codegen.program import compile_graph
from spinplane.device.netlist import TransistorModel, run_deck, sense_deck
from spinplane.device.technology import load_technology
from spinplane.hdl.export.files import export
from spinplane.machine import FaultMap, Name, SpinplaneError, load_machine
from spinplane.machine.array_files import array_bytes
from spinplane.machine.program import Program
from spinplane.models import open_network
from spinplane.physical.asic import AsicTarget
from spinplane.physical.liberty import library_text
from spinplane.physical.library import read_library
from spinplane.physical.synthesis import map_modules
from spinplane.physical.timing import Netlists, find_sta, worst_paths
from spinplane.physical.yosys import find_yosys
from spinplane.sim.exported_bench import exported_bench
from spinplane.sim.model import build_model

GATE = "module gate (input a, input b, output y); assign y = a & b; endmodule\n"


class Payload:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        import os

        return os.system, ("touch canary",)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder three levels down, the current one and the home, in which no canary may be afterwards."""
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    with watched(tmp_path):
        yield folder


def toml(text: str) -> str:
    """Text as a string of TOML."""
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{escaped}"'


def liberty(text: str) -> str:
    return f'"{text}"'


def taken(read: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a reader makes of a file, or None if it refuses it in one line."""
    try:
        return read(*arguments, **options)
    except SpinplaneError as error:
        message = str(error)
    assert message.isprintable()
    return None


@pytest.mark.parametrize("key", ["name", pytest.param("description", marks=pytest.mark.thorough)])
def test_machines(key: str, here: Path) -> None:
    text = "sub_arrays = 2\nrows = 32\ncolumns = 32\nsegments = 2\n"
    passed = 0
    for number, command in enumerate(COMMANDS):
        path = here / f"{number}.toml"
        others = "" if key == "name" else 'name = "mine"\n'
        path.write_text(f"{others}{key} = {toml(command)}\n{text}", encoding="utf-8")
        machine = taken(load_machine, path)
        if machine is not None:
            hostile = machine
        passed += machine is not None
    assert bool(passed) == (key == "description")
    if passed:
        export(replace(hostile, description="".join(filter(str.isprintable, COMMANDS))), here / "rtl")


@pytest.mark.parametrize("at", ['"middle"', '"RWL"', "RWL ", 'name = "sot-mram"', 'description = "'])
def test_technologies(at: str, here: Path) -> None:
    source = (Path(spinplane.device.__file__).parent / "sot-mram.toml").read_text(encoding="utf-8")
    assert at in source
    for number, command in enumerate(COMMANDS):
        quoted = toml(command)
        new = {
            "RWL ": f"{quoted} ",
            'name = "sot-mram"': f"name = {quoted}",
            'description = "': f'description = "{quoted[1:-1]}',
        }
        path = here / f"{number}.toml"
        path.write_text(source.replace(at, new.get(at, quoted)), encoding="utf-8")
        technology = taken(load_technology, path)
        if technology is not None and number < 25:
            taken(run_deck, sense_deck(technology))


def test_transistors(here: Path) -> None:
    path = here / "models.sp"
    path.write_text(".model nch nmos (level=1 vto=0.4 kp=300u)\n")
    for command in COMMANDS:
        model = taken(TransistorModel, path=path, name=command, width_m=1e-6, length_m=45e-9)
        assert model is None
    sot = load_technology("sot-mram")
    for command in COMMANDS:
        path.write_text(f".model nch nmos (level=1 vto=0.4 kp=300u)\n{command}\n", encoding="utf-8")
        model = taken(TransistorModel, path=path, name="nch", width_m=1e-6, length_m=45e-9)
        if model is not None:
            taken(run_deck, sense_deck(sot, model=model))


@pytest.mark.parametrize("at", ["NAND2X1", "INVX1", "FAX1", "(A)", "library (", 'function : "', "area : "])
def test_libraries(at: str, here: Path) -> None:
    source = library_text()
    assert at in source
    yosys, sta = find_yosys(), find_sta()
    passed = 0
    for number, command in enumerate(COMMANDS):
        quoted = liberty(command)
        new = {
            "library (": f"library ({quoted}, ",
            "(A)": f"({quoted})",
            'function : "': f'function : "{quoted[1:-1]} ',
        }
        path = here / f"{number}.lib"
        path.write_text(source.replace(at, new.get(at, quoted), 40), encoding="utf-8")
        library = taken(read_library, path)
        if library is None or passed > 3:
            continue
        passed += 1
        for options in ({}, {"adders": "fast"}):
            target = AsicTarget(library=library, **options)
            name = Name("gate")
            work = here / f"{number}-{len(options)}"
            work.mkdir()
            netlists = Netlists(folder=work)
            cells = taken(map_modules, {name: GATE}, {}, target, yosys, netlists=netlists)
            if cells is not None:
                taken(worst_paths, name, cells, netlists, sta)


def renamed(model: onnx.ModelProto) -> None:
    """Give every node, tensor and value of a model, and the graph, a hostile name."""
    graph, names = model.graph, {"": ""}

    def new(name: str) -> str:
        if name not in names:
            names[name] = f"{COMMANDS[len(names) % (len(COMMANDS) - 2)]}{len(names)}"
        return names[name]

    for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        value.name = new(value.name)
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [new(tensor) for tensor in tensors]
        node.name = new(f"node {node.name}")
        node.doc_string = COMMANDS[0]
    graph.name = "".join(COMMANDS[:20])
    model.producer_name = model.doc_string = graph.doc_string = COMMANDS[0]
    model.metadata_props.add(key=COMMANDS[1], value=COMMANDS[2])


@pytest.mark.parametrize("seed", [1, 2])
def test_onnx(seed: int, here: Path) -> None:
    model = saved(seed, here, quantizers=seed == 1)
    renamed(model)
    path = here / "hostile.onnx"
    onnx.save(model, path)
    page = here / "page.html"
    main(["compile", str(path), "--machine", "tiny", "-o", "program.npz", "--html", str(page)])
    text = page.read_text(encoding="utf-8")
    assert "<script>canary" not in text
    assert "<img src=x" not in text
    use_program(Program.load(here / "program.npz"), here)


def test_onnx_with_data_elsewhere(here: Path) -> None:
    for number, command in enumerate(COMMANDS):
        model = saved(1, here, quantizers=True)
        tensor = model.graph.initializer[0]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        tensor.external_data.add(key="location", value=command)
        path = here / f"{number}.onnx"
        path.write_bytes(model.SerializeToString())
        assert taken(open_network, path) is None


def test_tflite(here: Path) -> None:
    network = Network(np.random.default_rng(3))
    image = network.input((1, 6, 6, 2))
    network.finish(network.conv(image, 4))
    for number, tensor in enumerate(network.file.tensors):
        tensor["name"] = f"{COMMANDS[number % len(COMMANDS)]}{number}"
    path = network.file.save(here / "hostile.tflite")
    main(["compile", str(path), "--machine", "tiny", "-o", "program.npz", "--html", "page.html"])
    use_program(Program.load(here / "program.npz"), here)


def use_program(program: Program, here: Path) -> None:
    """Write a bench that runs a program, as `spinplane export` does."""
    codes = np.zeros((program.input.channels, program.input.height, program.input.width), dtype=np.uint8)
    for name, content in exported_bench(program, codes).items():
        (here / name).write_bytes(content)


def test_programs(here: Path) -> None:
    program = compile_graph(open_network("digits-1-4").graph, load_machine("paper8"))
    program.save(here / "program.npz")
    with np.load(here / "program.npz") as arrays:
        held = dict(arrays)
    for number, command in enumerate(COMMANDS):
        for key in held:
            path = here / f"{number}.npz"
            if held[key].dtype.kind == "U":
                text = str(held[key]).replace(program.name, command.replace('"', "'").replace("\\", "/"))
                np.savez(path, **held | {key: np.array(text)})
                taken(Program.load, path)
        np.savez(path, **held | {f"{number} {command[:50]}".replace("/", "-").replace("\0", ""): np.zeros(1)})
        taken(Program.load, path)
    np.savez(here / "pickled.npz", **held | {"descriptors": np.array([Payload()], dtype=object)})
    assert taken(Program.load, here / "pickled.npz") is None


def test_arrays_and_fault_maps(here: Path) -> None:
    pickled = here / "pickled.npy"
    np.save(pickled, np.array([Payload()], dtype=object))
    bare = here / "bare.npy"
    bare.write_bytes(pickle.dumps(Payload()))
    header = here / "header.npy"
    text = "{'descr': __import__('os').system('touch canary'), 'fortran_order': False, 'shape': (1,)}\n"
    header.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
    for path in (pickled, bare, header):
        assert taken(spinplane.load_array, path) is None
        assert taken(FaultMap.load, path) is None
        assert taken(Program.load, path) is None
    maps = here / "faults.npz"
    np.savez(maps, format=np.array([Payload()], dtype=object))
    assert taken(FaultMap.load, maps) is None


def test_data_sets(here: Path) -> None:
    """Names of arrays, pickles, headers and texts; what is read is classified, and told as a page."""
    images, labels = np.zeros((2, 1, 28, 28), dtype=np.uint8), np.arange(2)
    payload = np.array([Payload(), Payload()], dtype=object)
    hostile: list[dict[str, np.ndarray]] = [
        {"x": payload, "y": labels},
        {"x": images, "y": payload},
        *({"x": images, "y": np.array([command, command])} for command in COMMANDS),
    ]
    path = here / "data.npz"
    for arrays in hostile:
        np.savez(path, **arrays)  # type: ignore[arg-type]
        assert taken(load_images, path) is None
    for command in COMMANDS:
        name = command.replace("\0", "")[:200] or "none"
        with zipfile.ZipFile(path, "w") as archive:
            for key, array in {"x": images, "y": labels, name: labels}.items():
                archive.writestr(f"{key}.npy", array_bytes(array))
        taken(load_images, path)
        with zipfile.ZipFile(path, "w") as archive:
            text = f"{{'descr': {command!r}, 'fortran_order': False, 'shape': (2, 1, 28, 28), }}\n".encode()
            archive.writestr("x.npy", b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text)
            archive.writestr("y.npy", array_bytes(labels))
        assert taken(load_images, path) is None
    path = here / "; touch canary #<script>canary.npz"
    np.savez(path, x=images, y=labels)
    main(["accuracy", "digits-1-4", "--no-check", "--data", str(path), "--html", "page.html"])
    assert "<script>canary" not in (here / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.thorough)])
def test_folders_may_have_any_name(simulator: str, here: Path) -> None:
    for number, name in enumerate(("my models", "$(touch canary)", "; touch canary #", "it's [a] {b} & 'c'")):
        build = build_model(
            {Name("gate"): GATE.replace("&", "^|&"[number % 3])},
            "gate",
            simulator=simulator,
            build_root=here / name,
        )
        assert build.program.is_file()
        if simulator == "verilator":
            break  # the rest of its build is the same


def test_names_of_modules_and_files(here: Path) -> None:
    for command in COMMANDS:
        for sources in ({command: GATE}, [here / "x" / command.replace("/", "_").replace("\0", "_")]):
            with pytest.raises((SpinplaneError, OSError)):
                build_model(sources, "gate", simulator="icarus", build_root=here / "build")
        with pytest.raises(SpinplaneError):
            build_model({Name("gate"): GATE}, command, simulator="icarus", build_root=here / "build")


@pytest.mark.parametrize(
    "command", [text for text in COMMANDS if text.strip() and "\0" not in text and len(text) < 200]
)
def test_paths_that_the_user_names(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are taken as they are, or refused; files of that name are the only ones that may come of it."""
    for arguments in (
        ["synth", "--machine", command],
        ["synth", "--machine", "tiny", "--liberty", command],
        ["device", "--technology", command],
        ["compile", command, "--machine", "tiny"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
