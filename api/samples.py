"""Images and kernels for a first look."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError
from spinplane.machine.array_files import open_archive

#: Images and labels that come with the package: the first 200 of MNIST's test set.
SAMPLES = "mnist-test-200"


def sample_digit(digit: int) -> np.ndarray:
    """The first sample of a handwritten digit, from the MNIST test set.

    Parameters
    ----------
    digit : int
        0 to 9.

    Returns
    -------
    ndarray of shape (28, 28), uint8
        Brightness of the strokes.

    Raises
    ------
    SpinplaneError
        If `digit` is not a digit.
    """
    if digit not in range(10):
        raise SpinplaneError(f"digit = {digit!r}: must be a whole number from 0 to 9")
    path = Path(str(files("spinplane"))) / "data" / "networks" / f"{SAMPLES}.npz"
    with open_archive(path, str(path), "not the package's samples") as samples:
        return samples.read("images")[np.flatnonzero(samples.read("labels") == digit)[0]]


#: 3×3 kernels by name, from −1 to 1.
KERNELS: dict[str, np.ndarray] = {
    "top edge": np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]]),
    "left edge": np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]),
    "falling edge": np.array([[0, -1, -1], [1, 0, -1], [1, 1, 0]]),
    "rising edge": np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]),
    "level stroke": np.array([[-1, -1, -1], [1, 1, 1], [-1, -1, -1]]) * 0.7,
    "upright stroke": np.array([[-1, 1, -1], [-1, 1, -1], [-1, 1, -1]]) * 0.7,
    "outline": np.array([[-0.4, -0.4, -0.4], [-0.4, 1, -0.4], [-0.4, -0.4, -0.4]]),
    "blur": np.array([[0.3, 0.6, 0.3], [0.6, 1, 0.6], [0.3, 0.6, 0.3]]),
}


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """Bit-widths and codings of a demonstration."""

    w: Operand
    i: Operand

    @property
    def name(self) -> str:
        """W:I."""
        return f"{self.w.bits}:{self.i.bits}"


#: The demonstration's configurations: ±1, DoReFa levels and two's complement weights, unsigned inputs.
QUANTIZATIONS = (
    Quantization(w=Operand(bits=1, coding=Coding.BIPOLAR), i=Operand(bits=1)),
    Quantization(w=Operand(bits=2, coding=Coding.DOREFA), i=Operand(bits=2)),
    Quantization(w=Operand(bits=3, coding=Coding.TWOS_COMPLEMENT), i=Operand(bits=4)),
)


def quantize_image(image: np.ndarray, i: Operand) -> np.ndarray:
    """Brightness 0 … 255 as the nearest of the operand's unsigned levels, int64."""
    return (image.astype(np.int64) * i.largest * 2 + 255) // 510


def quantize_kernels(kernels: np.ndarray, w: Operand) -> np.ndarray:
    """Weights from −1 to 1 as the nearest values of the operand, int64; ties round up."""
    steps = np.floor((np.asarray(kernels) * w.largest - w.offset) / w.scale + 0.5).astype(np.int64)
    return np.clip(steps * w.scale + w.offset, w.smallest, w.largest)
