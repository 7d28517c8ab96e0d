"""Steps of a layer: the sums that it reaches, and the least of them for each code of the quantizer after it."""

from fractions import Fraction
from math import isqrt

import numpy as np

from ..graph import Layer, StepFunction
from ..kernel_blocks import by_kernel
from ..meaning.exact_map import ExactMap, fractions
from ..meaning.exact_steps import ExactSteps
from ..meaning.reach import reachable_sums
from .quantizers import Levels

#: Bits of the inverse of a root, at least.
_ROOT_BITS = 160


def exact_sums(layer: Layer, scale: np.ndarray) -> ExactMap:
    """The real numbers that the sums of a layer are.

    Parameters
    ----------
    layer : Layer
        Without pooling.
    scale : ndarray of shape (kernels,), of Fraction
        Of a sum.
    """
    low, high = reachable_sums(layer)
    largest = max(abs(layer.i.smallest), abs(layer.i.largest))
    weight = np.concatenate([np.abs(some).sum(axis=1) for some in by_kernel(layer.weights)]) * largest
    return ExactMap.of_sums(low, high, weight, scale, terms=layer.weights[0].size)


def normalize(
    real: ExactMap, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> ExactMap:
    """BatchNormalization: gamma · (x − mean) / sqrt(variance) + beta.

    Parameters
    ----------
    real : ExactMap
    gamma, beta, mean, variance : ndarray of shape (channels,), of Fraction
        The variance with its epsilon, positive. Its root is exact, or to one part in 2^160.
    """
    factor = gamma * _inverse_root(variance)
    # In float32 the factor rounds with the sum of variance and epsilon, root, quotient and product, and in
    # its product with the mean or the number.
    return real.plus(-mean).times(factor, roundings=5).plus(beta)


def find_steps(real: ExactMap, levels: Levels) -> StepFunction:
    """Steps of a quantizer that takes the real numbers which a layer's sums become.

    Parameters
    ----------
    real : ExactMap
        From sums to the real numbers.
    levels : Levels
        Of the quantizer, with one scale.
    """
    channels = len(real.weight)
    codes = real.times(1 / fractions(np.asarray(levels.step), channels))
    codes = codes.plus(fractions(np.asarray(levels.zero_point), channels))
    twice, inclusive = levels.steps()
    exact = ExactSteps(map=codes, twice=twice, inclusive=inclusive)
    return StepFunction(thresholds=exact.thresholds, rising=~codes.falling, levels=levels.values, exact=exact)


def _inverse(number: Fraction) -> Fraction:
    product = number.numerator * number.denominator
    bits = _ROOT_BITS + product.bit_length() // 2
    return Fraction(isqrt(product << 2 * bits), number.numerator << bits)


_inverse_root = np.frompyfunc(_inverse, 1, 1)
