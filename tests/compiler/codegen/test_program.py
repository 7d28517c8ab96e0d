"""Compiled programs on the functional accelerator and through the loops of the contract: values and counters."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from checked_networks import check, check_loops
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from network_strategies import networks

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths
from spinplane.compiler.graph import Graph, InputCoding, Layer, Pooling, StepFunction, unscaled_output
from spinplane.compiler.mapping import stages as stages_module
from spinplane.compiler.mapping.candidates import placements
from spinplane.compiler.predict import predict
from spinplane.machine import Coding, Machine, Operand, SpinplaneError, load_machine
from spinplane.machine.descriptor import Load

TINY = load_machine("tiny")
#: Four buses and slots, planes of a quarter of a row: what `tiny` has no room for.
SMALL = Machine(name="small", sub_arrays=8, rows=96, columns=128, segments=4, results_per_cycle=4)
MODELS = Path(__file__).resolve().parents[4] / "shared" / "models"


def network(shape, *layers):
    """A graph of layers over an input."""
    return Graph(
        name="net",
        input_shape=shape,
        input_coding=InputCoding(low=-128, high=255),
        layers=layers,
        outputs=(unscaled_output(len(layers) - 1, (1, len(layers[-1].weights))),),
    )


def layer_of(shape, *, w=2, i=2, seed=0, bias=None, **more):
    """A layer of two's complement weights and unsigned inputs."""
    w = w if isinstance(w, Operand) else Operand(bits=w, coding=Coding.TWOS_COMPLEMENT)
    i = i if isinstance(i, Operand) else Operand(bits=i)
    codes = np.random.default_rng(seed).integers(0, 2**w.bits, shape)
    weights = w.scale * codes + (w.offset if w.scale == 2 else w.smallest)
    return Layer(
        **{
            "name": "conv",
            "weights": weights,
            "w": w,
            "i": i,
            "bias": np.zeros(shape[0], int) if bias is None else bias,
            **more,
        }
    )


def steps_of(kernels, levels, *, seed=0, spread=30):
    """Seeded steps, every other one falling."""
    limits = np.sort(
        np.random.default_rng(seed).integers(-spread, spread, (kernels, len(levels) - 1)), axis=1
    )
    rising = np.arange(kernels) % 2 == 0
    return StepFunction(
        thresholds=np.where(rising[:, np.newaxis], limits, limits[:, ::-1]),
        rising=rising,
        levels=np.asarray(levels, dtype=np.int64),
    )


def inputs_of(graph, count=2, seed=0):
    operand = graph.layers[0].i
    codes = np.random.default_rng(seed).integers(0, 2**operand.bits, (count, *graph.input_shape))
    return operand.scale * codes + operand.smallest


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from([TINY, SMALL]), st.booleans())
def test_random_networks_equal_the_oracle(drawn, machine, together):
    check(drawn[0], machine, drawn[1], len(drawn[1]) if together else 1)


@settings(max_examples=20, deadline=None)
@given(networks(), st.sampled_from([TINY, SMALL]), st.booleans())
def test_random_networks_through_the_loops_of_the_contract(drawn, machine, together):
    check_loops(drawn[0], machine, drawn[1], len(drawn[1]) if together else 1)


BIPOLAR = Operand(bits=1, coding=Coding.BIPOLAR)
DOREFA = Operand(bits=2, coding=Coding.DOREFA)


#: Too few rows for the lines of a wide map.
FEW = Machine(name="few", sub_arrays=8, rows=32, columns=64, segments=2, row_buses=2, results_per_cycle=4)


@pytest.mark.parametrize("run", [check, check_loops], ids=["functional", "loops"])
def test_maps_that_are_too_wide_are_computed_in_stripes(run):
    striped, refusals = [], []

    @settings(
        max_examples=40,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.differing_executors],
    )
    @given(networks(wider=23))
    def draw(drawn):
        graph, inputs = drawn
        try:
            program = compile_graph(graph, FEW)
        except SpinplaneError as error:
            refusals.append(str(error))
        else:
            run(graph, FEW, inputs)
            striped.append(further_stripes(program))

    draw()
    assert len(refusals) <= 10
    assert all("need rows = " in text for text in refusals)
    assert sum(count > 0 for count in striped) >= 8
    assert max(striped) >= 4


