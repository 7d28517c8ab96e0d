"""A network beside tensors of an executor: a difference shows at the node that makes it, and nowhere else."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from small_networks import small_graph, small_images

from spinplane.compiler.frontend.building import ImportedNetwork, TensorView
from spinplane.compiler.graph import CodeAddition, Residual, StepFunction, unscaled_output
from spinplane.compiler.judges.comparison import compare_tensors, tensors_to_compare
from spinplane.compiler.oracle import arrange, finish, linear, run_graph
from spinplane.machine import SpinplaneError

FILE_ORDER = (0, 2, 3, 1)


def view(tensor, shape, sides, *, scale=1.0, offset=0.0, order=(0, 1, 2, 3)):
    def spread(number):
        return np.full(sides[0], number)

    return TensorView(
        tensor=tensor,
        shape=shape,
        sides=sides,
        order=order,
        scale=spread(scale),
        offset=spread(offset),
        low=spread(-np.inf),
        high=spread(np.inf),
    )


def network(graph=None):
    """The small network as a file has it: channels last, codes of a half from −1 on."""
    views = {
        -1: view("x", (1, 6, 6, 1), (1, 6, 6), order=FILE_ORDER),
        0: view("codes", (1, 3, 3, 4), (4, 3, 3), scale=0.5, offset=-1.0, order=FILE_ORDER),
        1: view("output", (1, 3), (3, 1, 1), scale=0.5),
    }
    return ImportedNetwork(graph=graph or small_graph(), views=views, told=())


def executed(given, images):
    """Tensors as an executor gives them: float32, each image with a batch of its own."""
    maps = dict(enumerate(run_graph(given.graph, images))) | {-1: images}
    return {
        one.tensor: one.decode(maps[number]).astype(np.float32)[:, np.newaxis]
        for number, one in given.views.items()
    }


@pytest.fixture
def images():
    return small_images(5).astype(np.int64)


def test_an_equal_network_has_no_differences(images):
    given = network()
    assert tensors_to_compare(given) == ("x", "codes", "output")
    nodes = compare_tensors(given, images, executed(given, images))
    assert [(node.node, node.tensor, node.shape, node.elements) for node in nodes] == [
        ("input", "x", (1, 6, 6, 1), 180),
        ("conv", "codes", (1, 3, 3, 4), 180),
        ("dense", "output", (1, 3), 15),
    ]
    assert all((node.differing, node.near_ties, node.largest) == (0, 0, 0) for node in nodes)


def test_a_difference_does_not_spread(images):
    graph = small_graph()
    conv = graph.layers[0]
    wrong = replace(conv, steps=replace(conv.steps, thresholds=conv.steps.thresholds + 1))
    nodes = compare_tensors(
        network(replace(graph, layers=(wrong, graph.layers[1]))), images, executed(network(), images)
    )
    assert [node.differing > 0 for node in nodes] == [False, True, False]
    assert nodes[1].largest == 1


def test_a_batch_of_the_file_is_looked_at_once(images):
    given = network()
    tensors = {name: np.repeat(tensor, 4, axis=1) for name, tensor in executed(given, images).items()}
    nodes = compare_tensors(given, images, tensors)
    assert [(node.elements, node.differing) for node in nodes] == [(180, 0), (180, 0), (15, 0)]


def test_a_file_may_drop_its_batch(images):
    given = network()
    tensors = executed(given, images)
    tensors["output"] = tensors["output"][:, 0]
    assert [(node.elements, node.differing) for node in compare_tensors(given, images, tensors)][2] == (15, 0)


def test_one_wrong_number_is_counted_in_codes(images):
    given = network()
    tensors = executed(given, images)
    tensors["codes"][2, 0, 1, 1, 0] += 1.0 if tensors["codes"][2, 0, 1, 1, 0] < 0 else -1.0
    nodes = compare_tensors(given, images, tensors)
    # The layer behind it takes the executor's codes, and gives something else than the executor's output.
    assert [node.differing for node in nodes[:2]] == [0, 1]
    assert nodes[1].largest == 2
    assert 0 < nodes[2].differing <= 3


def test_sums_may_differ_by_what_float32_rounds(images):
    given = network()
    tensors = executed(given, images)
    tensors["output"] = tensors["output"] * np.float32(1 + 2e-7)
    (node,) = compare_tensors(given, images, tensors)[2:]
    assert node.differing == 0
    assert 0 < node.largest < 1e-4
    tensors["output"] = tensors["output"] + np.float32(0.01)
    (node,) = compare_tensors(given, images, tensors)[2:]
    assert (node.differing, node.elements) == (15, 15)
    assert node.largest == pytest.approx(0.01, rel=1e-2)


def test_whole_numbers_must_be_equal(images):
    graph = small_graph()
    given = network(graph)
    given.views[1] = view("output", (1, 3), (3, 1, 1))
    tensors = executed(given, images)
    tensors["output"] = tensors["output"].astype(np.int64)
    assert compare_tensors(given, images, tensors)[2].differing == 0
    tensors["output"][0] += 1
    assert compare_tensors(given, images, tensors)[2].differing == 3


@pytest.mark.parametrize("number", [np.nan, np.inf, 0.25])
def test_numbers_that_no_code_stands_for_differ(images, number):
    given = network()
    tensors = executed(given, images)
    tensors["codes"][0, 0, 0, 0, 0] = number
    nodes = compare_tensors(given, images, tensors)
    assert nodes[1].differing == 1
    assert nodes[1].largest >= 0.25
    assert nodes[2].differing == 0  # of the right codes


def test_an_output_that_no_map_is_has_a_line_of_its_own(images):
    given = network()
    del given.views[1]
    tensors = executed(network(), images)
    nodes = compare_tensors(given, images, tensors)
    assert [(node.node, node.tensor, node.differing) for node in nodes][2] == ("output", "output", 0)
    tensors["output"][1] += np.float32(0.01)
    assert compare_tensors(given, images, tensors)[2].differing == 3


def test_a_map_that_the_file_lacks_is_computed_from_those_before(images):
    given = network()
    tensors = executed(given, images)
    del given.views[0]
    nodes = compare_tensors(given, images, tensors)
    assert [(node.node, node.differing) for node in nodes] == [("input", 0), ("dense", 0)]


def test_near_ties_are_counted_apart(images):
    """Half of a code, give or take what float32 makes of it."""
    graph = small_graph()
    half = CodeAddition(source=None, own_scale=Fraction(1, 2), low=0, high=1, error=Fraction(1, 1 << 20))
    layers = (replace(graph.layers[0], addition=half), graph.layers[1])
    given = network(replace(graph, layers=layers))
    tensors = executed(given, images)
    exact = compare_tensors(given, images, tensors)[1]
    codes = run_graph(replace(graph, layers=graph.layers[:1]), images)[0]
    ties = int((codes == 1).sum())
    assert (exact.near_ties, exact.near_ties_differing, exact.differing) == (ties, 0, 0)
    # Half to even, 1/2 is 0; upward it is 1. What 3/2 becomes is clipped.
    tensors["codes"] = (np.minimum((codes + 1) // 2, 1) * 0.5 - 1).transpose(FILE_ORDER)[:, np.newaxis]
    found = compare_tensors(given, images, tensors.copy())[1]
    assert (found.near_ties_differing, found.differing, found.largest) == (int((codes == 1).sum()), 0, 1)


@pytest.mark.parametrize("steps", [False, True])
def test_near_ties_of_a_hidden_map_reach_those_that_take_it(images, steps):
    graph = small_graph()
    half = CodeAddition(source=None, own_scale=Fraction(1, 2), low=0, high=1, error=Fraction(1, 1 << 20))
    dense = graph.layers[1]
    if steps:
        thresholds = np.tile(np.arange(-20, 21), (3, 1))
        levels = np.arange(42) // 3 * np.where(np.arange(42) % 2, 1, -1)
        function = StepFunction(thresholds=thresholds, rising=np.ones(3, dtype=bool), levels=levels)
        dense = replace(dense, steps=function)
    given = network(replace(graph, layers=(replace(graph.layers[0], addition=half), dense)))
    tensors = executed(given, images)
    del given.views[0]
    # The executor rounds half of a code upward, wherever that is.
    codes = run_graph(replace(graph, layers=graph.layers[:1]), images)[0]
    upward = np.minimum((codes + 1) // 2, 1)
    assert (upward != run_graph(given.graph, images)[0]).any()
    sums = linear(dense, arrange(dense, upward))
    tensors["output"] = given.views[1].decode(finish(dense, sums)).astype(np.float32)[:, np.newaxis]
    assert compare_tensors(given, images, tensors)[1].differing == 0
    tensors["output"][0] = 1e3
    assert compare_tensors(given, images, tensors)[1].differing == 3


def test_a_hidden_map_that_is_added_before_levels_that_fall(images):
    """Ends of its values have one level, and what lies between them another one."""
    graph = small_graph()
    conv = graph.layers[0]
    vague = CodeAddition(source=None, own_scale=Fraction(1), low=0, high=3, error=Fraction(1))
    added = replace(
        conv,
        name="added",
        weights=np.ones((4, 1, 1, 1), dtype=np.int64),
        stride=(2, 2),
        padding=(0, 0, 0, 0),
        pool=None,
        inputs=(-1,),
        residual=Residual(source=0, scale=1, residual_scale=1),
        steps=StepFunction(
            thresholds=np.tile(np.arange(1, 7), (4, 1)),
            rising=np.ones(4, dtype=bool),
            levels=np.arange(7) % 2,
        ),
    )
    outputs = (unscaled_output(1, (1, 4, 3, 3)),)
    given = network(replace(graph, layers=(replace(conv, addition=vague), added), outputs=outputs))
    del given.views[0]
    given.views[1] = view("output", (1, 4, 3, 3), (4, 3, 3))
    tensors = executed(given, images)
    assert compare_tensors(given, images, tensors)[1].differing == 0
    tensors["output"][0] = 2
    assert compare_tensors(given, images, tensors)[1].differing == 36


def test_a_tensor_of_another_shape_is_refused(images):
    given = network()
    tensors = executed(given, images)
    tensors["output"] = tensors["output"][..., :2]
    with pytest.raises(
        SpinplaneError, match=r"tensor 'output': its executor gives the shape \(1, 2\), expected \(1, 3\)"
    ):
        compare_tensors(given, images, tensors)
