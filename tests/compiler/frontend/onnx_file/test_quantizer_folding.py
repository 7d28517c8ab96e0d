"""Constants behind quantizers are what their executors compute, and keep their codes."""

import numpy as np
import onnx
import pytest
from integer_models import MICROSOFT, session
from onnx import TensorProto, helper, numpy_helper
from onnx_models import QONNX
from qonnx.custom_op.general.intquant import int_quant

from spinplane.compiler.frontend.onnx_file.model import read_model
from spinplane.machine import SpinplaneError

RNG = np.random.default_rng(0)
REAL = RNG.normal(0, 3, (4, 3)).astype(np.float32)


def save(path, nodes, constants, version=21):
    graph = helper.make_graph(
        [*nodes, helper.make_node("Relu", ["x"], ["unused"])],
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_empty_tensor_value_info(name) for name in ("y", "unused")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    domains = {"": version, MICROSOFT: 1, QONNX: 1}
    versions = [helper.make_opsetid(name, number) for name, number in domains.items()]
    model = helper.make_model(graph, opset_imports=versions, ir_version=10)
    onnx.save(model, path)
    return model


@pytest.mark.parametrize("domain", ["", MICROSOFT])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int4", "uint4"])
def test_codes_and_their_numbers_are_onnxruntimes(kind, axis, domain, tmp_path):
    side = None if axis is None else REAL.shape[axis]
    scale = np.asarray(RNG.uniform(0.02, 0.5, side), np.float32)
    zero = RNG.integers(0, 8, side)
    number = getattr(TensorProto, kind.upper())
    typed = helper.make_tensor("z", number, np.shape(zero), np.ravel(zero).tolist())
    attributes = {} if axis is None else {"axis": axis}
    nodes = [
        helper.make_node("QuantizeLinear", ["w", "s", "z"], ["q"], domain=domain, **attributes),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], domain=domain, **attributes),
    ]
    model = save(tmp_path / "made.onnx", nodes, {"w": REAL, "s": scale})
    model.graph.initializer.append(typed)
    onnx.save(model, tmp_path / "made.onnx")
    expected, _ = session(model).run(None, {"x": np.ones((1, 2), np.float32)})
    found = read_model(tmp_path / "made.onnx")
    assert (found.constant("y", "") == expected).all()
    assert found.type("q") == kind
    assert found.type("y") == "float32"
    producer = found.producer("y")
    assert producer is not None
    assert producer.op_type == "DequantizeLinear"
    codes = found.constant(producer.inputs[0], "")
    assert codes.dtype.name == {"int4": "int8", "uint4": "uint8"}.get(kind, kind)
    assert not [node for node in found.nodes if node.op_type != "Relu"]


@pytest.mark.parametrize(
    "mode", ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN", "half_even"]
)
@pytest.mark.parametrize(
    ("bits", "signed", "narrow"), [(1, 1, 0), (2, 1, 1), (4, 0, 0), (8, 1, 0), (3, 0, 1)]
)
@pytest.mark.parametrize("kind", ["Quant", "IntQuant"])
def test_levels_are_qonnxs(mode, bits, signed, narrow, kind, tmp_path):
    values = np.concatenate([REAL.ravel(), np.arange(-6, 7) / 4]).astype(np.float32)
    parts = {"s": np.float32(0.25), "z": np.float32(0 if bits == 1 else 1), "b": np.float32(bits)}
    attributes = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
    node = helper.make_node(kind, ["w", "s", "z", "b"], ["y"], domain=QONNX, **attributes)
    save(tmp_path / "made.onnx", [node], {"w": values, **parts})
    expected = int_quant(values, parts["s"], parts["z"], parts["b"], signed, narrow, mode)
    assert (read_model(tmp_path / "made.onnx").constant("y", "") == expected).all()


@pytest.mark.parametrize("bits", [0, 0.5, 3.5, 32.5, 33])
def test_levels_of_no_whole_number_of_bits_are_refused(bits, tmp_path):
    node = helper.make_node(
        "Quant", ["w", "s", "z", "b"], ["y"], name="levels", domain=QONNX, signed=1, narrow=0
    )
    parts = {"s": np.float32(0.25), "z": np.float32(0), "b": np.float32(bits)}
    save(tmp_path / "made.onnx", [node], {"w": REAL, **parts})
    with pytest.raises(
        SpinplaneError, match=rf"^levels: its constants do not fit Quant: {float(bits)} bits$"
    ):
        read_model(tmp_path / "made.onnx").constant("y", "")


def test_what_is_computed_of_quantized_constants_is_so_when_asked_for(tmp_path):
    """A product that does not fit is found by the node that takes it, not before."""
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["r"]),
        helper.make_node("Transpose", ["r"], ["t"]),
        helper.make_node("Div", ["n", "d"], ["bad"], name="division"),
        helper.make_node("DequantizeLinear", ["bad", "s"], ["y"]),
    ]
    codes = RNG.integers(-8, 8, (3, 5)).astype(np.int32)
    constants = {"q": codes, "s": np.float32(0.5), "n": codes, "d": np.zeros(5, np.int32)}
    save(tmp_path / "made.onnx", [*nodes[:2], helper.make_node("Identity", ["t"], ["y"])], constants)
    found = read_model(tmp_path / "made.onnx")
    assert found.is_constant("t")
    assert (found.constant("t", "") == 0.5 * codes.T).all()
    assert found.shape("t", "") == (5, 3)
    save(tmp_path / "made.onnx", nodes, constants)
    with pytest.raises(SpinplaneError, match=r"^division: its constants do not fit Div: a division by 0$"):
        read_model(tmp_path / "made.onnx")


def test_numbers_of_codes_have_a_bound(tmp_path):
    """A quantizer after the other makes few codes many numbers."""
    codes = np.zeros((1 << 20,), np.int8)
    nodes = [helper.make_node("DequantizeLinear", ["q", "s"], ["n0"])]
    nodes += [helper.make_node("Neg", [f"n{n}"], [f"n{n + 1}"], name=f"neg{n}") for n in range(4)]
    save(
        tmp_path / "made.onnx",
        [*nodes, helper.make_node("Identity", ["n4"], ["y"])],
        {"q": codes, "s": np.float32(1)},
    )
    with pytest.raises(SpinplaneError, match=r"^neg\d: what .* is larger than 8 times the file and 1 MiB$"):
        read_model(tmp_path / "made.onnx").constant("y", "")
