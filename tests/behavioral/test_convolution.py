import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import convolve, windows
from spinplane.machine import Coding, Operand, SpinplaneError


def direct_convolution(inputs, weights, stride, padding, dilation, groups):
    """Eq. 1 by loops over the kernel alone, sharing no code with the oracle."""
    top, left, bottom, right = padding
    padded = np.pad(inputs, ((0, 0), (0, 0), (top, bottom), (left, right)))
    kernels, group_channels, kernel_height, kernel_width = weights.shape
    height = (padded.shape[2] - dilation[0] * (kernel_height - 1) - 1) // stride[0] + 1
    width = (padded.shape[3] - dilation[1] * (kernel_width - 1) - 1) // stride[1] + 1
    outputs = np.zeros((len(inputs), kernels, height, width), dtype=np.int64)
    for k in range(kernels):
        first = k // (kernels // groups) * group_channels
        for y in range(kernel_height):
            for x in range(kernel_width):
                rows = slice(y * dilation[0], y * dilation[0] + stride[0] * (height - 1) + 1, stride[0])
                columns = slice(x * dilation[1], x * dilation[1] + stride[1] * (width - 1) + 1, stride[1])
                pixels = padded[:, first : first + group_channels, rows, columns]
                outputs[:, k] += np.einsum("bchw,c->bhw", pixels, weights[k, :, y, x])
    return outputs


def draw(rng, operand, shape):
    return rng.choice(np.arange(operand.smallest, operand.largest + 1, operand.scale), shape)


def codings(bits):
    return [coding for coding in Coding if coding is not Coding.BIPOLAR or bits == 1]


@pytest.mark.parametrize("w_bits", range(1, 9))
@pytest.mark.parametrize("i_bits", range(1, 9))
def test_every_width_and_coding(w_bits, i_bits):
    rng = np.random.default_rng([w_bits, i_bits])
    for w_coding in codings(w_bits):
        for i_coding in codings(i_bits):
            w, i = Operand(bits=w_bits, coding=w_coding), Operand(bits=i_bits, coding=i_coding)
            inputs, weights = draw(rng, i, (1, 2, 4, 5)), draw(rng, w, (3, 2, 3, 2))
            expected = direct_convolution(inputs, weights, (1, 1), (1, 1, 1, 1), (1, 1), 1)
            assert (convolve(inputs, weights, w=w, i=i, padding=1) == expected).all()


