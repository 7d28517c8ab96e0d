"""Export trained networks as QONNX, computing on integers throughout.

The input is an image of pixels 0 to 255. Weights and activations are codes: the scales of DoReFa's
quantizers lie in batch-norm alone, so convolutions and average pooling add up small integers, which float32
does exactly.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .model import Block, LowBitNetwork
from .quantizers import UNQUANTIZED
from .settle import Affine, affines, normalization, settle, weight_codes

QONNX_DOMAIN = "qonnx.custom_op.general"
OPSET, IR_VERSION = 13, 8


def export(model: LowBitNetwork, *, fold: bool = False) -> onnx.ModelProto:
    """A trained network as a QONNX model that computes the integers of ``settle(model)``.

    Weights of one bit are ``BipolarQuant`` of scale 1. DoReFa's weights of N > 1 bits, the odd numbers
    2q − (2^N − 1), are unsigned ``Quant`` of scale 2 and zero point (2^N − 1)/2. Edge layers have narrow
    signed 8-bit weights of scale 1. Activations are unsigned ``Quant`` of scale 1. Logits are whole numbers.
    With unquantized edge layers (``edge_bits`` of 32) their weights stay as they are, and only the layers
    between compute on integers.

    Parameters
    ----------
    model : LowBitNetwork
    fold : bool
        Put batch-norm as a product and a sum, else as a ``BatchNormalization``.
    """
    settled = settle(model)
    network = settled.network
    graph = _Graph()
    value = "image"
    if network.edge_bits != UNQUANTIZED:
        value = graph.quant("image_codes", value, bits=8)
    for block, affine in zip(settled.blocks, affines(settled), strict=True):
        value = _add_block(graph, block, affine, value, fold)
    graph.node("Flatten", "logits", [value])
    image = [1, network.channels, network.side, network.side]
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, network.classes])],
            graph.constants,
        ),
        producer_name="spinplane",
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(QONNX_DOMAIN, 1)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(made, {"network": network.name, "bits": str(settled.bits)})
    return made


def _add_block(graph: "_Graph", block: Block, affine: Affine, value: str, fold: bool) -> str:
    layer, name = block.layer, block.layer.name
    value = graph.node(
        "Conv",
        f"{name}_sums",
        [value, _weights(graph, block)],
        kernel_shape=[layer.kernel] * 2,
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        group=layer.groups,
    )
    graph.nodes[-1].name = name  # of the layer, in all reports
    pool = layer.pool
    if pool and pool.kind == "average":
        shape = {"kernel_shape": [pool.size] * 2, "strides": [pool.stride] * 2}
        value = graph.node("AveragePool", f"{name}_average", [value], **shape)
    value = _normalize(graph, block, affine, value, fold)
    if pool and pool.kind == "max":
        before, after = pool.padding
        shape = {"kernel_shape": [pool.size] * 2, "strides": [pool.stride] * 2}
        value = graph.node("MaxPool", f"{name}_max", [value], **shape, pads=[before, before, after, after])
    if not layer.activation:
        return value
    if block.activation == "abs":
        value = graph.node("Abs", f"{name}_abs", [value])
    if block.output_bits != UNQUANTIZED:
        return graph.quant(f"{name}_codes", value, bits=block.output_bits)
    limits = [graph.constant(f"{name}_low", 0), graph.constant(f"{name}_high", 1)]
    return graph.node("Clip", f"{name}_clipped", [value, *limits])


def _weights(graph: "_Graph", block: Block) -> str:
    name = block.layer.name
    codes = graph.constant(f"{name}_weight", weight_codes(block))
    bits = block.weight_bits
    if bits == UNQUANTIZED:
        return codes
    if block.layer.edge:
        return graph.quant(f"{name}_weight_codes", codes, bits=bits, signed=True)
    if bits == 1:
        scale = graph.constant(f"{name}_weight_scale", 1)
        return graph.node("BipolarQuant", f"{name}_weight_codes", [codes, scale], domain=QONNX_DOMAIN)
    return graph.quant(f"{name}_weight_codes", codes, bits=bits, scale=2, zero_point=(2**bits - 1) / 2)


def _normalize(graph: "_Graph", block: Block, affine: Affine, value: str, fold: bool) -> str:
    name, norm = block.layer.name, block.batch_norm
    if norm is not None and not fold:
        gamma, beta, mean, variance = normalization(norm)
        if (bias := block.convolution.bias) is not None:
            mean = mean - bias.detach().numpy()
        # In units of sums ε would differ from layer to layer: it goes into the variance.
        parameters = {
            "gamma": gamma * affine.steps,
            "beta": beta * affine.steps,
            "mean": mean / affine.sum_scale,
            "variance": variance / affine.sum_scale**2,
        }
        inputs = [graph.constant(f"{name}_{key}", array) for key, array in parameters.items()]
        return graph.node("BatchNormalization", f"{name}_normalized", [value, *inputs], epsilon=0.0)
    if np.any(affine.factor != 1):
        factor = graph.constant(f"{name}_factor", affine.factor[:, None, None])
        value = graph.node("Mul", f"{name}_scaled", [value, factor])
    if np.any(affine.offset != 0):
        offset = graph.constant(f"{name}_offset", affine.offset[:, None, None])
        value = graph.node("Add", f"{name}_sum", [value, offset])
    return value


@dataclass
class _Graph:
    """Nodes and constants that are added one after the other."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(self, op: str, output: str, inputs: list[str], **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def quant(
        self,
        output: str,
        value: str,
        *,
        bits: int,
        signed: bool = False,
        scale: float = 1,
        zero_point: float = 0,
    ) -> str:
        """A ``Quant``; signed ones are narrow."""
        inputs = [
            value,
            self.constant(f"{output}_scale", scale),
            self.constant(f"{output}_zero", zero_point),
            self.constant(f"{output}_bits", bits),
        ]
        options = {"signed": int(signed), "narrow": int(signed), "rounding_mode": "ROUND"}
        return self.node("Quant", output, inputs, domain=QONNX_DOMAIN, **options)
