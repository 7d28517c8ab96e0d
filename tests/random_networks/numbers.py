"""Random numbers of a network: quantizers that fit the spread of what they take, weights, biases, stages."""

from dataclasses import replace

import numpy as np

from .description import Activation, Arithmetic, Network, Normalization, Quantizer, Stage, Weights
from .forms import Form

#: Roundings whose steps are at whole numbers.
DIRECTED = ("CEIL", "FLOOR", "UP", "DOWN")


class Numbers:
    """Draws of one form."""

    def __init__(self, form: Form, rng: np.random.Generator, opset: int) -> None:
        self._form, self._rng = form, rng
        self._opset = opset
        # Integer operators take and give codes of one type.
        self._of_one_sign = bool(rng.random() < 0.5) if form.name == "integer" else None

    def quantizer(self, spread: float, *, positive: bool = False, channels: int | None = None) -> Quantizer:
        """Of the codes of numbers with this root mean square; of `channels` each has a scale of its own."""
        rng, form = self._rng, self._form
        bits = int(rng.choice(form.bits))
        signed = self._signed(positive=positive)
        narrow = form.narrow and bits > 1 and rng.random() < 0.2
        # One unsigned bit is 0 or 1 and has no narrow range, one signed bit ±1 and has no zero point.
        plain = Quantizer(bits=bits, signed=signed, narrow=narrow, scale=np.float32(1))
        zero_point = 0
        if form.name == "tflite" and positive and rng.random() < 0.7:
            zero_point = plain.least
        elif rng.random() < (0.25 if form.name == "qonnx" else 0.7) and bits > 1:
            zero_point = int(rng.integers(plain.least, plain.greatest + 1))
        reach = max(plain.greatest - zero_point, zero_point - plain.least)
        if positive:
            reach = max(plain.greatest - zero_point, 1)
        scale = self._scale(spread * rng.uniform(1, 3) / max(reach, 1))
        if channels is not None:
            scale = (scale * 2.0 ** rng.uniform(-1, 1, channels)).astype(np.float32)
        return Quantizer(
            bits=bits,
            signed=signed,
            narrow=narrow,
            scale=scale,
            zero_point=zero_point,
            rounding=str(rng.choice(form.roundings)),
        )

    def thresholds(self, spread: float, channels: int) -> Quantizer:
        """Codes that count thresholds, in order, of each channel or of all."""
        rng, bits = self._rng, int(self._rng.integers(1, 6))
        count = (channels if rng.random() < 0.6 else 1, 2**bits - 1)
        return Quantizer(
            bits=bits,
            signed=False,
            scale=self._scale(spread / 2**bits),
            zero_point=int(rng.integers(0, 2**bits)) if rng.random() < 0.5 else 0,
            thresholds=np.sort(spread * rng.normal(size=count), axis=1).astype(np.float32),
        )

    def truncation(self, source: Quantizer) -> Quantizer | None:
        """Some of the highest bits of codes, if they have a plain scale and several bits."""
        if not self._form.truncation or source.bits < 3 or source.zero_point or source.scale.ndim:
            return None
        return Quantizer(
            bits=int(self._rng.integers(2, source.bits)),
            signed=source.signed,
            scale=source.scale,
            rounding=str(self._rng.choice(["FLOOR", "FLOOR", "ROUND", "CEIL"])),
            truncates=source.bits,
        )

    def _signed(self, *, positive: bool) -> bool:
        if self._form.name == "tflite":
            return True
        if self._of_one_sign is not None:
            return self._of_one_sign
        return bool(self._rng.random() < (0.2 if positive else 0.8))

    def _scale(self, about: float) -> np.ndarray:
        power = self._rng.random() < 0.3
        return np.float32(2.0 ** np.round(np.log2(about)) if power else about)

    def weights(self, shape: tuple[int, ...], *, unsigned: bool = False, one_scale: bool = False) -> Weights:
        """Codes of a kernel a row, with one scale or one a kernel."""
        rng, form = self._rng, self._form
        bits = int(rng.choice(form.weight_bits))
        signed = form.name == "tflite" or (bool(self._of_one_sign or rng.random() < 0.85) and not unsigned)
        narrow = form.narrow and bits > 1 and rng.random() < 0.3
        plain = Quantizer(bits=bits, signed=signed, narrow=narrow, scale=np.float32(1))
        zero_point = 0
        if form.zero_point_of_weights and bits > 1 and (not signed or rng.random() < 0.15):
            zero_point = int(rng.integers(plain.least, plain.greatest + 1))
        per_kernel = (
            rng.random() < 0.5 and not one_scale and not (zero_point and form.name in ("integer", "tflite"))
        )
        scales = 0.01 * 2.0 ** rng.uniform(-1, 1, len(shape) and shape[0])
        scale = np.array([self._scale(about) for about in scales], dtype=np.float32)
        codes = rng.integers(plain.least, plain.greatest + 1, shape)
        if bits == 1 and signed:
            codes = np.where(codes > 0, 1, -1)
        if form.name == "tflite":
            codes = np.maximum(codes, -127)
        quantizer = Quantizer(
            bits=bits,
            signed=signed,
            narrow=narrow,
            scale=scale if per_kernel else scale[0],
            zero_point=zero_point,
            rounding=str(rng.choice(form.roundings)),
        )
        return Weights(codes=codes, quantizer=quantizer)

    def gain(self, weights: Weights) -> float:
        """Root mean square of sums over that of what is summed."""
        real = (weights.codes - weights.quantizer.zero_point) * float(np.median(weights.quantizer.scale))
        return float(np.sqrt((real.reshape(len(real), -1) ** 2).sum(axis=1).mean())) or 0.01

    def bias(self, weights: Weights, quantizer: Quantizer | None, spread: float) -> np.ndarray | None:
        if quantizer is None or self._rng.random() < 0.4:
            return None
        unit = float(np.median(weights.quantizer.scale)) * float(np.median(quantizer.scale))
        return np.rint(self._rng.normal(size=len(weights.codes)) * spread / 2 / unit).astype(np.int32)

    def stages(
        self, shape: tuple[int, ...], spread: float, *, activations_only: bool = False
    ) -> tuple[tuple[Stage, ...], float, bool]:
        """What stands between sums and their quantizer, the spread after it, and whether that is positive."""
        rng, form = self._rng, self._form
        found, positive = list[Stage](), False
        if form.float_stages and not activations_only:
            if rng.random() < 0.25 and len(shape) > 1:
                found.append(self._normalization(shape[0], spread))
                spread = 1.0
            if rng.random() < 0.15:
                arithmetic = self._arithmetic(shape, spread)
                found.append(arithmetic)
                if arithmetic.operator in ("Mul", "Div"):
                    spread *= float(np.abs(self._factor(arithmetic)).max())
        if self._form.activations and rng.random() < 0.6:
            activation = self._activation(shape, spread)
            found.append(activation)
            positive = activation.operator in ("Relu", "Relu6", "Sigmoid", "HardSigmoid") or (
                activation.low is not None and activation.low >= 0
            )
            spread = self._after(activation, spread)
        return tuple(found), spread, positive

    def apart_from_zero(
        self, stages: tuple[Stage, ...], quantizer: Quantizer, spread: float
    ) -> tuple[Stage, ...]:
        """Stages before a quantizer with a number added to sums, if there is a step at 0.

        Products that cancel in exact arithmetic leave something in float32, and on which side is not the network's
        meaning.
        """
        moved = any(
            isinstance(stage, Normalization)
            or (isinstance(stage, Arithmetic) and stage.operator in ("Add", "Sub"))
            for stage in stages
        )
        signs = any(isinstance(stage, Activation) and stage.operator == "Sign" for stage in stages)
        at_zero = signs or quantizer.rounding in DIRECTED or (quantizer.bits == 1 and quantizer.signed)
        if moved or not at_zero or not self._form.float_stages:
            return stages
        addend = np.float32(spread * self._rng.uniform(0.1, 0.5))
        return (Arithmetic(operator="Add", constant=addend), *stages)

    def function_of_codes(self, spread: float) -> tuple[tuple[Stage, ...], Quantizer] | None:
        """A function that is computed code by code, with the quantizer that TFLite demands after it."""
        form = self._form
        names = ["LeakyRelu", "Sigmoid", "Tanh", "HardSwish"]
        if form.name == "integer" or (form.float_stages and self._opset < 14):
            return None
        operator = str(self._rng.choice(["HardSwish"] if form.float_stages else names))
        if operator in ("Sigmoid", "Tanh"):
            scale, zero_point = {"Sigmoid": (1 / 256, -128), "Tanh": (1 / 128, 0)}[operator]
            quantizer = Quantizer(bits=8, signed=True, scale=np.float32(scale), zero_point=zero_point)
        else:
            quantizer = self.quantizer(spread)
        slope = np.float32(self._rng.choice([0.01, 0.1, 0.25]))
        return (Activation(operator=operator, slope=slope),), quantizer

    @staticmethod
    def _factor(arithmetic: Arithmetic) -> np.ndarray:
        return 1 / arithmetic.constant if arithmetic.operator == "Div" else arithmetic.constant

    @staticmethod
    def _after(activation: Activation, spread: float) -> float:
        match activation.operator:
            case "Clip" | "Relu6" | "ReluN1":
                return min(spread, max(abs(activation.low or 0), abs(activation.high or 0)) or spread)
            case "Sigmoid" | "Tanh" | "HardSigmoid" | "Sign":
                return 0.7
        return spread

    def _normalization(self, channels: int, spread: float) -> Normalization:
        rng = self._rng
        signs = np.where(rng.random(channels) < 0.15, -1, 1)
        return Normalization(
            scale=(signs * rng.uniform(0.5, 2, channels)).astype(np.float32),
            bias=rng.normal(size=channels).astype(np.float32) * np.float32(0.5),
            mean=(spread * rng.normal(size=channels) * 0.3).astype(np.float32),
            variance=(spread**2 * rng.uniform(0.3, 2, channels)).astype(np.float32),
        )

    def _arithmetic(self, shape: tuple[int, ...], spread: float) -> Arithmetic:
        rng, operator = self._rng, str(self._rng.choice(["Mul", "Div", "Add", "Sub"]))
        count = shape[:1] if rng.random() < 0.5 else ()
        if operator in ("Mul", "Div"):
            numbers = 2.0 ** rng.uniform(-2, 2, count) * np.where(rng.random(count) < 0.1, -1, 1)
        else:
            numbers = spread * rng.normal(size=count)
        return Arithmetic(operator=operator, constant=np.asarray(numbers, dtype=np.float32))

    def _activation(self, shape: tuple[int, ...], spread: float) -> Activation:
        rng, operator = self._rng, str(self._rng.choice(self._form.activations))
        if operator == "Clip":
            low, high = sorted(float(np.float32(n)) for n in spread * rng.uniform(-2, 2, 2))
            low = [low, 0.0, 0.0][int(rng.integers(3))]
            return Activation(operator=operator, low=low, high=max(high, low + spread))
        if operator == "Relu6":
            return Activation(operator=operator, low=0.0, high=6.0)
        if operator == "ReluN1":
            return Activation(operator=operator, low=-1.0, high=1.0)
        if operator == "LeakyRelu":
            return Activation(operator=operator, slope=np.float32(rng.choice([0.01, 0.1, 0.25])))
        if operator == "PRelu":
            return Activation(operator=operator, slope=rng.uniform(0.01, 0.5, shape[0]).astype(np.float32))
        return Activation(operator=operator)

    def input(self, shape: tuple[int, ...]) -> Network:
        """A network without layers: its input with preparation and quantizer."""
        rng, form = self._rng, self._form
        low, high, preparation = -1.0, 1.0, tuple[Stage, ...]()
        given = "float"
        if form.name != "tflite" and rng.random() < 0.35:
            low, high = 0.0, 255.0
            preparation = self._preparation(shape)
            if form.name != "integer" and rng.random() < 0.3:
                given = "uint8"
        elif form.name in ("integer", "tflite", "qdq") and rng.random() < 0.5:
            given = "codes"
        ends = prepared(np.array([low, high]), preparation)
        quantizer = self.quantizer(float(np.abs(ends).max()) / 1.5, positive=bool(ends.min() >= 0))
        if given == "codes":
            quantizer = replace(quantizer, bits=8, narrow=False)
            low, high = float(quantizer.least), float(quantizer.greatest)
        return Network(
            shape=shape,
            preparation=preparation,
            quantizer=quantizer,
            layers=(),
            outputs=(),
            batch=[1, 1, "N", 3][int(rng.integers(4))] if form.name != "tflite" else 1,
            given=given,
            low=low,
            high=high,
            channels_last=len(shape) == 3 and form.name in ("qonnx", "qdq") and rng.random() < 0.1,
        )

    def _preparation(self, shape: tuple[int, ...]) -> tuple[Stage, ...]:
        rng, channels = self._rng, shape[0]
        over = Arithmetic(operator="Div", constant=np.float32(255))
        kind = int(rng.integers(5))
        if kind == 0:
            return (over,)
        if kind == 1:
            return (
                over,
                Arithmetic(operator="Mul", constant=np.float32(2)),
                Arithmetic(operator="Sub", constant=np.float32(1)),
            )
        mean = rng.uniform(0.3, 0.6, channels).astype(np.float32)
        deviation = rng.uniform(0.2, 0.3, channels).astype(np.float32)
        if kind == 2 and len(shape) > 1:
            normalization = Normalization(
                scale=np.ones(channels, dtype=np.float32),
                bias=np.zeros(channels, dtype=np.float32),
                mean=mean * np.float32(255),
                variance=(deviation * np.float32(255)) ** 2,
            )
            return (normalization,)
        if kind == 3:
            return (Arithmetic(operator="Mul", constant=np.float32(1 / 128)),)
        return (
            over,
            Arithmetic(operator="Sub", constant=mean),
            Arithmetic(operator="Div", constant=deviation),
        )


def prepared(ends: np.ndarray, stages: tuple[Stage, ...]) -> np.ndarray:
    """What a preparation makes of numbers, of shape (channels or 1, numbers)."""
    values = np.atleast_2d(ends)
    for stage in stages:
        if isinstance(stage, Normalization):
            values = (values - stage.mean[:, np.newaxis]) / np.sqrt(stage.variance[:, np.newaxis])
            continue
        assert isinstance(stage, Arithmetic)
        constant = np.atleast_1d(stage.constant)[:, np.newaxis]
        values = {
            "Mul": values * constant,
            "Div": values / constant,
            "Add": values + constant,
            "Sub": values - constant,
        }[stage.operator]
    return values
