"""Payloads as integers."""

from typing import Any

import pytest
from amaranth.hdl import Value, signed, unsigned
from amaranth.lib import data

from spinplane.sim.packing import pack, pack_bits, unpack

LAYOUT = data.StructLayout(
    {"values": data.ArrayLayout(signed(5), 3), "negate": 1, "step": unsigned(0), "row": 9}
)
VALUE = {"values": [-16, 15, -1], "negate": 1, "step": 0, "row": 300}


def test_packs_like_amaranth() -> None:
    assert pack(LAYOUT, VALUE) == Value.cast(LAYOUT.const(VALUE)).value  # type: ignore[attr-defined]
    assert unpack(LAYOUT, pack(LAYOUT, VALUE)) == VALUE


def test_first_bit_is_lowest() -> None:
    assert pack_bits([1, 0, 1, 1]) == 0b1101


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": [16, 0, 0]}, "16 does not fit in signed(5)"),
        ({"negate": -1}, "-1 does not fit in unsigned(1)"),
        ({"values": [0, 0]}, "members [0, 1] must be those of the layout, [0, 1, 2]"),
        (
            {"clear": 1},
            "members ['values', 'negate', 'step', 'row', 'clear'] must be those of the layout, "
            "['values', 'negate', 'step', 'row']",
        ),
    ],
)
def test_refuses_what_does_not_fit(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        pack(LAYOUT, VALUE | change)
    assert str(error.value) == message
