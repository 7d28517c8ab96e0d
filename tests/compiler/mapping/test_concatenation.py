"""Maps side by side: which share pixels, which are copied, and what lies between them."""

from dataclasses import replace

import numpy as np
import pytest
from checked_networks import check, check_loops

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph, InputCoding, Layer, Residual, StepFunction, unscaled_output
from spinplane.compiler.mapping.concatenation import arrange_maps
from spinplane.compiler.mapping.parts import Part
from spinplane.machine import Coding, Machine, Operand, SpinplaneError

#: Four results in a cycle.
SMALL = Machine(name="small", sub_arrays=8, rows=192, columns=128, segments=4, results_per_cycle=4)
SAME = (1, 1, 1, 1)
I = Operand(bits=2)  # noqa: E741
BIPOLAR = Operand(bits=1, coding=Coding.BIPOLAR)


class Made:
    """Layers with seeded weights, one after the other."""

    def __init__(self, channels: int = 4, side: int = 4) -> None:
        self._rng = np.random.default_rng(0)
        self._channels, self._side = [channels], side
        self.layers = list[Layer]()

    def add(self, kernels: int, *inputs: int, w: Operand = BIPOLAR, i: Operand = I, **more: object) -> int:
        channels = sum(self._channels[source + 1] for source in inputs)
        size = (kernels, channels, 3, 3)
        options = {"padding": SAME, **more}
        self.layers.append(
            Layer(
                name=f"layer{len(self.layers)}",
                weights=w.scale * self._rng.integers(0, 2**w.bits, size) + w.smallest,
                w=w,
                i=i,
                bias=self._rng.integers(-9, 10, kernels),
                inputs=inputs,
                steps=StepFunction(
                    thresholds=np.sort(self._rng.integers(-20, 21, (kernels, 3))),
                    rising=np.ones(kernels, dtype=bool),
                    levels=np.arange(4),
                ),
                **options,
            )
        )
        self._channels.append(kernels)
        return len(self.layers) - 1

    def graph(self) -> Graph:
        last = len(self.layers) - 1
        return Graph(
            name="made",
            input_shape=(self._channels[0], self._side, self._side),
            input_coding=InputCoding(low=0, high=3),
            layers=tuple(self.layers),
            outputs=(unscaled_output(last, (1, self._channels[-1], self._side, self._side)),),
        )

    def check(self) -> tuple[list[list[int]], list[str]]:
        """Maps that share pixels, and the layers that need copies, of a graph that runs exactly."""
        graph = self.graph()
        inputs = self._rng.integers(0, 4, (2, *graph.input_shape))
        program = check(graph, SMALL, inputs)
        check_loops(graph, SMALL, inputs[:1])
        arranged = arrange_maps(graph)
        copies = [placed.stage.name for placed in program.stages if placed.stage.part is Part.COPY]
        assert len(copies) == len(arranged.graph.layers) - len(graph.layers)
        return [list(maps) for maps in arranged.together], copies


@pytest.mark.parametrize("channels", [(4, 8, 4), (3, 5, 2)])
def test_a_dense_block_needs_no_copies(channels: tuple[int, ...]) -> None:
    made = Made()
    first = made.add(channels[0], -1)
    second = made.add(channels[1], first)
    third = made.add(channels[2], first, second)
    made.add(4, first, second, third)
    assert made.check() == ([[0, 1, 2]], [])


@pytest.mark.parametrize("channels", [(4, 8), (3, 5)])
def test_maps_may_be_taken_in_any_order(channels: tuple[int, ...]) -> None:
    made = Made()
    first, second = (made.add(count, -1) for count in channels)
    third = made.add(3, second, first)
    fourth = made.add(3, first, second, pad_value=3)
    made.add(4, third, fourth, groups=1)
    assert made.check() == ([[1, 0], [2, 3]], [])


def test_a_map_of_two_concatenations_is_copied_for_the_second() -> None:
    made = Made()
    first, second, third = (made.add(3, -1) for _ in range(3))
    fourth = made.add(3, first, second)
    fifth = made.add(3, first, third)
    again = made.add(3, first, third)
    made.add(4, fourth, fifth, again)
    # The copy is layer 4 of the new graph, before the layer that needs it.
    assert made.check() == ([[0, 1], [4, 2], [3, 5, 6]], ["layer4"])