def further_stripes(program):
    """Passes whose kernels the pass before them has left in the array."""
    return sum(layer_pass.load is Load.NEVER for layer_pass in program.passes)


@pytest.mark.parametrize("run", [check, check_loops], ids=["functional", "loops"])
@pytest.mark.parametrize(
    "layers",
    [
        [layer_of((5, 1, 5, 5), stride=(2, 2), padding=(2, 2, 2, 2), i=8)],
        [layer_of((8, 2, 3, 4), stride=(1, 3), padding=(1, 2, 1, 2), i=8, w=BIPOLAR)],
        [
            layer_of(
                (6, 1, 3, 3),
                padding=(1, 1, 1, 1),
                pool=Pooling(kind="max_codes", size=(3, 3), stride=(2, 2), padding=(1, 2, 1, 2)),
                steps=steps_of(6, [-1, 1]),
            ),
            layer_of((12, 6, 3, 3), i=BIPOLAR, padding=(1, 1, 1, 1), name="second"),
        ],
        [
            layer_of((8, 1, 1, 3), dilation=(1, 3), steps=steps_of(8, [0, 1, 2, 3])),
            layer_of(
                (8, 4, 2, 2), groups=2, pool=Pooling(kind="sum", size=(2, 2), stride=(2, 2)), name="second"
            ),
        ],
        [layer_of((8, 1, 2, 2), pool=Pooling(kind="max_sums", size=(2, 3), stride=(1, 2), dilation=(3, 2)))],
        [
            layer_of((16, 1, 3, 3), steps=steps_of(16, [0, 1, 2, 3])),
            layer_of((24, 16, 3, 3), w=1, padding=(0, 1, 0, 1), steps=steps_of(24, [0, 1]), name="second"),
            layer_of((9, 24, 2, 2), i=1, name="third"),
        ],
    ],
)
def test_geometries_in_stripes(layers, run):
    graph = network((layers[0].weights.shape[1], 6, 41), *layers)
    run(graph, FEW, inputs_of(graph))
    assert further_stripes(compile_graph(graph, FEW))


@pytest.mark.parametrize(
    "graph",
    [
        network((2, 7, 7), layer_of((8, 2, 3, 3), dilation=(2, 2), padding=(2, 2, 2, 2))),
        network((2, 6, 9), layer_of((8, 2, 2, 3), dilation=(1, 3), stride=(1, 2), padding=(0, 1, 0, 2))),
        network((4, 6, 6), layer_of((16, 1, 3, 3), groups=4)),
        network((16, 5, 5), layer_of((8, 8, 3, 3), groups=2, padding=(1, 1, 1, 1), i=DOREFA, w=BIPOLAR)),
        network((20, 5, 5), layer_of((8, 20, 3, 3), i=3, w=1)),
        network((1, 9, 9), layer_of((4, 1, 1, 1), stride=(3, 3))),
        network((1, 12, 12), layer_of((4, 1, 5, 5), stride=(2, 2), padding=(1, 2, 1, 2))),
        network((2, 10, 12), layer_of((8, 2, 2, 6), stride=(2, 2), w=BIPOLAR)),
        network(
            (2, 6, 6),
            layer_of(
                (5, 2, 3, 3),
                padding=(1, 1, 1, 1),
                pool=Pooling(kind="max_codes", size=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1)),
                steps=steps_of(5, [-1, 1]),
            ),
            layer_of((3, 5, 3, 3), i=BIPOLAR, padding=(1, 0, 1, 0), name="second"),
        ),
        network(
            (2, 6, 6),
            layer_of(
                (5, 2, 3, 3),
                pool=Pooling(kind="max_sums", size=(2, 2), stride=(1, 1), padding=(1, 1, 0, 0)),
                steps=steps_of(5, [0, 1, 2, 3]),
            ),
            layer_of((7, 5, 2, 2), stride=(2, 2), pool=Pooling(kind="sum", size=(2, 2), stride=(1, 1))),
        ),
        network(
            (2, 9, 9),
            layer_of(
                (5, 2, 2, 2),
                stride=(1, 2),
                pool=Pooling(kind="max_codes", size=(3, 2), stride=(2, 1), dilation=(2, 2)),
                steps=steps_of(5, [0, 1, 2, 3]),
            ),
            layer_of((7, 5, 1, 1), pool=Pooling(kind="sum", size=(1, 2), stride=(1, 1), dilation=(3, 1))),
        ),
        network((2, 4, 4), layer_of((8, 8, 1, 1), groups=4, flatten=True, w=BIPOLAR)),
        network((2, 4, 4), layer_of((6, 2, 3, 3), steps=steps_of(6, [-2, -1, 0, 1], spread=9))),
    ],
)
@pytest.mark.parametrize("machine", [TINY, SMALL], ids=["tiny", "small"])
def test_geometries(graph, machine):
    check(graph, machine, inputs_of(graph))
    check_loops(graph, machine, inputs_of(graph, count=1))


