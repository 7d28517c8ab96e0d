"""Damage to TFLite files: of their bytes, their structure and their meaning, each from a number."""

import random
from pathlib import Path

from tflite_models import TfliteFile
from tflite_networks import random_network

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.tflite_file.model import read_model
from spinplane.compiler.frontend.tflite_file.wire import check_tables
from spinplane.compiler.frontend.tflite_import import import_tflite
from spinplane.machine import load_machine

from .harness import Kind, damage_bytes_often

PAPER8 = load_machine("paper8")
_WHOLE = (0, 1, -1, 2, 3, 4, 127, 128, 255, 2**31 - 1, -(2**31))
_NUMBERS = (0.0, -1.0, 1e-45, 1e-30, 1e38, float("nan"), float("inf"), 0.5, 7.0)
_NAMES = ("", "conv_2d_0", "a\nb", "ü" * 300, "[/]", "\x1b[31m", "x")
_CODES = (
    "SOFTMAX",
    "TRANSPOSE",
    "WHILE",
    "CUSTOM",
    "MEAN",
    "CONV_2D",
    "ADD",
    "DEQUANTIZE",
    "MUL",
    "LSTM",
    "PAD",
)


def damaged(seed: int, folder: Path) -> bytes:
    """A file that is damaged once to four times."""
    draw = random.Random(f"damage {seed}")
    file = random_network(seed % 50)
    kind = seed % 3
    if kind == 0:
        data = file.to_bytes()
        return damage_bytes_often(draw, data)
    for _ in range(draw.randint(1, 2 if kind == 2 else 4)):
        (_damage_structure if kind == 1 else _damage_meaning)(draw, file)
    return file.to_bytes()


def _damage_structure(draw: random.Random, file: TfliteFile) -> None:
    """Leave out, repeat, exchange or rename parts."""
    operator, tensor = draw.choice(file.operators), draw.choice(file.tensors)
    numbers = [*range(len(file.tensors)), -1, len(file.tensors), 2**31 - 1, -(2**31)]
    parts = draw.choice([operator["inputs"], operator["outputs"], file.inputs, file.outputs])
    kind = draw.randrange(8)
    if kind == 0 and parts:
        parts[draw.randrange(len(parts))] = draw.choice(numbers)
    elif kind == 1:
        parts.append(draw.choice(numbers))
    elif kind == 2 and parts:
        del parts[draw.randrange(len(parts))]
    elif kind == 3 and len(file.operators) > 1:
        file.operators.remove(operator)
    elif kind == 4:
        file.operators.insert(draw.randrange(len(file.operators)), operator)
    elif kind == 5:
        other = draw.choice(file.operators)
        operator["code"], other["code"] = other["code"], operator["code"]
    elif kind == 6:
        tensor["name"] = draw.choice(_NAMES)
    elif kind == 7:
        tensor["data"] = None if tensor["data"] else b"\0\0\0\0"


def _damage_meaning(draw: random.Random, file: TfliteFile) -> None:
    """Change a number, a type, a side or an operator."""
    operator, tensor = draw.choice(file.operators), draw.choice(file.tensors)
    kind = draw.randrange(10)
    if kind == 0:
        operator["code"] = draw.choice(_CODES)
    elif kind == 1:
        operator["options"], operator["fields"] = draw.choice(
            [
                ("", {}),
                ("PadOptions", {}),
                ("Conv2DOptions", {"StrideW": 1}),
                ("ConcatenationOptions", {"Axis": -5}),
            ]
        )
    elif kind == 2 and operator["fields"]:
        name = draw.choice(list(operator["fields"]))
        value = operator["fields"][name]
        if isinstance(value, bool):
            operator["fields"][name] = not value
        elif isinstance(value, int):
            short = name in ("Padding", "FusedActivationFunction")
            operator["fields"][name] = draw.choice((0, 1, 2, 5, -1) if short else _WHOLE)
    elif kind == 3 and tensor["shape"]:
        tensor["shape"][draw.randrange(len(tensor["shape"]))] = draw.choice(_WHOLE)
    elif kind == 4:
        tensor["shape"].append(draw.choice((1, 1, *_WHOLE)))
    elif kind == 5:
        tensor["type"] = draw.randrange(-1, 20)
    elif kind == 6 and tensor["scales"]:
        tensor["scales"][draw.randrange(len(tensor["scales"]))] = draw.choice(_NUMBERS)
    elif kind == 7 and tensor["zero_points"]:
        tensor["zero_points"][0] = draw.choice((*_WHOLE, 2**63 - 1))
    elif kind == 8:
        tensor["axis"] = draw.choice(_WHOLE)
    elif kind == 9 and tensor["scales"]:
        tensor["scales"] = draw.choice([None, tensor["scales"] * 2, []])


TFLITE = Kind(
    whole=lambda seed, folder: random_network(seed % 50).to_bytes(),
    damaged=damaged,
    steps=[
        ("bytes", lambda path: check_tables(path.read_bytes())),
        ("container", read_model),
        ("values", lambda path: compile_graph(import_tflite(path).graph, PAPER8)),
    ],
)
