"""Random graphs of layers: branches, concatenations, residuals, several outputs, any zero point and padding."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.compiler.graph import (
    CodeAddition,
    DoublingAddition,
    DoublingMultiply,
    FloatScale,
    Graph,
    InputCoding,
    Layer,
    Output,
    Pooling,
    Residual,
    StepFunction,
    Steps,
)
from spinplane.compiler.oracle import arrange, check_shapes, concatenate, finish, linear, pooled
from spinplane.machine import Coding, Operand, Rounding

_WEIGHTS = [
    Operand(bits=1, coding=Coding.BIPOLAR),
    Operand(bits=2, coding=Coding.DOREFA),
    Operand(bits=3, coding=Coding.TWOS_COMPLEMENT),
    Operand(bits=4, zero_point=5),
    Operand(bits=2, coding=Coding.TWOS_COMPLEMENT, zero_point=1),
    Operand(bits=1),
]
#: A concatenation is of so many codes at most, flattened.
_MOST_FLAT = 90


class RandomGraph:
    """Layers drawn one after the other, each of which takes any maps that it can.

    Parameters
    ----------
    seed : int
    layers : int
    images : int
    """

    def __init__(self, seed: int, *, layers: int, images: int = 1) -> None:
        self._rng = rng = np.random.default_rng(seed)
        shape = (int(rng.integers(1, 6)), int(rng.integers(3, 6)), int(rng.integers(3, 6)))
        low = int(rng.integers(-8, 1))
        high = low + int(rng.choice([1, 3, 6, 15]))
        self.inputs = rng.integers(low, high + 1, (images, *shape))
        # Values of each map, and all that it may hold; None of sums.
        self._values = [self.inputs]
        self._levels: list[range | None] = [range(low, high + 1)]
        self._layers = list[Layer]()
        for number in range(layers):
            self._append(number)
        self.graph = Graph(
            name=f"random {seed}",
            input_shape=shape,
            input_coding=InputCoding(low=low, high=high),
            layers=tuple(self._layers),
            outputs=self._outputs(),
        )

    def _append(self, number: int) -> None:
        taken = self._taken(number)
        values = np.concatenate([self._values[source + 1] for source in taken], axis=1)
        layer = self._linear(number, taken, values)
        sums = linear(layer, arrange(layer, concatenate(layer, [self._values[n + 1] for n in taken])))
        layer = self._pooling(layer, sums)
        before = pooled(sums, layer.pool) if layer.pool and layer.pool.kind != "max_codes" else sums
        layer = self._adding_sums(layer, before)
        if layer.residual:
            before = (
                layer.residual.scale * before
                + layer.residual.residual_scale * self._values[layer.residual.source + 1]
            )
        levels = None
        if self._rng.random() < 0.92:
            layer, levels = self._requantized(layer, before)
        sources = [layer.residual, layer.addition]
        residual, added = (
            None if one is None or one.source is None else self._values[one.source + 1] for one in sources
        )
        self._layers.append(layer)
        self._values.append(finish(layer, sums, residual, added))
        self._levels.append(levels)

    def _taken(self, number: int) -> tuple[int, ...]:
        """Maps of one height and width, whose values one operand has."""
        rng, codes = self._rng, [n - 1 for n, levels in enumerate(self._levels) if levels is not None]
        first = int(rng.choice(codes[-4:]))
        if rng.random() < 0.45:
            return (first,)
        sides = self._values[first + 1].shape[2:]
        others = [n for n in codes if self._values[n + 1].shape[2:] == sides]
        count = int(rng.integers(2, 5))
        taken = tuple(
            int(n)
            for n in rng.choice(
                others, min(count, 2 * len(others)), replace=rng.random() < 0.2 or count > len(others)
            )
        )
        levels = self._levels_of(taken)
        return taken if levels[-1] - levels[0] < 256 else (first,)

    def _levels_of(self, taken: tuple[int, ...]) -> range:
        """All values that maps may hold."""
        of_maps = [levels for n in taken if (levels := self._levels[n + 1])]
        first, last = min(levels[0] for levels in of_maps), max(levels[-1] for levels in of_maps)
        odd = all(levels.step == 2 and (levels[0] - first) % 2 == 0 for levels in of_maps)
        return range(first, last + 1, 2 if odd else 1)

    def _operand(self, levels: range) -> Operand:
        """An operand that has all values of a range, and maybe more."""
        rng = self._rng
        bits = max(1, (len(levels) - 1).bit_length())
        bits = min(8, bits + int(rng.integers(0, 2)))
        room = 2**bits - len(levels)
        smallest = levels[0] - levels.step * int(rng.integers(0, room + 1))
        if levels.step == 2:
            coding = Coding.BIPOLAR if bits == 1 else Coding.DOREFA
        else:
            coding = Coding.UNSIGNED if rng.integers(2) else Coding.TWOS_COMPLEMENT
        return Operand(
            bits=bits, coding=coding, zero_point=Operand(bits=bits, coding=coding).smallest - smallest
        )

    def _linear(self, number: int, taken: tuple[int, ...], values: np.ndarray) -> Layer:
        rng = self._rng
        i = self._operand(self._levels_of(taken))
        flatten = bool(rng.random() < 0.2 and values[0].size <= _MOST_FLAT)
        height, width = (1, 1) if flatten else values.shape[2:]
        channels = values[0].size if flatten else values.shape[1]
        groups = int(rng.choice([g for g in (1, 1, 1, 2, 3, channels) if channels % g == 0]))
        kernel = tuple(int(rng.integers(1, min(3, side) + 1)) for side in (height, width))
        kernels = groups * int(rng.integers(1, 4 if groups < 4 else 2))
        padding = (0, 0, 0, 0)
        if not flatten and rng.random() < 0.6:
            padding = tuple(rng.integers(0, 2, 4).tolist())
            if rng.random() < 0.5 and kernel[0] % 2 and kernel[1] % 2:
                padding = (kernel[0] // 2, kernel[1] // 2) * 2
        w = _WEIGHTS[rng.integers(len(_WEIGHTS))]
        weights = w.scale * rng.integers(0, 2**w.bits, (kernels, channels // groups, *kernel)) + w.smallest
        return Layer(
            name=f"layer{number}",
            weights=weights,
            w=w,
            i=i,
            bias=rng.integers(-9, 10, kernels),
            stride=tuple(rng.choice([1, 1, 1, 2], 2).tolist()),
            padding=padding,
            pad_value=self._pad_value(i) if any(padding) else 0,
            groups=groups,
            flatten=flatten,
            inputs=() if taken == (number - 1,) else taken,
        )

    def _pad_value(self, i: Operand) -> int:
        """A value of the operand, or one beside or between them where there is room for its code."""
        value = int(self._rng.integers(i.smallest, i.largest + 1))
        return value if i.bits == 8 else value - int(self._rng.integers(2))

    def _pooling(self, layer: Layer, sums: np.ndarray) -> Layer:
        if min(sums.shape[2:]) < 2 or self._rng.random() < 0.7:
            return layer
        kind = self._rng.choice(["sum", "max_sums", "max_codes"])
        stride = int(self._rng.integers(1, 3))
        return replace(layer, pool=Pooling(kind=str(kind), size=(2, 2), stride=(stride, stride)))

    def _beside(self, shape: tuple[int, ...]) -> int | None:
        """A map of this shape, if there is one."""
        fitting = [
            n - 1
            for n, values in enumerate(self._values)
            if self._levels[n] is not None and values.shape[1:] == shape[1:]
        ]
        return int(self._rng.choice(fitting)) if fitting and self._rng.random() < 0.6 else None

    def _adding_sums(self, layer: Layer, sums: np.ndarray) -> Layer:
        if layer.pool and layer.pool.kind == "max_codes":
            return layer
        source = self._beside(sums.shape)
        if source is None or self._rng.random() < 0.5:
            return layer
        check_shapes(layer, sums.shape[1:], self._values[source + 1].shape[1:])
        scale, residual_scale = self._rng.choice([-3, -1, 1, 2, 5], 2).tolist()
        return replace(layer, residual=Residual(source=source, scale=scale, residual_scale=residual_scale))

    def _requantized(self, layer: Layer, sums: np.ndarray) -> tuple[Layer, range]:
        rng = self._rng
        low = int(rng.integers(-9, 3))
        count = int(rng.choice([2, 4, 5, 8, 16, 200], p=[0.2, 0.2, 0.15, 0.2, 0.2, 0.05]))
        step = 2 if count < 16 and rng.random() < 0.2 else 1
        levels = range(low, low + step * count, step)
        layer = replace(layer, steps=self._steps(layer, sums, levels))
        after = finish(replace(layer, residual=None), sums) if not layer.pool else None
        source = None if after is None or layer.residual else self._beside(after.shape)
        if source is None or rng.random() < 0.4:
            return layer, levels
        least, most = int(rng.integers(-8, 0)), int(rng.integers(1, 8))
        if rng.integers(2):
            addition: CodeAddition | DoublingAddition = CodeAddition(
                source=source,
                own_scale=Fraction(int(rng.integers(1, 9)), 8),
                residual_scale=Fraction(int(rng.integers(1, 9)), 8),
                rounding=Rounding.HALF_EVEN,
                low=least,
                high=most,
            )
        else:
            own, residual, whole = (int(n) for n in rng.integers(2**30, 2**31 - 1, 3))
            addition = DoublingAddition(
                source=source,
                left_shift=20,
                own_multiplier=own,
                own_shift=0,
                residual_multiplier=residual,
                residual_shift=-1,
                output_multiplier=whole,
                output_shift=-19,
                low=least,
                high=most,
            )
        return replace(layer, addition=addition), range(least, most + 1)

    def _steps(self, layer: Layer, sums: np.ndarray, levels: range) -> Steps:
        rng, kernels = self._rng, len(layer.weights)
        count, low, high = len(levels) - 1, levels[0], levels[-1]
        if rng.integers(2) or layer.residual or levels.step == 2 or count > 15:
            rising = rng.integers(0, 2, kernels).astype(bool)
            places = rng.integers(sums.min(), sums.max() + 2, (kernels, count))
            limits = np.sort(places, axis=1)
            limits = np.where(rising[:, np.newaxis], limits, limits[:, ::-1])
            return StepFunction(thresholds=limits, rising=rising, levels=np.array(levels))
        scale = rng.uniform(0.3, 3, kernels) * (count + 2) / max(1, np.abs(sums).max())
        if rng.integers(2):
            signs = rng.choice([-1, 1], kernels)
            return FloatScale(scale=(scale * signs).astype(np.float32), low=low, high=high)
        significand, shift = np.frexp(scale)
        return DoublingMultiply(
            multiplier=(significand * 2**31).astype(np.int32),
            shift=shift.astype(np.int64),
            low=low,
            high=high,
        )

    def _outputs(self) -> tuple[Output, ...]:
        """All maps that no layer reads, and some others, alone or side by side."""
        rng, read = self._rng, set[int]()
        for number, layer in enumerate(self._layers):
            read |= {*(layer.inputs or (number - 1,))}
            read |= {one.source for one in (layer.residual, layer.addition) if one and one.source is not None}
        unread = [n for n in range(len(self._layers)) if n not in read]
        inner = [n for n in sorted(read) if n >= 0 and rng.random() < 0.2]
        outputs = [self._output((n,)) for n in unread + inner]
        together = [n for n in range(len(self._layers)) if self._sides(n) == self._sides(unread[-1])]
        if len(together) > 1 and rng.integers(2):
            outputs.append(self._output(tuple(rng.permutation(together)[:3].tolist())))
        return tuple(outputs)

    def _sides(self, number: int) -> tuple[int, ...]:
        return self._values[number + 1].shape[2:]

    def _output(self, layers: tuple[int, ...]) -> Output:
        rng = self._rng
        channels = sum(self._values[n + 1].shape[1] for n in layers)
        sides = self._sides(layers[0])
        return Output(
            name=f"output {layers}",
            layers=layers,
            scale=rng.uniform(0.1, 2, channels),
            offset=rng.uniform(-1, 1, channels),
            shape=(1, *sides, channels),
            order=(0, 2, 3, 1),
        )
