"""What a baseline costs for an image: by layer and by part, each figure with its bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..event_totals import Interval


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """A part of the hardware.

    Parameters
    ----------
    name : str
    energy : Interval
        For an image, in J.
    area : Interval or None
        In m²; None where the area is not told part by part.
    """

    name: str
    energy: Interval
    area: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """A layer of the network.

    Parameters
    ----------
    layer : str
    quantized : bool
        Neither the first layer nor the last one.
    energy : Interval
        For an image, in J.
    parts : tuple of CostPart
        Of this layer.
    area : Interval or None
        In m²; None where layers share the hardware.
    latency : Interval or None
        In s.
    crossbars, splits : int or None
        Crossbars that hold the layer's weights, and those of one kernel whose sums are added.
    """

    layer: str
    quantized: bool
    energy: Interval
    parts: tuple[CostPart, ...]
    area: Interval | None = None
    latency: Interval | None = None
    crossbars: int | None = None
    splits: int | None = None


@dataclass(frozen=True, kw_only=True)
class BaselineEstimate:
    """What an image costs on other hardware.

    Parameters
    ----------
    name, title : str
    energy : Interval
        For an image, in J.
    quantized : Interval or None
        The same without the first and the last layer; None if there is no other.
    area : Interval or None
        In m².
    latency : Interval or None
        In s, layers one after the other.
    parts : tuple of CostPart
    layers : tuple of LayerCost
    energy_share, area_share : Interval or None
        Of converters and buffers in all of it; None where there are no converters.
    operations_per_j : Interval
        Two a multiply-accumulate.
    reasons : dict of str to str
        Why a figure that technologies have is not there.
    notes : tuple of str
        What is counted, and what is not.
    """

    name: str
    title: str
    energy: Interval
    quantized: Interval | None
    area: Interval | None
    latency: Interval | None
    parts: tuple[CostPart, ...]
    layers: tuple[LayerCost, ...]
    energy_share: Interval | None
    area_share: Interval | None
    operations_per_j: Interval
    reasons: dict[str, str]
    notes: tuple[str, ...]


def spread(intervals: Sequence[Interval]) -> Interval:
    """The first one's value, with bounds that hold all of them.

    Parameters
    ----------
    intervals : sequence of Interval
        At least one. If something is missing in one of them, it is missing.
    """
    lows = [one.low for one in intervals if one.low is not None]
    highs = [one.high for one in intervals if one.high is not None]
    for one in intervals:
        if one.missing:
            return one
    return Interval(value=intervals[0].value, low=min(lows), high=max(highs))
