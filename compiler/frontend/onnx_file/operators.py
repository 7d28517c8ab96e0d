"""Operators that a file may name: of which domain, of which version, with which attributes and inputs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import onnx

from spinplane.machine import SpinplaneError

from .names import quoted, shown
from .node import Node

#: Domain of ONNX's own operators, and of QONNX's; other spellings of files become these.
ONNX, QONNX = "", "qonnx.custom_op.general"
QUANT, BIPOLAR_QUANT = (QONNX, "Quant"), (QONNX, "BipolarQuant")
DOMAINS = {
    "": ONNX,
    "ai.onnx": ONNX,
    QONNX: QONNX,
    "onnx.brevitas": QONNX,
    "finn.custom_op.general": QONNX,
}
#: Versions of ONNX's operators: from the one with numpy's broadcasting to the newest that onnx knows.
OLDEST_VERSION = 7


@dataclass(frozen=True, kw_only=True)
class _Signature:
    """Attributes, and numbers of inputs, of which the first `needed` have a name."""

    least: int
    most: int
    needed: int
    attributes: frozenset[str]
    required: frozenset[str] = frozenset()


_QONNX_SIGNATURES = {
    "Quant": _Signature(
        least=4,
        most=4,
        needed=4,
        attributes=frozenset({"signed", "narrow", "rounding_mode"}),
        required=frozenset({"signed", "narrow"}),
    ),
    "BipolarQuant": _Signature(least=2, most=2, needed=2, attributes=frozenset()),
}


def check_version(model: onnx.ModelProto) -> int:
    """The version of ONNX's operators in a model.

    Raises
    ------
    SpinplaneError
        If there is none, more than one, or one that is not known.
    """
    newest = onnx.defs.onnx_opset_version()
    versions = [v.version for v in model.opset_import if DOMAINS.get(v.domain) == ONNX]
    if len(versions) != 1 or not OLDEST_VERSION <= versions[0] <= newest:
        raise SpinplaneError(
            f"has version {', '.join(map(str, versions[:4])) or 'no'} of ONNX's operators: expected one from "
            f"{OLDEST_VERSION} to {newest}"
        )
    return versions[0]


def check_domains(model: onnx.ModelProto) -> None:
    """Check that operators are ONNX's or QONNX's own, without graphs within.

    Raises
    ------
    SpinplaneError
        If one is not, which the message names.
    """
    for node in _nodes(model.graph):
        domain = DOMAINS.get(node.domain)
        if domain is None or (domain == QONNX) != (node.op_type in _QONNX_SIGNATURES):
            raise SpinplaneError(
                f"operator {quoted(node.op_type)} of domain {quoted(node.domain)} (node {quoted(name_of(node))}) is "
                f"not supported: use ONNX's own operators, or {', '.join(_QONNX_SIGNATURES)} of {QONNX}"
            )
    for node in model.graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise SpinplaneError(
                f"{quoted(name_of(node))}: operator {shown(node.op_type)} is not supported: it has a graph"
            )
    for function in model.functions:
        if function.domain in DOMAINS:
            raise SpinplaneError(
                f"function {quoted(function.name)} of domain {quoted(function.domain)}: a file may not redefine "
                "ONNX's or QONNX's operators"
            )


def check_signature(node: Node, version: int) -> None:
    """Check that a node has the inputs and attributes of its operator.

    A misspelt attribute would be one with its default. Operators that ONNX does not know are left to the importer.

    Raises
    ------
    SpinplaneError
        If there are others, or less.
    """
    domain, kind = node.operator
    signature = _QONNX_SIGNATURES.get(kind) if domain == QONNX else _standard(kind, version)
    if signature is None:
        return
    count = len(node.inputs)
    if not signature.least <= count <= signature.most:
        most = "" if signature.most > 100 else f" to {signature.most}"
        expected = f"{signature.least}{'' if signature.most == signature.least else most or ' or more'}"
        raise SpinplaneError(f"{node.label}: has {count} inputs: {shown(kind)} takes {expected}")
    for number, name in enumerate(node.inputs[: signature.needed]):
        if not name:
            raise SpinplaneError(f"{node.label}: its input {number + 1} is missing")
    for name in node.attributes.names:
        if name not in signature.attributes:
            raise SpinplaneError(f"{node.label}: {shown(kind)} has no attribute {quoted(name)}")
    for name in sorted(signature.required - node.attributes.names):
        raise SpinplaneError(f"{node.label}: has no attribute '{name}'")


@lru_cache(maxsize=256)
def _standard(kind: str, version: int) -> _Signature | None:
    try:
        schema = onnx.defs.get_schema(kind, version, ONNX)
    except onnx.defs.SchemaError:
        return None
    single = onnx.defs.OpSchema.FormalParameterOption.Single
    return _Signature(
        least=schema.min_input,
        most=schema.max_input,
        needed=sum(given.option == single for given in schema.inputs),
        attributes=frozenset(schema.attributes),
        required=frozenset(name for name, attribute in schema.attributes.items() if attribute.required),
    )


def name_of(node: onnx.NodeProto) -> str:
    """The name of a node, or of its first output."""
    return node.name or next(iter(node.output), "")


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All operators of a graph and of the graphs within its operators."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            inner: Iterable[onnx.GraphProto] = [attribute.g, *attribute.graphs]
            for body in inner:
                yield from _nodes(body)