def test_kernels_that_do_not_fit_together_are_loaded_in_every_run():
    layers = [
        layer_of((24, 2 if n == 0 else 24, 3, 3), name=f"conv{n}", padding=(1, 1, 1, 1), i=2 if n == 0 else 1)
        for n in range(3)
    ]
    layers = [replace(layer, steps=steps_of(24, [0, 1], seed=1)) for layer in layers[:2]] + layers[2:]
    graph = network((2, 4, 4), *layers)
    program = check(graph, TINY, inputs_of(graph))
    assert any(layer_pass.load is Load.ALWAYS for layer_pass in program.passes)


def test_maps_that_do_not_fit_together_share_the_image_bank():
    layers = [
        layer_of((2, 2, 1, 1), name=f"conv{n}", steps=steps_of(2, [0, 1, 2, 3], spread=4)) for n in range(5)
    ]
    graph = network((2, 9, 9), *layers)
    program = check(graph, replace(TINY, image_words=84), inputs_of(graph))
    assert [layer.kept for layer in program.layers] == [False, False, False, True, True]


def test_a_pooling_memory_too_small_for_all_kernels_splits_the_passes():
    pool = Pooling(kind="sum", size=(2, 2), stride=(2, 2))
    graph = network((2, 6, 6), layer_of((20, 2, 3, 3), pool=pool))
    program = check(graph, replace(TINY, pool_beats=4), inputs_of(graph))
    assert len(program.layers[0].descriptors) > 1


@pytest.mark.parametrize(
    ("graph", "changes", "text"),
    [
        (
            network((8, 6, 6), layer_of((4, 8, 5, 5), w=8)),
            {},
            "layer conv: 25 rows of input lines and 200 of kernels need rows = 225, machine tiny has 64",
        ),
        (
            network((2, 6, 6), layer_of((4, 2, 3, 3)), layer_of((4, 4, 3, 3), name="second")),
            {},
            "layer conv: its sums enter another layer without requantization",
        ),
        (
            network((2, 6, 6), layer_of((4, 3, 3, 3))),
            {},
            "layer conv: 4 kernels of 3×3×3 in 1 groups do not fit an input of 2×6×6 (channels, height, width)",
        ),
        (
            network((2, 2, 2), layer_of((4, 2, 3, 3))),
            {},
            "layer conv: a kernel of 3×3 does not fit an input of 2×2×2 (channels, height, width) with padding "
            "(0, 0, 0, 0)",
        ),
        (
            network((1, 9, 9), layer_of((16, 1, 3, 3), w=8)),
            {"kernel_words": 16},
            "layer conv: exceeds kernel_words = 16 of machine tiny: the network needs",
        ),
        (
            network((1, 20, 20), layer_of((4, 1, 1, 1))),
            {"image_words": 600},
            "layer conv: its input of 50 words and its output of 800 need image_words = 850, machine tiny has 600",
        ),
        (
            network((2, 6, 6), layer_of((4, 2, 3, 3), bias=np.array([0, 0, 0, 2**31]))),
            {},
            "layer conv: sums from -51 to 2147483666 do not fit in 32 bits",
        ),
    ],
)
def test_what_does_not_fit_says_so(graph, changes, text):
    with pytest.raises(SpinplaneError) as error:
        compile_graph(graph, replace(TINY, **changes))
    assert str(error.value).startswith(text)


