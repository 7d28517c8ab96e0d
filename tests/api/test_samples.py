import numpy as np
import pytest

from spinplane.machine import Coding, Operand, SpinplaneError
from spinplane.samples import KERNELS, QUANTIZATIONS, quantize_image, quantize_kernels, sample_digit


@pytest.mark.parametrize("digit", range(10))
def test_every_digit_has_an_image(digit: int) -> None:
    image = sample_digit(digit)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert image.max() > 200
    assert image[0].max() == 0


def test_no_other_digit() -> None:
    with pytest.raises(SpinplaneError, match=r"^digit = 11: must be a whole number from 0 to 9$"):
        sample_digit(11)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_brightness_becomes_the_nearest_level(bits: int) -> None:
    brightness = np.arange(256, dtype=np.uint8)
    levels = quantize_image(brightness, Operand(bits=bits))
    exact = brightness / 255 * (2**bits - 1)
    assert np.abs(levels - exact).max() <= 0.5
    assert (levels[0], levels[-1]) == (0, 2**bits - 1)


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        (Operand(bits=1, coding=Coding.BIPOLAR), [-1, -1, 1, 1, 1]),
        (Operand(bits=2, coding=Coding.DOREFA), [-3, -1, 1, 1, 3]),
        (Operand(bits=3, coding=Coding.TWOS_COMPLEMENT), [-3, -1, 0, 2, 3]),
    ],
    ids=["bipolar", "dorefa", "twos_complement"],
)
def test_weights_become_the_nearest_values(operand: Operand, expected: list[int]) -> None:
    weights = np.array([-1, -0.4, 0, 0.5, 1])
    assert quantize_kernels(weights, operand).tolist() == expected


def test_kernels_differ_at_every_width() -> None:
    kernels = np.stack(list(KERNELS.values()))
    assert kernels.shape == (8, 3, 3)
    for quantization in QUANTIZATIONS:
        quantized = quantize_kernels(kernels, quantization.w)
        assert quantized.min() >= quantization.w.smallest
        assert quantized.max() <= quantization.w.largest
    assert [quantization.name for quantization in QUANTIZATIONS] == ["1:1", "2:2", "3:4"]
