"""Accuracy in a faulty memory."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from random_graphs import RandomGraph
from result_files import written

import spinplane
from spinplane.behavioral import Accelerator
from spinplane.cli import main
from spinplane.commands.data_set import first_output, load_images
from spinplane.commands.variation import AccuracyPoint
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.device import draw_fault_map, load_technology
from spinplane.device.statistics import clopper_pearson
from spinplane.machine import SpinplaneError, load_machine
from spinplane.models import open_model


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    done = []
    result = spinplane.accuracy(
        "digits-1-1",
        sigmas_ra=[0.0],
        sigmas_tmr=[0.0],
        offset_sigmas_v=[0.0, 0.05],
        weak_cells=0.0,
        images=3,
        seeds=2,
        jobs=1,
        folder=tmp_path_factory.mktemp("accuracy"),
        advance=lambda *steps: done.append(steps),
    )
    assert done == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    return result


def test_no_variation_loses_nothing_and_much_of_it_loses_much(report):
    none, much = report.points
    assert none.accuracies == (report.baseline,) * 2
    assert (none.drifted_amplifiers, none.stuck_cells, none.standard_error) == (0, 0, 0)
    assert much.drifted_amplifiers > 1000
    assert much.mean < none.mean


def test_the_report_is_text_json_and_a_plot(report):
    figures = written(report)
    assert [point["mean"] for point in figures["points"]] == [point.mean for point in report.points]
    assert [tuple(point["interval"]) for point in figures["points"]] == [p.interval for p in report.points]
    assert report.picture.read_bytes().startswith(b"\x89PNG")
    assert "50.0 mV" in str(report)


def test_weak_cells_are_drawn(tmp_path):
    result = spinplane.accuracy(
        "digits-1-1",
        offset_sigmas_v=[0.0],
        multiples=[1.0],
        weak_cells=0.01,
        images=1,
        seeds=1,
        folder=tmp_path,
    )
    cells = 8 * 512 * 256
    assert 0.009 * cells < result.points[0].stuck_cells < 0.011 * cells


def test_the_command(capsys, tmp_path):
    images, labels = load_images(None)
    np.savez(tmp_path / "d.npz", images=images[:2], labels=labels[:2])
    arguments = ["accuracy", "digits-1-1", "--data", str(tmp_path / "d.npz"), "--seeds", "1"]
    arguments += ["--sigma-ra", "0.05", "--sigma-tmr", "0.10", "--multiple", "1", "--multiple", "4"]
    main([*arguments, "-o", str(tmp_path), "--json", str(tmp_path / "a.json")])
    out = capsys.readouterr().out
    assert "sot-mram: 2 images" in out
    assert re.search(r" 5\.0% │ +10\.0% │ +3\.0 mV .*\n│ +20\.0% │ +40\.0% │ +12\.0 mV", out)
    assert json.loads((tmp_path / "a.json").read_text())["technology"] == "sot-mram"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, "images = 0, seeds = 10: must be at least 1 each"),
        ({"sigmas_ra": [-0.05]}, "sigma of RA = -0.05: must be at least 0 and below 1"),
        ({"sigmas_tmr": [-0.1]}, "sigma of TMR = -0.1: must be at least 0 and below 1"),
        ({"multiples": [1.0, -1.0]}, "multiple of the deviations = -1.0: must be at least 0"),
        (
            {"sigmas_ra": [0.05, 0.1], "sigmas_tmr": [0.1, 0.2, 0.3]},
            "deviations: 2 of sigma_ra, 3 of sigma_tmr, 1 of offset_sigma: give one of each, or equally many",
        ),
        (
            {"sigmas_ra": [0.05, 0.1], "multiples": [1.0, 2.0]},
            "several deviations and several multiples: only one of the two may have several values",
        ),
        ({"technology": "dram"}, "dram"),
        ({"reference": "middle", "multiples": [1.0]}, "reference = 'middle': must be one of midpoint"),
        (
            {"write_errors": [1e-3], "sigmas_ra": [0.05]},
            "both deviations of cells and rates of transient faults: study one of the two",
        ),
        ({"write_errors": [0.0], "disturbs": [2.0]}, "disturb = 2.0: must be from 0 to 1"),
        ({"offset_sigmas_v": [-1.0]}, "offset sigma = -1.0 V"),
    ],
)
def test_wrong_requests_are_named(options, message, tmp_path):
    with pytest.raises(SpinplaneError, match=message):
        spinplane.accuracy("digits-1-1", folder=tmp_path, **options)


@pytest.mark.thorough
def test_transient_faults_are_told_apart_by_their_cause(tmp_path):
    result = spinplane.accuracy(
        "digits-1-1",
        write_errors=[0.0, 0.05],
        disturbs=[0.0],
        decays=[0.0, 1e-7],
        images=2,
        seeds=1,
        folder=tmp_path,
    )
    none, every, write, decay = result.transient
    assert [p.cause for p in result.transient] == ["all", "all", "write", "decay"]
    assert none.accuracies == (result.baseline,)
    assert (none.failed_writes, none.disturbed, none.decayed) == (0, 0, 0)
    assert (write.decay, decay.write_error) == (0, 0)
    assert min(every.failed_writes, every.decayed, write.failed_writes, decay.decayed) > 0
    assert (every.disturbed, write.decayed, decay.failed_writes) == (0, 0, 0)
    assert [point["cause"] for point in written(result)["transient"]] == ["all", "all", "write", "decay"]
    assert result.picture.exists()
    assert (result.points, result.reference) == ((), None)


def test_data_without_labels_is_named(tmp_path):
    np.savez(tmp_path / "d.npz", images=np.zeros((1, 28, 28)))
    with pytest.raises(SpinplaneError, match=r"expected an \.npz with images and labels"):
        load_images(tmp_path / "d.npz")


@pytest.mark.thorough
def test_cells_that_vary_lose_more_the_more_they_vary(tmp_path):
    options = {"offset_sigmas_v": [0.003], "weak_cells": 0.0, "images": 30, "seeds": 3, "folder": tmp_path}
    result = spinplane.accuracy(
        "digits-1-4", sigmas_ra=[0.05, 0.075, 0.1], sigmas_tmr=[0.1, 0.15, 0.2], **options
    )
    assert [p.sigma_ra for p in result.points] == [0.05, 0.075, 0.1]
    assert result.points[0].mean == result.baseline
    assert result.points[0].mean > result.points[1].mean > result.points[2].mean
    by_multiple = spinplane.accuracy(
        "digits-1-4",
        sigmas_ra=[0.05],
        sigmas_tmr=[0.1],
        multiples=[2.0],
        **options | {"offset_sigmas_v": [0.0015]},
    )
    assert by_multiple.points[0].accuracies == result.points[2].accuracies


def test_it_is_the_accuracy_of_the_functional_machine(tmp_path):
    options = {"sigmas_ra": [0.1], "sigmas_tmr": [0.2], "weak_cells": 0.001, "multiples": [1.0]}
    result = spinplane.accuracy("digits-1-1", images=3, seeds=2, folder=tmp_path, jobs=1, **options)
    machine, graph = load_machine("paper8"), open_model("digits-1-1")
    program = compile_graph(graph, machine)
    pixels, labels = load_images(None)
    for seed, accuracy in enumerate(result.points[0].accuracies):
        drawn = draw_fault_map(
            machine, load_technology("sot-mram"), seed, sigma_ra=0.1, sigma_tmr=0.2, weak_cells=0.001
        )
        accelerator, classes = Accelerator(machine, drawn), []
        accelerator.load(program)
        for image in graph.encode_input(pixels[:3]):
            accelerator.write_map(program.input, image)
            accelerator.run()
            classes.append(accelerator.read_map(program.layers[-1].output).argmax())
        assert accuracy == (np.array(classes) == labels[:3]).mean()


@pytest.mark.parametrize(
    "study",
    [
        {"sigmas_ra": [0.1], "sigmas_tmr": [0.2]},
        pytest.param({"write_errors": [0.05]}, marks=pytest.mark.thorough),
    ],
    ids=["fault maps", "transient faults"],
)
def test_what_is_shared_among_processes_gives_the_same(study, tmp_path):
    options = study | {"multiples": [1.0], "images": 2, "seeds": 2}
    alone, shared = (
        spinplane.accuracy("digits-1-1", folder=tmp_path, jobs=jobs, **options) for jobs in (1, 2)
    )
    assert shared == alone


def test_what_cannot_be_shared_among_processes_is_refused(tmp_path):
    with pytest.raises(SpinplaneError, match="jobs, dask: only fault maps"):
        spinplane.accuracy("digits-1-1", folder=tmp_path, jobs=2)


def test_the_report_says_what_ran(report):
    program = compile_graph(open_model("digits-1-1"), load_machine("paper8"))
    placement = written(report)["placement"]
    assert (placement["machine"], placement["program"]) == ("paper8", program.digest)
    assert placement["descriptors"] == len(program.descriptors)
    names = [layer["layer"] for layer in placement["layers"]]
    assert names == [layer.name for layer in program.layers]
    assert all(layer["resident"] and layer["kernel_rows"] for layer in placement["layers"])
    assert written(report)["images"] == 3
    assert program.digest in str(report)


@pytest.mark.thorough
@pytest.mark.parametrize("network", ["digits-1-1", "digits-2-2"])
def test_its_outputs_are_those_of_a_run_with_faults_and_of_the_rtl(network):
    """`run_network` compares RTL and functional machine, and gives what the RTL computed."""
    machine, graph = load_machine("paper8"), open_model(network)
    program = compile_graph(graph, machine)
    faults = draw_fault_map(machine, load_technology("sot-mram"), 3, sigma_ra=0.1, sigma_tmr=0.2)
    pixels = load_images(None)[0][:8]
    codes = (graph.encode_input(pixels) - program.input.offset) // program.input.scale
    accelerator = Accelerator(machine, faults)
    accelerator.load(program)
    outputs = first_output(program, accelerator, codes)
    run = spinplane.run_network(network, pixels, machine=machine, faults=faults)
    assert run.mismatches == 0
    assert run.wrong > 0
    assert np.array_equal(run.outputs, outputs)


def test_an_output_of_several_layers_is_taken_whole():
    drawn = next(
        drawn
        for seed in range(99)
        if len((drawn := RandomGraph(seed, layers=5, images=3)).graph.outputs[-1].layers) > 1
    )
    graph = replace(drawn.graph, outputs=drawn.graph.outputs[::-1])
    machine = load_machine("paper8")
    sigmas = {"sigma_ra": 0.0, "sigma_tmr": 0.0, "offset_sigma": 0.0}
    faults = draw_fault_map(machine, load_technology("sot-mram"), 0, weak_cells=0.0, **sigmas)
    program = compile_graph(graph, machine)
    codes = (drawn.inputs - program.input.offset) // program.input.scale
    expected = graph.decode_outputs(run_graph(graph, drawn.inputs))[0]
    accelerator = Accelerator(machine, faults)
    accelerator.load(program)
    assert np.array_equal(first_output(program, accelerator, codes), expected)


def test_the_interval_covers_counting_and_the_spread_of_the_maps():
    def point(*accuracies):
        return AccuracyPoint(
            multiple=1.0,
            sigma_ra=0.05,
            sigma_tmr=0.1,
            offset_sigma_v=0.003,
            stuck_cells=0.0,
            drifted_amplifiers=0.0,
            images=100,
            accuracies=accuracies,
        )

    # Nothing fails: Clopper and Pearson's 1 − 0.025^(1/n) remains. One map: nothing but counting.
    assert point(1.0, 1.0).interval == pytest.approx((0.025 ** (1 / 200), 1.0))
    assert point(0.9).interval == pytest.approx(clopper_pearson(90, 100))
    # Maps far apart: Student's, with one degree of freedom, reaches beyond 0 and 1.
    assert point(0.5, 0.9).interval == (0.0, 1.0)
    low, high = point(0.85, 0.9, 0.95).interval
    assert (low, high) == pytest.approx((0.9 - 4.303 * 0.05 / 3**0.5, 1.0), abs=1e-3)


def test_a_technology_must_bear_what_the_machine_does():
    text = "machine paper-overlap: write_overlap = 'same_array', technology stt-mram allows 'none'"
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        spinplane.accuracy("digits-1-1", technology="stt-mram", machine="paper-overlap")
