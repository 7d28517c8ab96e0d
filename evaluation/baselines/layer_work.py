"""What a layer asks of any hardware: its shapes, and the bits of its weights, its inputs and its outputs."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """A layer of a network, for one image.

    Parameters
    ----------
    name : str
    quantized : bool
        Neither the first layer nor the last one.
    kernels : int
        Of all groups.
    fan_in : int
        Weights of a kernel: channels of its group times the kernel's height and width.
    groups : int
    windows : int
        Positions of a kernel.
    w_bits, i_bits, out_bits : int
        Bits of a weight, of an input and of what leaves the layer.
    inputs, outputs : int
        Values that enter, and that leave, pooling done.
    held : int
        Values that have to be there at once: all lines of a window but the last, and of this the window's own.
    """

    name: str
    quantized: bool
    kernels: int
    fan_in: int
    groups: int
    windows: int
    w_bits: int
    i_bits: int
    out_bits: int
    inputs: int
    outputs: int
    held: int

    @property
    def weights(self) -> int:
        """How many weights it has."""
        return self.kernels * self.fan_in

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.weights * self.windows

    @property
    def window_values(self) -> int:
        """Inputs of all windows, each as often as a window has it."""
        return self.groups * self.fan_in * self.windows

    def with_bits(self, w_bits: int, i_bits: int) -> "LayerWork":
        """The same with other widths of weights and of all values."""
        return replace(self, w_bits=w_bits, i_bits=i_bits, out_bits=i_bits)
