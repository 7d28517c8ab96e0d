"""DoReFa's quantizers against their formulas, and their straight-through estimators."""

import numpy as np
import pytest
import torch

from spinplane.training.quantizers import (
    gradient_to_bits,
    quantize,
    quantize_activation,
    quantize_edge_weight,
    quantize_gradient,
    quantize_weight,
)

pytestmark = pytest.mark.training

DTYPES = [torch.float32, torch.float64]
BITS = range(1, 9)


def grid(bits: int, dtype: torch.dtype) -> np.ndarray:
    """A dense grid on [0, 1] with every half-way case of q_k and its two neighbours."""
    numpy_dtype = np.dtype(str(dtype).removeprefix("torch."))
    steps = 2**bits - 1
    halves = ((np.arange(steps) + 0.5) / steps).astype(numpy_dtype)
    zero, two = numpy_dtype.type(0), numpy_dtype.type(2)
    neighbours = [np.nextafter(halves, zero), halves, np.nextafter(halves, two)]
    return np.concatenate([np.linspace(0, 1, 4001, dtype=numpy_dtype), *neighbours])


def q(x: np.ndarray, bits: int) -> np.ndarray:
    steps = x.dtype.type(2**bits - 1)
    return np.rint(steps * x) / steps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", BITS)
def test_q_k_is_its_formula(bits: int, dtype: torch.dtype) -> None:
    x = grid(bits, dtype)
    assert np.array_equal(quantize(torch.from_numpy(x), bits).numpy(), q(x, bits))


@pytest.mark.parametrize("dtype", DTYPES)
def test_q_k_rounds_exact_ties_to_even(dtype: torch.dtype) -> None:
    assert quantize(torch.tensor([0.5], dtype=dtype), 1).item() == 0
    codes = quantize(torch.tensor([0.5, 1 / 6, 5 / 6], dtype=dtype), 2) * 3
    assert torch.equal(torch.round(codes)[:1], torch.tensor([2], dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kind", ["clip", "abs"])
def test_activation_is_q_k_of_its_function(bits: int, dtype: torch.dtype, kind: str) -> None:
    x = grid(bits, dtype)
    x = np.concatenate([x, -x, x + 1, -1 - x])
    expected = q(np.minimum(np.abs(x), 1) if kind == "abs" else np.clip(x, 0, 1), bits)
    assert np.array_equal(quantize_activation(torch.from_numpy(x), bits, kind).numpy(), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", BITS)
def test_weights_are_dorefa_s(bits: int, dtype: torch.dtype) -> None:
    weight = torch.linspace(-2, 2, 4001, dtype=dtype)
    got = quantize_weight(weight, bits)
    if bits == 1:
        expected = np.where(weight.numpy() >= 0, 1, -1) * weight.abs().mean().numpy()
    else:
        squashed = torch.tanh(weight).numpy()
        expected = 2 * q(squashed / (2 * np.abs(squashed).max()) + weight.numpy().dtype.type(0.5), bits) - 1
        codes = np.unique(np.round(got.numpy() * (2**bits - 1)))
        assert codes.tolist() == list(range(1 - 2**bits, 2**bits, 2))
    assert np.array_equal(got.numpy(), expected)


def test_one_bit_weight_of_0_is_positive() -> None:
    assert quantize_weight(torch.tensor([0.0, -0.0, -2.0]), 1).tolist() == pytest.approx(
        [2 / 3, 2 / 3, -2 / 3]
    )


def test_edge_weights_have_one_scale_and_are_symmetric() -> None:
    weight = torch.linspace(-1.27, 1.27, 1001, dtype=torch.float64)
    codes = quantize_edge_weight(weight, 8) / 0.01
    assert torch.allclose(codes, torch.round(weight / 0.01), atol=1e-9)
    assert (codes.min(), codes.max()) == (pytest.approx(-127), pytest.approx(127))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", BITS)
def test_gradients_are_dorefa_s(bits: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(3)
    gradient = (
        torch.randn(5, 3, 7, 7, generator=generator, dtype=dtype)
        * torch.logspace(-6, 2, 5)[:, None, None, None]
    )
    noise = torch.rand(gradient.shape, generator=generator, dtype=dtype) - 0.5
    dr, sigma, steps = gradient.numpy(), noise.numpy(), dtype_of(dtype)(2**bits - 1)
    largest = np.abs(dr).max(axis=(1, 2, 3), keepdims=True)
    half = dtype_of(dtype)(0.5)
    expected = 2 * largest * (q(np.clip(dr / (2 * largest) + half + sigma / steps, 0, 1), bits) - half)
    got = gradient_to_bits(gradient, bits, noise).numpy()
    assert np.allclose(got, expected, rtol=1e-6, atol=0)
    assert np.all(np.abs(got) <= largest * (1 + 1e-6))


def dtype_of(dtype: torch.dtype) -> type[np.floating]:
    return np.float32 if dtype is torch.float32 else np.float64


def test_quantized_gradients_are_unbiased() -> None:
    gradient = torch.linspace(-1, 1, 21, dtype=torch.float64).repeat(20000, 1)
    noise = torch.rand(gradient.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64) - 0.5
    mean = gradient_to_bits(gradient, 2, noise).mean(0)
    assert torch.allclose(mean[1:-1], gradient[0, 1:-1], atol=0.015)


def test_a_gradient_of_0_stays_finite_and_0() -> None:
    got = gradient_to_bits(torch.zeros(2, 3), 8, torch.full((2, 3), 0.4))
    assert torch.equal(got, torch.zeros(2, 3))


def test_32_bits_change_nothing() -> None:
    x = torch.linspace(0, 1, 101)
    for result in (
        quantize(x, 32),
        quantize_weight(x, 32),
        quantize_edge_weight(x, 32),
        quantize_gradient(x, 32),
    ):
        assert result is x


def test_gradients_pass_straight_through_the_rounding() -> None:
    x = torch.tensor([-0.5, 0.2, 0.7, 1.5], requires_grad=True)
    quantize_activation(x, 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 0]

    weight = torch.tensor([-0.3, 0.1, 0.6], requires_grad=True)
    (quantize_weight(weight, 1) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [1, 2, 3]

    edge = torch.tensor([-0.3, 0.1, 0.6], requires_grad=True)
    quantize_edge_weight(edge, 8).sum().backward()
    assert edge.grad is not None
    assert edge.grad.tolist() == pytest.approx([1, 1, 1])


def test_multi_bit_weight_gradient_is_that_of_the_unrounded_formula() -> None:
    weight = torch.tensor([-0.3, 0.1, 0.6], dtype=torch.float64, requires_grad=True)
    factors = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    (quantize_weight(weight, 3) * factors).sum().backward()
    smooth = weight.detach().clone().requires_grad_()
    squashed = torch.tanh(smooth)
    (squashed / squashed.abs().max() * factors).sum().backward()
    assert torch.allclose(weight.grad, smooth.grad)


def test_gradient_quantizer_passes_values_and_repeats_with_the_seed() -> None:
    def gradient() -> torch.Tensor:
        torch.manual_seed(5)
        x = torch.arange(12.0).reshape(2, 6).requires_grad_()
        y = quantize_gradient(x, 2)
        assert torch.equal(y, x)
        (y * torch.linspace(-1, 1, 6)).sum().backward()
        return x.grad

    with torch.random.fork_rng():
        first, second = gradient(), gradient()
    assert torch.equal(first, second)
    codes = (first + 1) * 1.5
    assert torch.allclose(codes, torch.round(codes), atol=1e-6)
