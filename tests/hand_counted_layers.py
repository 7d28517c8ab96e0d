"""Layers small enough to count by hand."""

from spinplane.evaluation.baselines import LayerWork


def layer(
    name: str = "conv", *, quantized: bool = True, w: int = 1, i: int = 1, fan_in: int = 200, out: int = 1
) -> LayerWork:
    """16 kernels of `fan_in` weights at 10 windows of a map of 1 000 values."""
    return LayerWork(
        name=name,
        quantized=quantized,
        kernels=16,
        fan_in=fan_in,
        groups=1,
        windows=10,
        w_bits=w,
        i_bits=i,
        out_bits=out,
        inputs=1000,
        outputs=160,
        held=300,
    )


def network() -> tuple[LayerWork, ...]:
    """Ends of 8 bits, and two quantized layers, of which the first is split."""
    return (
        layer("first", quantized=False, w=8, i=8),
        layer("split"),
        layer("whole", fan_in=100),
        layer("last", quantized=False, w=8, i=8, out=32),
    )