@pytest.mark.parametrize(
    ("layers", "changes", "key"),
    [
        ([layer_of((4, 8, 5, 5), w=8)], {}, "rows"),
        ([layer_of((4, 1, 30, 2), padding=(12, 0, 12, 0), i=8)], {}, "rows"),
        ([layer_of((8, 16, 1, 1), groups=2, w=8, i=8)], {"rows": 8}, "rows"),
        ([layer_of((20, 2, 3, 3), pool=Pooling(kind="sum", size=(2, 2), stride=(2, 2)))], {}, "pool_beats"),
        ([layer_of((4, 1, 1, 1))], {"image_words": 16}, "image_words"),
        ([layer_of((16, 1, 3, 3), w=8)], {"kernel_words": 16}, "kernel_words"),
        ([layer_of((68, 1, 1, 1))], {"parameter_beats": 16}, "parameter_beats"),
        (
            [layer_of((68, 1, 3, 3), steps=steps_of(68, list(range(8))))],
            {"threshold_beats": 16},
            "threshold_beats",
        ),
        ([layer_of((4, 1, 3, 3), w=8)], {"rows": 27, "descriptors": 4}, "descriptors"),
    ],
)
def test_the_value_that_is_asked_for_is_enough(layers, changes, key):
    graph = network((layers[0].weights.shape[1] * layers[0].groups, 8, 8), *layers)
    machine = replace(TINY, sub_arrays=4, results_per_cycle=2, **changes)
    if key == "pool_beats":
        machine = replace(machine, pool_beats=4, sub_arrays=32)
    with pytest.raises(SpinplaneError) as error:
        compile_graph(graph, machine)
    found = re.search(
        rf"{key} = (\d+), machine|{key} = \d+ of machine tiny: the network needs (\d+)", str(error.value)
    )
    assert found, str(error.value)
    needed = int(found[1] or found[2])
    compile_graph(graph, replace(machine, **{key: needed}))
    with pytest.raises(SpinplaneError, match=key):
        compile_graph(graph, replace(machine, **{key: needed - (2 if key == "image_words" else 1)}))


@pytest.mark.parametrize(
    "graph",
    [
        network((1, 12, 12), layer_of((4, 1, 5, 5), stride=(2, 2), padding=(1, 2, 1, 2))),
        network((2, 4, 8), layer_of((8, 2, 2, 4), stride=(1, 2), w=BIPOLAR, i=8)),
        network((16, 5, 4), layer_of((20, 16, 3, 2), pool=Pooling(kind="sum", size=(2, 2), stride=(1, 1)))),
        network((18, 4, 4), layer_of((20, 18, 3, 3), padding=(1, 1, 1, 1), i=4)),
        network(
            (2, 7, 7),
            layer_of(
                (4, 2, 2, 2), pool=Pooling(kind="max_sums", size=(2, 2), stride=(1, 2), dilation=(2, 3))
            ),
        ),
    ],
)
def test_every_placement_gives_the_same_values(graph, monkeypatch):
    machine = replace(SMALL, rows=256)
    found = []

    def all_of_them(*args, **options):
        found[:] = placements(*args, **options)
        return found

    monkeypatch.setattr(stages_module, "placements", all_of_them)
    compile_graph(graph, machine)
    every = list(found)
    assert len(every) > 10
    for placement in every:
        monkeypatch.setattr(stages_module, "placements", lambda *_, one=placement, **__: [one])
        program = check(graph, machine, inputs_of(graph))
        assert program.passes[0].slots == placement.slots


@pytest.mark.parametrize(
    ("kernel", "stride", "more", "widths"),
    [
        (1, 2, {}, {1}),
        (2, 2, {}, {1, 2}),
        (2, 3, {}, {1, 2}),
        (3, 1, {}, {1, 3}),
        (3, 2, {}, {1, 2, 3}),
        (4, 2, {}, {1, 2, 4}),
        (3, 2, {"w": BIPOLAR}, {1, 3}),
        (4, 2, {"w": BIPOLAR}, {1, 2, 4}),
    ],
)
def test_units_are_taps_strides_or_kernels(kernel, stride, more, widths, monkeypatch):
    """As wide as the stride only if it is less than the kernel, and taps beyond this one can weigh 0."""
    seen = set()

    def watched(*args, **options):
        for placement in placements(*args, **options):
            seen.update([placement.unit_taps] if options["in_bytes"] else [])
            yield placement

    monkeypatch.setattr(stages_module, "placements", watched)
    layer = layer_of((4, 3, kernel, kernel), stride=(stride, stride), i=8, **more)
    compile_graph(network((3, 9, 12), layer), replace(SMALL, rows=256))
    assert seen == widths


