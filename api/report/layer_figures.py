"""A layer's needs and mapping, as plain figures."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LayerFigures:
    """A layer of a network on a machine.

    Parameters
    ----------
    layer : str
    kernels : (kernels, channels of a group, height, width)
    output : (channels, height, width)
        Of what leaves the layer.
    w, i : int
        Bits of weights and inputs.
    macs : int
        Multiply-accumulates for one image.
    slots, planes : int
        Kernels and planes beside each other in a row.
    clusters : (vertical, horizontal)
        Clusters of sub-arrays.
    unit : {"pixels", "strips"}
        What is written together.
    pool : {"folded", "split"} or None
        How its pooling is computed, if not window by window.
    passes, kernel_tiles : int
    ring_rows, kernel_rows : int
        Rows of a sub-array that hold input lines, and kernels.
    resident : bool
        Whether the kernels stay in rows of their own.
    copies : int
        Maps that are copied for it, to lie beside others that it takes.
    widened : bool
        Whether its groups are widened to powers of two, in passes of their own.
    """

    layer: str
    kernels: tuple[int, ...]
    output: tuple[int, ...]
    w: int
    i: int
    macs: int
    slots: int
    planes: int
    clusters: tuple[int, int]
    unit: str
    pool: str | None
    passes: int
    kernel_tiles: int
    ring_rows: int
    kernel_rows: int
    resident: bool
    copies: int = 0
    widened: bool = False

    @property
    def binary_operations(self) -> int:
        """Single-bit products that the layer needs for one image: M · N · MAC."""
        return self.w * self.i * self.macs

    @property
    def size(self) -> str:
        """Channels, height and width of what leaves the layer."""
        return "×".join(map(str, self.output))

    @property
    def bits(self) -> str:
        """W:I."""
        return f"{self.w}:{self.i}"
