"""Models from files: equal to what qonnx computes of them."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from onnx_models import (
    BEGIN,
    CONV,
    QONNX,
    compare_with_float32,
    execute,
    execute_untouched,
    quant,
    run,
    save,
)

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError

NETWORKS = Path(str(files("spinplane"))) / "data" / "networks"
MODELS = Path(__file__).parents[4] / "shared" / "models"


@pytest.mark.parametrize("name", ["digits-1-1", "digits-1-2", "digits-1-4", "digits-2-2"])
def test_shipped_networks_are_exact(name):
    with np.load(NETWORKS / "mnist-test-200.npz") as shipped:
        images, labels = shipped["images"], shipped["labels"]
    path = NETWORKS / f"{name}.onnx"
    graph = import_model(path).graph
    outputs = graph.decode_outputs(run_graph(graph, graph.encode_input(images[:, np.newaxis])))[0]
    assert (outputs[:3] == np.concatenate([execute(path, image) for image in images[:3]])).all()
    assert (outputs.argmax(axis=1) == labels).mean() > 0.97


@pytest.mark.skipif(not MODELS.is_dir(), reason="the networks are not beside the repository (shared/models)")
def test_a_bipolar_cnv_gives_the_published_logits():
    with np.load(MODELS / "svhn_cnv_w1a1.npz") as photos:
        outputs = run(MODELS / "svhn_cnv_w1a1.onnx", photos["input"])
        assert (outputs == photos["logits"]).all()


@pytest.mark.skipif(not MODELS.is_dir(), reason="the networks are not beside the repository (shared/models)")
def test_an_export_with_all_its_leftovers():
    images = np.random.default_rng(0).random((3, 28, 28))
    outputs = run(MODELS / "tfc_w2a2.onnx", images[:, np.newaxis])
    expected = np.concatenate([execute(MODELS / "tfc_w2a2.onnx", image) for image in images])
    assert np.abs(outputs - expected).max() < 1e-5
    assert (outputs.argmax(axis=1) == expected.argmax(axis=1)).all()


def branches():
    rng = np.random.default_rng(2)
    column = (4, 1, 1)
    factor = rng.normal(0, 0.1, column).astype(np.float32)
    yield (
        "a bias, a product and a sum",
        [
            helper.make_node("Conv", ["xq", "wq", "b"], ["s"], strides=[2, 1], dilations=[1, 2]),
            helper.make_node("Mul", ["s", "f"], ["m"]),
            helper.make_node("Sub", ["m", "o"], ["d"]),
            quant("d", "y", 3),
        ],
        {
            "b": rng.normal(0, 9, 4).astype(np.float32),
            "f": factor,
            "o": rng.normal(0, 1, column).astype(np.float32),
        },
    )
    yield (
        "a maximum of sums, then a negative factor",
        [
            CONV,
            helper.make_node("MaxPool", ["s"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1]),
            helper.make_node("Mul", ["p", "f"], ["m"]),
            quant("m", "y", 2),
        ],
        {"f": -np.abs(factor)},
    )
    yield (
        "a maximum after the factor",
        [
            CONV,
            helper.make_node("Mul", ["s", "f"], ["m"]),
            helper.make_node("MaxPool", ["m"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Relu", ["p"], ["r"]),
            quant("r", "y", 2, signed=0),
        ],
        {"f": factor},
    )
    yield (
        "a negative factor after a maximum",
        [
            CONV,
            helper.make_node("Mul", ["s", "f"], ["m"]),
            helper.make_node("MaxPool", ["m"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Mul", ["p", "g"], ["n"]),
            quant("n", "y", 2),
        ],
        {"f": factor, "g": factor[::-1].copy() * 9},
    )
    yield (
        "an average, flattened, a matrix",
        [
            CONV,
            helper.make_node("AveragePool", ["s"], ["a"], kernel_shape=[3, 3], strides=[3, 3]),
            quant("a", "q", 3),
            helper.make_node("Flatten", ["q"], ["f"]),
            quant("v", "vq", 4),
            helper.make_node("MatMul", ["f", "vq"], ["p"]),
            helper.make_node("Div", ["p", "d"], ["y"]),
        ],
        {"v": rng.integers(-8, 8, (16, 5)).astype(np.float32), "d": np.float32(4)},
    )
    yield (
        "groups",
        [
            quant("x", "xq", 4, signed=0),
            quant("v", "vq", 3),
            helper.make_node("Conv", ["xq", "vq"], ["y"], group=2),
        ],
        {"v": rng.integers(-4, 4, (4, 1, 3, 3)).astype(np.float32)},
    )


def ends():
    """What stands between the last sums and the output."""
    rng = np.random.default_rng(8)
    column = (4, 1, 1)
    factor = np.array([2, -0.5, 0.25, -1], dtype=np.float32).reshape(column)
    offset = (rng.integers(-64, 64, column) / 4).astype(np.float32)
    constants = {"f": factor, "o": offset, "low": np.float32(-3), "high": np.float32(6.5)}
    maximum = {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 1]}
    affine = [helper.make_node("Mul", ["s", "f"], ["m"]), helper.make_node("Add", ["m", "o"], ["a"])]
    yield "a Relu", [CONV, helper.make_node("Relu", ["s"], ["y"])], constants
    yield "a Clip", [CONV, *affine, helper.make_node("Clip", ["a", "low", "high"], ["y"])], constants
    yield (
        "a Clip, then a negative factor",
        [
            CONV,
            helper.make_node("Clip", ["s", "", "high"], ["c"]),
            helper.make_node("Mul", ["c", "f"], ["y"]),
        ],
        constants,
    )
    yield "a maximum of sums", [CONV, helper.make_node("MaxPool", ["s"], ["y"], **maximum)], constants
    yield "a maximum", [CONV, *affine, helper.make_node("MaxPool", ["a"], ["y"], **maximum)], constants
    yield (
        "a Relu, a maximum, a negative factor",
        [
            CONV,
            *affine,
            helper.make_node("Relu", ["a"], ["r"]),
            helper.make_node("MaxPool", ["r"], ["p"], **maximum),
            helper.make_node("Mul", ["p", "f"], ["y"]),
        ],
        constants,
    )
    yield (
        "an average of a product",
        [CONV, *affine, helper.make_node("AveragePool", ["a"], ["y"], kernel_shape=[2, 2], strides=[2, 2])],
        constants,
    )


@pytest.mark.parametrize(
    ("nodes", "constants"), [(n, c) for _, n, c in ends()], ids=[i for i, _, _ in ends()]
)
def test_outputs_are_what_qonnx_makes_of_them(nodes, constants, tmp_path):
    path = save(tmp_path / "made.onnx", BEGIN + nodes, constants)
    for seed in range(4):
        image = np.random.default_rng(seed).integers(0, 16, (2, 6, 6))
        assert (run(path, image) == execute(path, image)).all()


def middles():
    """What stands between sums and a quantizer, with numbers that float32 rounds."""
    rng = np.random.default_rng(9)
    column = (4, 1, 1)
    numbers = {
        "f": rng.normal(0, 0.1, column),
        "g": rng.normal(0, 1, column),
        "o": rng.normal(0, 1, column),
        "gamma": rng.normal(0, 1, 4),
        "beta": rng.normal(0, 1, 4),
        "mean": rng.normal(0, 9, 4),
        "variance": rng.uniform(1, 99, 4),
        "third": 1 / 3,
        "five": 5,
    }
    constants = {name: np.asarray(number, dtype=np.float32) for name, number in numbers.items()}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    normalize = helper.make_node("BatchNormalization", ["s", "gamma", "beta", "mean", "variance"], ["n"])
    scale = helper.make_node("Mul", ["s", "f"], ["m"])
    yield "a normalization", [normalize, quant("n", "y", 4, scale="third")], constants
    yield (
        "a Relu before a signed quantizer",
        [normalize, helper.make_node("Relu", ["n"], ["r"]), quant("r", "y", 8, scale="f0")],
        {**constants, "f0": np.float32(0.011)},
    )
    yield (
        "a negative factor after a maximum",
        [
            scale,
            helper.make_node("MaxPool", ["m"], ["p"], **pool),
            helper.make_node("Mul", ["p", "g"], ["t"]),
            helper.make_node("Add", ["t", "o"], ["u"]),
            quant("u", "y", 3, scale="third"),
        ],
        constants,
    )
    yield (
        "an average after a normalization",
        [normalize, helper.make_node("AveragePool", ["n"], ["a"], **pool), quant("a", "y", 4, scale="third")],
        constants,
    )
    yield (
        "a Clip",
        [scale, helper.make_node("Clip", ["m", "", "third"], ["c"]), quant("c", "y", 8, scale="f0")],
        {**constants, "f0": np.float32(0.013)},
    )
    yield (
        "two quantizers",
        [scale, quant("m", "q", 8, scale="f0"), quant("q", "y", 4, scale="third")],
        {
            **constants,
            "f0": np.float32(0.02),
        },
    )
    yield (
        "two quantizers around a maximum, then a matrix",
        [
            scale,
            quant("m", "q", 8, scale="f0"),
            helper.make_node("MaxPool", ["q"], ["p"], **pool),
            quant("p", "r", 3, scale="third"),
            helper.make_node("Flatten", ["r"], ["l"]),
            quant("v", "vq", 4, scale="f0"),
            helper.make_node("MatMul", ["l", "vq"], ["t"]),
            quant("t", "y", 4, scale="third"),
        ],
        {**constants, "f0": np.float32(0.02), "v": rng.normal(0, 0.05, (36, 5)).astype(np.float32)},
    )


@pytest.mark.parametrize(
    ("nodes", "constants"), [(n, c) for _, n, c in middles()], ids=[i for i, _, _ in middles()]
)
@pytest.mark.parametrize("input_scale", [1.0, 0.37])
def test_codes_differ_from_qonnx_at_near_ties_only(nodes, constants, input_scale, tmp_path):
    begin = [quant("x", "xq", 4, signed=0, scale="si"), quant("w", "wq", 3)]
    path = save(tmp_path / "made.onnx", [*begin, CONV, *nodes], {**constants, "si": np.float32(input_scale)})
    near_ties = 0
    for seed in range(3):
        image = np.random.default_rng(seed).integers(0, 16, (2, 6, 6)) * input_scale
        near_ties += compare_with_float32(path, image)[0]
    assert near_ties < 10


@pytest.mark.parametrize(
    "rounding", ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
)
@pytest.mark.parametrize("zero_point", [0, 3])
def test_every_rounding_is_qonnxs(rounding, zero_point, tmp_path):
    """Sums in quarters, so that many lie on a tie and float32 is exact."""
    node = quant("m", "y", 4, signed=1)
    node.attribute.remove(next(a for a in node.attribute if a.name == "rounding_mode"))
    node.attribute.append(helper.make_attribute("rounding_mode", rounding))
    node.input[2] = "z"
    nodes = [*BEGIN, CONV, helper.make_node("Mul", ["s", "f"], ["m"]), node]
    path = save(tmp_path / "made.onnx", nodes, {"f": np.float32(0.25), "z": np.float32(zero_point)})
    image = np.random.default_rng(0).integers(0, 4, (2, 6, 6))
    assert compare_with_float32(path, image) == (0, 0)


def test_scales_that_are_equal_put_sums_on_ties_of_float32(tmp_path):
    """A tenth is not a number of float32: in exact arithmetic no sum is on a step, in float32 many are."""
    nodes = [
        quant("x", "xq", 4, scale="tenth"),
        quant("w", "wq", 4, scale="tenth"),
        CONV,
        quant("s", "y", 4, scale="tenth"),
    ]
    constants = {
        "tenth": np.float32(0.1),
        "w": np.random.default_rng(0).normal(0, 0.3, (4, 2, 3, 3)).astype(np.float32),
    }
    path = save(tmp_path / "made.onnx", nodes, constants)
    image = np.random.default_rng(1).normal(0, 0.3, (2, 6, 6))
    near_ties, differing = compare_with_float32(path, image)
    assert near_ties > differing > 0


@pytest.mark.parametrize(
    ("nodes", "constants"), [(n, c) for _, n, c in branches()], ids=[i for i, _, _ in branches()]
)
def test_operators_are_what_qonnx_makes_of_them(nodes, constants, tmp_path):
    begin = [] if nodes[0].op_type == "Quant" else BEGIN
    path = save(tmp_path / "made.onnx", begin + nodes, constants)
    for seed in range(4):
        image = np.random.default_rng(seed).integers(0, 16, (2, 6, 6))
        assert (run(path, image) == execute(path, image)).all()


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([CONV, helper.make_node("Softplus", ["s"], ["y"])], "(output 'y'): operator Softplus is not supported"),
        ([CONV, helper.make_node("Conv", ["s", "wq2"], ["y"]), quant("w2", "wq2", 2)], "its input is not quantized"),
        (
            [helper.make_node("Conv", ["xq", "thirds"], ["y"])],
            "its weights are not quantized, and are not all whole numbers",
        ),
        (
            [CONV, helper.make_node("AveragePool", ["s"], ["y"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])],
            "a padded average, or one of a sum of two: quantize its input first",
        ),
    ],
)  # fmt: skip
def test_what_no_integer_graph_says_is_refused(nodes, message, tmp_path):
    order = sorted(nodes, key=lambda node: node.op_type != "Quant")
    constants = {"w2": np.ones((2, 4, 1, 1)), "thirds": np.full((2, 2, 1, 1), 1 / 3)}
    constants = {name: value.astype(np.float32) for name, value in constants.items()}
    path = save(tmp_path / "made.onnx", BEGIN + order, constants)
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_an_average_behind_a_relu_without_a_quantizer_is_refused(tmp_path):
    nodes = [
        helper.make_node("Relu", ["s"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["y"], kernel_shape=[2, 2]),
    ]
    path = save(tmp_path / "made.onnx", [*BEGIN, CONV, *nodes], {})
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    assert str(error.value) == (
        f"model {path}: AveragePool (output 'y'): an average behind a Relu, a Clip or a function: quantize its input "
        "first"
    )


def test_clips_and_quantizers_that_change_no_code_pass(tmp_path):
    nodes = [
        *BEGIN,
        CONV,
        quant("s", "t", 3),
        helper.make_node("Clip", ["t", "least", "greatest"], ["u"]),
        quant("u", "y", 4, scale="half"),
    ]
    constants = {"least": np.float32(-4), "greatest": np.float32(3), "half": np.float32(0.5)}
    path = save(tmp_path / "made.onnx", nodes, constants)
    assert import_model(path).graph.layers[0].addition is None
    assert compare_with_float32(path, np.random.default_rng(0).integers(0, 16, (2, 6, 6))) == (0, 0)


@pytest.mark.parametrize("kept", [0, 10, 5_000, 100_000])
def test_a_truncated_model_is_one_line(kept, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes((NETWORKS / "digits-1-1.onnx").read_bytes()[:kept])
    with pytest.raises(SpinplaneError, match=r"cut\.onnx") as error:
        import_model(path)
    assert "\n" not in str(error.value)


def test_a_flat_input_becomes_an_image(tmp_path):
    constants = {"to": np.array([1, 2, 6, 6])}
    nodes = [helper.make_node("Reshape", ["x", "to"], ["r"]), quant("r", "xq", 4, signed=0), BEGIN[1]]
    conv = helper.make_node("Conv", ["xq", "wq"], ["y"])
    path = save(tmp_path / "made.onnx", [*nodes, conv], constants, shape=(1, 72))
    image = np.random.default_rng(0).integers(0, 16, 72)
    assert import_model(path).graph.input_shape == (2, 6, 6)
    assert (run(path, image) == execute(path, image)).all()


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        (
            [
                helper.make_node("Conv", ["xq", "wq"], ["s"]),
                helper.make_node("Mul", ["s", "f"], ["m"]),
                quant("m", "y", 4),
            ],
            {"f": np.arange(1, 5, dtype=np.float32)},
            "Mul (output 'm'): a constant of shape (4,) is not one value per channel",
        ),
        (
            [quant("v", "vq", 3), helper.make_node("MatMul", ["xq", "vq"], ["y"])],
            {"v": np.ones((7, 4), dtype=np.float32)},
            "a matrix of 7 inputs times a tensor of shape (1, 2, 6, 6)",
        ),
        (
            [quant("v", "vq", 3), helper.make_node("Conv", ["xq", "vq"], ["y"])],
            {"v": np.ones((4, 3, 3, 3), dtype=np.float32)},
            "weights of 3 channels in 1 groups, an input of 2 channels",
        ),
        (
            [quant("v", "vq", 3), helper.make_node("Conv", ["xq", "vq"], ["y"])],
            {"v": np.full((4, 2, 3, 3), np.nan, dtype=np.float32)},
            "its weights are not all finite",
        ),
        ([CONV, helper.make_node("MaxPool", ["s"], ["y"])], {}, "(output 'y'): has no attribute 'kernel_shape'"),
        (
            [CONV, helper.make_node("Mul", ["s", "f"], ["y"])],
            {"f": np.float32(np.inf)},
            "Mul (output 'y'): its constants are not all finite",
        ),
        ([CONV, helper.make_node("Div", ["s", "zero"], ["y"])], {}, "Div (output 'y'): a division by 0"),
        (
            [CONV, helper.make_node("Clip", ["s", "f"], ["y"])],
            {"f": np.float32(np.nan)},
            "Clip (output 'y'): its bounds are not numbers",
        ),
        (
            [CONV, helper.make_node("BatchNormalization", ["s", "a", "a", "a", "v"], ["y"])],
            {"a": np.ones(4, dtype=np.float32), "v": -np.ones(4, dtype=np.float32)},
            "its variance must be positive",
        ),
        (
            [
                helper.make_node("Reshape", ["x", "to"], ["r"]),
                quant("r", "rq", 4, signed=0),
                helper.make_node("Conv", ["rq", "wq"], ["y"]),
            ],
            {"to": np.array([1, 2, 4, 9])},
            "its input of shape (1, 2, 4, 9) is no longer an image of (2, 6, 6)",
        ),
    ],
)  # fmt: skip
def test_shapes_and_numbers_that_do_not_fit_are_refused(nodes, constants, message, tmp_path):
    begin = BEGIN[1:] if nodes[0].op_type == "Reshape" else BEGIN
    path = save(tmp_path / "made.onnx", begin + nodes, constants)
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def bipolar(source, target, scale):
    return helper.make_node("BipolarQuant", [source, scale], [target], domain=QONNX)


def weighted(operator, scales, quantizer=quant, order=None, bias=None, **attributes):
    """A layer on an input of (1, 4, 1, 3), or of (1, 12) where it is no Conv: weights are as long as scales allow."""
    shape = {"Conv": (4, 4, 1, 1), "MatMul": (12, 12), "Gemm": (12, 12)}[operator]
    shape = (3, 4, 1, 3) if operator == "Conv" and 3 in scales else shape
    stored = shape if order is None else tuple(shape[order.index(axis)] for axis in range(len(shape)))
    rng = np.random.default_rng(4)
    constants = {
        "v": rng.normal(0, 2, stored).astype(np.float32),
        "scales": np.float32(2) ** np.resize(np.arange(-2, 2, dtype=np.float32), scales),
    }
    nodes = [helper.make_node("Flatten", ["x"], ["f"])] if operator != "Conv" else []
    inputs = ["xq", "vq" if order is None else "vt"]
    if bias is not None:
        constants["b"] = rng.integers(-9, 10, bias).astype(np.float32)
        inputs.append("b")
    nodes.append(quant("f" if nodes else "x", "xq", 4, signed=0))
    if quantizer is quant:
        nodes.append(quant("v", "vq", 4, scale="scales"))
    else:
        nodes.append(bipolar("v", "vq", "scales"))
    if order is not None:
        nodes.append(helper.make_node("Transpose", ["vq"], ["vt"], perm=order))
    nodes.append(helper.make_node(operator, inputs, ["y"], **attributes))
    return nodes, constants


@pytest.mark.parametrize("quantizer", [quant, bipolar])
@pytest.mark.parametrize(
    ("operator", "scales", "options"),
    [
        ("Conv", (), {}),
        ("Conv", (1, 1, 1, 1), {}),
        ("Conv", (4, 1, 1, 1), {}),
        ("Conv", (1, 4, 1, 1), {"order": [1, 0, 2, 3]}),
        ("Conv", (4,), {"order": [3, 0, 1, 2]}),
        ("MatMul", (12,), {}),
        ("MatMul", (1, 12), {}),
        ("MatMul", (12, 1), {"order": [1, 0]}),
        ("Gemm", (12,), {}),
        ("Gemm", (12, 1), {"transB": 1}),
        ("Gemm", (1, 12), {"transB": 1, "order": [1, 0]}),
        ("Gemm", (12,), {"bias": (12,)}),
        ("Gemm", (12,), {"bias": (1, 12)}),
        ("Gemm", (12,), {"bias": ()}),
        ("Conv", (), {"bias": (4,)}),
    ],
)
def test_scales_of_kernels_are_what_qonnx_makes_of_them(operator, scales, options, quantizer, tmp_path):
    nodes, constants = weighted(operator, scales, quantizer, **options)
    path = save(tmp_path / "made.onnx", nodes, constants, shape=(1, 4, 1, 3))
    image = np.random.default_rng(0).integers(0, 16, (4, 1, 3))
    assert (run(path, image) == execute_untouched(path, image)).all()


@pytest.mark.parametrize("quantizer", [quant, bipolar])
@pytest.mark.parametrize(
    ("operator", "scales", "options", "allowed"),
    [
        ("Conv", (1, 4, 1, 1), {}, (4, 1, 1, 1)),
        ("Conv", (4, 4, 1, 1), {}, (4, 1, 1, 1)),
        ("Conv", (1, 1, 1, 3), {}, (3, 1, 1, 1)),
        ("Conv", (3,), {}, (3, 1, 1, 1)),
        ("Conv", (2, 1, 1, 1), {}, (4, 1, 1, 1)),
        ("Conv", (1, 4, 1, 1, 1), {}, (4, 1, 1, 1)),
        ("Conv", (4, 1, 1, 1), {"order": [1, 0, 2, 3]}, (1, 4, 1, 1)),
        ("MatMul", (12, 1), {}, (1, 12)),
        ("MatMul", (12, 12), {}, (1, 12)),
        ("MatMul", (12,), {"order": [1, 0]}, (12, 1)),
        ("Gemm", (12, 1), {}, (1, 12)),
        ("Gemm", (12,), {"transB": 1}, (12, 1)),
        ("Gemm", (12, 1), {"transB": 1, "order": [1, 0]}, (1, 12)),
    ],
)
def test_scales_of_other_axes_are_refused(operator, scales, options, allowed, quantizer, tmp_path):
    nodes, constants = weighted(operator, scales, quantizer, **options)
    path = save(tmp_path / "made.onnx", nodes, constants, shape=(1, 4, 1, 3))
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    shape, order = constants["v"].shape, options.get("order")
    try:
        spread = np.broadcast_shapes(shape, scales) == shape
    except ValueError:
        spread = False
    if not spread:
        name = "Quant" if quantizer is quant else "BipolarQuant"
        assert str(error.value) == (
            f"model {path}: {name} (output 'vq'): weights of shape {shape} with scales of shape {scales}: expected one "
            "scale, or one for each kernel"
        )
        return
    if options.get("transB"):
        # As a matrix product takes them: inputs, then outputs.
        order = (order or [0, 1])[::-1]
    scales = (1,) * (len(shape) - len(scales)) + scales
    shape, scales, allowed = (tuple(np.array(s)[order or ...].tolist()) for s in (shape, scales, allowed))
    assert str(error.value) == (
        f"model {path}: {operator} (output 'y'): weights of shape {shape} with scales of shape {scales}: expected one "
        f"scale, or one for each kernel, of shape {allowed}"
    )


@pytest.mark.parametrize(
    ("operator", "bias", "message"),
    [
        ("Conv", (1,), "Conv (output 'y'): a constant of shape (1,): expected (4,), one value per channel"),
        (
            "Conv",
            (4, 1),
            "Conv (output 'y'): a constant of shape (4, 1): expected (4,), one value per channel",
        ),
        ("Gemm", (12, 1), "Gemm (output 'y'): a constant of shape (12, 1) is not one value per channel"),
    ],
)
def test_biases_of_other_axes_are_refused(operator, bias, message, tmp_path):
    nodes, constants = weighted(operator, (), bias=bias)
    path = save(tmp_path / "made.onnx", nodes, constants, shape=(1, 4, 1, 3))
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    assert str(error.value) == f"model {path}: {message}"


FOUR_AXES = [
    quant("x", "xq", 4, signed=0),
    quant("v", "vq", 4),
    helper.make_node("MatMul", ["xq", "vq"], ["s"]),
]
SQUARE = {"v": np.random.default_rng(5).integers(-8, 8, (4, 4)).astype(np.float32)}


@pytest.mark.parametrize("shape", [(), (4,), (1, 4), (1, 1, 1, 4)])
def test_channels_of_a_matrix_are_its_last_axis(shape, tmp_path):
    nodes = [*FOUR_AXES, helper.make_node("Mul", ["s", "f"], ["m"]), quant("m", "y", 4)]
    factors = np.random.default_rng(6).normal(0, 0.1, shape).astype(np.float32)
    path = save(tmp_path / "made.onnx", nodes, {**SQUARE, "f": factors}, shape=(1, 1, 1, 4))
    image = np.random.default_rng(0).integers(0, 16, (1, 1, 4))
    assert (run(path, image) == execute(path, image)).all()


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            [helper.make_node("Add", ["s", "column"], ["y"])],
            "Add (output 'y'): a constant of shape (1, 4, 1, 1) is not one value per channel",
        ),
        (
            [helper.make_node("MaxPool", ["s"], ["y"], kernel_shape=[1, 2], strides=[1, 2])],
            "MaxPool (output 'y'): its input has the channels on axis 3, expected axis 1",
        ),
        (
            [quant("s", "t", 4), helper.make_node("Conv", ["t", "kq"], ["y"]), quant("k", "kq", 4)],
            "Conv (output 'y'): its input has the channels on axis 3, expected axis 1",
        ),
    ],
)
def test_channels_at_the_last_axis_are_not_taken_for_the_second(nodes, message, tmp_path):
    constants = {"column": np.ones((1, 4, 1, 1), np.float32), "a": np.ones(1, np.float32)}
    constants["k"] = np.ones((4, 1, 1, 4), np.float32)
    nodes = [*FOUR_AXES, *sorted(nodes, key=lambda node: "k" not in node.input)]
    path = save(tmp_path / "made.onnx", nodes, {**SQUARE, **constants}, shape=(1, 1, 1, 4))
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    assert str(error.value) == f"model {path}: {message}"
