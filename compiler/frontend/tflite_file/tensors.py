"""Tensors of a file: type, shape, quantization, and the numbers of those that are constant."""

from dataclasses import dataclass, field
from math import prod

import numpy as np
import tflite

from spinplane.machine import SpinplaneError

from ..onnx_file.names import quoted, shown

#: Axes and elements of a tensor.
MOST_AXES, MOST_ELEMENTS = 8, 1 << 31
#: Scales are no greater, and not less than its inverse: float32 holds quotients of two, and more.
GREATEST_SCALE = float(1 << 50)

Shape = tuple[int, ...]
_NAMES = {number: name.lower() for name, number in vars(tflite.TensorType).items() if isinstance(number, int)}
#: Integers that a quantization may belong to, with their bounds.
_BOUNDS = {
    "int4": (-8, 7),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
_READABLE = ("float32", "int32", "uint8", "int64", "int16", "int8", "int4")


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantization:
    """number = scale · (code − zero point)

    Parameters
    ----------
    scales : ndarray of shape (n,), float32
        Positive and finite; one, or one at each place along the axis.
    zero_points : ndarray of shape (n,), int64
    axis : int
    """

    scales: np.ndarray
    zero_points: np.ndarray
    axis: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Tensor:
    """A tensor of a file.

    Parameters
    ----------
    label : str
        For messages, with quotation marks.
    name : str
    shape : tuple of int
    dtype : str
        As the format names it, in small letters.
    quantization : Quantization, optional
    data : bytes, optional
        Of a constant, as many as shape and type say.
    """

    label: str
    name: str
    shape: Shape
    dtype: str
    quantization: Quantization | None = None
    data: memoryview | None = field(default=None, repr=False)

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and greatest code of its type."""
        return _BOUNDS[self.dtype]

    def whole(self) -> tuple[np.float32, int]:
        """Scale and zero point of a tensor that is quantized as a whole.

        Raises
        ------
        SpinplaneError
            If it is not.
        """
        found = self.quantization
        if found is None or len(found.scales) != 1 or self.dtype not in _BOUNDS:
            what = "float numbers" if found is None else "a scale for each channel"
            raise SpinplaneError(
                f"tensor {self.label} ({self.dtype}) has {what}, expected one scale and zero point"
            )
        return found.scales[0], int(found.zero_points[0])

    def constant(self) -> np.ndarray:
        """Its numbers, which cannot be written; those of int4 as int8.

        Raises
        ------
        SpinplaneError
            If it is not constant, or of a type that no operator here takes.
        """
        if self.data is None:
            raise SpinplaneError(f"tensor {self.label} is not constant")
        if self.dtype not in _READABLE:
            raise SpinplaneError(f"tensor {self.label}: constants of {self.dtype} are not supported")
        if self.dtype == "int4":
            pairs = np.frombuffer(self.data, dtype=np.int8)
            values = np.stack([pairs << 4 >> 4, pairs >> 4], axis=1).ravel()[: prod(self.shape)]
        else:
            values = np.frombuffer(self.data, dtype=np.dtype(self.dtype).newbyteorder("<"))
        values = values.reshape(self.shape)
        values.flags.writeable = False
        return values


def read_tensor(stored: tflite.Tensor, number: int, buffers: list[memoryview]) -> Tensor:
    """A tensor whose shape, quantization and data agree.

    Parameters
    ----------
    stored : tflite.Tensor
    number : int
        Its place among the tensors, for messages.
    buffers : list of memoryview
        The data of the file's constants.

    Raises
    ------
    SpinplaneError
    """
    name = (stored.Name() or b"").decode()
    label = quoted(name) if name else f"number {number}"
    dtype = _NAMES.get(stored.Type())
    if dtype is None:
        raise SpinplaneError(f"tensor {label}: its type has the unknown number {stored.Type()}")
    if stored.IsVariable() or stored.Sparsity() is not None:
        raise SpinplaneError(f"tensor {label}: variable and sparse tensors are not supported")
    shape = _numbers(stored.ShapeAsNumpy())
    if len(shape) > MOST_AXES or any(side < 1 for side in shape) or prod(shape) > MOST_ELEMENTS:
        raise SpinplaneError(
            f"tensor {label}: its shape is {shown(str(list(shape)))}: expected up to {MOST_AXES} sides "
            f"of 1 or more, and {MOST_ELEMENTS} elements"
        )
    if not 0 <= stored.Buffer() < len(buffers):
        raise SpinplaneError(f"tensor {label}: its data are in buffer {stored.Buffer()} of {len(buffers)}")
    data = buffers[stored.Buffer()]
    if len(data):
        _check_length(label, dtype, shape, len(data))
    return Tensor(
        label=label,
        name=name,
        shape=shape,
        dtype=dtype,
        quantization=_quantization(stored.Quantization(), label, dtype, shape),
        data=data if len(data) else None,
    )


def _check_length(label: str, dtype: str, shape: Shape, found: int) -> None:
    if dtype not in _READABLE:
        return
    half_bytes = prod(shape) * (1 if dtype == "int4" else 2 * np.dtype(dtype).itemsize)
    expected = (half_bytes + 1) // 2
    if found != expected:
        raise SpinplaneError(f"tensor {label}: {found} bytes of data, its shape and type say {expected}")


def _quantization(
    stored: tflite.QuantizationParameters | None, label: str, dtype: str, shape: Shape
) -> Quantization | None:
    if stored is None or not stored.ScaleLength():
        return None
    if stored.DetailsType():
        raise SpinplaneError(f"tensor {label}: quantizations of its own kind are not supported")
    scales, axis = stored.ScaleAsNumpy(), stored.QuantizedDimension()
    zero_points = stored.ZeroPointAsNumpy() if stored.ZeroPointLength() else np.zeros(1, dtype=np.int64)
    if len(zero_points) == 1:
        zero_points = np.broadcast_to(zero_points, scales.shape)
    along = shape[axis] if 0 <= axis < len(shape) else 1
    if len(scales) not in (1, along) or len(zero_points) != len(scales):
        raise SpinplaneError(
            f"tensor {label}: {len(scales)} scales and {len(zero_points)} zero points "
            f"along axis {axis}, which has {along}"
        )
    # Those of a bias are products of two others, and mean nothing.
    if dtype != "int32" and not ((scales >= 1 / GREATEST_SCALE) & (scales <= GREATEST_SCALE)).all():
        raise SpinplaneError(f"tensor {label}: its scales are not all positive numbers from 1/2^50 to 2^50")
    low, high = _BOUNDS.get(dtype, (0, 0))
    if ((zero_points < low) | (zero_points > high)).any():
        raise SpinplaneError(f"tensor {label}: its zero points are not all {dtype}")
    return Quantization(scales=scales, zero_points=zero_points, axis=axis)


def _numbers(stored: np.ndarray | int) -> Shape:
    """A list of whole numbers; 0 stands for none."""
    return () if isinstance(stored, int) else tuple(int(number) for number in stored[: MOST_AXES + 1])
