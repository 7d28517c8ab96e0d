import doctest
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import bit_planes, bitplane, bitplane_dot, decode, encode, from_bit_planes
from spinplane.machine import Coding, Operand, SpinplaneError

OPERANDS = [
    *(
        Operand(bits=bits, coding=coding)
        for coding in Coding
        for bits in range(1, 9)
        if coding is not Coding.BIPOLAR or bits == 1
    ),
    *(Operand(bits=8, zero_point=zero_point) for zero_point in (3, 255)),
    *(Operand(bits=8, coding=Coding.TWOS_COMPLEMENT, zero_point=zero_point) for zero_point in (-128, 5)),
    Operand(bits=2, coding=Coding.DOREFA, zero_point=1),
]
IDS = [f"{operand.coding.value}{operand.bits}less{operand.zero_point}" for operand in OPERANDS]


def all_values(operand: Operand) -> np.ndarray:
    return np.arange(operand.smallest, operand.largest + 1, operand.scale)


def draw(rng: np.random.Generator, operand: Operand, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice(all_values(operand), shape)


def test_planes_are_least_significant_first():
    planes = bit_planes([[4, 1], [7, 0]], bits=3)
    assert planes.dtype == np.uint8
    assert planes.tolist() == [[[0, 1], [1, 0]], [[0, 0], [1, 0]], [[1, 0], [1, 0]]]


def test_planes_of_negative_codes_are_twos_complement():
    assert bit_planes([-4, -1, 3], bits=3, signed=True).T.tolist() == [[0, 0, 1], [1, 1, 1], [1, 1, 0]]


@pytest.mark.parametrize("bits", range(1, 9))
def test_planes_round_trip(bits):
    unsigned, signed = np.arange(2**bits), np.arange(2**bits) - 2 ** (bits - 1)
    assert (from_bit_planes(bit_planes(unsigned, bits)) == unsigned).all()
    assert (from_bit_planes(bit_planes(signed, bits, signed=True), signed=True) == signed).all()


@pytest.mark.parametrize(
    ("code", "signed", "text"),
    [
        (8, False, "code 8 does not fit in 3 planes: must be from 0 to 7"),
        (-1, False, "code -1 does not fit in 3 planes: must be from 0 to 7"),
        (4, True, "code 4 does not fit in 3 planes: must be from -4 to 3"),
    ],
)
def test_planes_refuse_what_does_not_fit(code, signed, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        bit_planes([0, code], 3, signed=signed)


@pytest.mark.parametrize("operand", OPERANDS, ids=IDS)
def test_every_value_has_a_code_of_its_own(operand):
    values = all_values(operand)
    codes = encode(values, operand)
    assert sorted(codes.tolist()) == list(range(2**operand.bits))
    assert (decode(codes, operand) == values).all()


@pytest.mark.parametrize(
    ("operand", "reach"),
    [
        (Operand(bits=8, zero_point=3), (-3, 252)),
        (Operand(bits=8, coding=Coding.TWOS_COMPLEMENT, zero_point=-128), (0, 255)),
        (Operand(bits=8, coding=Coding.TWOS_COMPLEMENT, zero_point=5), (-133, 122)),
        (Operand(bits=1, coding=Coding.BIPOLAR, zero_point=1), (-2, 0)),
    ],
)
def test_a_zero_point_moves_all_values(operand, reach):
    assert (operand.smallest, operand.largest) == reach


def test_codes_of_each_coding():
    assert encode([3, 0], Operand(bits=2)).tolist() == [3, 0]
    assert encode([-2, -1, 0, 1], Operand(bits=2, coding=Coding.TWOS_COMPLEMENT)).tolist() == [2, 3, 0, 1]
    assert encode([-1, 1], Operand(bits=1, coding=Coding.BIPOLAR)).tolist() == [0, 1]
    assert encode([-3, -1, 1, 3], Operand(bits=2, coding=Coding.DOREFA)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("operand", "values", "text"),
    [
        (Operand(bits=3), [1, 9, 8], "value 8 does not fit a 3-bit unsigned operand: must be from 0 to 7"),
        (Operand(bits=3), [-1, 9], "value -1 does not fit a 3-bit unsigned operand: must be from 0 to 7"),
        (
            Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
            [128],
            "value 128 does not fit a 8-bit twos_complement operand: must be from -128 to 127",
        ),
        (
            Operand(bits=1, coding=Coding.BIPOLAR),
            [1, 0, -1],
            "value 0 does not fit a 1-bit bipolar operand: must be from -1 to 1 in steps of 2",
        ),
        (
            Operand(bits=2, coding=Coding.DOREFA),
            [3, 2, -2],
            "value -2 does not fit a 2-bit dorefa operand: must be from -3 to 3 in steps of 2",
        ),
        (
            Operand(bits=2, coding=Coding.DOREFA),
            [2**63 - 1],
            f"value {2**63 - 1} does not fit a 2-bit dorefa operand: must be from -3 to 3 in steps of 2",
        ),
    ],
)
def test_encode_refuses_what_the_operand_cannot_hold(operand, values, text):
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        encode(values, operand)


@pytest.mark.parametrize("values", [np.array([1.0]), np.array([1], dtype=np.uint64), np.array(["1"])])
def test_encode_refuses_what_is_no_integer(values):
    text = f"values must be integers that int64 holds, not {values.dtype}"
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        encode(values, Operand(bits=1))


def test_examples_of_the_docstrings():
    assert doctest.testmod(bitplane) == (0, 3)


def test_fig_6():
    """C0(I) = 0110 and a count of 0001 shifted by 3 to 1000 are the paper's; the other bits are ours."""
    inputs, weights = np.array([2, 1, 3, 0]), np.array([4, 3, 0, 2])
    planes_i, planes_w = bit_planes(inputs, 3), bit_planes(weights, 3)
    assert planes_i[0].tolist() == [0, 1, 1, 0]
    count = int((planes_i[1] & planes_w[2]).sum())
    assert (count, count << 1 + 2) == (0b0001, 0b1000)
    operand = Operand(bits=3)
    assert bitplane_dot(weights, inputs, operand, operand) == 4 * 2 + 3 * 1


def test_hand_checked_dots():
    twos = Operand(bits=3, coding=Coding.TWOS_COMPLEMENT)
    bipolar, dorefa = Operand(bits=1, coding=Coding.BIPOLAR), Operand(bits=2, coding=Coding.DOREFA)
    assert bitplane_dot([-4, 3], [-4, -1], twos, twos) == 13
    assert bitplane_dot([1, -1, -1], [1, -1, 1], bipolar, bipolar) == 1
    assert bitplane_dot([-3, 1], [3, 2], dorefa, Operand(bits=2)) == -7


def test_bipolar_dot_is_twice_the_xnor_count_less_the_length():
    bipolar = Operand(bits=1, coding=Coding.BIPOLAR)
    for bits in itertools.product([0, 1], repeat=6):
        w, a = np.array(bits[:3]), np.array(bits[3:])
        assert bitplane_dot(2 * w - 1, 2 * a - 1, bipolar, bipolar) == 2 * (w == a).sum() - 3


@pytest.mark.parametrize("w", OPERANDS, ids=IDS)
@pytest.mark.parametrize("i", OPERANDS, ids=IDS)
def test_equals_the_ordinary_dot_product(w, i):
    rng = np.random.default_rng([w.bits, i.bits])
    weights, inputs = draw(rng, w, (3, 1, 11)), draw(rng, i, (1, 4, 11))
    dots = bitplane_dot(weights, inputs, w, i)
    assert dots.shape == (3, 4)
    assert dots.dtype == np.int64
    assert (dots == (weights * inputs).sum(axis=-1)).all()


@pytest.mark.parametrize("w", OPERANDS, ids=IDS)
@pytest.mark.parametrize("i", OPERANDS, ids=IDS)
def test_padded_positions_contribute_nothing(w, i):
    rng = np.random.default_rng([w.bits, i.bits])
    weights, inputs = draw(rng, w, (3, 1, 11)), draw(rng, i, (4, 11))
    valid = rng.integers(0, 2, (4, 11)).astype(bool)
    inputs[~valid] = 1000
    expected = (weights * np.where(valid, inputs, 0)).sum(axis=-1)
    assert (bitplane_dot(weights, inputs, w, i, valid) == expected).all()


@pytest.mark.parametrize("length", [1, 4608])
def test_extremes(length):
    operand = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)
    lowest = np.full(length, -128)
    assert bitplane_dot(lowest, lowest, operand, operand) == length * 2**14


@given(
    st.lists(st.tuples(*[st.integers(-64, 63)] * 3), min_size=1, max_size=20),
    st.sampled_from([Coding.UNSIGNED, Coding.TWOS_COMPLEMENT]),
)
def test_is_linear_and_odd(triples, coding):
    x, y, weights = np.array(triples).T
    w = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)
    i = Operand(bits=8, coding=coding)
    x, y = (abs(x), abs(y)) if coding is Coding.UNSIGNED else (x, y)
    dot_x, dot_y = bitplane_dot(weights, x, w, i), bitplane_dot(weights, y, w, i)
    assert bitplane_dot(weights, x + y, w, i) == dot_x + dot_y
    assert bitplane_dot(-weights, x, w, i) == -dot_x


def test_lengths_must_agree():
    text = "last axes differ: weights of shape (3,), inputs of shape (4,)"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        bitplane_dot([0, 1, 0], [0, 1, 0, 1], Operand(bits=1), Operand(bits=1))
