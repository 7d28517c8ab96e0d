"""Tables of TFLite files, as far as they are read: what each field of them is.

A table's fields are in the order of the format's schema. None stands for what is not read.
"""

from dataclasses import dataclass
from typing import Any

#: Widths of scalars in bytes.
BYTE, SHORT, WORD, LONG = 1, 2, 4, 8


@dataclass(frozen=True)
class Vector:
    """Scalars of a width, or tables of a name."""

    of: int | str


@dataclass(frozen=True)
class Union:
    """A table whose name the field before it tells, if its type is among `OPTIONS`."""


TEXT = "text"
Field = int | str | Vector | Union | None

#: Of a table that is a field the name is given.
TABLES: dict[str, tuple[Field, ...]] = {
    "Model": (WORD, Vector("OperatorCode"), Vector("SubGraph"), None, Vector("Buffer")),
    "OperatorCode": (BYTE, TEXT, WORD, WORD),
    "SubGraph": (Vector("Tensor"), Vector(WORD), Vector(WORD), Vector("Operator")),
    "Tensor": (
        *(Vector(WORD), BYTE, WORD, TEXT, "QuantizationParameters", BYTE, "SparsityParameters"),
        *(None, BYTE, None),
    ),
    "QuantizationParameters": (None, None, Vector(WORD), Vector(LONG), BYTE, None, WORD),
    "SparsityParameters": (),
    "Operator": (WORD, Vector(WORD), Vector(WORD), BYTE, Union()),
    "Buffer": (Vector(BYTE), LONG, LONG),
}

#: Fields of operators' options: the name that the format gives to each, its width, and what it is where a file
#: leaves it out.
OPTIONS: dict[str, tuple[tuple[str, int | Vector, Any], ...]] = {
    "Conv2DOptions": (
        ("Padding", BYTE, 0),
        ("StrideW", WORD, 0),
        ("StrideH", WORD, 0),
        ("FusedActivationFunction", BYTE, 0),
        ("DilationWFactor", WORD, 1),
        ("DilationHFactor", WORD, 1),
    ),
    "DepthwiseConv2DOptions": (
        ("Padding", BYTE, 0),
        ("StrideW", WORD, 0),
        ("StrideH", WORD, 0),
        ("DepthMultiplier", WORD, 0),
        ("FusedActivationFunction", BYTE, 0),
        ("DilationWFactor", WORD, 1),
        ("DilationHFactor", WORD, 1),
    ),
    "FullyConnectedOptions": (
        ("FusedActivationFunction", BYTE, 0),
        ("WeightsFormat", BYTE, 0),
        ("KeepNumDims", BYTE, 0),
        ("AsymmetricQuantizeInputs", BYTE, 0),
    ),
    "Pool2DOptions": (
        ("Padding", BYTE, 0),
        ("StrideW", WORD, 0),
        ("StrideH", WORD, 0),
        ("FilterWidth", WORD, 0),
        ("FilterHeight", WORD, 0),
        ("FusedActivationFunction", BYTE, 0),
    ),
    "AddOptions": (("FusedActivationFunction", BYTE, 0),),
    "SubOptions": (("FusedActivationFunction", BYTE, 0),),
    "MulOptions": (("FusedActivationFunction", BYTE, 0),),
    "ConcatenationOptions": (("Axis", WORD, 0), ("FusedActivationFunction", BYTE, 0)),
    "ReshapeOptions": (("NewShape", Vector(WORD), ()),),
    "SqueezeOptions": (("SqueezeDims", Vector(WORD), ()),),
    "ReducerOptions": (("KeepDims", BYTE, 0),),
    "LeakyReluOptions": (("Alpha", WORD, 0.0),),
}
