"""Whole networks on the RTL, and what the command says of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dask_processes import dask_processes
from random_graphs import RandomGraph
from result_files import written
from small_networks import functional_rtl, pooled_graph, pooled_images, small_graph, small_images

import spinplane
from spinplane.cli import main
from spinplane.commands import rtl_runs, simulators
from spinplane.commands import run as running
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph
from spinplane.compiler.mapping.concatenation import arrange_maps
from spinplane.compiler.mapping.parts import Part
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.faults import FaultMap
from spinplane.machine.registers import Error
from spinplane.machine.transient import TransientFaults
from spinplane.models import open_network
from spinplane.tasks import engine
from spinplane.tasks.workers import here


class CoresOfThisProcess:
    """In the place of other processes, in which nothing is patched."""

    def __init__(self, jobs: int) -> None:
        self.done = here

    def __enter__(self) -> "CoresOfThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def rtl(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functional machine in place of the RTL, whose own runs take seconds."""
    monkeypatch.setattr(rtl_runs, "run_accelerator", functional_rtl)


def spoil(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Change what comes from the RTL: the images' runs, as a list."""

    def run(*arguments: Any, **options: Any) -> Any:
        result = functional_rtl(*arguments, **options)
        images = list(result.images)
        change(images)
        return replace(result, images=tuple(images))

    monkeypatch.setattr(rtl_runs, "run_accelerator", run)


def test_a_network_on_the_rtl() -> None:
    graph, images = small_graph(), small_images(2)
    result = spinplane.run_network(graph, images, machine="tiny", simulator="icarus")
    assert (result.mismatches, result.wrong) == (0, 0)
    expected = run_graph(graph, images)
    for layer, values in zip(result.layers, expected, strict=True):
        assert layer.outputs is not None
        assert np.array_equal(layer.outputs, values)
    assert np.array_equal(result.outputs, 0.5 * expected[-1].reshape(2, 3))


def test_images_run_together_on_the_rtl() -> None:
    graph, images = small_graph(), small_images(3)
    alone = spinplane.run_network(graph, images, machine="tiny", simulator="icarus")
    together = spinplane.run_network(graph, images, machine="tiny", simulator="icarus", batch=2)
    assert (together.batch, together.mismatches, together.wrong) == (2, 0, 0)
    assert np.array_equal(together.outputs, alone.outputs)
    for layer, other in zip(together.layers, alone.layers, strict=True):
        assert layer.outputs is not None
        assert np.array_equal(layer.outputs, other.outputs)
        assert (layer.macs, layer.passes, layer.kernel_tiles) == (
            other.macs,
            other.passes,
            other.kernel_tiles,
        )
        assert layer.efficiency == pytest.approx(other.efficiency, rel=0.01)
    assert together.counters.rtl.ands == 2 * alone.counters.rtl.ands
    assert alone.cycles < together.cycles < 2 * alone.cycles
    assert together.cycles_per_image == together.cycles / 2
    assert together.efficiency.steady > alone.efficiency.steady
    assert together.clock is not None
    assert together.images_per_s == pytest.approx(together.clock.clock_hz / together.cycles_per_image)
    assert f"2 images in a run; an image: steady {together.cycles / 2:,.1f} cycles" in str(together)
    assert together.energy is not None
    assert alone.energy is not None
    assert together.energy.value is not None
    assert alone.energy.value is not None
    assert 0.8 < together.energy.value / alone.energy.value < 1


@pytest.mark.usefixtures("rtl")
def test_wrong_values_of_images_that_fill_up_a_run_do_not_count() -> None:
    tiny = load_machine("tiny")
    stuck = [[s, row, column, 1] for s in range(2) for row in range(24, 30) for column in range(0, 64, 3)]
    faults = replace(FaultMap.none(tiny), stuck=np.array(stuck))
    alone, filled = (
        spinplane.run_network(small_graph(), small_images(1), machine="tiny", faults=faults, batch=batch)
        for batch in (1, 2)
    )
    assert len(filled.outputs) == 1
    assert filled.wrong == alone.wrong > 0


@pytest.mark.usefixtures("rtl")
def test_several_outputs_are_told_by_name() -> None:
    drawn = next(
        drawn
        for seed in range(99)
        if len((drawn := RandomGraph(seed, layers=6)).graph.outputs) == 3
        and any(len(output.layers) > 1 for output in drawn.graph.outputs)
    )
    result = spinplane.run_network(drawn.graph, drawn.inputs, machine="paper8")
    assert result.mismatches == 0
    others = drawn.graph.outputs[1:]
    expected = drawn.graph.decode_outputs(run_graph(drawn.graph, drawn.inputs))
    assert np.array_equal(result.outputs, expected[0])
    assert [one.output for one in result.further_outputs] == [output.name for output in others]
    for one, values in zip(result.further_outputs, expected[1:], strict=True):
        assert np.array_equal(one.values, values)
        shape = "×".join(map(str, values.shape[1:]))
        assert f"further output   {one.output}, {shape}: from {values.min():g} to " in str(result)
    figures = written(result)
    assert figures["outputs"] == expected[0].tolist()
    assert [one["values"] for one in figures["further_outputs"]] == [one.tolist() for one in expected[1:]]


@pytest.mark.usefixtures("rtl")
def test_copies_of_maps_count_for_the_layer_that_needs_them() -> None:
    drawn = next(
        drawn
        for seed in range(99)
        if len(arrange_maps((drawn := RandomGraph(seed, layers=4)).graph).graph.layers) > 5
    )
    program = compile_graph(drawn.graph, load_machine("paper8"))
    copies = [placed for placed in program.stages if placed.stage.part is Part.COPY]
    assert copies
    result = spinplane.run_network(drawn.graph, drawn.inputs, machine="paper8")
    assert result.mismatches == 0
    for number, (layer, placed) in enumerate(zip(result.layers, program.layers, strict=True)):
        own = [n for one in program.stages if one.stage.number == number for n in one.numbers]
        assert list(placed.descriptors) == own
        assert layer.passes == len(own)
        assert layer.copies == sum(one.stage.number == number for one in copies)
    told = str(spinplane.compile_model(drawn.graph, machine="paper8"))
    names = ", ".join(layer.layer for layer in result.layers if layer.copies)
    assert f"maps copied, to lie beside others that are taken with them: {names}" in " ".join(told.split())
    needed = sum(one.binary_operations for one in result.layers)
    assert result.efficiency.steady == needed / (
        result.cycles * result.machine.sub_arrays * result.machine.columns
    )


@pytest.mark.parametrize("fold_pools", [False, True])
def test_pools_in_other_ways_on_the_rtl(fold_pools: bool) -> None:
    graph, images = pooled_graph(), pooled_images(1)
    result = spinplane.run_network(graph, images, machine="tiny", simulator="icarus", fold_pools=fold_pools)
    assert (result.mismatches, result.wrong) == (0, 0)
    assert [layer.pool for layer in result.layers] == ["split", "folded" if fold_pools else None, None]
    for layer, values in zip(result.layers, run_graph(graph, images), strict=True):
        assert layer.outputs is not None
        assert np.array_equal(layer.outputs, values)
    # Both passes of the first layer are its own.
    first = result.layers[0]
    program = compile_graph(graph, load_machine("tiny"), fold_pools=fold_pools)
    assert first.cycles == sum(c.cycles for c in predict(program, resident=True).passes[1:3])
    without = result.efficiency.without_first
    needed = sum(layer.binary_operations for layer in result.layers[1:])
    assert without == needed / ((result.cycles - first.cycles) * 2 * 64)


@pytest.mark.parametrize("number", [1, 2])
def test_a_wrong_counter_of_either_pass_is_the_layers(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def miscount(images: list) -> None:
        passes = list(images[0].record.layers)
        passes[number] = replace(passes[number], ands=passes[number].ands + 1)
        images[0] = replace(images[0], record=replace(images[0].record, layers=tuple(passes)))

    spoil(monkeypatch, miscount)
    result = spinplane.run_network(pooled_graph(), pooled_images(1), machine="tiny", simulator="icarus")
    assert [layer.mismatches for layer in result.layers] == [1, 0, 0]


def test_a_waveform_joins_what_is_in_its_folder(rtl: None, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept", encoding="utf-8")
    result = spinplane.run_network(
        small_graph(), small_images(1), machine="tiny", simulator="icarus", waves=tmp_path
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mine",
        "waves.gtkw",
        "waves.sucl",
        "waves.vcd",
    ]
    assert written(result)["waves"] == str(tmp_path / "waves.vcd")
    assert f"waveform         {tmp_path / 'waves.vcd'}" in str(result)


@pytest.mark.thorough
@pytest.mark.parametrize("network", ["digits-1-1", "digits-1-4", "lenet:1:2", "lenet:8:8"])
def test_networks_on_one_build(network: str) -> None:
    image = np.random.default_rng(2).integers(0, 256, (1, 28, 28))
    result = spinplane.run_network(network, image, machine="paper8", simulator="verilator")
    assert result.mismatches == 0


def test_a_run_has_the_figures_of_every_layer(rtl: None) -> None:
    result = spinplane.run_network(small_graph(), small_images(1), machine="tiny", simulator="icarus")
    figures = written(result)
    assert (figures["mismatches"], figures["wrong"]) == (0, 0)
    for counters in (figures["counters"], figures["counters_cold"]):
        assert set(counters) == {"rtl", "functional", "predicted"}
        assert tuple(counters["rtl"]) == ACCELERATOR_COUNTER_NAMES
        assert counters["rtl"] == counters["functional"] == counters["predicted"]
    cycles = figures["counters"]["rtl"]["cycles"]
    assert figures["cycles"] == cycles > sum(layer["cycles"] for layer in figures["layers"])
    assert figures["cycles_cold"] == figures["counters_cold"]["rtl"]["cycles"] > cycles
    assert figures["counters"]["rtl"]["kernel_reads"] == 0 < figures["counters_cold"]["rtl"]["kernel_reads"]
    needed = [layer["w"] * layer["i"] * layer["macs"] for layer in figures["layers"]]
    assert needed == [2 * 4 * 9 * 36, 2 * 3 * 36]
    columns = 2 * 64
    first = figures["layers"][0]["cycles"]
    assert figures["efficiency"] == {
        "steady": sum(needed) / (cycles * columns),
        "cold": sum(needed) / (figures["cycles_cold"] * columns),
        "without_first": needed[1] / ((cycles - first) * columns),
    }
    assert figures["utilization"] == figures["counters"]["rtl"]["ands"] / (cycles * 2)
    assert np.shape(figures["outputs"]) == (1, 3)
    assert figures["classes"] == [int(np.argmax(figures["outputs"]))]
    assert figures["waves"] is None
    assert "greatest output" in str(result)


def test_a_batch_has_outputs_and_a_class_for_each_image(rtl: None) -> None:
    images = small_images(3)
    result = spinplane.run_network(small_graph(), images, machine="tiny", simulator="icarus")
    alone = [spinplane.run_network(small_graph(), x, machine="tiny", simulator="icarus") for x in images]
    assert np.array_equal(result.outputs, np.concatenate([one.outputs for one in alone]))
    assert result.classes == [one.classes[0] for one in alone]
    assert result.counters == alone[0].counters


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("jobs", [2, 9])
def test_shared_images_run_as_they_do_alone(
    batch: int, jobs: int, rtl: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each accelerator starts with loads of kernels, and what comes back went through plain data."""
    monkeypatch.setattr(engine, "Cores", CoresOfThisProcess)
    options: dict[str, Any] = {"machine": "tiny", "simulator": "icarus", "batch": batch}
    alone = spinplane.run_network(small_graph(), small_images(5), **options)
    told: list[tuple[int, int]] = []
    shared = spinplane.run_network(
        small_graph(), small_images(5), jobs=jobs, advance=lambda *done: told.append(done), **options
    )
    parts = min(jobs, -(-5 // batch))
    assert told[0][0] == 0
    assert len(told) == parts + 1
    assert len({of for _, of in told} | {told[-1][0]}) == 1
    assert shared == alone
    assert shared.mismatches == 0
    assert np.array_equal(shared.outputs, alone.outputs)
    for one, other in zip(shared.layers, alone.layers, strict=True):
        assert np.array_equal(one.outputs, other.outputs)


def test_a_wrong_bit_of_a_later_accelerator_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def flip(images: list) -> None:
        begun.append(len(images))
        if len(begun) == 2:
            conv, dense = images[-1].maps
            images[-1] = replace(
                images[-1], maps=(conv ^ (np.arange(conv.size) == 7).reshape(conv.shape), dense)
            )

    spoil(monkeypatch, flip)
    monkeypatch.setattr(engine, "Cores", CoresOfThisProcess)
    result = spinplane.run_network(small_graph(), small_images(3), machine="tiny", simulator="icarus", jobs=2)
    # Each accelerator makes its first run again.
    assert begun == [2, 3]
    assert [layer.mismatches for layer in result.layers] == [2, 0]


@pytest.mark.thorough
def test_images_shared_among_processes_and_workers_of_a_cluster() -> None:
    with dask_processes() as (address, _):
        alone, shared, on_cluster = (
            spinplane.run_network(
                small_graph(), small_images(3), machine="tiny", simulator="icarus", **options
            )
            for options in ({}, {"jobs": 2}, {"jobs": 2, "dask": address})
        )
    for result in (shared, on_cluster):
        assert result.mismatches == 0
        assert np.array_equal(result.outputs, alone.outputs)
        assert (result.counters, result.counters_cold) == (alone.counters, alone.counters_cold)


def test_what_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    machine = load_machine("tiny")
    flying = replace(FaultMap.none(machine), transient=TransientFaults(decay=1e-3))
    for options, message in (
        ({"waves": tmp_path}, "a waveform is that of one accelerator"),
        ({"faults": flying}, "transient faults of an image follow from those before it"),
        ({"rtl": False}, "the RTL is left out"),
        ({"jobs": 0}, "jobs = 0: must be at least 1"),
    ):
        with pytest.raises(SpinplaneError, match=message):
            spinplane.run_network(
                small_graph(), small_images(2), **{"machine": machine, "jobs": 2, **options}
            )


def test_runs_and_layers_are_told(rtl: None) -> None:
    told: list[str] = []
    advanced: list[tuple[int, int]] = []
    spinplane.run_network(
        small_graph(),
        small_images(2),
        machine="tiny",
        simulator="icarus",
        tell=told.append,
        advance=lambda done, of: advanced.append((done, of)),
    )
    layers = [f"run {run} of 3: layer {name}" for run in (1, 2, 3) for name in ("conv", "dense")]
    assert [line for line in told if line.startswith("run")] == layers
    done = [cycles for cycles, _ in advanced]
    assert done == sorted(done)
    assert 0 == done[0] < done[-1] < advanced[-1][1]


def test_a_wrong_bit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def flip(images: list) -> None:
        conv, dense = images[1].maps
        images[1] = replace(images[1], maps=(conv ^ (np.arange(conv.size) == 7).reshape(conv.shape), dense))

    spoil(monkeypatch, flip)
    result = spinplane.run_network(small_graph(), small_images(1), machine="tiny", simulator="icarus")
    # From the functional machine and from the oracle.
    assert [layer.mismatches for layer in result.layers] == [2, 0]
    assert (result.mismatches, result.wrong) == (2, 1)


@pytest.mark.parametrize("descriptor", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ACCELERATOR_COUNTER_NAMES)
def test_a_wrong_counter_is_a_mismatch(name: str, descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def miscount(images: list) -> None:
        passes = list(images[0].record.layers)
        passes[descriptor] = replace(passes[descriptor], **{name: getattr(passes[descriptor], name) + 1})
        images[0] = replace(images[0], record=replace(images[0].record, layers=tuple(passes)))

    spoil(monkeypatch, miscount)
    result = spinplane.run_network(small_graph(), small_images(1), machine="tiny", simulator="icarus")
    assert result.mismatches == 1
    assert [layer.mismatches for layer in result.layers] == [int(descriptor == 1), int(descriptor == 2)]


def test_a_wrong_total_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    def miscount(images: list) -> None:
        record = images[1].record
        counters = replace(record.counters, cycles=record.counters.cycles - 1)
        images[1] = replace(images[1], record=replace(record, counters=counters))

    spoil(monkeypatch, miscount)
    result = spinplane.run_network(small_graph(), small_images(1), machine="tiny", simulator="icarus")
    assert (result.mismatches, [layer.mismatches for layer in result.layers]) == (1, [0, 0])


def test_an_error_of_the_accelerator_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(images: list) -> None:
        images[0] = replace(
            images[0], record=replace(images[0].record, error=Error.ROW, descriptor=2, word=0)
        )

    spoil(monkeypatch, fail)
    with pytest.raises(
        spinplane.BenchFailure, match=r"^the accelerator ended with ROW at descriptor 2, word 0$"
    ):
        spinplane.run_network(small_graph(), small_images(1), machine="tiny", simulator="icarus")


def test_values_that_faults_make_wrong_are_no_mismatches(rtl: None) -> None:
    tiny = load_machine("tiny")
    stuck = [[s, row, column, 1] for s in range(2) for row in range(24, 30) for column in range(0, 64, 3)]
    faults = replace(FaultMap.none(tiny), stuck=np.array(stuck))
    result = spinplane.run_network(
        small_graph(), small_images(1), machine="tiny", simulator="icarus", faults=faults
    )
    assert result.mismatches == 0
    assert result.wrong > 0
    assert "by the faults of the memory" in str(result)


def test_the_command_runs_a_network(
    rtl: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "open_network", lambda model, check: open_network(small_graph()))
    np.save(tmp_path / "x.npy", small_images(1))
    main(
        [
            *("run", "small", "--machine", "tiny", "--simulator", "icarus"),
            *("--input", str(tmp_path / "x.npy"), "--json", str(tmp_path / "run.json")),
        ]
    )
    assert json.loads((tmp_path / "run.json").read_text())["mismatches"] == 0
    assert "small on the RTL of tiny" in capsys.readouterr().out


def test_the_command_fails_for_a_mismatch(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flip(images: list) -> None:
        images[0] = replace(images[0], maps=(images[0].maps[0], images[0].maps[1] + 1))

    spoil(monkeypatch, flip)
    monkeypatch.setattr(running, "open_network", lambda model, check: open_network(small_graph()))
    np.save(tmp_path / "x.npy", small_images(1))
    with pytest.raises(SystemExit) as ended:
        main(
            ["run", "small", "--machine", "tiny", "--simulator", "icarus", "--input", str(tmp_path / "x.npy")]
        )
    assert ended.value.code == 1
    assert "6 mismatches between the RTL and its reference" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "digits:1:1", "--input", "no.npy"],
            "input no.npy: cannot be read: No such file or directory",
        ),
        (["run", "digits:1:1", "--input", "text.npy"], "input text.npy: not a .npy file"),
        (["run", "digits:1:1", "--input", "shape.npy"], "input of shape (3, 3)"),
        (
            ["run", "digits:1:1", "--input", "shape.npy", "--faults", "no.npz"],
            "fault map no.npz: cannot be read",
        ),
        (["run", "digits:1:1", "--input", "zip.npy"], "input zip.npy: not a .npy file"),
        (["run", "digits:1:1", "--input", "."], "input .: cannot be read: not a file"),
        (
            ["run", "digits:1:1", "--input", "shape.npy", "--waves", "text.npy"],
            'Invalid value "text.npy" for --waves. Not a folder.',
        ),
        (
            ["run", "digits:1:1", "--input", "shape.npy", "--waves", "text.npy/waves"],
            "/text.npy is not a folder.",
        ),
        (
            ["run", "digits:1:1", "--input", "shape.npy", "--no-rtl", "--waves", "waves"],
            "waves = 'waves': the RTL is left out",
        ),
        (
            ["run", "digits:1:1", "--input", "shape.npy", "--simulator", "amaranth"],
            'Invalid value "amaranth" for --simulator. Choose from: "verilator", "icarus".',
        ),
    ],
)
def test_a_wrong_request_is_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "zip.npy").write_bytes(b"PK\x03\x04 cut short")
    np.save(tmp_path / "shape.npy", np.zeros((3, 3)))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in error
    assert error.strip().splitlines()[-1].startswith("spinplane: ")
    assert sorted(tmp_path.iterdir()) == before


MISSING = {"verilator": "no C++ compiler: run 'this'", "icarus": "no Icarus Verilog: run 'that'"}


@pytest.mark.parametrize(
    ("usable", "asked", "message"),
    [
        ("verilator", "icarus", "simulator 'icarus' cannot be used here: no Icarus Verilog: run 'that'"),
        ("icarus", "vcs", "simulator 'vcs' cannot be used here: use one of icarus, amaranth"),
        (
            "",
            None,
            "no simulator can be used here: verilator: no C++ compiler: run 'this'; "
            "icarus: no Icarus Verilog: run 'that'",
        ),
    ],
)
def test_a_simulator_that_is_not_there_is_refused(
    usable: str, asked: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        simulators, "missing_of_simulators", lambda: MISSING | ({usable: ""} if usable else {})
    )
    graph: Graph = small_graph()
    with pytest.raises(SpinplaneError) as raised:
        spinplane.run_network(graph, small_images(1), machine="tiny", simulator=asked)
    assert str(raised.value) == message


def test_a_slow_simulator_is_not_taken_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(simulators, "missing_of_simulators", lambda: MISSING | {"icarus": ""})
    assert simulators.usable_simulator(None) == "icarus"
    assert caplog.messages == [
        "icarus is used, hundreds of times slower than verilator in long runs; no C++ compiler: run 'this'"
    ]
    caplog.clear()
    monkeypatch.setattr(simulators, "missing_of_simulators", lambda: dict.fromkeys(MISSING, ""))
    assert simulators.usable_simulator(None) == "verilator"
    assert not caplog.messages