def test_digits_with_seeded_weights():
    graph = build_graph("digits", BitWidths.parse("2:2"), seed=5)
    check(graph, load_machine("paper8"), np.random.default_rng(0).integers(0, 256, (2, 1, 28, 28)))


@pytest.mark.parametrize(("bits", "whole", "inner"), [("1:1", 0.85, 0.63), ("1:4", 0.83, 0.72)])
def test_svhn_on_the_papers_machine(bits, whole, inner):
    graph, machine = build_graph("svhn", BitWidths.parse(bits)), load_machine("paper")
    program = check(graph, machine, np.random.default_rng(0).integers(0, 256, (2, 3, 40, 40)))
    counters = predict(program, resident=True)
    operations = [298598400, *(int(bits[2]) * n for n in (8957952, 11943936, 3612672, 7225344, 3686400))]
    operations += [int(bits[2]) * 1638400, 327680]
    parallel = machine.sub_arrays * machine.columns
    assert sum(operations) / (counters.total.cycles * parallel) >= whole
    first = program.layers[0].descriptors
    rest = counters.total.cycles - sum(counters.passes[at].cycles for at in first)
    assert sum(operations[1:]) / (rest * parallel) >= inner


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "bits"), [("alexnet-dorefa", "1:1"), ("alexnet-dorefa", "1:2"), ("alexnet-xnor", "1:1")]
)
def test_alexnet_on_the_papers_machine(name, bits):
    graph = build_graph(name, BitWidths.parse(bits))
    program = check(graph, load_machine("paper"), np.random.default_rng(0).integers(0, 256, (1, 3, 224, 224)))
    assert all(layer.kept for layer in program.layers)


def test_alexnet_needs_a_larger_kernel_bank_than_paper8_has():
    graph = build_graph("alexnet-dorefa", BitWidths.parse("1:1"))
    with pytest.raises(
        SpinplaneError,
        match="layer fc0: exceeds kernel_words = 65536 of machine paper8: the network needs",
    ):
        compile_graph(graph, load_machine("paper8"))


@pytest.mark.parametrize("name", ["svhn_cnv_w1a1", "tfc_w2a2"])
def test_models_of_others(name):
    path = MODELS / f"{name}.onnx"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside the repository")
    from spinplane.compiler.frontend.import_model import import_model

    graph = import_model(path).graph
    values = np.random.default_rng(0).uniform(-1, 1, (1, *graph.input_shape))
    check(graph, load_machine("paper"), graph.encode_input(values))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (7, 1), (7, 7)])
def test_steps_that_are_never_taken_are_0(height, width, stride):
    """They might be more than their fields hold: a single region may be as large as the map."""
    lines, columns = 3 + stride * (height - 1), 3 + stride * (width - 1)
    layers = [
        layer_of((4, 2, 3, 3), stride=(stride, stride), steps=steps_of(4, [0, 1, 2, 3])),
        layer_of((2, 4, min(2, height), min(2, width)), i=2),
    ]
    first = compile_graph(network((2, lines, columns), *layers), TINY).passes[0]
    taken = {
        ("next_columns", "region_step"): first.region_columns > 1,
        ("next_lines", "region_lines"): first.region_rows > 1,
        ("stride_x", "out_pixel_bits"): width > 1,
        ("stride_y", "out_line_bits"): height > 1,
        ("cluster_x_bits",): first.clusters_x > 1,
        ("cluster_y_lines",): first.clusters > first.clusters_x,
        ("burst_step",): first.bursts > 1,
        ("window_lines",): first.region_height > 1,
        ("window_step",): first.region_width > 1,
        ("tap_lines",): first.taps_y > 1,
    }
    for names, expected in taken.items():
        for name in names:
            assert (getattr(first, name) > 0) == expected, name