@given(st.data())
def test_every_geometry(data):
    small = st.integers(1, 3)
    pairs = st.tuples(small, small)
    batch, groups, group_channels, group_kernels = (data.draw(st.integers(1, 2)) for _ in range(4))
    kernel, stride, dilation = data.draw(pairs), data.draw(pairs), data.draw(pairs)
    padding = data.draw(st.tuples(*[st.integers(0, 3)] * 4))
    size = tuple(
        max(1, dilation[axis] * (kernel[axis] - 1) + 1 - padding[axis] - padding[axis + 2])
        + data.draw(st.integers(0, 4))
        for axis in range(2)
    )
    w = Operand(bits=1, coding=Coding.BIPOLAR)
    i = data.draw(st.sampled_from([w, Operand(bits=2), Operand(bits=2, coding=Coding.TWOS_COMPLEMENT)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    inputs = draw(rng, i, (batch, groups * group_channels, *size))
    weights = draw(rng, w, (groups * group_kernels, group_channels, *kernel))
    outputs = convolve(
        inputs, weights, w=w, i=i, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    expected = direct_convolution(inputs, weights, stride, padding, dilation, groups)
    assert outputs.shape == expected.shape
    assert (outputs == expected).all()


def test_hand_checked():
    inputs = np.arange(9).reshape(1, 1, 3, 3)
    weights = np.array([[[[1, 0], [0, 2]]], [[[0, -1], [1, 0]]]])
    operands = {"w": Operand(bits=3, coding=Coding.TWOS_COMPLEMENT), "i": Operand(bits=4)}
    outputs = convolve(inputs, weights, **operands)
    assert outputs.dtype == np.int64
    assert outputs.tolist() == [[[[8, 11], [17, 20]], [[2, 2], [2, 2]]]]
    with_bias = convolve(inputs, weights, **operands, bias=[-10, -2], relu=True)
    assert with_bias.tolist() == [[[[0, 1], [7, 10]], [[0, 0], [0, 0]]]]
    assert convolve(inputs, weights, **operands, bias=[-10, -2])[0, 0, 0, 0] == -2


def test_padding_of_bipolar_inputs_is_zero_not_minus_one():
    bipolar = Operand(bits=1, coding=Coding.BIPOLAR)
    ones = np.ones((1, 1, 3, 3), dtype=np.int64)
    outputs = convolve(ones, ones, w=bipolar, i=bipolar, padding=1)
    assert outputs.tolist() == [[[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]]


def test_forms_of_a_geometry():
    inputs = np.arange(30).reshape(1, 1, 5, 6)
    assert (windows(inputs, 3, 2, 1, 1) == windows(inputs, (3, 3), (2, 2), (1, 1), (1, 1))).all()
    assert (windows(inputs, 3, 1, (1, 2)) == windows(inputs, 3, 1, (1, 2, 1, 2))).all()
    assert windows(inputs, (2, 3), (1, 2), (0, 1, 0, 0), (3, 1)).shape == (1, 2, 3, 1, 2, 3)
    assert windows(inputs, 2, padding=(1, 0, 0, 0))[0, 0, 0, 0].tolist() == [[0, 0], [0, 1]]


def test_blocks_of_pixels_join(monkeypatch):
    rng = np.random.default_rng(0)
    operand = Operand(bits=2)
    inputs, weights = draw(rng, operand, (2, 2, 6, 7)), draw(rng, operand, (3, 2, 3, 3))
    whole = convolve(inputs, weights, w=operand, i=operand)
    monkeypatch.setattr("spinplane.behavioral.convolution._BLOCK", 7 * 3 * 18)
    assert (convolve(inputs, weights, w=operand, i=operand) == whole).all()


def test_extremes_stay_exact():
    w, i = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT), Operand(bits=8)
    inputs, weights = np.full((1, 4096, 1, 1), 255), np.full((1, 4096, 1, 1), -128)
    assert convolve(inputs, weights, w=w, i=i, bias=[-(2**47)]).item() == -255 * 128 * 4096 - 2**47


def refused(text, inputs=(1, 4, 5, 5), weights=(2, 4, 3, 3), **options):
    operand = Operand(bits=1)
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        convolve(np.zeros(inputs, dtype=int), np.zeros(weights, dtype=int), w=operand, i=operand, **options)


def test_refuses_shapes_that_do_not_fit():
    refused("inputs of shape (5, 5): expected (batch, channels, height, width)", inputs=(5, 5))
    refused("weights of shape (3, 3): expected (kernels, channels / groups, height, width)", weights=(3, 3))
    refused("weights of 1 groups × 3 channels do not fit inputs of 4 channels", weights=(2, 3, 3, 3))
    refused("groups = 3: must divide the number of kernels, 2", groups=3)
    refused("groups = 0: must divide the number of kernels, 2", groups=0)
    refused("a kernel spanning 3×6 exceeds the padded input of 5×5", weights=(2, 4, 3, 6))
    refused("a kernel spanning 9×9 exceeds the padded input of 7×7", dilation=4, padding=1)


def test_refuses_geometry_that_means_nothing():
    pair = "must be a whole number of at least 1, or (vertical, horizontal)"
    refused(f"stride = 0: {pair}", stride=0)
    refused(f"stride = (1, 2, 3): {pair}", stride=(1, 2, 3))
    refused(f"dilation = 1.5: {pair}", dilation=1.5)
    sides = "must be a whole number of at least 0, (vertical, horizontal) or (top, left, bottom, right)"
    refused(f"padding = -1: {sides}", padding=-1)
    refused(f"padding = (1, 2, 3): {sides}", padding=(1, 2, 3))


def test_refuses_a_bias_that_no_accumulator_holds():
    refused("bias of shape (3,): expected (2,), one per kernel", bias=[1, 2, 3])
    refused(f"bias {2**47} does not fit in 48 bits", bias=[0, 2**47])


def test_refuses_values_that_an_operand_cannot_hold():
    operand = Operand(bits=1)
    with pytest.raises(
        SpinplaneError, match=r"^value 2 does not fit a 1-bit unsigned operand: must be from 0 to 1$"
    ):
        convolve(np.full((1, 1, 2, 2), 2), np.ones((1, 1, 1, 1), dtype=int), w=operand, i=operand)
