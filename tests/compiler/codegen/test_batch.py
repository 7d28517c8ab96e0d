"""Programs that run several images: each one's values, kernels loaded once, and what does not fit."""

from dataclasses import replace

import numpy as np
import pytest
from checked_networks import check, check_loops
from random_graphs import RandomGraph
from small_networks import small_graph, small_images

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.descriptor import Load
from tests.compiler.codegen.test_program import FEW, TINY, inputs_of, layer_of, network, steps_of
from tests.compiler.test_residual import BIPOLAR, identity_block

BATCH = 3


def striped():
    """A map that is too wide for the rows of `FEW`."""
    layer = layer_of((4, 2, 3, 3), padding=(1, 1, 1, 1), steps=steps_of(4, [0, 1, 2, 3]), name="wide")
    return network((2, 3, 23), layer, layer_of((3, 4, 1, 1), name="last"))


def reloaded():
    """Kernels that do not all fit in the rows of `tiny`."""
    layers = [
        layer_of((24, 2 if n == 0 else 24, 3, 3), name=f"conv{n}", padding=(1, 1, 1, 1), i=2 if n == 0 else 1)
        for n in range(3)
    ]
    layers = [replace(layer, steps=steps_of(24, [0, 1], seed=1)) for layer in layers[:2]] + layers[2:]
    return network((2, 4, 4), *layers)


@pytest.mark.parametrize("run", [check, check_loops], ids=["functional", "loops"])
@pytest.mark.parametrize(
    ("graph", "machine"),
    [(striped(), FEW), (identity_block(3, BIPOLAR), TINY)],
    ids=["stripes", "residual"],
)
def test_stripes_and_residuals_of_each_image_are_its_own(graph, machine, run):
    program = run(graph, machine, inputs_of(graph, count=BATCH), BATCH)
    assert len(program.passes) == BATCH * len(compile_graph(graph, machine).passes)


def test_branches_and_several_outputs_of_each_image_are_its_own():
    for seed in range(6):
        drawn = RandomGraph(2000 + seed, layers=4, images=2)
        check(drawn.graph, TINY, drawn.inputs, 2)


def test_kernels_are_loaded_once_for_all_images():
    graph = reloaded()
    program = check(graph, TINY, inputs_of(graph, count=2 * BATCH), BATCH)
    assert any(layer_pass.load is Load.ALWAYS for layer_pass in program.passes)
    for resident in (False, True):
        together, alone = (
            predict(one, resident=resident).total for one in (program, compile_graph(graph, TINY))
        )
        assert together.kernel_reads == alone.kernel_reads > 0
        assert together.cycles < BATCH * alone.cycles


def test_no_image_takes_longer_in_a_batch_than_alone():
    machine = replace(TINY, rows=256)
    for seed in range(12):
        graph = RandomGraph(3000 + seed, layers=3).graph
        together, alone = (
            predict(compile_graph(graph, machine, batch=batch), resident=True).total.cycles
            for batch in (2, 1)
        )
        assert together < 2 * alone


def test_maps_of_all_images_share_the_image_bank():
    layers = [
        layer_of((2, 2, 1, 1), name=f"conv{n}", steps=steps_of(2, [0, 1, 2, 3], spread=4)) for n in range(5)
    ]
    graph = network((2, 9, 9), *layers)
    program = check(graph, replace(TINY, image_words=BATCH * 84), inputs_of(graph, count=BATCH), BATCH)
    assert [layer.kept for layer in program.layers] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("changes", "largest", "refusal"),
    [
        (
            {"image_words": 30},
            4,
            "layer conv: its input of 25 words and its output of 10 need image_words = 35, machine tiny has 30",
        ),
        (
            {"descriptors": 11},
            4,
            "layer dense: exceeds descriptors = 11 of machine tiny: the network needs 12",
        ),
    ],
)
def test_a_batch_that_does_not_fit_names_the_largest_that_does(changes, largest, refusal):
    graph, machine = small_graph(), replace(TINY, **changes)
    with pytest.raises(SpinplaneError) as error:
        compile_graph(graph, machine, batch=largest + 1)
    assert str(error.value) == f"batch = {largest + 1}: {refusal}; the largest batch that fits is {largest}"
    check(graph, machine, small_images(largest), largest)
    with pytest.raises(SpinplaneError, match=f"; the largest batch that fits is {largest}$"):
        compile_graph(graph, machine, batch=10**9)


def test_a_network_that_does_not_fit_alone_says_why_it_does_not():
    graph, machine = reloaded(), replace(TINY, kernel_words=64)
    with pytest.raises(SpinplaneError) as alone:
        compile_graph(graph, machine)
    with pytest.raises(SpinplaneError) as together:
        compile_graph(graph, machine, batch=2)
    assert str(together.value) == str(alone.value)


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_has_an_image(batch):
    with pytest.raises(SpinplaneError, match=f"batch = {batch}: must be at least 1"):
        compile_graph(small_graph(), TINY, batch=batch)


def test_many_batches_at_once_equal_the_oracle():
    graph, images = small_graph(), small_images(4 * BATCH)
    program = compile_graph(graph, TINY, batch=BATCH)
    accelerator = Accelerator(TINY)
    accelerator.load(program)
    found = accelerator.run_images(images, layers=(0, 1))
    for number, right in enumerate(run_graph(graph, images)):
        np.testing.assert_array_equal(program.layers[number].output.values(found.maps[number]), right)
    assert found.run.counters == predict(program, resident=True).total
    with pytest.raises(SpinplaneError, match=f"^4 images: the program takes {BATCH} in each run$"):
        accelerator.run_images(images[:4])


def test_alexnet_takes_fewer_cycles_an_image():
    graph, machine = build_graph("alexnet-dorefa", BitWidths.parse("1:1")), load_machine("paper")
    program = compile_graph(graph, machine, batch=4)
    assert len(program.descriptors) == 170
    assert predict(program, resident=True).total.cycles <= 4 * 1_950_000


@pytest.mark.thorough
def test_alexnet_in_a_batch_equals_the_oracle():
    graph = build_graph("alexnet-dorefa", BitWidths.parse("1:1"))
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 224, 224))
    check(graph, load_machine("paper"), images, 4)
