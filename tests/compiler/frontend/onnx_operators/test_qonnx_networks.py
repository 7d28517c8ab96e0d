"""Operators around quantizers: every layer is what qonnx computes, but for near-ties."""

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import BEGIN, CONV, QONNX, compare_with_float32, quant, save

CHANNELS_LAST = "qonnx.custom_op.channels_last"
node = helper.make_node
RNG = np.random.default_rng(11)
#: Numbers of a map behind the first convolution.
FEATURES = 4 * 6 * 6
COLUMN = (4, 1, 1)
CONSTANTS = {
    "third": np.float32(1 / 3),
    "tenth": np.float32(0.1),
    "quarter": np.float32(0.25),
    "two": np.float32(2),
    "minus": np.float32(-1.5),
    "small": np.float32(0.03),
    "f": RNG.normal(0, 0.3, COLUMN).astype(np.float32),
    "o": RNG.normal(0, 3, COLUMN).astype(np.float32),
    "slopes": np.array([0.1, 0.25, 0, 1.5], dtype=np.float32).reshape(COLUMN),
    "scales": np.array([0.3, 0.5, 1, 2], dtype=np.float32).reshape(1, *COLUMN),
    "gamma": RNG.uniform(-2, 2, 4).astype(np.float32),
    "beta": RNG.normal(0, 1, 4).astype(np.float32),
    "mean": RNG.normal(0, 5, 4).astype(np.float32),
    "variance": RNG.uniform(1, 50, 4).astype(np.float32),
    "gamma2": np.array([0.5, 2], dtype=np.float32),
    "beta2": np.array([1, -1], dtype=np.float32),
    "k": RNG.integers(-4, 4, (3, 4, 1, 1)).astype(np.float32),
    "k3": RNG.integers(-4, 4, (4, 4, 3, 3)).astype(np.float32),
    "k8": RNG.integers(-4, 4, (3, 8, 1, 1)).astype(np.float32),
    "wide": RNG.normal(0, 3, (4, 2, 3, 3)).astype(np.float32),
    "pads": np.array([0, 0, 1, 2, 0, 0, 2, 1]),
    "thresholds": np.sort(RNG.normal(0, 20, (4, 7)), axis=1).astype(np.float32),
    "five": np.float32(5),
    "features": np.linspace(-1, 1, FEATURES, dtype=np.float32),
    "klast": RNG.integers(-4, 4, (3, 2, 1, 4)).astype(np.float32),
}
NORM = ["gamma", "beta", "mean", "variance"]
LAST = [quant("k", "kq", 3), node("Conv", ["z", "kq"], ["y"])]
Q = quant("s", "q", 4, scale="two")