def test_a_map_that_is_taken_twice_is_copied() -> None:
    made = Made()
    first = made.add(3, -1)
    made.add(4, first, first, -1, -1)
    assert made.check() == ([[0, 1, -1, 2]], ["layer1", "layer1"])


def test_the_input_may_share_its_pixels_and_be_added() -> None:
    made = Made(channels=3)
    first = made.add(3, -1)
    second = made.add(3, first, -1, residual=Residual(source=-1, scale=1, residual_scale=2))
    made.add(4, -1, second, first)
    assert made.check() == ([[0, -1, 1]], [])


def test_other_values_have_pixels_of_their_own() -> None:
    made = Made()
    first, second, third = (made.add(3, -1) for _ in range(3))
    fourth = made.add(3, first, second)
    fifth = made.add(3, first, second, third, i=Operand(bits=3, zero_point=1))
    made.add(4, fourth, fifth)
    assert made.check() == ([[0, 1], [4, 5, 2], [3, 6]], ["layer4", "layer4"])


def test_a_flattened_concatenation_is_one_pixel() -> None:
    made = Made(side=3)
    first, second = made.add(3, -1), made.add(2, -1)
    layer = made.layers[made.add(3, first, second)]
    weights = np.random.default_rng(1).choice([-1, 1], (3, 5 * 9, 1, 1))
    made.layers[-1] = Layer(**{**vars(layer), "weights": weights, "flatten": True, "padding": (0, 0, 0, 0)})
    graph = made.graph()
    assert (
        check(graph, SMALL, np.random.default_rng(2).integers(0, 4, (2, 4, 3, 3))).layers[-1].output.width
        == 1
    )


def test_weights_of_one_bit_stay_so_where_what_lies_between_is_empty() -> None:
    def planes(**more: object) -> int:
        made = Made()
        first, second = made.add(3, -1), made.add(3, -1)
        made.add(4, first, second, **more)
        made.check()
        return compile_graph(made.graph(), SMALL).stages[-1].passes[0].kernel_planes

    assert planes() == 1
    # Padding fills the gaps too: their weights are 0, beside -1 and 1.
    assert planes(pad_value=2) == 2


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        (
            (0, 1),
            "output y: maps of 3×4×4 and 3×2×2 (channels, height, width) are not 6 channels of one height and width",
        ),
        (
            (0, 0, 0),
            "output y: maps of 3×4×4 and 3×4×4 and 3×4×4 (channels, height, width) are not 6 channels of ",
        ),
        ((0, 2), "output y: it is map 2: must be from 0 to 1, the outputs of layers"),
        ((), "output y: it is map -1: must be from 0 to 1, the outputs of layers"),
    ],
)
def test_outputs_that_fit_no_layers_are_refused(layers: tuple[int, ...], text: str) -> None:
    made = Made()
    made.add(3, -1)
    made.add(3, 0, stride=(2, 2))
    outputs = (unscaled_output(1, (1, 3)), replace(unscaled_output(0, (1, 6)), name="y", layers=layers))
    with pytest.raises(SpinplaneError) as error:
        compile_graph(replace(made.graph(), outputs=outputs), SMALL)
    assert str(error.value).startswith(text)


def test_a_network_has_an_output_and_no_sums_within() -> None:
    made = Made()
    made.add(3, -1)
    made.add(3, 0)
    graph = made.graph()
    with pytest.raises(SpinplaneError, match=r"^network made: it has no output$"):
        compile_graph(replace(graph, outputs=()), SMALL)
    sums = replace(graph, layers=(replace(graph.layers[0], steps=None), graph.layers[1]))
    with pytest.raises(
        SpinplaneError, match=r"^layer layer0: its sums enter another layer without requantization$"
    ):
        compile_graph(sums, SMALL)


def test_maps_of_other_sides_are_refused() -> None:
    made = Made()
    first, second = made.add(3, -1), made.add(3, -1, stride=(2, 2))
    made.add(4, first, second)
    text = (
        "layer layer2: it takes maps of 3×4×4 and 3×2×2 \\(channels, height, width\\) side by side: their heights and "
        "widths must be the same"
    )
    with pytest.raises(SpinplaneError, match=f"^{text}$"):
        compile_graph(made.graph(), SMALL)
