"""What input a network expects, and how well an array fits it: ranges, clipped shares, numbers of distinct codes."""

from dataclasses import dataclass

import numpy as np

from .graph import Graph, InputCoding, InputCodings

#: Share of clipped numbers from which a user is warned.
CLIPPED = 0.01
#: An input of so few of its codes has collapsed: one in sixteen, or two of them, of more than four.
_COLLAPSED, _FEW, _MANY = 16, 2, 4


@dataclass(frozen=True, kw_only=True)
class ExpectedInput:
    """The input of a network.

    Parameters
    ----------
    shape : tuple of int
        Of one image: channels, height, width.
    dtype : str
        ``uint8`` or ``int8`` where the codes are these numbers one by one, else ``float32``.
    low, high : float
        Least and greatest number that is not clipped, of all channels.
    step : float
        Between the numbers of two codes; the least one of all channels.
    codes : int
        How many there are.
    in_file : tuple of int
        Shape of one image in the file, where that is another one; else empty.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    step: float
    codes: int
    in_file: tuple[int, ...] = ()

    def __str__(self) -> str:
        shape = "×".join(map(str, self.shape))
        if self.codes == 2:
            told = f"two codes, from {self.low:.6g} to {self.high:.6g}"
        else:
            told = f"from {self.low:.6g} to {self.high:.6g} in steps of {self.step:.6g}, {self.codes} codes"
        in_file = f", or {'×'.join(map(str, self.in_file))} as in the file," if self.in_file else ""
        return f"{shape} (channels, height, width){in_file} of {self.dtype}, {told}"


def expected_input(graph: Graph) -> ExpectedInput:
    """What a graph's input coding expects; of several the widest range and the finest step."""
    parts = [_expected(graph, part) for part in graph.input_coding.parts]
    types = {part.dtype for part in parts}
    return ExpectedInput(
        shape=graph.input_shape,
        dtype=types.pop() if len(types) == 1 else "float32",
        low=min(part.low for part in parts),
        high=max(part.high for part in parts),
        step=min(part.step for part in parts),
        codes=max(part.codes for part in parts),
    )


def _expected(graph: Graph, coding: InputCoding) -> ExpectedInput:
    ends = input_ends(coding)
    low, high = (float(end) for end in (ends[0].min(), ends[1].max()))
    codes = len(coding.levels)
    spans = (ends[1] - ends[0]) / max(codes - 1, 1)
    return ExpectedInput(
        shape=graph.input_shape,
        dtype="float32" if coding.bipolar else _type(low, high, float(spans.min())),
        low=low,
        high=high,
        step=float(spans.min()),
        codes=codes,
    )


def input_ends(coding: InputCoding | InputCodings) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest number of each channel that is not clipped, of shape (channels,) or ().

    Those of a bipolar input are −1 and 1 behind its operations; of several codings the widest.
    """
    ends = [_ends(part) for part in coding.parts]
    low, high = ends[0]
    for others in ends[1:]:
        low, high = np.minimum(low, others[0]), np.maximum(high, others[1])
    return low, high


def _ends(coding: InputCoding) -> tuple[np.ndarray, np.ndarray]:
    codes = np.array([-1.0, 1.0]) if coding.bipolar else np.array([coding.low, coding.high], dtype=np.float64)
    zero_point = coding.zero_point + coding.shift
    numbers = codes if coding.bipolar else [(code - zero_point) * coding.scale for code in codes]
    ends = [np.asarray(number) for number in numbers]
    for operation in reversed(coding.operations):
        constant = np.asarray(operation.constant, dtype=np.float64)
        ends = [_undone(operation.kind, end, constant) for end in ends]
    return np.minimum(*ends), np.maximum(*ends)


def input_warnings(graph: Graph, x: np.ndarray) -> tuple[str, ...]:
    """Lines that say how an input does not fit the network: clipped, or collapsed to few codes.

    Parameters
    ----------
    graph : Graph
    x : ndarray of shape (batch, channels, height, width), float32
        See `Graph.arrange_input`.
    """
    coding, expected = graph.input_coding, expected_input(graph)
    if any(part.bipolar for part in coding.parts):
        return ()
    low, high = (end.reshape(-1, 1, 1) for end in input_ends(coding))
    half = expected.step / 2
    clipped = float(((x < low - half) | (x > high + half)).mean())
    found = max(len(np.unique(part.encode(x))) for part in coding.parts)
    lines = []
    if clipped >= CLIPPED:
        lines.append(
            f"{clipped:.0%} of the input is clipped: it reaches from {x.min():.6g} to {x.max():.6g}, the network "
            f"expects {expected.low:.6g} to {expected.high:.6g}"
        )
    if expected.codes > _MANY and found <= max(_FEW, expected.codes // _COLLAPSED):
        lines.append(
            f"the input takes {found} of {expected.codes} codes: it reaches from {x.min():.6g} to {x.max():.6g}, the "
            f"network expects {expected.low:.6g} to {expected.high:.6g}"
        )
    return tuple(lines)


def _undone(kind: str, number: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """What an operation has made a number of; a bound leaves it."""
    if kind in ("maximum", "minimum"):
        return getattr(np, kind)(number, constant)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = {
            "multiply": lambda: number / constant,
            "divide": lambda: number * constant,
            "add": lambda: number - constant,
            "subtract": lambda: number + constant,
        }[kind]()
    return np.where(np.isfinite(result), result, 0.0)


def _type(low: float, high: float, step: float) -> str:
    """The type of whole numbers that are taken as they are; that of all others."""
    for dtype in ("uint8", "int8"):
        limits = np.iinfo(dtype)
        if step == 1 and low.is_integer() and limits.min <= low and high <= limits.max:
            return dtype
    return "float32"
