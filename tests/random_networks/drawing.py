"""Random networks of one to some six layers: valid, and of scales that use the codes of each quantizer."""

from dataclasses import replace

import numpy as np

from .description import (
    INPUT,
    Addition,
    Concatenation,
    Network,
    Nothing,
    Quantizer,
)
from .forms import Form
from .layers import LayerDrawing


def random_network(form: Form, seed: int) -> Network:
    """The network of a seed, as the form can say it."""
    return _Drawing(form, np.random.default_rng([form.number, seed])).network()


class _Drawing(LayerDrawing):
    """Blocks of layers."""

    def network(self) -> Network:
        rng = self.rng
        for _ in range(rng.integers(1, 5)):
            self._block()
        if rng.random() < 0.35:
            self._classifier()
        taken = {source for layer in self.layers for source in layer.sources}
        outputs = [number for number in range(len(self.layers)) if number not in taken]
        # A map inside the network may be looked at, too.
        inner = [n for n in taken if n != INPUT and self.layers[n].quantizer]
        if inner and rng.random() < 0.1:
            outputs.append(int(rng.choice(inner)))
        return replace(
            self.start,
            layers=tuple(self.layers),
            outputs=tuple(outputs),
            host=self._host(outputs),
            opset=self.opset,
        )

    def _host(self, outputs: list[int]) -> str | None:
        flat = len(outputs) == 1 and len(self.layers[outputs[0]].shape) == 1
        return str(self.rng.choice(["Softmax", "ArgMax"])) if flat and self.rng.random() < 0.2 else None

    def _block(self) -> None:
        source = self._source()
        if len(self.shape(source)) == 1:
            kinds = {self.dense: 6, self._sum_of_two: 2, self._requantized: 1, self._concatenated: 1}
        else:
            kinds = {
                self.convolution: 10,
                self._scaled_by_channel: 1 if self.form.float_stages else 0,
                self.pool: 3,
                self._sum_of_two: 3,
                self._concatenated: 2,
                self._requantized: 1,
                self.flat: 2,
            }
        weights = np.array(list(kinds.values()))
        kind = list(kinds)[int(self.rng.choice(len(kinds), p=weights / weights.sum()))]
        kind(source)

    def _classifier(self) -> None:
        source = len(self.layers) - 1
        if len(self.shape(source)) > 1 and self.rng.random() < 0.5:
            source = self.global_pool(source)
        if len(self.shape(source)) > 1:
            source = self.flat(source)
        self.dense(source, last=True)

    def _source(self) -> int:
        """Mostly the last layer; one that gives codes."""
        if not self.layers:
            return INPUT
        earlier = self.rng.random() < 0.2
        found = int(self.rng.integers(-1, len(self.layers))) if earlier else len(self.layers) - 1
        return found if self.is_plain(found) else self._requantized(found)

    def _scaled_by_channel(self, source: int) -> int:
        """A layer of codes with scales of each channel, and one that takes each channel by itself."""
        return self.convolution(self.convolution(source, by_channel=True), depthwise=True)

    def _sum_of_two(self, source: int) -> int:
        """The source, or an open sum, and another map of the same shape."""
        rng, shape = self.rng, self.shape(source)
        others = [
            n
            for n in range(-1, len(self.layers))
            if n != source and self.shape(n) == shape and self.is_plain(n)
        ]
        if others and rng.random() < 0.5:
            first = int(rng.choice(others))
        elif len(shape) == 1:
            first = self.dense_like(source)
        else:
            is_open = self.form.float_stages and rng.random() < 0.3
            first = self.convolution(source, like=shape, is_open=is_open)
        pair = (first, source) if rng.random() < 0.5 else (source, first)
        spread = float(np.hypot(self.spreads[first], self.spreads[source]))
        after, spread, positive = self.numbers.stages(shape, spread, activations_only=True)
        quantizer = self.numbers.quantizer(spread, positive=positive)
        return self.append(pair, Addition(), shape, spread, after=after, quantizer=quantizer)

    def _concatenated(self, source: int) -> int:
        """Two or three layers of one source; with one quantizer, or with their own and a common one after them."""
        rng, shape = self.rng, self.shape(source)
        sources = [source] if rng.random() < 0.5 else []
        while len(sources) < rng.integers(2, 4):
            own = (
                self.dense_like(source)
                if len(shape) == 1
                else self.convolution(source, like=(int(rng.integers(1, 4)), *shape[1:]))
            )
            sources.append(own)
        if self.form.name == "tflite":
            sources = [self._with_quantizer(number, self.quantizer(sources[0])) for number in sources]
            after = None
        else:
            spread = max(self.spreads[number] for number in sources)
            after = self.numbers.quantizer(spread, positive=all(map(self.is_positive, sources)))
        channels = sum(self.shape(number)[0] for number in sources)
        spread = max(self.spreads[number] for number in sources)
        return self.append(tuple(sources), Concatenation(), (channels, *shape[1:]), spread, quantizer=after)

    def _with_quantizer(self, number: int, quantizer: Quantizer | None) -> int:
        """The layer with another quantizer; the source of a concatenation keeps its own."""
        layer = self.layers[number] if number != INPUT else None
        if layer and self.quantizer(number) is not quantizer:
            self.layers[number] = replace(layer, quantizer=quantizer)
        return number

    def _requantized(self, source: int) -> int:
        spread, shape, given = self.spreads[source], self.shape(source), self.quantizer(source)
        truncation = self.numbers.truncation(given) if given else None
        codes_of_one_scale = given is not None and not given.scale.ndim
        function = None
        if codes_of_one_scale and self.rng.random() < 0.3:
            function = self.numbers.function_of_codes(spread)
        if truncation and self.rng.random() < 0.5:
            after, quantizer = (), truncation
        elif function:
            after, quantizer = function
        else:
            after, spread, positive = self.numbers.stages(shape, spread)
            quantizer = self.numbers.quantizer(spread, positive=positive)
        return self.append((source,), Nothing(), shape, spread, after=after, quantizer=quantizer)
