"""Programs that a user compiles, and what is said of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from result_files import written
from small_networks import grouped_graph, pooled_graph, small_graph

import spinplane
from spinplane.cli import main
from spinplane.commands import compile as compilation
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import unscaled_output
from spinplane.compiler.mapping.parts import Part
from spinplane.compiler.predict import predict
from spinplane.machine import Machine, load_machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.program import Program
from spinplane.models import open_network


def test_figures_of_a_network() -> None:
    result = spinplane.compile_model(small_graph(), machine="tiny")
    figures = written(result)
    conv, dense = figures["layers"]
    assert (conv["kernels"], conv["output"], conv["macs"]) == ([4, 1, 3, 3], [4, 3, 3], 4 * 9 * 36)
    assert (dense["kernels"], dense["output"], dense["macs"]) == ([3, 36, 1, 1], [3, 1, 1], 3 * 36)
    assert figures["resident"] is True
    assert {layer["unit"] for layer in (conv, dense)} <= {"strips", "pixels"}
    program = compile_graph(small_graph(), load_machine("tiny"))
    for name, resident in (("steady", True), ("cold", False)):
        prediction = predict(program, resident=resident)
        total = figures[name]
        assert total["cycles"] == prediction.total.cycles
        first = prediction.passes[1].cycles
        assert total["cycles_without_first"] == total["cycles"] - first
        needed = [2 * layer["macs"] for layer in (conv, dense)]
        assert total["efficiency"] == sum(needed) / (total["cycles"] * 2 * 64)
        assert total["efficiency_without_first"] == needed[1] / (total["cycles_without_first"] * 2 * 64)
    for layer in (conv, dense):
        product = layer["utilization"] * layer["column_use"]
        assert layer["efficiency"] == pytest.approx(product)
        assert 0 < layer["column_use"] <= 1
    assert figures["counters"]["kernel_reads"] == 0
    assert figures["counters_cold"]["kernel_reads"] == figures["kernel_words"]
    assert (figures["file"], figures["picture"]) == (None, None)
    assert "all kernels stay in the array" in str(result)


@pytest.mark.parametrize("fold_pools", [False, True])
def test_pools_in_other_ways_are_told_and_what_the_network_needs_stays(fold_pools: bool) -> None:
    graph = pooled_graph()
    result = spinplane.compile_model(graph, machine="tiny", fold_pools=fold_pools)
    figures = written(result)
    maxima, averages, dense = figures["layers"]
    assert [layer["pool"] for layer in figures["layers"]] == ["split", "folded" if fold_pools else None, None]
    assert [layer["macs"] for layer in figures["layers"]] == [4 * 9 * 64, 4 * 4 * 16, 3 * 16]
    assert [layer["kernels"] for layer in figures["layers"]] == [[4, 1, 3, 3], [4, 4, 1, 1], [3, 16, 1, 1]]
    assert [layer["passes"] for layer in figures["layers"]] == [2, 1, 1]
    program = compile_graph(graph, load_machine("tiny"), fold_pools=fold_pools)
    prediction = predict(program, resident=True)
    first = sum(counters.cycles for counters in prediction.passes[1:3])
    assert maxima["cycles"] == first
    steady = figures["steady"]
    assert steady["cycles_without_first"] == steady["cycles"] - first
    needed = 6 * 2 * averages["macs"] + 1 * 2 * dense["macs"]
    assert steady["efficiency_without_first"] == needed / (steady["cycles_without_first"] * 2 * 64)
    assert "overlapping maxima in passes of their own: maxima" in str(result)
    assert ("averages folded into the kernels: averages" in str(result)) == fold_pools


@pytest.mark.parametrize(("channels", "kernels", "stages"), [(3, 3, 2), (4, 3, 2), (3, 4, 1)])
def test_of_widened_groups_the_layer_itself_is_told(channels: int, kernels: int, stages: int) -> None:
    graph = grouped_graph(channels, kernels)
    result = spinplane.compile_model(graph, machine="tiny", explain=True)
    grouped, dense = written(result)["layers"]
    assert [layer["widened"] for layer in (grouped, dense)] == [stages > 1, False]
    assert [layer["pool"] for layer in (grouped, dense)] == [None, None]
    # Windows 2 apart, of an image of 8×8.
    assert grouped["macs"] == graph.layers[0].weights.size * 4 * 4
    assert grouped["efficiency"] == 4 * 4 * grouped["macs"] / (grouped["cycles"] * 2 * 64)
    told = "groups widened to powers of two in passes of their own: grouped"
    assert (told in str(result)) == (stages > 1)
    program = compile_graph(graph, load_machine("tiny"))
    assert [placed.stage.number for placed in program.stages] == [0] * stages + [1]
    sums = next(placed for placed in program.stages if placed.stage.part is Part.SUMS)
    own = sums.passes[0]
    assert (grouped["slots"], grouped["planes"]) == (own.slots, own.planes)
    assert own.pool is Pool.SUM
    codes = written(result)["codes"][0]
    assert codes["native"] + codes["line"] + codes["searched"] == 3 * kernels


def test_figures_of_a_batch_are_those_of_a_run_and_of_an_image() -> None:
    alone, batch = (spinplane.compile_model(small_graph(), machine="tiny", batch=count) for count in (1, 3))
    assert (alone.batch, alone.cycles_per_image) == (1, alone.steady.cycles)
    assert batch.batch == 3
    assert batch.cycles_per_image == batch.steady.cycles / 3 < alone.cycles_per_image
    assert batch.clock is not None
    assert batch.images_per_s == pytest.approx(batch.clock.clock_hz * 3 / batch.steady.cycles)
    assert batch.counters.ands == 3 * alone.counters.ands
    for layer, own in zip(batch.layers, alone.layers, strict=True):
        assert (layer.macs, layer.passes, layer.kernel_tiles) == (own.macs, own.passes, own.kernel_tiles)
        assert layer.kernel_rows == own.kernel_rows
        assert layer.column_use == pytest.approx(own.column_use)
        assert layer.efficiency == pytest.approx(own.efficiency, rel=0.01)
    assert batch.steady.efficiency > alone.steady.efficiency
    assert "batch" not in str(alone)
    assert "batch   3 images in a run; an image: steady " in str(batch)


def test_folding_takes_fewer_cycles() -> None:
    plain, folded = (
        spinplane.compile_model(pooled_graph(), machine="tiny", fold_pools=fold_pools).steady.cycles
        for fold_pools in (False, True)
    )
    assert folded < plain


def test_strips_as_long_as_the_stride_are_no_pixels() -> None:
    result = spinplane.compile_model("svhn:1:4", machine="paper")
    assert result.layers[0].unit == "strips"
    assert {layer.unit for layer in result.layers[1:]} == {"pixels"}


def test_the_command_folds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "open_network", lambda model, check: open_network(pooled_graph()))
    main(["compile", "pooled", "--machine", "tiny", "--fold-pools", "--picture", str(tmp_path / "rows.png")])
    assert "averages folded into the kernels: averages" in capsys.readouterr().out
    assert (tmp_path / "rows.png").read_bytes().startswith(b"\x89PNG")


def test_kernels_that_do_not_stay_are_named() -> None:
    small = Machine(name="small", sub_arrays=2, rows=32, columns=64, segments=2)
    result = spinplane.compile_model(small_graph(), machine=small)
    loaded = [layer.layer for layer in result.layers if not layer.resident]
    if loaded:
        assert f"kernels loaded in each run: {', '.join(loaded)}" in str(result)
    assert result.resident == (not loaded)


def test_a_network_of_one_layer_has_no_figures_without_it() -> None:
    graph = small_graph()
    alone = replace(graph, layers=graph.layers[:1], outputs=(unscaled_output(0, (1, 4, 3, 3)),))
    result = spinplane.compile_model(alone, machine="tiny")
    assert written(result)["steady"]["efficiency_without_first"] is None
    assert "without the first layer" not in str(result)


def test_program_and_picture_are_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "open_network", lambda model, check: open_network(small_graph()))
    file, figures = tmp_path / "new" / "small.program", tmp_path / "map.json"
    main(["compile", "small", "--machine", "tiny", "-o", str(file), "--json", str(figures)])
    told = capsys.readouterr().out
    assert f"program  {file}" in told
    assert json.loads(figures.read_text())["file"] == str(file)
    program, same = compile_graph(small_graph(), load_machine("tiny")), Program.load(file)
    assert np.array_equal(same.descriptors, program.descriptors)
    assert same.layers == program.layers
    picture = tmp_path / "new" / "small.program.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, picture.name]


def test_a_picture_alone(tmp_path: Path) -> None:
    picture = tmp_path / "rows.png"
    result = spinplane.compile_model(small_graph(), machine="tiny", picture=picture)
    assert result.file is None
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("model", ["svhn:1:1", "svhn:1:4"])
def test_the_papers_network_on_the_papers_machine(model: str) -> None:
    figures = written(spinplane.compile_model(model, machine="paper"))
    assert [layer["layer"] for layer in figures["layers"]] == [
        "conv0",
        *(f"conv{n}" for n in range(1, 7)),
        "fc",
    ]
    assert all(layer["ring_rows"] + layer["kernel_rows"] <= 512 for layer in figures["layers"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compile", "nothing.onnx"], "model 'nothing.onnx' is neither a file nor one of digits-1-1"),
        (["compile", "svhn:1"], "bits '1': expected W:I"),
        (["compile", "svhn:1:1", "--machine", "tiny", "-o", "out"], "machine tiny has 64"),
        (["compile", "digits-1-1", "-o", "."], "Is a folder."),
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
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in error
    assert error.strip().splitlines()[-1].startswith("spinplane: ")
    assert list(tmp_path.iterdir()) == []
