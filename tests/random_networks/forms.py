"""What each form of a file can say, and so what is drawn for it."""

from dataclasses import dataclass

ALL_BITS = (1, 2, 3, 4, 5, 6, 7, 8)


@dataclass(frozen=True, kw_only=True)
class Form:
    """Of a file.

    Parameters
    ----------
    name : str
    number : int
        Of its own draws.
    bits, weight_bits : tuple of int
    roundings, opsets : tuple
    narrow, zero_point_of_weights : bool
    thresholds, truncation : bool
        Quantizers may be lists of thresholds, or cut off bits of codes.
    float_stages : bool
        Between sums and their quantizer are operators of numbers: normalizations, functions, pools, additions.
    activations : tuple of str
    """

    name: str
    number: int
    bits: tuple[int, ...] = (8,)
    weight_bits: tuple[int, ...] = (8,)
    roundings: tuple[str, ...] = ("ROUND",)
    opsets: tuple[int, ...] = (13,)
    narrow: bool = False
    zero_point_of_weights: bool = True
    thresholds: bool = False
    truncation: bool = False
    float_stages: bool = True
    activations: tuple[str, ...] = ()


_CURVES = ("Sigmoid", "Tanh", "HardSigmoid")
_KINKS = ("Relu", "Relu", "Relu", "Clip", "Clip", "LeakyRelu", "PRelu")

QONNX = Form(
    name="qonnx",
    number=0,
    bits=ALL_BITS,
    weight_bits=ALL_BITS,
    roundings=("ROUND", "ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"),
    opsets=(9, 10, 11, 13, 14, 17, 21),
    narrow=True,
    thresholds=True,
    truncation=True,
    activations=(*_KINKS, *_CURVES, "Sign"),
)
QDQ = Form(
    name="qdq",
    number=1,
    bits=(8, 8, 8, 4, 2, 3, 5, 6, 7),
    weight_bits=(8, 8, 8, 4, 2, 3, 5, 6, 7),
    opsets=(13, 14, 17, 19, 21),
    activations=(*_KINKS, *_CURVES),
)
INTEGER = Form(name="integer", number=2, opsets=(13, 17, 19, 21), float_stages=False)
TFLITE = Form(
    name="tflite",
    number=3,
    zero_point_of_weights=False,
    float_stages=False,
    activations=("Relu", "Relu6", "ReluN1"),
)
FORMS = {form.name: form for form in (QONNX, QDQ, INTEGER, TFLITE)}
