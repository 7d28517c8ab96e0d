"""What random networks are drawn: all that the forms can say, in files that their executors run."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.random_networks.description import (
    INPUT,
    Activation,
    Addition,
    Concatenation,
    Convolution,
    Dense,
    Network,
    Pool,
    Quantizer,
    Window,
)
from tests.random_networks.drawing import random_network
from tests.random_networks.executors import execute
from tests.random_networks.files import random_file
from tests.random_networks.forms import FORMS, Form
from tests.random_networks.tflite_form import TfliteWriter

DRAWN = 400


def features(network: Network) -> Iterator[str]:
    """Words for what a network holds."""
    yield f"{len(network.shape) - 1} axes"
    yield f"given as {network.given}"
    yield f"batch {network.batch}"
    yield f"opset {network.opset}"
    yield f"{min(len(network.outputs), 2)} outputs"
    yield f"host {network.host}"
    if network.preparation:
        yield "preparation"
    yield from _of_quantizer(network.quantizer)
    taken = Counter(source for layer in network.layers for source in layer.sources)
    if any(count > 1 for source, count in taken.items() if source != INPUT):
        yield "branch"
    for layer in network.layers:
        yield type(layer.core).__name__
        if layer.quantizer:
            yield from _of_quantizer(layer.quantizer)
        for part in (layer.core, *layer.after):
            yield from _of_part(part)
        if isinstance(layer.core, Addition) and not all(map(network.quantizer_of, layer.sources)):
            yield "addition to open sums"
        if isinstance(layer.core, Concatenation):
            yield f"{len(layer.sources)} maps side by side"


def _of_quantizer(quantizer: Quantizer) -> Iterator[str]:
    yield f"{quantizer.bits} bits"
    yield f"rounding {quantizer.rounding}"
    yield "signed" if quantizer.signed else "unsigned"
    if quantizer.narrow:
        yield "narrow"
    if quantizer.thresholds is not None:
        yield "thresholds"
    if quantizer.truncates is not None:
        yield "truncation"
    if quantizer.scale.ndim:
        yield "codes scaled by channel"
    if quantizer.zero_point not in (0, quantizer.least):
        yield "zero point inside"


def _of_part(part: object) -> Iterator[str]:
    match part:
        case Convolution() | Dense():
            weights = part.weights.quantizer
            yield part.operator
            yield f"weights of {weights.bits} bits"
            if weights.scale.ndim:
                yield "weights scaled by kernel"
            if weights.zero_point:
                yield "zero point of weights"
            if part.bias is not None:
                yield "bias"
            if isinstance(part, Convolution):
                yield from _of_window(part.window)
                if part.groups > 1:
                    depthwise = part.weights.codes.shape[1] == 1
                    yield "depthwise" if depthwise else "groups"
                if part.pad_before:
                    yield "pad operator"
        case Pool():
            yield f"{part.kind} pool"
            if part.count_padding:
                yield "padding counted"
            yield from _of_window(part.window) if part.window else ["global pool"]
        case Activation():
            yield part.operator


def _of_window(window: Window) -> Iterator[str]:
    yield window.auto_pad
    half = len(window.pads) // 2
    if window.pads[:half] != window.pads[half:]:
        yield "asymmetric pads"
    if max(window.stride) > 1:
        yield "stride"
    if max(window.dilation) > 1:
        yield "dilation"
    if window.ceil_mode:
        yield "ceil mode"


EVERYWHERE = {
    *("Convolution", "Dense", "Pool", "Addition", "Concatenation", "Flattening", "Nothing"),
    *("0 axes", "1 axes", "2 axes", "branch", "2 outputs", "host Softmax", "host ArgMax", "given as float"),
    *("zero point inside", "weights scaled by kernel", "bias", "depthwise", "pad operator", "global pool"),
    *("max pool", "average pool", "SAME_UPPER", "VALID", "asymmetric pads", "stride", "dilation", "signed"),
    *("2 maps side by side", "3 maps side by side"),
}
OF_ONNX = {
    *("unsigned", "zero point of weights", "groups", "padding counted", "SAME_LOWER", "ceil mode"),
    *("preparation", "batch N", "batch 3"),
}
OF_NUMBERS = {
    *("addition to open sums", "codes scaled by channel", "Normalization", "Arithmetic", "given as uint8"),
    *("Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"),
    *("Conv", "Gemm", "MatMul"),
}
WANTED = {
    "qonnx": EVERYWHERE
    | OF_ONNX
    | OF_NUMBERS
    | {
        "narrow",
        "thresholds",
        "truncation",
        "Sign",
        *(f"rounding {name}" for name in FORMS["qonnx"].roundings),
    }
    | {f"{what}{bits} bits" for what in ("", "weights of ") for bits in range(1, 9)},
    "qdq": EVERYWHERE
    | OF_ONNX
    | OF_NUMBERS
    | {"given as codes"}
    | {f"{what}{bits} bits" for what in ("", "weights of ") for bits in range(2, 9)},
    "integer": EVERYWHERE
    | OF_ONNX
    | {"given as codes", "QLinearConv", "ConvInteger", "QLinearMatMul", "QGemm", "MatMulInteger", "Relu"},
    "tflite": EVERYWHERE
    | {"given as codes", "Relu", "Relu6", "ReluN1", "LeakyRelu", "HardSwish", "Sigmoid", "Tanh"},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_all_that_a_form_can_say_is_drawn(form: Form) -> None:
    networks = [random_network(form, seed) for seed in range(DRAWN)]
    drawn = {word for network in networks for word in features(network)}
    drawn |= {type(stage).__name__ for n in networks for layer in n.layers for stage in layer.after}
    assert not WANTED[form.name] - drawn


@pytest.mark.parametrize("form", FORMS)
def test_executors_run_the_files_to_the_shapes_that_were_drawn(form: str, tmp_path: Path) -> None:
    several = 0
    for seed in range(25):
        file = random_file(form, seed, tmp_path)
        network, tensors = file.network, execute(file)
        for at, number in enumerate(network.outputs):
            # TFLite's files name what they give by the layer where nothing follows it.
            given = tensors.get(f"y{at}", tensors.get(f"layer{number}"))
            assert given is not None
            shape = network.shape_of(number)
            if network.host != "ArgMax":
                assert given.shape[2:] == (TfliteWriter._shape(shape)[1:] if form == "tflite" else shape)
            several += len(np.unique(given)) > 1
    assert several > 20


def test_a_network_follows_from_its_seed(tmp_path: Path) -> None:
    for form in FORMS:
        contents = [random_file(form, 7, tmp_path).path.read_bytes() for _ in range(2)]
        assert contents[0] == contents[1]
        assert contents[0] != random_file(form, 8, tmp_path).path.read_bytes()
