"""Windows of convolutions and pooling: how a file gives them, and what they leave of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

from spinplane.machine import SpinplaneError

from .attributes import Attributes

_MOST = 1 << 16
_AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window that moves over an image of one or more axes, each of which has one number of the following.

    Parameters
    ----------
    kernel, stride, dilation, before, after : tuple of int
        ``before`` and ``after`` are the positions that pad the image, if the file says how many.
    auto_pad : str
        ``NOTSET`` if it does.
    ceil : bool
        Whether a last window that sticks out counts.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    auto_pad: str
    ceil: bool

    @property
    def explicit(self) -> bool:
        """Whether padding and rounding need no look at the image."""
        return self.auto_pad == "NOTSET" and not self.ceil

    def output(self, sides: Sequence[int], node: str) -> tuple[int, ...]:
        """Sides of what the windows give.

        Raises
        ------
        SpinplaneError
            If not even one window fits.
        """
        found = tuple(self._side(axis, side) for axis, side in enumerate(sides))
        if any(side < 1 for side in found):
            raise SpinplaneError(
                f"{node}: a window of {'×'.join(map(str, self.kernel))} does not fit an input of "
                f"{'×'.join(map(str, sides))}"
            )
        return found

    def padding(self, sides: Sequence[int]) -> tuple[int, ...]:
        """Positions that pad an image: all before it, then all after it, as the file says or lets follow."""
        if self.auto_pad == "NOTSET":
            return (*self.before, *self.after)
        if self.auto_pad == "VALID":
            return (0,) * 2 * len(self.kernel)
        totals = [self._missing(axis, side) for axis, side in enumerate(sides)]
        less = [total // 2 for total in totals]
        more = [total - half for total, half in zip(totals, less, strict=True)]
        return (*less, *more) if self.auto_pad == "SAME_UPPER" else (*more, *less)

    def pool_padding(self, sides: Sequence[int], node: str) -> tuple[int, ...]:
        """As `padding`, of a pool.

        Raises
        ------
        SpinplaneError
            If windows lie apart and the file lets the padding follow: onnxruntime's pools then begin inside the image.
        """
        apart = [
            (count - 1) * stride + reach < side
            for count, stride, reach, side in zip(
                self.output(sides, node), self.stride, self._reaches(), sides, strict=True
            )
        ]
        if self.auto_pad.startswith("SAME") and any(apart):
            raise SpinplaneError(
                f"{node}: '{self.auto_pad}' of windows that lie apart would cut its input: give the pads as numbers"
            )
        return self.padding(sides)

    def whole_padding(self, sides: Sequence[int], node: str) -> tuple[int, ...]:
        """As `pool_padding`, with as much after the image as lets its last window be whole."""
        padding, axes = self.pool_padding(sides, node), len(self.kernel)
        after = [
            max(given, (count - 1) * stride + reach - side - before)
            for given, count, stride, reach, side, before in zip(
                padding[axes:],
                self.output(sides, node),
                self.stride,
                self._reaches(),
                sides,
                padding[:axes],
                strict=True,
            )
        ]
        return (*padding[:axes], *after)

    def _reaches(self) -> list[int]:
        """Sides of the dilated window."""
        return [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True)]

    def _missing(self, axis: int, side: int) -> int:
        """Positions that an image lacks for windows at each multiple of the stride."""
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        return max((-(-side // self.stride[axis]) - 1) * self.stride[axis] + reach - side, 0)

    def _side(self, axis: int, side: int) -> int:
        stride = self.stride[axis]
        if self.auto_pad.startswith("SAME"):
            return -(-side // stride)
        left = side - self.dilation[axis] * (self.kernel[axis] - 1) - 1
        if self.auto_pad == "NOTSET":
            left += self.before[axis] + self.after[axis]
        if not self.ceil:
            return left // stride + 1
        windows = -(-left // stride) + 1
        # A window that starts behind the image and the padding before it has nothing to take.
        return windows - ((windows - 1) * stride >= side + self.before[axis])


def read_window(attributes: Attributes, kernel: tuple[int, ...] | None, rank: int, node: str) -> Window:
    """The window of a Conv or a pooling operator.

    Parameters
    ----------
    attributes : Attributes
    kernel : tuple of int, optional
        Sides of the weights, which an attribute may repeat; without weights there must be one.
    rank : int
        Axes of the image.
    node : str
        Label, for messages.

    Raises
    ------
    SpinplaneError
        If a list has another length, a number is not positive (of the padding: negative), or the sides differ from the
        weights'.
    """
    ones = (1,) * rank

    def read(name: str, default: tuple[int, ...] | None) -> tuple[int, ...]:
        return attributes.integers(name, default, length=rank, least=1, most=_MOST)

    given = read("kernel_shape", kernel)
    if kernel is not None and given != kernel:
        raise SpinplaneError(
            f"{node}: attribute 'kernel_shape' is {list(given)}, its weights have {list(kernel)}"
        )
    pads = attributes.integers("pads", (0,) * 2 * rank, length=2 * rank, least=0, most=_MOST)
    auto_pad = attributes.text("auto_pad", "NOTSET")
    if auto_pad not in _AUTO_PADS:
        raise SpinplaneError(f"{node}: attribute 'auto_pad' is none of {', '.join(_AUTO_PADS)}")
    return Window(
        kernel=given,
        stride=read("strides", ones),
        dilation=read("dilations", ones),
        before=pads[:rank],
        after=pads[rank:],
        auto_pad=auto_pad,
        ceil=attributes.flag("ceil_mode", False),
    )