def networks():
    """Nodes behind a first convolution (xq, wq, then its sums s)."""
    activations = {
        "LeakyRelu": node("LeakyRelu", ["s"], ["a"], alpha=0.1),
        "PRelu": node("PRelu", ["s", "slopes"], ["a"]),
        "Sigmoid": node("Sigmoid", ["m"], ["a"]),
        "Tanh": node("Tanh", ["m"], ["a"]),
        "HardSigmoid": node("HardSigmoid", ["m"], ["a"], alpha=0.3),
        "Sign": node("Sign", ["s"], ["a"]),
        "HardTanh": node("Clip", ["m", "minus", "two"], ["a"]),
    }
    scaled = node("Mul", ["s", "tenth"], ["m"])
    for name, operator in activations.items():
        for scale, bits in (("small", 8), ("quarter", 3)):
            if name in ("LeakyRelu", "PRelu"):
                scale = "third" if bits == 8 else "five"
            yield f"{name} at {bits} bits", [scaled, operator, quant("a", "y", bits, scale=scale)]
    yield (
        "a function, a negative factor and an offset",
        [
            scaled,
            activations["Sigmoid"],
            node("Mul", ["a", "minus"], ["b"]),
            node("Add", ["b", "o"], ["c"]),
            quant("c", "y", 8, scale="small"),
        ],
    )
    yield (
        "two functions",
        [
            node("Mul", ["s", "f"], ["m"]),
            activations["Tanh"],
            node("Sub", ["third", "a"], ["b"]),
            node("LeakyRelu", ["b"], ["c"], alpha=0.3),
            quant("c", "y", 8, scale="small"),
        ],
    )
    for name in ("LeakyRelu", "Sigmoid", "Tanh", "Sign"):
        yield (
            f"{name} of codes",
            [Q, node(name, ["q"], ["a"]), quant("a", "z", 4, scale="tenth"), *LAST],
        )
    yield "Relu of codes", [Q, node("Relu", ["q"], ["z"]), *LAST]
    yield "Clip of codes", [Q, node("Clip", ["q", "minus", "five"], ["a"]), quant("a", "z", 3), *LAST]
    yield "normalized codes", [Q, node("BatchNormalization", ["q", *NORM], ["a"]), quant("a", "z", 4), *LAST]
    yield "moved codes", [Q, node("Add", ["q", "two"], ["z"]), *LAST]
    yield "scales of channels", [quant("s", "q", 4, scale="scales"), quant("q", "z", 3, scale="two"), *LAST]
    yield "codes over 2", [Q, node("Div", ["q", "two"], ["z"]), *LAST]
    yield (
        "three quantizers",
        [Q, quant("q", "r", 4, scale="third"), quant("r", "t", 3, scale="five"), quant("t", "z", 2), *LAST],
    )
    yield "a padded map", [Q, node("Pad", ["q", "pads"], ["z"]), *LAST]
    yield "a map padded by 2", [Q, node("Pad", ["q", "pads", "two"], ["z"]), *LAST]
    yield (
        "a residual",
        [
            Q,
            quant("k3", "k3q", 3),
            node("Conv", ["q", "k3q"], ["t"], pads=[1, 1, 1, 1]),
            quant("t", "u", 4, scale="five"),
            node("Add", ["u", "q"], ["v"]),
            node("Relu", ["v"], ["w1"]),
            quant("w1", "z", 4, signed=0, scale="third"),
            *LAST,
        ],
    )
    yield (
        "a residual of sums and codes",
        [
            Q,
            quant("k3", "k3q", 3),
            node("Conv", ["q", "k3q"], ["t"], pads=[1, 1, 1, 1]),
            node("Add", ["q", "t"], ["v"]),
            node("Relu", ["v"], ["w1"]),
            quant("w1", "z", 4, signed=0, scale="third"),
            *LAST,
        ],
    )
    yield (
        "a residual of scales that have no ratio",
        [
            quant("s", "q", 4, scale="tenth"),
            quant("k3", "k3q", 3, scale="third"),
            node("Conv", ["q", "k3q"], ["t"], pads=[1, 1, 1, 1]),
            quant("s", "r", 4, scale="small"),
            node("Add", ["t", "r"], ["v"]),
            quant("v", "z", 4, scale="third"),
            *LAST,
        ],
    )
    yield (
        "a difference",
        [Q, quant("s", "r", 3, scale="five"), node("Sub", ["q", "r"], ["v"]), quant("v", "z", 4), *LAST],
    )
    yield (
        "a normalized sum of codes",
        [
            Q,
            quant("s", "r", 3, scale="five"),
            node("Add", ["q", "r"], ["v"]),
            node("BatchNormalization", ["v", *NORM], ["n"]),
            quant("n", "z", 4),
            *LAST,
        ],
    )
    yield (
        "maps side by side",
        [
            Q,
            quant("s", "r", 3, scale="two"),
            node("Concat", ["q", "r"], ["z"], axis=1),
            quant("k8", "kq", 3),
            node("Conv", ["z", "kq"], ["y"]),
        ],
    )
    yield (
        "maps of two scales side by side, quantized",
        [
            Q,
            quant("s", "r", 3, scale="third"),
            node("Concat", ["q", "r"], ["c"], axis=1),
            quant("c", "z", 3, scale="five"),
            quant("k8", "kq", 3),
            node("Conv", ["z", "kq"], ["y"]),
        ],
    )
    for last in (False, True):
        name = "the mean of codes" + (", quantized" if last else "")
        mean = [Q, node("AveragePool", ["q"], ["a"], kernel_shape=[2, 2], strides=[2, 2])]
        yield name, [*mean, *([quant("a", "z", 4)] if last else [node("Identity", ["a"], ["z"])]), *LAST]
    yield (
        "a padded mean of codes",
        [
            Q,
            node("AveragePool", ["q"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
            quant("a", "z", 4),
            *LAST,
        ],
    )
    yield (
        "a maximum in ceil mode",
        [node("MaxPool", ["s"], ["m"], kernel_shape=[3, 2], strides=[2, 4], ceil_mode=1), quant("m", "y", 4)],
    )
    yield (
        "a maximum of codes that others read",
        [
            Q,
            node("MaxPool", ["q"], ["m"], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
            node("Add", ["m", "q"], ["v"]),
            quant("v", "z", 4, scale="two"),
            *LAST,
        ],
    )
    yield (
        "thresholds",
        [node("MultiThreshold", ["s", "thresholds"], ["z"], domain=QONNX, out_dtype="UINT3"), *LAST],
    )
    yield (
        "thresholds around 0 behind a negative factor",
        [
            node("Mul", ["s", "f"], ["m"]),
            node(
                "MultiThreshold",
                ["m", "thresholds"],
                ["z"],
                domain=QONNX,
                out_dtype="INT4",
                out_scale=2.0,
                out_bias=-7.0,
            ),
            *LAST,
        ],
    )
    yield "a global mean of sums", [node("GlobalAveragePool", ["s"], ["g"]), quant("g", "z", 4), *LAST]
    yield (
        "a mean of one position to other codes of the same levels",
        [
            node("GlobalAveragePool", ["s"], ["g"]),
            quant("g", "h", 4, scale="two"),
            node("GlobalAveragePool", ["h"], ["i"]),
            quant("i", "z", 4, scale="third"),
            *LAST,
        ],
    )
    yield (
        "a constant for each feature of a flat map",
        [Q, node("Flatten", ["q"], ["t"]), node("Mul", ["t", "features"], ["m"]), quant("m", "y", 4)],
    )
    yield "a global mean of codes", [Q, node("GlobalAveragePool", ["q"], ["z"]), *LAST]


@pytest.mark.parametrize("nodes", [n for _, n in networks()], ids=[name for name, _ in networks()])
@pytest.mark.parametrize("input_scale", ["one", "third"])
def test_a_network_is_what_qonnx_computes(nodes, input_scale, tmp_path):
    begin = [quant("x", "xq", 4, signed=0, scale=input_scale), BEGIN[1], CONV]
    path = save(tmp_path / "made.onnx", [*begin, *nodes], CONSTANTS)
    for seed in range(2):
        rng = np.random.default_rng(seed)
        image = rng.integers(0, 16, (2, 6, 6)) * (1 if input_scale == "one" else float(CONSTANTS["third"]))
        near_ties, _ = compare_with_float32(path, image)
        assert near_ties < 20 or input_scale == "third"


def test_sums_that_are_added_to_themselves_are_doubled(tmp_path):
    path = save(tmp_path / "made.onnx", [*BEGIN, CONV, node("Add", ["s", "s"], ["y"])], {})
    image = np.random.default_rng(0).integers(0, 16, (2, 6, 6))
    assert compare_with_float32(path, image) == (0, 0)


def test_channels_last_are_what_qonnx_computes(tmp_path):
    nodes = [
        *BEGIN,
        CONV,
        node("Transpose", ["s"], ["t"], perm=[0, 2, 3, 1]),
        node("BatchNormalization", ["t", *NORM], ["n"], domain=CHANNELS_LAST),
        node("MaxPool", ["n"], ["m"], domain=CHANNELS_LAST, kernel_shape=[2, 3], strides=[2, 1]),
        quant("m", "z", 4, scale="two"),
        quant("klast", "kq", 3),
        node("Conv", ["z", "kq"], ["y"], domain=CHANNELS_LAST, kernel_shape=[2, 1]),
    ]
    path = save(tmp_path / "made.onnx", nodes, CONSTANTS)
    model = onnx.load(path)
    # qonnx does not infer them.
    shapes = {"xq": (1, 2, 6, 6), "wq": (4, 2, 3, 3), "s": (1, 4, 6, 6), "t": (1, 6, 6, 4), "n": (1, 6, 6, 4)}
    shapes |= {"m": (1, 3, 4, 4), "z": (1, 3, 4, 4), "kq": (3, 2, 1, 4)}
    model.graph.value_info.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()
    )
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (1, 2, 4, 3)))
    model.opset_import.append(helper.make_opsetid(CHANNELS_LAST, 13))
    onnx.save(model, path)
    for seed in range(2):
        image = np.random.default_rng(seed).integers(0, 16, (2, 6, 6))
        near_ties, _ = compare_with_float32(path, image)
        assert near_ties < 20
