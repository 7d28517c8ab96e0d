"""Random windows of convolutions and pools: every stride, pad, dilation and automatic pad that leaves a map."""

from dataclasses import replace

import numpy as np

from .description import Window
from .forms import Form


def random_window(
    rng: np.random.Generator,
    sides: tuple[int, ...],
    form: Form,
    *,
    most_dilation: int,
    pool: bool = False,
    same: bool = False,
    ceil_modes: bool = False,
) -> Window:
    """A window that fits maps of these sides; with `same` one that keeps them.

    Of a pool, every window holds a number of the map.
    """
    for _ in range(100):
        window = _drawn(rng, sides, form, most_dilation=most_dilation, pool=pool, same=same)
        if ceil_modes and window.auto_pad == "NOTSET" and rng.random() < 0.3:
            window = replace(window, ceil_mode=True)
        wanted = sides if same else tuple(max(1, n) for n in window.output(sides))
        if window.output(sides) == wanted and not (pool and _empty(window, sides, form)):
            return window
    ones, none = (1,) * len(sides), (0,) * (2 * len(sides))
    return Window(kernel=ones, stride=ones, dilation=ones, pads=none)


def _drawn(
    rng: np.random.Generator,
    sides: tuple[int, ...],
    form: Form,
    *,
    most_dilation: int,
    pool: bool,
    same: bool,
) -> Window:
    axes = len(sides)
    kernel = tuple(int(n) for n in rng.integers(1, 5, axes))
    stride = tuple(1 if same else int(n) for n in rng.choice([1, 1, 2, 3], axes))
    dilated = most_dilation > 1 and rng.random() < 0.25
    dilation = tuple(int(n) for n in rng.integers(1, 1 + most_dilation, axes)) if dilated else (1,) * axes
    if form.name == "tflite" and dilated:
        stride = (1,) * axes
    automatic = rng.random() < (0.8 if form.name == "tflite" else 0.2)
    # onnxruntime takes automatic pads with dilation as if there were none.
    if (automatic and not dilated) or (form.name == "tflite" and (automatic or pool)):
        kinds = ["SAME_UPPER"] if same else ["SAME_UPPER", "VALID"]
        if form.name != "tflite":
            kinds.append("SAME_LOWER")
        return Window(
            kernel=kernel,
            stride=stride,
            dilation=dilation,
            pads=(0,) * (2 * axes),
            auto_pad=str(rng.choice(kinds)),
        )
    pads = tuple(int(rng.integers(0, k)) if rng.random() < 0.6 else 0 for k in (*kernel, *kernel))
    if same:
        reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
        before = [int(rng.integers(0, n + 1)) for n in reach]
        pads = (*before, *(n - b for n, b in zip(reach, before, strict=True)))
    return Window(kernel=kernel, stride=stride, dilation=dilation, pads=pads)


def _empty(window: Window, sides: tuple[int, ...], form: Form) -> bool:
    """Whether a window begins after the map, or ends before it, or what onnxruntime makes of its automatic pads."""
    apart = any(reach < stride for reach, stride in zip(window.reach, window.stride, strict=True))
    if window.auto_pad.startswith("SAME") and apart and form.name != "tflite":
        return True
    pads = window.explicit_pads(sides)
    for axis, (side, count) in enumerate(zip(sides, window.output(sides), strict=True)):
        last = (count - 1) * window.stride[axis] - pads[axis]
        if last >= side or window.reach[axis] <= pads[axis]:
            return True
    return False
