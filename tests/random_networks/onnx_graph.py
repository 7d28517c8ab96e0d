"""Nodes, constants and outputs of an ONNX file while it is written."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .description import Activation, Arithmetic, Border, Layer, Network, Normalization, Pool, Stage, Window

QONNX = "qonnx.custom_op.general"
MICROSOFT = "com.microsoft"
_CODES = {TensorProto.INT8: np.int8, TensorProto.UINT8: np.uint8}


class OnnxGraph:
    """An ONNX graph of one input, to which nodes are appended; each gives one tensor, named by what made it.

    Parameters
    ----------
    opset, qonnx_version : int
        Versions of ONNX's operators and of QONNX's.
    """

    def __init__(self, opset: int, qonnx_version: int = 1) -> None:
        self.opset, self.qonnx_version = opset, qonnx_version
        self._nodes = list[onnx.NodeProto]()
        self._constants = list[onnx.TensorProto]()
        self._domains = {"": opset}

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Append a node and return the name of what it gives."""
        if domain:
            self._domains[domain] = self.qonnx_version if domain == QONNX else 1
        name = f"{operator.lower()}_{len(self._nodes)}"
        output = f"{name}_out"
        given = {key: value for key, value in attributes.items() if value is not None}
        self._nodes.append(
            helper.make_node(operator, list(inputs), [output], name=name, domain=domain, **given)
        )
        return output

    def constant(self, value: object, kind: int | None = None) -> str:
        """Name of a constant; `kind` is a type that numpy does not have."""
        name = f"constant_{len(self._constants)}"
        array = np.asarray(value)
        if kind in _CODES:
            array, kind = array.astype(_CODES[kind]), None
        if kind is None:
            self._constants.append(numpy_helper.from_array(array, name))
        else:
            self._constants.append(helper.make_tensor(name, kind, array.shape, array.ravel().tolist()))
        return name

    def model(self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, "random", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._domains.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        standard = [n for n in self._nodes if n.domain]
        onnx.checker.check_model(model, full_check=not standard)
        return model

    def rename_output(self, tensor: str, name: str) -> None:
        """The tensor, which an Identity copies where an earlier output is the same one."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=f"give_{name}"))

    def stage(self, stage: Stage, tensor: str, shape: tuple[int, ...]) -> str:
        """An operator of numbers on a tensor of shape (batch, *shape)."""
        per_channel = (-1, *(1 for _ in shape[1:]))
        match stage:
            case Normalization(scale=scale, bias=bias, mean=mean, variance=variance):
                parameters = (self.constant(n) for n in (scale, bias, mean, variance))
                return self.node("BatchNormalization", tensor, *parameters)
            case Arithmetic(operator=operator, constant=constant):
                if constant.ndim:
                    constant = constant.reshape(per_channel)
                return self.node(operator, tensor, self.constant(constant))
            case Pool():
                return self.pool(stage, tensor, shape)
            case Border(pads=pads, number=number):
                window = Window(kernel=(1,) * (len(shape) - 1), stride=(), dilation=(), pads=pads)
                return self.padded(tensor, window, self.constant(np.float32(number)))
            case Activation(low=low, high=high) if low is not None:
                if self.opset < 11:
                    return self.node("Clip", tensor, min=low, max=high)
                return self.node("Clip", tensor, *(self.constant(np.float32(n)) for n in (low, high)))
            case Activation(operator="LeakyRelu", slope=slope):
                return self.node("LeakyRelu", tensor, alpha=float(slope))
            case Activation(operator="PRelu", slope=slope):
                return self.node("PRelu", tensor, self.constant(slope.reshape(per_channel)))
            case Activation(operator=operator):
                return self.node(operator, tensor)

    def pool(self, pool: Pool, tensor: str, shape: tuple[int, ...]) -> str:
        """A pool of numbers, or a maximum of codes."""
        kind = "Max" if pool.kind == "max" else "Average"
        axes = list(range(2, 1 + len(shape)))
        if pool.mean and self.opset >= 18:
            return self.node("ReduceMean", tensor, self.constant(np.array(axes)), keepdims=0)
        if pool.mean:
            return self.node("ReduceMean", tensor, axes=axes, keepdims=0)
        if pool.window is None:
            return self.node(f"Global{kind}Pool", tensor)
        attributes = self.window(pool.window, ceil_mode=pool.window.ceil_mode or None)
        if pool.count_padding:
            attributes["count_include_pad"] = 1
        return self.node(f"{kind}Pool", tensor, **attributes)

    def window(self, window: Window, *, ceil_mode: bool | None = None) -> dict[str, object]:
        """Attributes of a window; those that are the operator's own defaults are left out."""
        automatic = window.auto_pad != "NOTSET"
        return {
            "kernel_shape": list(window.kernel),
            "strides": list(window.stride) if set(window.stride) != {1} else None,
            "dilations": list(window.dilation) if set(window.dilation) != {1} else None,
            "pads": None if automatic or not any(window.pads) else list(window.pads),
            "auto_pad": window.auto_pad if automatic else None,
            "ceil_mode": int(ceil_mode) if ceil_mode else None,
        }

    def padded(self, tensor: str, window: Window, value: str = "") -> str:
        """A Pad with the window's pads; `value` is a constant, 0 if none is given."""
        axes = len(window.kernel)
        pads = [0, 0, *window.pads[:axes], 0, 0, *window.pads[axes:]]
        if self.opset < 11:
            return self.node("Pad", tensor, pads=pads)
        given = (value,) if value else ()
        return self.node("Pad", tensor, self.constant(np.array(pads)), *given)

    def flattened(self, operator: str, tensor: str) -> str:
        if operator == "Flatten":
            return self.node("Flatten", tensor)
        return self.node("Reshape", tensor, self.constant(np.array([0, -1])))

    def hosted(self, operator: str | None, tensor: str) -> str:
        """Softmax or ArgMax after the last layer."""
        if operator is None:
            return tensor
        return self.node(operator, tensor, axis=1)


def input_info(network: Network, kind: int) -> onnx.ValueInfoProto:
    shape = network.shape
    if network.channels_last:
        shape = (*shape[1:], shape[0])
    return helper.make_tensor_value_info("x", kind, [network.batch, *shape])


def output_info(network: Network, layer: Layer, name: str, kind: int) -> onnx.ValueInfoProto:
    shape = layer.shape
    if network.host == "ArgMax":
        shape, kind = (1,), TensorProto.INT64
    return helper.make_tensor_value_info(name, kind, [network.batch, *shape])
