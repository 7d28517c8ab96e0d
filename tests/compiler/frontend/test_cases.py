"""Networks of situations that people reported: equal to what their own executor computes, or refused for a limit."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx_models import differences

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.graph import InputCoding
from spinplane.machine import SpinplaneError

CASES = Path(__file__).parents[4] / "shared" / "cases"
FILES = sorted(CASES.glob("*.onnx"))
#: What an integer graph cannot say: the reason is part of the message.
REFUSED = {
    "add_broadcasts_up": "Add_12: a constant of shape (1, 2, 1, 1) is not one value per channel",
    "matmul4d_add_channel_shape": "Add_12: a constant of shape (1, 3, 1, 1) is not one value per channel",
    "bits9": "Quant (output 'xq'): 9 bits: must be from 1 to 8",
    "bits16_out": "Quant (output 'y'): 16 bits: must be from 1 to 8",
    "bits_3_5": "Quant (output 'y'): 3.5 bits: must be from 1 to 8",
    "no_mid_quant": "conv_y: its input is not quantized",
    "wscale_per_input_conv": "expected one scale, or one for each kernel, of shape (2, 1, 1, 1)",
    "wscale_per_input_gemm": "expected one scale, or one for each kernel, of shape (1, 2)",
    "wscale_per_input_matmul": "expected one scale, or one for each kernel, of shape (1, 2)",
    "wscale_per_tap_conv": "expected one scale, or one for each kernel, of shape (2, 1, 1, 1)",
}
#: Numbers that the input of a case is drawn from, if small ones are not what it expects.
PIXELS = {"div255", "normalise"}
GIVEN = {"no_input_quant": InputCoding(low=-8, high=7)}

pytestmark = [
    pytest.mark.skipif(not FILES, reason="the cases are not beside the repository (shared/cases)"),
    pytest.mark.filterwarnings("ignore:Output shapes disagree"),
]


def executable(path):
    """The file's model with one image, and with what its executor has another name or no type for."""
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        sides = value.type.tensor_type.shape.dim
        if len(sides) and not sides[0].dim_value:
            sides[0].dim_value = 1
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "rounding_mode" and attribute.s == b"ROUND_TO_ZERO":
                attribute.s = b"DOWN"
        if node.op_type == "ArgMax":
            model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    return model


def images(name, shape):
    stored = CASES / f"{name}.npz"
    if stored.exists():
        with np.load(stored) as arrays:
            yield from arrays["x"].reshape(-1, *shape)
    rng = np.random.default_rng(0)
    for seed in range(3):
        if name in PIXELS or name in GIVEN:
            low, high = (0, 256) if name in PIXELS else (-8, 8)
            yield rng.integers(low, high, shape)
        else:
            yield rng.uniform(-20, 20, shape) if seed else rng.integers(-9, 17, shape)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_case_is_what_its_executor_computes(path):
    name = path.stem
    if name in REFUSED:
        with pytest.raises(SpinplaneError) as error:
            import_model(path)
        assert str(error.value).startswith(f"model {path}: ")
        assert REFUSED[name] in str(error.value)
        return
    network, model = import_model(path, coding=GIVEN.get(name)), executable(path)
    sides = model.graph.input[0].type.tensor_type.shape.dim
    for image in images(name, [side.dim_value for side in sides]):
        near_ties, differing = differences(network, model, image)
        assert differing <= near_ties
