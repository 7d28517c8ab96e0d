"""Networks of a convolution whose sums go through operators before they are quantized, as files of two forms."""

from pathlib import Path

import numpy as np
from checked_networks import check

from spinplane.compiler.frontend.building import ImportedNetwork
from spinplane.machine import load_machine
from tests.random_networks.description import (
    INPUT,
    Activation,
    Border,
    Convolution,
    Layer,
    Network,
    Pool,
    Quantizer,
    Stage,
    Weights,
    Window,
)
from tests.random_networks.files import NetworkFile, write
from tests.random_networks.judging import imported, input_values, judge

FORMS = ("qdq", "qonnx")
INPUT_CODES = Quantizer(bits=4, signed=False, scale=np.float32(0.21))
SIDES = (7, 6)


def convolution(
    rng: np.random.Generator,
    *,
    channels: int = 6,
    inputs: int = 2,
    scale: np.ndarray | None = None,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (1, 1, 1, 1),
) -> Convolution:
    """Of 4-bit weights with a scale of each kernel, or those that are given."""
    codes = rng.integers(-8, 8, (channels, inputs, *kernel))
    if scale is None:
        scale = rng.uniform(0.02, 0.1, channels).astype(np.float32)
    weights = Weights(codes=codes, quantizer=Quantizer(bits=4, signed=True, scale=scale))
    window = Window(kernel=kernel, stride=stride, dilation=(1, 1), pads=pads)
    return Convolution(weights=weights, window=window)


def network(
    core: Convolution, after: tuple[Stage, ...], quantizer: Quantizer | None, *, opset: int = 16
) -> Network:
    """The convolution, what comes after it and its quantizer."""
    sides = core.window.output(SIDES)
    for stage in after:
        if isinstance(stage, Pool):
            sides = stage.window.output(sides) if stage.window else (1, 1)
        if isinstance(stage, Border):
            sides = (sides[0] + stage.pads[0] + stage.pads[2], sides[1] + stage.pads[1] + stage.pads[3])
    shape = (len(core.weights.codes), *sides)
    layer = Layer(sources=(INPUT,), core=core, shape=shape, after=after, quantizer=quantizer)
    return Network(
        shape=(2, *SIDES),
        preparation=(),
        quantizer=INPUT_CODES,
        layers=(layer,),
        outputs=(0,),
        opset=opset,
        low=-0.5,
        high=3.5,
    )


def judged(form: str, made: Network, folder: Path) -> ImportedNetwork:
    """The import of a network's file, which equals its executor and runs on the functional machine as it should."""
    file: NetworkFile = write(form, made, 0, folder, count=4)
    found = imported(file.path)
    assert not isinstance(found, str), found
    assert judge(found, file)["differing"] == 0
    check(found.graph, load_machine("paper8"), input_values(found, file)[:2])
    return found


def prelu(*slopes: float) -> Activation:
    return Activation(operator="PRelu", slope=np.array(slopes, dtype=np.float32))
