"""Sums of two convolutions that are added before they are quantized: one layer, against the executors of files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.open_sums import FORMS, INPUT_CODES, SIDES, convolution, judged
from tests.random_networks.description import (
    INPUT,
    Activation,
    Addition,
    Arithmetic,
    Convolution,
    Layer,
    Network,
    Pool,
    Quantizer,
    Stage,
    Window,
)
from tests.random_networks.files import write
from tests.random_networks.judging import imported

CODES = Quantizer(bits=8, signed=True, scale=np.float32(0.0437), zero_point=-30)
#: Of the same maps as the input's codes.
EARLIER = Quantizer(bits=4, signed=False, scale=np.float32(0.42))
RELU, SWISH = Activation(operator="Relu"), Activation(operator="HardSwish")
SCALE = np.array([0.03, 0.05, 0.025, 0.0625, 0.04, 0.1], dtype=np.float32)
#: In ratios of small integers to the former.
RATIOS = np.array([1, 2, 0.5, -1, 4, 0.25], dtype=np.float32)


def layer(core: Convolution, source: int, sides: tuple[int, ...], *after: Stage) -> Layer:
    """Of open sums."""
    sides = core.window.output(sides)
    for stage in after:
        if isinstance(stage, Pool):
            sides = stage.window.output(sides)
    return Layer(sources=(source,), core=core, shape=(len(core.weights.codes), *sides), after=after)


def of_two(first: Layer, second: Layer, *before: Layer, after: tuple[Stage, ...] = (RELU,)) -> Network:
    """Both after what comes before them, and their sum."""
    count = len(before)
    added = Layer(
        sources=(count, count + 1), core=Addition(), shape=first.shape, after=after, quantizer=CODES
    )
    return Network(
        shape=(2, *SIDES),
        preparation=(),
        quantizer=INPUT_CODES,
        layers=(*before, first, second, added),
        outputs=(count + 2,),
        opset=16,
        low=-0.5,
        high=3.5,
    )


def rng_of(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def one_map() -> Network:
    """Of the input alone, by kernels of two sizes and scales in simple ratios."""
    rng = rng_of()
    first = convolution(rng, scale=SCALE, kernel=(3, 3), pads=(1, 0, 1, 2))
    second = convolution(rng, scale=SCALE * abs(RATIOS), kernel=(1, 3), pads=(0, 1, 0, 1))
    sides = first.window.output(SIDES)
    assert sides == second.window.output(SIDES)
    return of_two(layer(first, INPUT, SIDES), layer(second, INPUT, SIDES), after=(RELU, SWISH))


def two_maps(kernel: int = 1, stride: int = 2) -> Network:
    """The shortcut of a block that halves its sides: 1×1 over the large map, 3×3 over the small one."""
    rng = rng_of(5)
    halved = convolution(rng, channels=4, stride=(2, 2))
    before = replace(layer(halved, INPUT, SIDES), quantizer=EARLIER, after=(RELU,))
    first = convolution(rng, inputs=4, scale=SCALE)
    pads = (kernel // 2,) * 4
    second = convolution(rng, scale=2 * SCALE, kernel=(kernel, kernel), stride=(stride, stride), pads=pads)
    # Sums of codes of scale 0.42, and of codes of scale 0.21.
    return of_two(layer(first, 0, before.shape[1:]), layer(second, INPUT, SIDES), before)


def with_constants() -> Network:
    """Factors and addends of their own on both sides, one of them negative."""
    rng = rng_of(6)
    factor = Arithmetic(operator="Mul", constant=RATIOS)
    addend = Arithmetic(operator="Add", constant=np.linspace(-1, 1, 6, dtype=np.float32))
    first = layer(convolution(rng, scale=SCALE), INPUT, SIDES, factor)
    return of_two(first, layer(convolution(rng, scale=SCALE), INPUT, SIDES, addend))


def with_groups() -> Network:
    rng = rng_of(7)
    depthwise = replace(convolution(rng, inputs=1, scale=SCALE), groups=2)
    return of_two(layer(convolution(rng, scale=SCALE), INPUT, SIDES), layer(depthwise, INPUT, SIDES))


def with_gaps() -> Network:
    rng = rng_of(8)
    window = Window(kernel=(2, 3), stride=(1, 1), dilation=(3, 1), pads=(2, 1, 1, 1))
    gaps = replace(convolution(rng, scale=SCALE, kernel=(2, 3)), window=window)
    return of_two(layer(convolution(rng, scale=SCALE), INPUT, SIDES), layer(gaps, INPUT, SIDES))


def of_averages() -> Network:
    rng = rng_of(9)
    pool = Pool(kind="average", window=Window(kernel=(2, 2), stride=(2, 2), dilation=(1, 1), pads=(0,) * 4))
    layers = [layer(convolution(rng, scale=SCALE), INPUT, SIDES, pool) for _ in range(2)]
    return of_two(*layers, after=(SWISH,))


NETWORKS = {
    "one map": one_map(),
    "a shortcut over a larger map": two_maps(),
    "constants": with_constants(),
    "groups": with_groups(),
    "gaps": with_gaps(),
    "averages": of_averages(),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", FORMS)
def test_sums_of_two_equal_their_executor(form: str, name: str, tmp_path: Path) -> None:
    found = judged(form, NETWORKS[name], tmp_path)
    assert all(one.residual is None and one.addition is None for one in found.graph.layers)


def test_three_sums_are_added(tmp_path: Path) -> None:
    """Two of convolutions and an earlier map; two convolutions, and a third."""
    rng = rng_of(10)
    made = one_map()
    for third in (
        layer(convolution(rng, scale=SCALE, pads=(1, 0, 1, 2)), INPUT, SIDES),
        replace(layer(convolution(rng, scale=SCALE, pads=(1, 0, 1, 2)), INPUT, SIDES), quantizer=CODES),
    ):
        first, second, added = made.layers
        layers = (
            replace(third, shape=first.shape),
            first,
            second,
            replace(added, sources=(1, 2), after=(), quantizer=None),
            replace(added, sources=(3, 0), after=(RELU,)),
        )
        judged("qonnx", replace(made, layers=layers, outputs=(4,)), tmp_path)


REFUSED = {
    "scales in no ratio of small integers": (
        of_two(
            layer(convolution(rng_of(), scale=SCALE), INPUT, SIDES),
            layer(convolution(rng_of(), scale=SCALE * np.float32(1.37)), INPUT, SIDES),
        ),
        "whose scales have the ratio 1.37: their weights would need more than 8 bits",
    ),
    "maps of two sizes": (two_maps(kernel=3), "over maps of different sizes, or of different strides"),
    "a maximum": (
        of_two(
            *(
                layer(
                    convolution(rng_of(), scale=SCALE),
                    INPUT,
                    SIDES,
                    Pool(
                        kind="max",
                        window=Window(kernel=(2, 2), stride=(2, 2), dilation=(1, 1), pads=(0,) * 4),
                    ),
                )
                for _ in range(2)
            )
        ),
        "maxima of sums: quantize them first",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sums_that_one_layer_cannot_have_are_refused(name: str, tmp_path: Path) -> None:
    made, message = REFUSED[name]
    refusal = imported(write("qonnx", made, 0, tmp_path, count=1).path)
    assert isinstance(refusal, str)
    assert message in refusal
