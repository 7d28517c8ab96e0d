"""What a file computes of its constants is what onnxruntime computes of them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.onnx_file import folding, folding_rules
from spinplane.compiler.frontend.onnx_file.domains import BIPOLAR_QUANT, INT_QUANT, MICROSOFT, ONNX, QUANT
from spinplane.compiler.frontend.onnx_file.folding_rules import RULES, VIEWS
from spinplane.compiler.frontend.onnx_file.model import read_model
from spinplane.machine import SpinplaneError


def of_constants(path, nodes, constants, kind=TensorProto.FLOAT, version=13):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", kind, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8), path)
    return path


def executed(path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": np.ones((2, 3), np.float32)})
    return found


RNG = np.random.default_rng(0)
QUANTIZERS = {QUANT, INT_QUANT, BIPOLAR_QUANT}
QUANTIZERS |= {(d, f"{name}Linear") for d in (ONNX, MICROSOFT) for name in ("Quantize", "Dequantize")}
A, B = RNG.normal(0, 3, (4, 3)).astype(np.float32), RNG.uniform(0.1, 3, (1, 3)).astype(np.float32)
M, N = RNG.integers(-50, 50, (4, 3)), RNG.integers(1, 9, (4, 1))
#: Whole numbers, whose sums and products need no rounding.
W = RNG.integers(-9, 9, (4, 3)).astype(np.float32)
LIST = np.array([2, 0, 1])
YES = A > 0
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
CASES = [
    *[(op, [A, B], {}, FLOAT) for op in ("Add", "Sub", "Mul", "Div")],
    *[(op, [M, N], {}, INT64) for op in ("Add", "Sub", "Mul", "Div")],
    *[(op, [A], {}, FLOAT) for op in ("Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Reciprocal")],
    *[(op, [A], {}, FLOAT) for op in ("Relu", "Identity")],
    ("Sqrt", [B], {}, FLOAT),
    ("Not", [YES], {}, BOOL),
    *[(op, [A, B], {}, BOOL) for op in ("Equal", "Greater", "Less")],
    *[(op, [YES, ~YES], {}, BOOL) for op in ("And", "Or")],
    ("Where", [YES, A, B], {}, FLOAT),
    ("Cast", [A], {"to": INT64}, INT64),
    ("Cast", [M], {"to": FLOAT}, FLOAT),
    ("Cast", [A], {"to": BOOL}, BOOL),
    ("Transpose", [A], {}, FLOAT),
    ("Reshape", [A, np.array([-1, 2])], {}, FLOAT),
    ("Flatten", [A], {"axis": 0}, FLOAT),
    ("Unsqueeze", [A, np.array([0, 3])], {}, FLOAT),
    ("Squeeze", [B, np.array([0])], {}, FLOAT),
    ("Expand", [B, np.array([2, 4, 3])], {}, FLOAT),
    ("Gather", [A, LIST], {"axis": 1}, FLOAT),
    ("Gather", [A, np.array([-1])], {}, FLOAT),
    ("Gather", [LIST, np.array(1)], {}, INT64),
    ("Slice", [A, np.array([1]), np.array([3])], {}, FLOAT),
    ("Slice", [A, np.array([-1]), np.array([-100]), np.array([0]), np.array([-2])], {}, FLOAT),
    ("Slice", [A, np.array([0, 1]), np.array([2**62, -1]), np.array([1, 0])], {}, FLOAT),
    ("Concat", [A, B], {"axis": 0}, FLOAT),
    ("ConstantOfShape", [np.array([2, 3])], {}, FLOAT),
    ("ConstantOfShape", [np.array([2])], {"value": helper.make_tensor("v", INT64, [1], [7])}, INT64),
    ("Range", [np.array(1), np.array(9), np.array(3)], {}, INT64),
    ("Range", [np.float32(1), np.float32(0), np.float32(-0.25)], {}, FLOAT),
    *[(op, [A, B, W], {}, FLOAT) for op in ("Min", "Max", "Sum")],
    *[(op, [W], {"axes": [1]}, FLOAT) for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd")],
    ("ReduceMean", [W], {"axes": [-2], "keepdims": 0}, FLOAT),
    ("ReduceSum", [W], {}, FLOAT),
    ("ReduceSum", [W, np.array([0])], {"keepdims": 0}, FLOAT),
    ("Clip", [A, np.float32(-1), np.float32(2)], {}, FLOAT),
    ("Clip", [A, np.float32(-1)], {}, FLOAT),
    ("MatMul", [W, W.T], {}, FLOAT),
    ("Pad", [A, np.array([0, 1, 2, 0])], {}, FLOAT),
    ("Pad", [A, np.array([3, 0, 0, 1]), np.float32(7)], {}, FLOAT),
    ("Tile", [A, np.array([2, 3])], {}, FLOAT),
]  # fmt: skip


@pytest.mark.parametrize(("op", "operands", "attributes", "kind"), CASES)
def test_constants_are_what_onnxruntime_makes_of_them(op, operands, attributes, kind, tmp_path):
    constants = {f"c{number}": value for number, value in enumerate(operands)}
    node = helper.make_node(op, list(constants), ["y"], name="node", **attributes)
    path = of_constants(tmp_path / "made.onnx", [node], constants, kind)
    expected, model = executed(path), read_model(path)
    found = model.constant("y", "")
    assert model.is_constant("y")
    assert not model.nodes
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape == model.shape("y", "")
    assert (found == expected).all()


ROUNDED = [("Pow", [B, A]), ("Exp", [A]), ("Log", [B]), ("Pow", [B, np.float32(0.5)])]


@pytest.mark.parametrize(("op", "operands"), ROUNDED)
def test_powers_are_rounded_once(op, operands, tmp_path):
    """Executors are within one step of float32."""
    constants = {f"c{number}": value for number, value in enumerate(operands)}
    path = of_constants(tmp_path / "made.onnx", [helper.make_node(op, list(constants), ["y"])], constants)
    found = read_model(path).constant("y", "")
    np.testing.assert_array_max_ulp(found, executed(path), maxulp=1)


@pytest.mark.parametrize(("op", "operands", "attributes", "kind"), CASES)
def test_results_are_measured_before_they_are_there(op, operands, attributes, kind, tmp_path, monkeypatch):
    measured = []
    monkeypatch.setattr(folding.Folding, "_take", lambda self, node, size: measured.append(size))
    constants = {f"c{number}": value for number, value in enumerate(operands)}
    node = helper.make_node(op, list(constants), ["y"], name="node", **attributes)
    found = read_model(of_constants(tmp_path / "made.onnx", [node], constants, kind)).constant("y", "")
    whole = op in ("Cast", "Range", "ConstantOfShape")
    element = 8 if whole else max(np.asarray(value).itemsize for value in operands)
    assert measured == [0 if op in VIEWS else found.size * element]


def test_no_rule_is_left_out():
    """Quantizers have tests of their own."""
    seen = {(ONNX, case[0]) for case in (*CASES, *ROUNDED)}
    rules = {operator: rule for operator, rule in RULES.items() if operator not in QUANTIZERS}
    assert seen == set(rules)


def test_numbers_of_bfloat16_are_the_nearest_ones_with_ties_to_even(tmp_path):
    bits = np.array([0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F817FFF, 0xBF80FFFF], np.uint32)
    values = np.append(bits.view(np.float32), np.float32([0, np.inf, -np.inf, np.nan]))
    nodes = [
        helper.make_node("Cast", ["c"], ["b"], to=TensorProto.BFLOAT16),
        helper.make_node("Cast", ["b"], ["y"], to=FLOAT),
    ]
    found = read_model(of_constants(tmp_path / "made.onnx", nodes, {"c": values})).constant("y", "")
    expected = [0x3F800000, 0x3F800000, 0x3F820000, 0x3F810000, 0x3F810000, 0xBF810000]
    assert (found[:6].view(np.uint32) == np.array(expected, np.uint32)).all()
    np.testing.assert_array_equal(found[6:], values[6:])


@pytest.mark.parametrize("most", [47, 48, 49])
def test_the_most_products_of_constants(most, tmp_path, monkeypatch):
    monkeypatch.setattr(folding_rules, "_MOST_PRODUCTS", most)
    nodes = [helper.make_node("MatMul", ["left", "right"], ["y"], name="node")]
    path = of_constants(tmp_path / "made.onnx", nodes, {"left": W, "right": W.T})
    if most >= 48:
        assert (read_model(path).constant("y", "") == W @ W.T).all()
    else:
        with pytest.raises(
            SpinplaneError, match=r"^node: its constants do not fit MatMul: more than 47 prod"
        ):
            read_model(path)


def test_the_shape_of_an_image_is_a_constant(tmp_path):
    """As exporters write a view: shape, side, list, reshape."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Constant", [], ["first"], value_int=0),
        helper.make_node("Gather", ["shape", "first"], ["side"]),
        helper.make_node("Unsqueeze", ["side", "axis"], ["list"]),
        helper.make_node("Constant", [], ["rest"], value_ints=[-1, 1]),
        helper.make_node("Concat", ["list", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    path = of_constants(tmp_path / "made.onnx", nodes, {"axis": np.array([0])})
    model = read_model(path)
    assert executed(path).shape == (2, 3, 1)
    assert model.batch == 2
    assert model.shape("y", "") == (1, 3, 1)
    assert [node.op_type for node in model.consumers("x")] == ["Reshape"]


@pytest.mark.parametrize(
    ("op", "operands", "attributes", "message"),
    [
        ("Div", [M, N * 0], {}, "a division by 0"),
        ("Cast", [A * np.inf], {"to": INT64}, "a number that is not finite has no whole one"),
        ("Cast", [A * 1e9], {"to": TensorProto.INT8}, "a number beyond int8"),
        ("Cast", [A], {"to": TensorProto.STRING}, "object is no type of numbers"),
        ("Cast", [A], {"to": 99}, "no type 99"),
        ("Gather", [A, np.array([7])], {}, "index 7 is out of bounds for axis 0 with size 4"),
        ("ConstantOfShape", [np.array([-1])], {}, "no shape of up to 8 sides"),
        ("Slice", [A, *map(np.array, ([0], [1], [0], [0]))], {}, "slice step cannot be zero"),
        ("Range", [np.array(0), np.array(9), np.array(0)], {}, "float division by zero"),
    ],
)
def test_constants_that_do_not_fit_are_refused(op, operands, attributes, message, tmp_path):
    constants = {f"c{number}": value for number, value in enumerate(operands)}
    node = helper.make_node(op, list(constants), ["y"], name="node", **attributes)
    of_constants(tmp_path / "made.onnx", [node], constants)
    with pytest.raises(SpinplaneError) as error:
        read_model(tmp_path / "made.onnx")
    assert str(error.value) == f"node: its constants do not fit {op}: {message}"


def test_attributes_are_named(tmp_path):
    node = helper.make_node("Gather", ["a", "i"], ["y"], name="node", axis=2)
    of_constants(tmp_path / "made.onnx", [node], {"a": A, "i": LIST})
    with pytest.raises(SpinplaneError, match=r"^node: attribute 'axis' is 2, expected from -2 to 1$"):
        read_model(tmp_path / "made.onnx")


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("ConstantOfShape", ["sides"], ["y"], name="node")],
        [helper.make_node("Expand", ["one", "sides"], ["y"], name="node")],
        [helper.make_node("Range", ["first", "last", "step"], ["y"], name="node")],
        [helper.make_node("Add", ["row", "column"], ["y"], name="node")],
        [helper.make_node("Gather", ["row", "indices"], ["y"], name="node")],
        [
            helper.make_node("Concat", [f"d{n - 1}" if n else "column"] * 2, [f"d{n}"], name="node", axis=0)
            for n in range(40)
        ],
    ],
)
def test_few_numbers_do_not_become_many(nodes, tmp_path):
    constants = {
        "sides": np.array([1 << 20, 1 << 20]),
        "one": np.float32(1),
        "first": np.array(0),
        "last": np.array(1 << 50),
        "step": np.array(1),
        "row": np.ones((1, 1000), np.float32),
        "column": np.ones((1000, 1), np.float32),
        "indices": np.zeros((2000,), np.int64),
    }
    of_constants(tmp_path / "made.onnx", [*nodes, helper.make_node("Relu", ["x"], ["unused"])], constants)
    model = onnx.load(tmp_path / "made.onnx")
    model.graph.output[0].name = "unused"
    onnx.save(model, tmp_path / "made.onnx")
    with pytest.raises(
        SpinplaneError, match=r"node.*: what the file computes of its constants is larger than"
    ):
        read_model(tmp_path / "made.onnx")
