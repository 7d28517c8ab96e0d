"""Damage to ONNX files: of their bytes, their structure and their meaning, each from a number."""

import random
import struct
from pathlib import Path

import numpy as np
import onnx
from integer_models import saved
from onnx import AttributeProto, TensorProto, helper
from onnx_models import QONNX, quant, save

from spinplane.commands.compile import compile_model
from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.frontend.onnx_file.model import read_model
from spinplane.compiler.frontend.onnx_file.wire import check_wire

from .harness import Kind, damage_bytes_often

WHOLE = (0, 1, -1, 2, 3, 255, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63))
NUMBERS = (0.0, -1.0, 1e-45, 1e38, 3e38, float("nan"), float("inf"), float("-inf"), 0.5, 7.0)


def whole_model(seed: int, folder: Path) -> onnx.ModelProto:
    """One of many small valid models: a chain of layers with what may follow them, or operators on codes."""
    if seed % 3:
        return saved(seed, folder, quantizers=seed % 3 == 1)
    draw = random.Random(seed)
    rng = np.random.default_rng(seed)
    channels, nodes, constants = 2, [quant("x", "q0", draw.choice([2, 4, 8]), signed=draw.randint(0, 1))], {}
    if draw.random() < 0.3:
        nodes.insert(0, helper.make_node("Mul", ["x", "half"], ["xm"], name="/input/Mul"))
        nodes[1].input[0] = "xm"
        constants["half"] = np.float32(0.5)
    tensor = "q0"
    for layer in range(draw.randint(1, 3)):
        kernels = draw.choice([2, 4])
        weights = rng.integers(-3, 4, (kernels, channels, 3, 3)).astype(np.float32)
        constants[f"w{layer}"] = weights
        if draw.random() < 0.3:
            bipolar = helper.make_node("BipolarQuant", [f"w{layer}", "one"], [f"wq{layer}"], domain=QONNX)
            nodes.append(bipolar)
        else:
            nodes.append(quant(f"w{layer}", f"wq{layer}", draw.choice([1, 2, 4])))
        options = draw.choice([{}, {"pads": [1, 1, 1, 1]}, {"dilations": [1, 2], "pads": [1, 2, 1, 2]}])
        convolution = helper.make_node(
            "Conv", [tensor, f"wq{layer}"], [f"s{layer}"], name=f"/{layer}/Conv", **options
        )
        nodes.append(convolution)
        tensor, channels = f"s{layer}", kernels
        for step in range(draw.randint(0, 3)):
            tensor = _step(draw, rng, nodes, constants, tensor, f"{layer}_{step}", kernels)
        nodes.append(quant(tensor, f"q{layer + 1}", draw.choice([1, 2, 4])))
        tensor = f"q{layer + 1}"
        if draw.random() < 0.3 and all(node.op_type != "AveragePool" for node in nodes[-5:]):
            nodes.append(helper.make_node("MaxPool", [tensor], [f"p{layer}"], kernel_shape=[2, 2]))
            tensor = f"p{layer}"
    if draw.random() < 0.5:
        nodes += [
            helper.make_node("Shape", [tensor], ["shape"]),
            helper.make_node("Constant", [], ["zero_index"], value_int=0),
            helper.make_node("Gather", ["shape", "zero_index"], ["batch"]),
            helper.make_node("Unsqueeze", ["batch", "axis"], ["batch_list"]),
            helper.make_node("Concat", ["batch_list", "rest"], ["target"], axis=0),
            helper.make_node("Reshape", [tensor, "target"], ["y"]),
        ]
        constants |= {"axis": np.array([0]), "rest": np.array([-1])}
    else:
        nodes.append(helper.make_node("Flatten", [tensor], ["y"]))
    return onnx.load(save(folder / "whole.onnx", nodes, constants, shape=(1, 2, 9, 9)))


def _step(draw, rng, nodes, constants, tensor, number, kernels):
    """An operator between sums and codes."""
    kind = draw.choice(["Mul", "Add", "BatchNormalization", "Relu", "Clip", "AveragePool"])
    if kind == "AveragePool" and nodes[-1].op_type != "Conv":
        kind = "Relu"
    inputs, options = [tensor], {}
    if kind in ("Mul", "Add"):
        constants[f"f{number}"] = rng.normal(0, 1, (1, kernels, 1, 1)).astype(np.float32)
        inputs.append(f"f{number}")
    elif kind == "BatchNormalization":
        constants[f"n{number}"] = rng.uniform(0.5, 2, kernels).astype(np.float32)
        inputs += [f"n{number}"] * 4
    elif kind == "Clip":
        inputs += ["zero", "one"]
    elif kind == "AveragePool":
        options = {"kernel_shape": [2, 2], "strides": [1, 1]}
    nodes.append(helper.make_node(kind, inputs, [f"t{number}"], name=f"/{number}/{kind}", **options))
    return f"t{number}"


