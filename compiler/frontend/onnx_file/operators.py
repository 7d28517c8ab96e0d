"""Operators that a file may name: of which domain and version, with which inputs, attributes and types."""

from collections.abc import Iterable, Iterator, Sequence

import onnx

from spinplane.machine import SpinplaneError

from .domains import DOMAINS, ONNX, Operator, operator_of
from .names import quoted, shown
from .node import Node
from .signatures import NAMES, Signature, signature_of, type_name

#: Versions of ONNX's operators: from the one with numpy's broadcasting to the newest that onnx knows.
OLDEST_VERSION = 7
_MOST_TYPES = 4


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
    """Check that operators are ONNX's own or among those of `signatures`, without graphs within.

    Raises
    ------
    SpinplaneError
        If one is not, which the message names.
    """
    for node in _nodes(model.graph):
        operator = operator_of(node.domain, node.op_type)
        if operator is None or not _is_known(operator):
            raise SpinplaneError(
                f"operator {quoted(node.op_type)} of domain {quoted(node.domain)} (node {quoted(name_of(node))}) is "
                f"not supported: {_hint(node.op_type)}"
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
                "operators that are known"
            )


def _is_known(operator: Operator) -> bool:
    """Whether an operator is one of its domain; of ONNX's, the importer names those that it does not take."""
    domain, kind = operator
    if domain != ONNX:
        return kind in NAMES[domain]
    return onnx.defs.has(kind) or not any(kind in names for names in NAMES.values())


def _hint(kind: str) -> str:
    if onnx.defs.has(kind):
        return f"use ONNX's own {kind}"
    for domain, names in NAMES.items():
        if kind in names:
            return f"use {kind} of {domain}"
    return f"use ONNX's own operators, or those of {', '.join(NAMES)}"


def check_signature(node: Node, version: int) -> Signature | None:
    """Check that a node has the inputs and attributes of its operator.

    A misspelt attribute would be one with its default. Operators that ONNX does not know are left to the importer.

    Returns
    -------
    Signature, or None if ONNX has no such operator

    Raises
    ------
    SpinplaneError
        If there are others, or less.
    """
    kind, signature = node.op_type, signature_of(node.operator, version)
    if signature is None:
        return None
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
    return signature


def output_types(node: Node, signature: Signature, given: Sequence[str | None]) -> list[str | None]:
    """Types of a node's outputs, after a check of those of its inputs.

    Parameters
    ----------
    node : Node
    signature : Signature
    given : sequence of str or None
        Types of the inputs, where they are known.

    Raises
    ------
    SpinplaneError
        If an input has a type that the operator does not take, or that differs from another one which it must equal.
    """
    found: dict[str, str] = {}
    for number, kind in enumerate(given):
        if kind is None or not signature.inputs:
            continue
        letter = signature.inputs[min(number, len(signature.inputs) - 1)]
        if letter == "*":
            continue
        allowed = {found[letter]} if letter in found else signature.types.get(letter, {kind})
        if kind not in allowed:
            few = sorted(allowed)[:_MOST_TYPES]
            expected = ", ".join(few) + (" or others" if len(allowed) > len(few) else "")
            raise SpinplaneError(
                f"{node.label}: its input {quoted(node.inputs[number])} is of type {kind}, expected {expected}"
            )
        found[letter] = kind
    for letter, allowed in signature.types.items():
        if len(allowed) == 1:
            found.setdefault(letter, next(iter(allowed)))
    types: list[str | None] = []
    for number, _ in enumerate(node.outputs):
        last = len(signature.outputs) - 1
        types.append(found.get(signature.outputs[min(number, last)]) if last >= 0 else None)
    return [_told_type(node, given) or types[0], *types[1:]]


def _told_type(node: Node, given: Sequence[str | None]) -> str | None:
    """The type of an output that an attribute tells, or the lack of a zero point."""
    attributes = node.attributes
    if node.op_type == "Cast":
        return type_name(attributes.integer("to"))
    if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        told = attributes.integer("output_dtype", 0) if "output_dtype" in attributes else 0
        if told:
            return type_name(told)
        if node.op_type == "QuantizeLinear" and (len(node.inputs) < 3 or not node.inputs[2]):
            return "uint8"
        if node.op_type == "DequantizeLinear":
            return given[1]
    if node.op_type == "QGemm" and (len(node.inputs) < 9 or not node.inputs[8]):
        return "float32"
    return None


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
