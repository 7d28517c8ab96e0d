"""Single layers of random networks: linear ones and pools, with what follows them and quantizers that fit."""

from dataclasses import replace
from math import prod

import numpy as np

from .description import (
    INPUT,
    Activation,
    Convolution,
    Core,
    Dense,
    Flattening,
    Layer,
    Pool,
    Quantizer,
    Stage,
    Window,
)
from .forms import Form
from .numbers import Numbers
from .windows import random_window

#: Share of what is refused for a limit that docs/operators.md states.
RARELY = 0.03


class LayerDrawing:
    """An input, the layers drawn so far, and the root mean square of what each gives.

    Every method that appends layers returns the number of the last one.
    """

    def __init__(self, form: Form, rng: np.random.Generator) -> None:
        self.form, self.rng = form, rng
        self.opset = int(rng.choice(form.opsets))
        self.numbers = Numbers(form, rng, self.opset)
        axes = int(rng.choice([0, 1, 2, 2, 2, 2, 2, 2]))
        sides = (int(n) for n in rng.integers(3, 10, axes))
        self.start = self.numbers.input((int(rng.integers(1, 5 if axes else 20)), *sides))
        self.layers = list[Layer]()
        self.spreads = {INPUT: self.start.quantizer.reach / 2}

    def shape(self, number: int) -> tuple[int, ...]:
        return self.start.shape if number == INPUT else self.layers[number].shape

    def quantizer(self, number: int) -> Quantizer | None:
        return replace(self.start, layers=tuple(self.layers)).quantizer_of(number)

    def is_plain(self, number: int) -> bool:
        """Whether a layer gives codes of one scale."""
        quantizer = self.quantizer(number)
        return quantizer is not None and not quantizer.scale.ndim

    def is_positive(self, source: int) -> bool:
        quantizer = self.quantizer(source)
        return quantizer is not None and quantizer.zero_point == quantizer.least >= 0

    def append(
        self,
        sources: tuple[int, ...],
        core: Core,
        shape: tuple[int, ...],
        spread: float,
        *,
        after: tuple[Stage, ...] = (),
        quantizer: Quantizer | None = None,
    ) -> int:
        if quantizer:
            spread = min(spread, quantizer.reach)
        self.layers.append(Layer(sources=sources, core=core, shape=shape, after=after, quantizer=quantizer))
        self.spreads[len(self.layers) - 1] = spread
        return len(self.layers) - 1

    def _finished(
        self,
        source: int,
        core: Core,
        shape: tuple[int, ...],
        spread: float,
        *,
        is_open: bool = False,
        by_channel: bool = False,
        pools: bool = False,
    ) -> int:
        """A layer of sums with stages and a quantizer of their spread; without these if it stays open."""
        if is_open:
            return self.append((source,), core, shape, spread)
        after, spread, positive = self.numbers.stages(shape, spread)
        if (
            isinstance(core, Convolution | Dense)
            and core.operator.endswith("Integer")
            and self.rng.random() < 0.4
        ):
            after, positive = (Activation(operator="Relu"),), True
        if pools and self.form.float_stages and self.rng.random() < 0.2:
            pool, sides = self.pool_of(shape)
            if pool and (_is_plain_pool(pool, after) or self.rng.random() < RARELY):
                after, shape = (*after, pool), (shape[0], *sides)
        if self.form.thresholds and not by_channel and self.rng.random() < 0.1:
            quantizer = self.numbers.thresholds(spread, shape[0])
        else:
            quantizer = self.numbers.quantizer(
                spread, positive=positive, channels=shape[0] if by_channel else None
            )
        after = self.numbers.apart_from_zero(after, quantizer, spread)
        return self.append((source,), core, shape, spread, after=after, quantizer=quantizer)

    def convolution(
        self,
        source: int,
        *,
        like: tuple[int, ...] | None = None,
        is_open: bool = False,
        by_channel: bool = False,
        depthwise: bool = False,
    ) -> int:
        """`like`: of this shape, which is that of the source but for its channels."""
        rng, (channels, *sides) = self.rng, self.shape(source)
        window = random_window(rng, tuple(sides), self.form, most_dilation=2, same=like is not None)
        groups = int(rng.choice([n for n in range(1, channels + 1) if channels % n == 0]))
        if depthwise or groups in (1, channels) or self.form.name == "tflite":
            groups = channels if depthwise or rng.random() < 0.3 else 1
        kernels = like[0] if like else groups * int(rng.integers(1, 1 + max(1, 6 // groups)))
        if kernels % groups:
            groups = 1
        shape = (kernels, *window.output(tuple(sides)))
        operator = self._operator("Conv", "QLinearConv", "QLinearConv", "ConvInteger")
        weights = self.numbers.weights(
            (kernels, channels // groups, *window.kernel),
            unsigned=operator == "ConvInteger",
            one_scale=is_open and rng.random() > RARELY,
        )
        spread = self.spreads[source] * self.numbers.gain(weights)
        core = Convolution(
            weights=weights,
            window=window,
            groups=groups,
            bias=self.numbers.bias(weights, self.quantizer(source), spread),
            pad_before=any(window.pads) and (self.form.name == "tflite" or rng.random() < 0.1),
            operator=operator,
        )
        return self._finished(
            source, core, shape, spread, is_open=is_open, by_channel=by_channel, pools=like is None
        )

    def _operator(self, own: str, *integer: str) -> str:
        """One of the integer operators in their form; onnxruntime's ConvInteger is of unsigned ones alone."""
        if self.form.name != "integer":
            return own
        signed = self.start.quantizer.signed
        return str(self.rng.choice([n for n in integer if n != "ConvInteger" or not signed]))

    def dense(self, source: int, *, last: bool = False) -> int:
        rng, (inputs,) = self.rng, self.shape(source)
        outputs = int(rng.integers(1, 11))
        weights = self.numbers.weights((outputs, inputs))
        spread = self.spreads[source] * self.numbers.gain(weights)
        operator = self._operator(
            str(rng.choice(["Gemm", "MatMul"])), "QLinearMatMul", "QGemm", "MatMulInteger"
        )
        core = Dense(
            weights=weights,
            bias=self.numbers.bias(weights, self.quantizer(source), spread),
            operator=operator,
        )
        is_open = last and self.form.name in ("qonnx", "qdq") and rng.random() < 0.6
        return self._finished(source, core, (outputs,), spread, is_open=is_open)

    def dense_like(self, source: int) -> int:
        (size,) = self.shape(source)
        weights = self.numbers.weights((size, size))
        spread = self.spreads[source] * self.numbers.gain(weights)
        operator = self._operator("Gemm", "QLinearMatMul", "QGemm")
        return self._finished(source, Dense(weights=weights, operator=operator), (size,), spread)

    def pool_of(self, shape: tuple[int, ...]) -> tuple[Pool | None, tuple[int, ...]]:
        """A pool with a window, if one fits, and the sides that it leaves."""
        rng, sides = self.rng, shape[1:]
        average = rng.random() < 0.5
        dilates = self.opset >= (19 if average else 10) and self.form.float_stages
        window = random_window(
            rng,
            sides,
            self.form,
            most_dilation=1 + (dilates and rng.random() < RARELY),
            pool=True,
            ceil_modes=self.opset >= 10 and self.form.name != "tflite",
        )
        if any(n < 1 for n in window.output(sides)):
            return None, sides
        pool = Pool(
            kind="average" if average else "max",
            window=window,
            count_padding=average and self._counts_padding(window, sides) and rng.random() < 0.5,
        )
        return pool, window.output(sides)

    def _counts_padding(self, window: Window, sides: tuple[int, ...]) -> bool:
        """Whether a mean may be of padded positions too.

        From version 19 on onnxruntime 1.23 ends the lines of an image where its left padding says.
        """
        if self.form.name == "tflite":
            return False
        return self.opset < 19 or len(window.kernel) == 1 or len({*window.explicit_pads(sides)}) == 1

    def pool(self, source: int) -> int:
        shape = self.shape(source)
        if self.rng.random() < 0.2:
            return self.global_pool(source)
        pool, sides = self.pool_of(shape)
        if not pool:
            return self.convolution(source)
        return self._pooled(source, pool, (shape[0], *sides))

    def global_pool(self, source: int) -> int:
        shape = self.shape(source)
        pool = Pool(kind=str(self.rng.choice(["average", "average", "max"])), mean=False)
        if pool.kind == "average" and self.rng.random() < 0.3:
            return self._pooled(source, replace(pool, mean=True), shape[:1])
        return self._pooled(source, pool, (shape[0], *(1 for _ in shape[1:])))

    def _pooled(self, source: int, pool: Pool, shape: tuple[int, ...]) -> int:
        spread = self.spreads[source]
        if pool.kind == "max":
            return self.append((source,), pool, shape, spread)
        if self.form.name == "tflite" and pool.window:
            return self.append((source,), pool, shape, spread, quantizer=self.quantizer(source))
        quantizer = self.numbers.quantizer(spread, positive=self.is_positive(source))
        after = self.numbers.apart_from_zero((), quantizer, spread) if pool.kind == "average" else ()
        return self.append((source,), pool, shape, spread, after=after, quantizer=quantizer)

    def flat(self, source: int) -> int:
        operator = str(self.rng.choice(["Flatten", "Reshape"]))
        shape = (prod(self.shape(source)),)
        return self.append((source,), Flattening(operator), shape, self.spreads[source])


def _is_plain_pool(pool: Pool, before: tuple[Stage, ...]) -> bool:
    """Whether a pool of sums is a maximum, or a mean of as many sums everywhere with nothing but lines before it."""
    if pool.kind == "max":
        return True
    window = pool.window
    padded = window is None or any(window.pads) or window.ceil_mode or window.auto_pad.startswith("SAME")
    return not padded and not any(isinstance(stage, Activation) for stage in before)
