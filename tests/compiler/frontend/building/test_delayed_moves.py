"""Sums that are padded, or pooled twice, before they are quantized: their codes are, against the executors of files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.open_sums import FORMS, convolution, judged, network, prelu
from tests.random_networks.description import (
    Activation,
    Addition,
    Arithmetic,
    Border,
    Dense,
    Flattening,
    Layer,
    Network,
    Normalization,
    Pool,
    Quantizer,
    Stage,
    Weights,
    Window,
)
from tests.random_networks.files import write
from tests.random_networks.judging import imported

CODES = Quantizer(bits=8, signed=True, scale=np.float32(0.0237), zero_point=-30)
NARROW = Quantizer(bits=4, signed=True, scale=np.float32(0.1371), zero_point=-4)
RELU, SWISH = Activation(operator="Relu"), Activation(operator="HardSwish")
NORMALIZATION = Normalization(
    scale=np.array([1, 0.7, 0.3, 1.2, 2, 0.1], dtype=np.float32),
    bias=np.array([0.3, -1, 0, 2, -0.5, 0.1], dtype=np.float32),
    mean=np.array([0.1, 0.2, -1, 0.5, 0, 3], dtype=np.float32),
    variance=np.array([1, 2, 0.5, 1.5, 4, 1], dtype=np.float32),
)
FALLING = replace(NORMALIZATION, scale=np.array([1, -0.7, 0.3, -1.2, 2, -0.1], dtype=np.float32))


def pool(kind: str = "max", kernel: tuple[int, int] = (2, 2), **window: object) -> Pool:
    given = {"stride": (1, 1), "dilation": (1, 1), "pads": (0, 0, 0, 0), **window}
    return Pool(kind=kind, window=Window(kernel=kernel, **given))


def border(number: float = 0.0, pads: tuple[int, int, int, int] = (1, 0, 2, 1)) -> Border:
    return Border(pads=pads, number=number)


AFTER: dict[str, tuple[Stage, ...]] = {
    "two maxima": (pool(), pool(kernel=(3, 2), stride=(2, 1), pads=(1, 0, 1, 1))),
    "two padded maxima whose first leaves out a column": (
        pool(stride=(2, 2), pads=(1, 0, 1, 0)),
        pool(kernel=(2, 3), pads=(0, 1, 1, 1)),
    ),
    "a border that becomes another number in each channel": (border(), NORMALIZATION),
    "two maxima behind numbers that fall": (FALLING, pool(), RELU, pool(kernel=(1, 3))),
    "three maxima and functions": (pool(), RELU, pool(kernel=(2, 1)), prelu(*[0.1] * 6), pool(kernel=(1, 2))),
    "maxima of a function that falls and rises": (SWISH, pool(), pool(kernel=(2, 1))),
    "a maximum of means": (pool("average", stride=(2, 2)), pool(kernel=(2, 3))),
    "a padded maximum with gaps": (pool(dilation=(2, 3), pads=(1, 1, 1, 1)),),
    "means of means": (pool("average", stride=(2, 2)), pool("average", kernel=(3, 2), stride=(1, 2))),
    "means of means with gaps": (
        pool("average", kernel=(1, 2), dilation=(1, 2)),
        pool("average", kernel=(3, 1), stride=(2, 1), dilation=(2, 1)),
    ),
    "a mean of all means": (pool("average", stride=(2, 2)), Pool(kind="average")),
    "padding": (border(),),
    "padding by another number": (border(-0.75),),
    "padding beyond all codes": (border(-1e6),),
    "padding behind a Relu": (RELU, border()),
    "padding before a Relu": (border(-2.0), RELU),
    "padding before a function": (border(0.4), SWISH),
    "padding before a factor": (border(1.5), Arithmetic(operator="Mul", constant=np.float32(-0.5))),
    "padding twice": (border(0.3), border(-0.2, (0, 1, 1, 0))),
    "a padded maximum": (RELU, border(), pool(kernel=(3, 3), stride=(2, 2))),
    "a maximum that is padded": (pool(kernel=(3, 3), stride=(2, 2)), border()),
    "a mean that is padded": (pool("average", stride=(2, 2)), border(0.25)),
    "padding, a normalization of zeros, a maximum": (
        border(),
        Arithmetic(operator="Mul", constant=np.array([1, -2, 0.5, 1, 1, 3], dtype=np.float32)),
        pool(),
    ),
}


@pytest.mark.parametrize("quantizer", [CODES, NARROW], ids=["8 bits", "4 bits"])
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("form", FORMS)
def test_codes_are_moved_as_sums_would_be(
    form: str, after: str, quantizer: Quantizer, tmp_path: Path
) -> None:
    rng, opset = np.random.default_rng(7), 19 if "gaps" in after else 16
    judged(form, network(convolution(rng), AFTER[after], quantizer, opset=opset), tmp_path)


def test_codes_of_thresholds_are_moved(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    positions = np.sort(rng.uniform(-2, 3, (6, 15)), axis=1).astype(np.float32)
    for rows in (positions, positions[:1]):
        quantizer = Quantizer(bits=4, signed=False, scale=np.float32(0.25), thresholds=rows)
        after = (border(-5.0), pool()) if len(rows) > 1 else (border(0.3), pool())
        judged("qonnx", network(convolution(rng), after, quantizer), tmp_path)


def of_two(rng: np.random.Generator, after: tuple[Stage, ...], sides: tuple[int, int]) -> Network:
    """Sums to which an earlier map is added, and what comes after them."""
    earlier = network(convolution(rng), (), CODES).layers[0]
    made = network(convolution(rng), (), None)
    added = Layer(sources=(1, 0), core=Addition(), shape=(6, *sides), after=after, quantizer=NARROW)
    return replace(made, layers=(earlier, made.layers[0], added), outputs=(2,))


@pytest.mark.parametrize("form", FORMS)
def test_sums_of_two_are_pooled_and_padded(form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    judged(form, of_two(rng, (RELU, pool(stride=(2, 2))), (3, 3)), tmp_path)
    judged(form, of_two(rng, (SWISH, border(0.5), pool()), (9, 6)), tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_moved_sums_are_flattened_before_they_are_quantized(form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    made = network(convolution(rng), (pool(), border(0.5), pool()), None)
    (sums,) = made.layers
    count = int(np.prod(sums.shape))
    flat = Layer(sources=(0,), core=Flattening("Flatten"), shape=(count,), quantizer=NARROW)
    weights = Weights(
        codes=rng.integers(-8, 8, (5, count)), quantizer=Quantizer(bits=4, signed=True, scale=np.float32(0.1))
    )
    dense = Layer(sources=(1,), core=Dense(weights=weights), shape=(5,))
    judged(form, replace(made, layers=(sums, flat, dense), outputs=(2,)), tmp_path)


REFUSED: dict[str, tuple[tuple[Stage, ...], str]] = {
    "numbers that fall behind two maxima": ((pool(), pool(), FALLING), "numbers fall behind this maximum"),
    "a function behind two maxima": ((pool(), pool(), SWISH), "numbers fall behind this maximum"),
    "a mean of maxima": ((pool(), pool("average")), "an average of maxima of sums"),
    "means of overlapping means": (
        (pool("average"), pool("average")),
        "an average of averages whose windows overlap or lie apart",
    ),
}


@pytest.mark.parametrize("after", REFUSED)
def test_what_cannot_be_moved_is_refused(after: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    stages, message = REFUSED[after]
    refusal = imported(write("qonnx", network(convolution(rng), stages, CODES), 0, tmp_path, count=1).path)
    assert isinstance(refusal, str)
    assert message in refusal
