"""What operators take: numbers and types of inputs, and attributes.

Those of ONNX's own operators are read from the `onnx` package, in the file's version. Others have tables here.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import onnx

from .domains import CHANNELS_LAST, MICROSOFT, ONNX, PULP, QONNX, Operator

#: Types as numpy names them, where ONNX has other words.
_WORDS = {"float": "float32", "double": "float64"}
_MOST = 2**31 - 1

Types = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Inputs and attributes of an operator.

    Parameters
    ----------
    least, most : int
        Numbers of inputs.
    needed : int
        How many of the first inputs have a name.
    attributes, required : frozenset of str
    inputs, outputs : tuple of str
        For each the letter of its type; the last one stands for all further ones. Equal letters are equal types; those
        of ``*`` may differ.
    types : dict of letter to frozenset of str
        Types that a letter may stand for.
    """

    least: int
    most: int
    needed: int
    attributes: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    types: dict[str, Types] = field(default_factory=dict)


_FLOATS: Types = frozenset({"float32", "float16", "float64"})
_CODES: Types = frozenset({"int8", "uint8"})
_WHOLE: Types = frozenset({"int8", "uint8", "int16", "uint16", "int32", "int4", "uint4"})


def _own(
    inputs: str,
    outputs: str,
    types: dict[str, Types],
    attributes: str = "",
    *,
    required: str = "",
    least: int = 0,
) -> Signature:
    """A signature in short: letters of types, with ``...`` after the last one if it may be repeated."""
    letters = tuple(inputs.removesuffix("...").split())
    named = frozenset(attributes.split()) | frozenset(required.split())
    count = least or len(letters)
    return Signature(
        least=count,
        most=_MOST if inputs.endswith("...") else len(letters),
        needed=count,
        attributes=named,
        required=frozenset(required.split()),
        inputs=letters,
        outputs=tuple(outputs.split()),
        types=types,
    )


_QUANT = _own("T S Z B", "T", {}, "rounding_mode", required="signed narrow")
_POOL = "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides storage_order channels_last"
_CODED = {"T": _CODES, "F": frozenset({"float32"}), "I": frozenset({"int32"})}
_OWN: dict[Operator, Signature] = {
    (QONNX, "Quant"): _QUANT,
    (QONNX, "IntQuant"): _QUANT,
    (QONNX, "BipolarQuant"): _own("T S", "T", {}),
    (QONNX, "Trunc"): _own("T S Z B C D", "T", {}, "rounding_mode signed narrow", least=5),
    (QONNX, "MultiThreshold"): _own("T S", "T", {}, "out_scale out_bias data_layout", required="out_dtype"),
    (CHANNELS_LAST, "Conv"): _own(
        "T T T", "T", {}, "auto_pad dilations group kernel_shape pads strides", least=2
    ),
    (CHANNELS_LAST, "MaxPool"): _own(
        "T", "T", {}, "auto_pad ceil_mode dilations pads strides storage_order", required="kernel_shape"
    ),
    (CHANNELS_LAST, "BatchNormalization"): _own("T T T T T", "T", {}, "epsilon momentum training_mode"),
    (PULP, "RequantShift"): _own("T M A", "T", {}, "n_levels n_levels_out", required="div signed"),
    (MICROSOFT, "QuantizeLinear"): _own("F S Q", "Q", {"F": _FLOATS, "S": _FLOATS, "Q": _WHOLE}, "axis", least=2),
    (MICROSOFT, "DequantizeLinear"): _own(
        "Q S Q", "S", {"S": _FLOATS, "Q": _WHOLE}, "axis", least=2
    ),
    (MICROSOFT, "QLinearAdd"): _own("T F T T F T F T", "T", _CODED, least=7),
    (MICROSOFT, "QLinearAveragePool"): _own("T F T F T", "T", _CODED, _POOL, required="kernel_shape", least=4),
    (MICROSOFT, "QLinearGlobalAveragePool"): _own("T F T F T", "T", _CODED, "channels_last"),
    (MICROSOFT, "QLinearConcat"): _own("F T *...", "T", _CODED, required="axis", least=5),
    (MICROSOFT, "QGemm"): _own(
        "A F A B F B I F Y", "Y", _CODED | dict.fromkeys("AB", _CODES), "alpha transA transB", least=6
    ),
}  # fmt: skip
#: Operators that are taken of each domain other than ONNX's.
NAMES: dict[str, tuple[str, ...]] = {
    domain: tuple(name for own, name in _OWN if own == domain)
    for domain in (QONNX, CHANNELS_LAST, MICROSOFT, PULP)
}


def signature_of(operator: Operator, version: int) -> Signature | None:
    """The signature of an operator, ONNX's own in a version; None if ONNX has no such operator."""
    domain, kind = operator
    return _standard(kind, version) if domain == ONNX else _OWN.get(operator)


@lru_cache(maxsize=256)
def _standard(kind: str, version: int) -> Signature | None:
    try:
        schema = onnx.defs.get_schema(kind, version, ONNX)
    except onnx.defs.SchemaError:
        return None
    options = onnx.defs.OpSchema.FormalParameterOption
    constrained = {
        c.type_param_str: frozenset(map(_type, c.allowed_type_strs)) for c in schema.type_constraints
    }
    letters = [str(given.type_str) for given in (*schema.inputs, *schema.outputs)]
    return Signature(
        least=schema.min_input,
        most=schema.max_input,
        needed=sum(given.option == options.Single for given in schema.inputs),
        attributes=frozenset(schema.attributes),
        required=frozenset(name for name, attribute in schema.attributes.items() if attribute.required),
        inputs=tuple(letters[: len(schema.inputs)]),
        outputs=tuple(letters[len(schema.inputs) :]),
        types={letter: constrained.get(letter, frozenset({_type(letter)})) for letter in letters},
    )


def _type(text: str) -> str:
    word = text.removeprefix("tensor(").removesuffix(")")
    return _WORDS.get(word, word)


def type_name(data_type: int) -> str | None:
    """The type of a tensor's elements, as numpy names it; None if there is no such type."""
    if data_type not in onnx.TensorProto.DataType.values():
        return None
    word = onnx.TensorProto.DataType.Name(data_type).lower()
    return _WORDS.get(word, word)