def damaged(seed: int, folder: Path) -> bytes:
    """A model that is damaged once to four times."""
    draw = random.Random(f"damage {seed}")
    model = whole_model(seed % 50, folder)
    kind = seed % 3
    if kind == 0:
        data = model.SerializeToString()
        return damage_bytes_often(draw, data)
    for _ in range(draw.randint(1, 2 if kind == 2 else 4)):
        (_damage_structure if kind == 1 else _damage_meaning)(draw, model)
    return model.SerializePartialToString()


def _damage_structure(draw: random.Random, model: onnx.ModelProto) -> None:
    """Leave out, repeat, exchange or rename parts."""
    graph = model.graph
    names = (
        [t.name for t in graph.initializer]
        + [o for n in graph.node for o in n.output]
        + ["x", "", "elsewhere"]
    )
    node = draw.choice(graph.node) if graph.node else graph.node.add()
    kind = draw.randrange(10)
    parts = draw.choice(
        [graph.node, graph.initializer, graph.input, graph.output, node.attribute, model.opset_import]
    )
    if kind == 0 and parts:
        del parts[draw.randrange(len(parts))]
    elif kind == 1 and parts:
        parts.add().CopyFrom(draw.choice(parts))
    elif kind == 2 and node.input:
        node.input[draw.randrange(len(node.input))] = draw.choice(names)
    elif kind == 3 and node.output:
        node.output[draw.randrange(len(node.output))] = draw.choice(names)
    elif kind == 4 and node.input:
        del node.input[draw.randrange(len(node.input))]
    elif kind == 5:
        node.input.append(draw.choice(names))
    elif kind == 6:
        other = draw.choice(graph.node)
        node.op_type, other.op_type = other.op_type, node.op_type
    elif kind == 7:
        body = node.attribute.add(name="body", type=AttributeProto.GRAPH)
        body.g.node.add(op_type="Relu", input=["x"], output=["x"])
    elif kind == 8:
        node.name = draw.choice(["", "/0/Conv", "a\nb", "ü" * 300, "[/]", "\x1b[31m"])
    elif kind == 9 and graph.initializer:
        tensor = draw.choice(graph.initializer)
        draw.choice([tensor.ClearField, graph.ClearField])(draw.choice(["name"]))


def _damage_meaning(draw: random.Random, model: onnx.ModelProto) -> None:
    """Change a number, a type, a side or an operator."""
    graph = model.graph
    node, tensor = draw.choice(graph.node), draw.choice(graph.initializer)
    kind = draw.randrange(12)
    if kind >= 9:  # what is no other than a number
        kind = 5
        tensor = draw.choice([t for t in graph.initializer if t.data_type == TensorProto.FLOAT] or [tensor])
    if kind == 0 and node.attribute:
        _change_attribute(draw, draw.choice(node.attribute))
    elif kind == 1:
        name = draw.choice(
            ["strides", "pads", "dilations", "group", "kernel_shape", "auto_pad", "axis", "perm", "to"]
        )
        value = draw.choice([0, [0, 0], [2, 2], [1, 1, 1], "SAME_UPPER", b"\xff", 1.5, [], [2**40] * 4])
        node.attribute.append(helper.make_attribute(name, value, attr_type=None if value != [] else 7))
    elif kind == 2 and tensor.dims:
        tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice(WHOLE)
    elif kind == 3:
        tensor.dims.append(draw.choice([1, 1, *WHOLE]))
    elif kind == 4:
        tensor.data_type = draw.randrange(0, 25)
    elif kind == 5 and len(tensor.raw_data) >= 4:
        data, at = bytearray(tensor.raw_data), 4 * draw.randrange(len(tensor.raw_data) // 4)
        data[at : at + 4] = struct.pack("<f", draw.choice(NUMBERS))
        tensor.raw_data = bytes(data)
    elif kind == 6:
        node.op_type = draw.choice(
            ["Squeeze", "Expand", "ConstantOfShape", "Range", "Cast", "Gemm", "Transpose", "Pow"]
        )
    elif kind == 7:
        side = draw.choice(graph.input[0].type.tensor_type.shape.dim)
        side.dim_value = draw.choice(WHOLE)
    elif kind == 8:
        model.opset_import[draw.randrange(2)].version = draw.choice([0, 1, 7, 9, 99, 2**40])


def _change_attribute(draw: random.Random, attribute: onnx.AttributeProto) -> None:
    if draw.random() < 0.3:
        attribute.type = draw.randrange(0, 15)
    elif attribute.ints:
        attribute.ints[draw.randrange(len(attribute.ints))] = draw.choice(WHOLE)
    elif attribute.type == AttributeProto.INT:
        attribute.i = draw.choice(WHOLE)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = draw.choice(NUMBERS)
    else:
        attribute.s = draw.choice([b"", b"\xff\xfe", b"FLOOR", b"CEIL", b"nearest"])


ONNX = Kind(
    whole=lambda seed, folder: whole_model(seed % 50, folder).SerializeToString(),
    damaged=damaged,
    steps=[
        ("bytes", lambda path: check_wire(path.read_bytes())),
        ("container", read_model),
        ("values", lambda path: str(compile_model(import_model(path).graph, machine="paper8"))),
    ],
)
