"""Bytes of a file before they become objects."""

import onnx
import pytest
from onnx import helper
from onnx_models import BEGIN, CONV, quant, save

from spinplane.compiler.frontend.onnx_file.wire import check_wire
from spinplane.machine import SpinplaneError


def field(number, content):
    """A field of bytes."""
    length, header = len(content), []
    for value in (number << 3 | 2, length):
        while value > 0x7F:
            header.append(value & 0x7F | 0x80)
            value >>= 7
        header.append(value)
    return bytes(header) + content


GRAPH, NODE, ATTRIBUTE, INNER_GRAPH, INITIALIZER = 7, 1, 5, 6, 5


def nested(depth):
    content = b""
    for _ in range(depth):
        content = field(NODE, field(ATTRIBUTE, field(INNER_GRAPH, content)))
    return field(GRAPH, content)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (field(GRAPH, b"\x0a\x00" * 500_000), "more than 500000 fields"),
        (nested(12), "messages nested more than 32 deep"),
        (field(GRAPH, b"\x0a\x05abc"), "cut short: 5 bytes in GraphProto where 3 are left"),
        (field(GRAPH, field(2, b"\xff")), "name of GraphProto is not UTF-8"),
        (field(GRAPH, b"\x10\x01"), "field name of GraphProto has another type"),
        (b"\x08" + b"\xff" * 11, "a number of more than ten bytes"),
        (b"\x08", "cut short: ends within a number"),
        (b"\x09\x00", "cut short: field ir_version of ModelProto has another type"),
        (b"\xfd\x07\x00", "cut short: ModelProto ends within a number"),
        (b"\xfb\x07", "a field of unknown type in ModelProto"),
        (field(GRAPH, field(INITIALIZER, field(7, bytes((32 << 20) + 1)))), "more than 32 MiB of numbers"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",  # a file would be named by all of its bytes
)
def test_what_is_no_model_is_refused(data, message):
    with pytest.raises(SpinplaneError, match=message) as error:
        check_wire(data)
    assert "\n" not in str(error.value)


def test_fields_that_are_not_known_are_passed_over():
    check_wire(field(GRAPH, field(900, b"\xff\xff")) + b"\xf8\x38\x01")


def test_each_prefix_of_a_model_is_checked_before_it_is_parsed(tmp_path):
    """What the walk takes, the parser takes."""
    data = save(tmp_path / "made.onnx", [*BEGIN, CONV, quant("s", "y", 2)], {}).read_bytes()
    taken = 0
    for length in range(len(data) + 1):
        try:
            check_wire(data[:length])
        except SpinplaneError:
            continue
        onnx.ModelProto.FromString(data[:length])
        taken += 1
    assert 0 < taken < 10


def test_lists_are_taken_packed_or_not():
    attribute = helper.make_attribute("pads", [1, 2, 3, 4])
    unpacked = attribute.SerializeToString()
    packed = field(8, b"\x01\x02\x03\x04")
    check_wire(field(GRAPH, field(NODE, field(ATTRIBUTE, unpacked))))
    check_wire(field(GRAPH, field(NODE, field(ATTRIBUTE, packed))))
