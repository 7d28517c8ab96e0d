"""Numbers that a network is run on: random ones, both ends of what it takes, and zeros."""

import numpy as np

from .description import Network


def images(network: Network, rng: np.random.Generator, count: int = 1) -> list[np.ndarray]:
    """Of shape (1, *network.shape), in the type that the file takes: `count` random ones and two more."""
    shape = (1, *network.shape)
    low, high = network.low, network.high
    if network.given == "float":
        # Some are beyond what the quantizer takes.
        middle, half = (low + high) / 2, 0.6 * (high - low)
        drawn = [rng.uniform(middle - half, middle + half, shape) for _ in range(count)]
    else:
        drawn = [rng.integers(int(low), int(high) + 1, shape) for _ in range(count)]
    zeros = np.full(shape, network.quantizer.zero_point if network.given == "codes" else 0)
    found = [*drawn, rng.choice([low, high], shape), zeros]
    kinds = {"float": np.float32, "uint8": np.uint8}
    codes = np.int8 if network.quantizer.signed else np.uint8
    return [array.astype(kinds.get(network.given, codes)) for array in found]
