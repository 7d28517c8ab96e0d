"""Attributes of another type, out of bounds, or missing are named."""

import onnx
import pytest
from onnx import AttributeProto, helper

from spinplane.compiler.frontend.onnx_file.attributes import Attributes
from spinplane.machine import SpinplaneError

GIVEN = {
    "whole": 3,
    "wholes": [1, 2, 3],
    "number": 0.5,
    "numbers": [0.5, 1.5],
    "infinite": float("inf"),
    "undefined": float("nan"),
    "text": "SAME_UPPER",
    "bytes": b"\xff\xfe",
    "tensor": helper.make_tensor("t", onnx.TensorProto.FLOAT, [1], [2.0]),
    "many": [1] * 65,
}
ATTRIBUTES = Attributes("/0/Conv", [helper.make_attribute(name, value) for name, value in GIVEN.items()])


def test_attributes_are_read_as_they_are():
    a = ATTRIBUTES
    assert "whole" in a
    assert "strides" not in a
    assert a.integer("whole") == 3
    assert a.integer("missing", 7) == 7
    assert Attributes("n", [helper.make_attribute("one", 1)]).flag("one", False) is True
    assert a.flag("missing", True) is True
    assert a.integers("wholes", length=3, least=1, most=3) == (1, 2, 3)
    assert a.integers("missing", [4, 5], length=2) == (4, 5)
    assert a.number("number") == 0.5
    assert a.number("missing", float("-inf")) == float("-inf")
    assert a.numbers("numbers") == (0.5, 1.5)
    assert a.text("text") == "SAME_UPPER"
    assert a.text("missing", "NOTSET") == "NOTSET"
    assert a.tensor("tensor").name == "t"


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda a: a.integer("tensor"), "attribute 'tensor' is not a whole number"),
        (lambda a: a.integer("number", 1), "attribute 'number' is not a whole number"),
        (lambda a: a.integer("strides"), "has no attribute 'strides'"),
        (lambda a: a.integer("whole", least=4), "attribute 'whole' is 3, expected from 4 to 9223372036854775807"),
        (lambda a: a.flag("whole", True), "attribute 'whole' is 3, expected from 0 to 1"),
        (lambda a: a.integers("whole"), "attribute 'whole' is not whole numbers"),
        (lambda a: a.integers("wholes", length=4), "attribute 'wholes' has 3 numbers, expected 4"),
        (lambda a: a.integers("wholes", most=2), "attribute 'wholes' is 3, expected from -9223372036854775808 to 2"),
        (lambda a: a.integers("many"), "attribute 'many' has 65 numbers, expected 64 at most"),
        (lambda a: a.number("whole"), "attribute 'whole' is not a number"),
        (lambda a: a.number("infinite"), "attribute 'infinite' is inf, expected a finite number"),
        (lambda a: a.number("undefined"), "attribute 'undefined' is nan, expected a finite number"),
        (lambda a: a.numbers("wholes"), "attribute 'wholes' is not numbers"),
        (lambda a: a.text("wholes"), "attribute 'wholes' is not a text"),
        (lambda a: a.text("bytes"), "attribute 'bytes' is not text in UTF-8"),
        (lambda a: a.tensor("text"), "attribute 'text' is not a tensor"),
    ],
)  # fmt: skip
def test_other_attributes_are_refused(read, message):
    with pytest.raises(SpinplaneError) as error:
        read(ATTRIBUTES)
    assert str(error.value) == f"/0/Conv: {message}"


def test_an_attribute_of_a_function_is_none():
    reference = AttributeProto(name="group", type=AttributeProto.INT, ref_attr_name="outer")
    with pytest.raises(SpinplaneError, match=r"^n: attribute 'group' is not a whole number$"):
        Attributes("n", [reference]).integer("group", 1)


def test_a_name_comes_once():
    twice = [helper.make_attribute("group", 1), helper.make_attribute("group", 2)]
    with pytest.raises(SpinplaneError, match=r"^n: attribute 'group' has no name, or comes twice$"):
        Attributes("n", twice)
