"""One value followed back: its steps add up to what the network computes, and its cycles are the clock's."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from contract_output import half_up, rounded
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from network_strategies import networks
from random_graphs import RandomGraph
from result_files import written
from small_networks import grouped_graph, pooled_graph, pooled_images, small_graph, small_images

import spinplane
from spinplane.behavioral.accelerator import Accelerator
from spinplane.behavioral.feature_map import map_addresses
from spinplane.cli import main
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Residual, unscaled_output
from spinplane.compiler.mapping.parts import Part
from spinplane.compiler.oracle import arrange, concatenate, linear, pooled, run_graph
from spinplane.machine import Machine, Rounding, SpinplaneError, load_machine
from spinplane.machine.timing import FINISH_CYCLES
from spinplane.samples import sample_digit
from spinplane.sim.wave_views import GROUPS, signals_of

#: Of wide maps its rows hold a stripe at a time.
FEW = Machine(name="few", sub_arrays=8, rows=32, columns=64, segments=2, row_buses=2, results_per_cycle=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(networks(), st.data())
def test_steps_add_up_in_random_networks(drawn, data):
    check_a_value(*drawn, data, load_machine("tiny"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(networks(wider=23), st.data())
def test_steps_add_up_in_stripes(drawn, data):
    check_a_value(*drawn, data, FEW)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 9999), st.data())
def test_steps_add_up_where_maps_are_taken_side_by_side(seed, data):
    drawn = RandomGraph(seed, layers=4)
    check_a_value(drawn.graph, drawn.inputs, data, FEW)


def check_a_value(graph, inputs, data, machine):
    fold_pools = data.draw(st.booleans())
    try:
        compile_graph(graph, machine, fold_pools=fold_pools)
    except SpinplaneError:
        assume(False)
    at = data.draw(st.integers(0, len(graph.layers) - 1))
    before = [inputs[:1], *run_graph(graph, inputs[:1])]
    values = before[at + 1][0]
    layer = graph.layers[at]
    taken = concatenate(layer, [before[source + 1] for source in graph.sources(at)])
    sums_of_layer = linear(layer, arrange(layer, taken))[0]
    output = tuple(data.draw(st.integers(0, side - 1)) for side in values.shape)
    traced = spinplane.trace(
        graph, inputs, output=output, layer=graph.layers[at].name, machine=machine, fold_pools=fold_pools
    )
    assert traced.value == values[output]
    check_sums(traced.before or traced, graph.layers[at], sums_of_layer)
    check_steps(traced)
    if traced.before is not None:
        # Codes of the sums are followed by maxima, by an addition, or by kernels taken out of those of widened groups.
        assert (traced.pool, traced.before.pool) == ("MAX", "NONE") or traced.pool == "NONE"
        if traced.residual is None:
            assert traced.before.value == traced.value
        assert traced.before.cycles.written < traced.cycles.start
        check_steps(traced.before)


def check_sums(traced, layer, sums_of_layer):
    """Windows are those of the layer, or its regions where averages are folded; a bias may make up for an offset."""
    kernel = traced.output[0]
    if traced.folded:
        sums_of_layer = pooled(sums_of_layer[np.newaxis], layer.pool)[0]
    counting = [one for one in traced.windows if one.counts]
    assert len({one.value - sums_of_layer[kernel, one.y, one.x] for one in counting}) <= 1


def check_steps(traced):
    window, total = traced.windows[traced.window], 0
    for step in traced.steps:
        assert step.count == sum(bits.count("1") << p for p, bits in enumerate(step.bits))
        total += step.sign * step.count << step.shift
        assert step.total == total
    assert window.accumulator == total
    p = traced.parameters
    for one in traced.windows:
        sums = (one.accumulator << p["accumulator_shift"]) - p["window_sum_scale"] * one.window_sum
        assert one.value == sums + p["bias"]
    check_code(traced)
    counting = [one.value for one in traced.windows if one.counts]
    greatest = (min if p["least"] else max)(counting)
    assert traced.pooled == {"SUM": sum(counting), "NONE": window.value}.get(traced.pool, greatest)
    cycles = traced.cycles
    assert cycles.start < cycles.issued < cycles.result < cycles.written


def check_code(traced):
    """The code, from what is told of it."""
    p = traced.parameters
    if traced.scaled is None:
        assert traced.y == traced.pooled
    elif not traced.float_scale:
        assert traced.scaled == half_up(traced.pooled * p["multiplier"], p["high_shift"]) + p["offset"]
    if traced.scaled is not None and traced.own_code is None:
        assert traced.y == traced.scaled + (traced.scaled_residual or 0)
    if traced.level is None:
        assert traced.value == traced.code == traced.y
        return
    if traced.rounding is None:
        reached = sum(threshold <= traced.y for threshold in traced.thresholds)
        assert traced.level == (p["high"] - reached if p["falling"] else p["low"] + reached)
    else:
        level = rounded(traced.y, p["shift"], Rounding[traced.rounding])
        assert traced.level == min(max(level, p["low"]), p["high"])
    if not traced.table:
        assert traced.code % 256 == ((traced.level << p["level_shift"]) + p["out_zero"]) % 256


def test_a_greatest_value_is_followed_to_the_window_that_gave_it() -> None:
    graph, image = pooled_graph(), pooled_images(1)
    layer = graph.layers[0]
    sums = linear(layer, image)
    codes, greatest = layer.steps.apply(sums)[0], run_graph(graph, image)[0][0]
    for output in np.ndindex(4, 4, 4):
        traced = spinplane.trace(graph, image, output=output, layer="maxima", machine="tiny")
        before, window = traced.before, traced.windows[traced.window]
        assert before is not None
        assert before.before is None
        assert (before.descriptor, traced.descriptor) == (1, 2)
        assert before.output == (output[0], window.y, window.x)
        assert before.value == codes[before.output] == traced.value == greatest[output]
        assert before.windows[0].value == sums[0][before.output]
        y, x = 2 * output[1], 2 * output[2]
        assert {(w.y, w.x) for w in traced.windows} == set(product(range(y, y + 3), range(x, x + 3)))
        assert all(w.counts == (w.y < 8 and w.x < 8) for w in traced.windows)
    told = str(traced)
    assert f"before the maxima are taken, kernel 3, y {window.y}, x {window.x} is {traced.value}" in told
    assert written(traced)["before"]["descriptor"] == 1


@pytest.mark.parametrize(("channels", "kernels", "narrows"), [(3, 3, False), (4, 3, True)])
def test_of_widened_groups_the_sums_of_the_layer_are_told(channels: int, kernels: int, narrows: bool) -> None:
    graph = grouped_graph(channels, kernels)
    image = np.random.default_rng(1).integers(0, 16, (1, *graph.input_shape))
    layer = graph.layers[0]
    sums, values = linear(layer, image)[0], run_graph(graph, image)[0][0]
    first, second = compile_graph(graph, load_machine("tiny")).stages[:2]
    assert (first.stage.part, second.stage.part) == (
        (Part.SUMS, Part.NARROWING) if narrows else (Part.WIDENING, Part.SUMS)
    )
    sums_stage = first if narrows else second
    for output in [(0, 0, 0), (2, 1, 0), (3, 0, 1), (8, 1, 1)]:
        traced = spinplane.trace(graph, image, output=output, layer="grouped", machine="tiny")
        assert traced.value == values[output]
        assert (traced.before is not None) == narrows
        told = traced.before or traced
        assert told.descriptor in sums_stage.numbers
        assert (told.pool, len(told.windows), told.folded, told.value) == ("SUM", 4, False, traced.value)
        # The bias of a kernel may make up for an offset of its codes.
        assert len({w.value - sums[output[0], w.y, w.x] for w in told.windows}) == 1
        check_steps(told)
        line = f"before the kernels are taken out of widened groups, kernel {output[0]}, y {output[1]}, "
        assert (line in str(traced)) == narrows
        assert "before the maxima" not in str(traced)


def test_of_folded_averages_a_window_is_a_region() -> None:
    graph, image = pooled_graph(), pooled_images(1)
    taken, values = run_graph(graph, image)[:2]
    regions = pooled(linear(graph.layers[1], taken), graph.layers[1].pool)[0]
    beside: dict[tuple[bool, int], set[int]] = defaultdict(set)
    for fold_pools, windows in ((False, 4), (True, 1)):
        for output in np.ndindex(4, 2, 2):
            traced = spinplane.trace(
                graph, image, output=output, layer="averages", machine="tiny", fold_pools=fold_pools
            )
            assert (traced.folded, len(traced.windows)) == (fold_pools, windows)
            assert traced.value == values[0][output]
            beside[fold_pools, output[0]].add(sum(w.value for w in traced.windows) - regions[output])
            assert ("averages are folded into the kernels" in str(traced)) == fold_pools
    # The bias of a kernel may make up for an offset of its codes, but for all outputs alike.
    assert all(len(of_kernel) == 1 for of_kernel in beside.values())


def test_the_last_write_of_a_layer_ends_its_pass() -> None:
    graph, image = small_graph(), small_images(1)
    program = compile_graph(graph, load_machine("tiny"))
    accelerator = Accelerator(program.machine)
    accelerator.load(program)
    for _ in range(2):
        accelerator.write_map(program.input, (image[0] - program.input.offset) // program.input.scale)
        steady = accelerator.run()
    for layer, shape, descriptor in (("conv", (4, 3, 3), 1), ("dense", (3, 1, 1), 2)):
        written = []
        for output in np.ndindex(shape):
            traced = spinplane.trace(graph, image, output=output, layer=layer, machine="tiny")
            assert traced.descriptor == descriptor
            written.append(traced.cycles.written)
        ends = sum(counters.cycles for counters in steady.layers[: descriptor + 1])
        assert max(written) + 1 + FINISH_CYCLES == ends


class Waveform:
    """Signals of the accelerator in a VCD, cycle by cycle from the start of a run."""

    def __init__(self, path: Path, names: Sequence[str], run: int) -> None:
        of_code: dict[str, list[str]] = {}
        self.changes: dict[str, list[tuple[int, int]]] = {name: [(-1, 0)] for name in names}
        scopes: list[str] = []
        with path.open(encoding="utf-8") as file:
            for words in map(str.split, file):
                if words[:1] == ["$scope"]:
                    scopes.append(words[2])
                elif words[:1] == ["$upscope"]:
                    scopes.pop()
                elif words[:1] == ["$var"] and (name := ".".join([*scopes[1:], words[4]])) in names:
                    of_code.setdefault(words[3], []).append(name)
                elif words[:1] == ["$enddefinitions"]:
                    break
            time = 0
            for line in map(str.strip, file):
                bits, _, code = line[1:].partition(" ") if line[:1] == "b" else (line[:1], "", line[1:])
                if line[:1] == "#":
                    time = int(line[1:])
                for name in of_code.get(code, []):
                    self.changes[name].append((time, int(bits.replace("x", "0").replace("z", "0"), 2)))
        busy = [time for time, value in self.changes["layer_controller.busy"] if value]
        self.start = busy[run]

    def __getitem__(self, at: tuple[str, int]) -> int:
        """Value of a signal in the middle of a cycle of 10 ns."""
        name, cycle = at
        middle = self.start + 10_000 * cycle + 5_000
        return [value for time, value in self.changes[name] if time <= middle][-1]


def check_views(folder: Path) -> None:
    """Both views of a waveform name every signal that they can, and none that it does not have."""
    in_file = {
        f"{'.'.join(path)}{bits}": ".".join(path) for path, bits in signals_of(folder / "waves.vcd").items()
    }
    lines = (folder / "waves.gtkw").read_text(encoding="utf-8").splitlines()
    of_gtkwave = [line for line in lines if not line.startswith(("@", "-", "["))]
    commands = [line.split(" ") for line in (folder / "waves.sucl").read_text(encoding="utf-8").splitlines()]
    of_surfer = [signal for command, *rest in commands for signal in rest if command == "variable_add"]
    assert [in_file[signal] for signal in of_gtkwave] == of_surfer
    assert len(of_surfer) == sum(len(names) for units in GROUPS.values() for names in units.values())


def test_cycles_are_those_of_the_waveform(tmp_path: Path) -> None:
    graph, image = small_graph(), small_images(1)
    run = spinplane.run_network(graph, image, machine="tiny", simulator="icarus", waves=tmp_path)
    assert run.mismatches == 0
    check_views(tmp_path)
    program = compile_graph(graph, load_machine("tiny"))
    names = [
        "layer_controller.busy",
        "sequencer.burst",
        "output_stage.results__valid",
        "output_stage.write__enable",
    ]
    wave = Waveform(tmp_path / "waves.vcd", [*names, "output_stage.write__address"], run=1)
    for layer, at in (("conv", 0), ("dense", 1)):
        feature_map = program.layers[at].output
        last_bits = map_addresses(feature_map)[..., -1]
        for output in ((0, 0, 0), (2, 0, 0), (2, 2, 1), (3, 1, 2))[: 4 if layer == "conv" else 2]:
            traced = spinplane.trace(graph, image, output=output, layer=layer, machine="tiny")
            cycles = traced.cycles
            assert wave["sequencer.burst", cycles.issued] & 1
            assert wave["output_stage.results__valid", cycles.result]
            assert wave["output_stage.write__enable", cycles.written]
            assert wave["output_stage.write__address", cycles.written] == last_bits[output] // 64


def test_the_command_prints_a_trace(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", sample_digit(3))
    arguments = ["trace", "digits-1-4", "--input", str(tmp_path / "x.npy"), "--layer", "conv1"]
    main([*arguments, "--output", "5,2,1", "--json", str(tmp_path / "t.json")])
    text = capsys.readouterr().out
    assert "digits-1-4 on paper8: layer conv1, kernel 5, y 2, x 1 is" in text
    assert "pooled (SUM): " in text
    figures = json.loads((tmp_path / "t.json").read_text())
    assert (figures["descriptor"], len(figures["windows"]), figures["greatest"]) == (2, 4, None)
    assert figures["cycles"]["start"] < figures["cycles"]["written"]


def test_of_the_last_layer_the_class_is_told() -> None:
    traced = spinplane.trace("digits-1-4", sample_digit(3), output=(3, 0, 0))
    assert traced.greatest == 3
    assert traced.level is None
    assert "the greatest output is class 3" in str(traced)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "conv9"}, "layer 'conv9' is not one of conv0, conv1"),
        ({"output": (10, 0, 0)}, r"output \(10, 0, 0\): layer fc has 10×1×1 \(kernel, y, x\)"),
    ],
)
def test_what_is_not_there_is_named(options, message):
    with pytest.raises(SpinplaneError, match=message):
        spinplane.trace("digits-1-4", sample_digit(3), **{"output": (0, 0, 0), **options})


def test_an_output_that_is_no_index_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trace", "digits-1-4", "--input", "x.npy", "--output", "3,4"])
    assert "output '3,4': expected k,y,x" in capsys.readouterr().err


def test_a_residual_is_told() -> None:
    plain = small_graph()
    layer = replace(
        plain.layers[0],
        weights=np.ones((1, 1, 1, 1), dtype=np.int64),
        bias=np.array([5]),
        padding=(0, 0, 0, 0),
        stride=(1, 1),
        groups=1,
        pool=None,
        steps=None,
        residual=Residual(source=-1, scale=2, residual_scale=-3),
    )
    graph = replace(plain, layers=(layer,))
    image = graph.encode_input(small_images(1))
    graph = replace(graph, outputs=(unscaled_output(0, (1, *image.shape[1:])),))
    traced = spinplane.trace(graph, small_images(1), output=(0, 1, 2), machine="tiny")
    assert traced.value == 2 * (image[0, 0, 1, 2] + 5) - 3 * image[0, 0, 1, 2]
    assert f" · -3 >> 0 >> 0 = {traced.scaled_residual}" in str(traced)
    assert f" + {traced.scaled_residual} = {traced.y}" in str(traced)
