"""Operators have their own attributes and inputs, of the file's version."""

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import BEGIN, CONV, quant, run, save

from spinplane.compiler.frontend.import_model import import_model
from spinplane.machine import SpinplaneError

CLIP = helper.make_node("Clip", ["s", "zero", "one"], ["r"], name="clip")


def attribute(name, value, number=2):
    return lambda model: model.graph.node[number].attribute.append(helper.make_attribute(name, value))


def versions(*given):
    def change_model(model):
        del model.opset_import[0]
        model.opset_import.extend(helper.make_opsetid("", version) for version in given)

    return change_model


def without(name):
    def change_model(model):
        kept = [a for a in model.graph.node[0].attribute if a.name != name]
        del model.graph.node[0].attribute[:]
        model.graph.node[0].attribute.extend(kept)

    return change_model


@pytest.mark.parametrize(
    ("change_model", "message"),
    [
        (attribute("stridez", [2, 2]), "conv: Conv has no attribute 'stridez'"),
        (attribute("a\nb", 1), "conv: Conv has no attribute 'a\\nb'"),
        (attribute("min", 0.0, 3), "clip: Clip has no attribute 'min'"),
        (attribute("scale", 1.0, 0), "Quant (output 'xq'): Quant has no attribute 'scale'"),
        (without("signed"), "Quant (output 'xq'): has no attribute 'signed'"),
        (without("narrow"), "Quant (output 'xq'): has no attribute 'narrow'"),
        (versions(10), "clip: has 3 inputs: Clip takes 1"),
        (lambda model: model.graph.node[2].input.pop(), "conv: has 1 inputs: Conv takes 2 to 3"),
        (lambda model: model.graph.node[2].input.__setitem__(1, ""), "conv: its input 2 is missing"),
        (versions(13, 14), "has version 13, 14 of ONNX's operators: expected one from 7 to NEWEST"),
        (lambda model: setattr(model.graph.node[3], "op_type", "Concat"), "clip: has no attribute 'axis'"),
        (
            lambda model: setattr(model.graph.node[3], "op_type", "Klip"),
            "clip: operator Klip is not supported",
        ),
    ],
)
def test_what_an_operator_does_not_have_is_refused(change_model, message, tmp_path):
    path = save(tmp_path / "made.onnx", [*BEGIN, CONV, CLIP, quant("r", "y", 3)], {})
    model = onnx.load(path)
    change_model(model)
    onnx.save(model, path)
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    expected = message.replace("NEWEST", str(onnx.defs.onnx_opset_version()))
    assert str(error.value) == f"model {path}: {expected}"


@pytest.mark.parametrize("version", range(7, onnx.defs.onnx_opset_version() + 1))
def test_clips_are_those_of_their_version(version, tmp_path):
    bounds = {"min": -3.0, "max": 2.0} if version < 11 else {}
    inputs = ["s"] if version < 11 else ["s", "low", "high"]
    nodes = [*BEGIN, CONV, helper.make_node("Clip", inputs, ["r"], **bounds), quant("r", "y", 4)]
    constants = {"low": np.float32(-3), "high": np.float32(2)}
    path = save(tmp_path / "made.onnx", nodes, constants)
    model = onnx.load(path)
    model.opset_import[0].version = version
    onnx.save(model, path)
    plain = save(tmp_path / "plain.onnx", [*BEGIN, CONV, quant("s", "y", 4)], {})
    image = np.random.default_rng(0).integers(0, 16, (2, 6, 6))
    assert (run(path, image) == np.clip(run(plain, image), -3, 2)).all()


@pytest.mark.parametrize(
    ("node", "constant", "name"),
    [
        (helper.make_node("Mul", ["s", "c"], ["y"], name="node"), np.array(2), "c"),
        (helper.make_node("Clip", ["s", "c"], ["y"], name="node"), np.array(2, np.uint8), "c"),
        (helper.make_node("BatchNormalization", ["s", *"cccc"], ["y"], name="node"), np.arange(1, 5), "c"),
    ],
)
def test_operators_on_real_numbers_take_no_others(node, constant, name, tmp_path):
    path = save(tmp_path / "made.onnx", [*BEGIN, CONV, node], {"c": constant})
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    assert str(error.value) == (
        f"model {path}: node: its input '{name}' is of type {constant.dtype}, expected float32"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_input_is_multiplied_by_a_number(value, tmp_path):
    nodes = [helper.make_node("Mul", ["x", "c"], [f"x{n}"], name=f"m{n}") for n in range(2)]
    nodes[1].input[0] = "x0"
    first = quant("x1", "xq", 4, signed=0)
    path = save(
        tmp_path / "made.onnx", [*nodes, first, BEGIN[1], CONV, quant("s", "y", 3)], {"c": np.float32(value)}
    )
    with pytest.raises(SpinplaneError, match=r": m0: its constants are not all finite$"):
        import_model(path)
