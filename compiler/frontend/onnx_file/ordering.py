"""An order of nodes in which each comes after those that make its inputs."""

from collections.abc import Iterable, Sequence

from spinplane.machine import SpinplaneError

from .names import quoted
from .node import Node


def in_order(nodes: Sequence[Node], given: Iterable[str]) -> list[Node]:
    """Nodes with each one after those that make its inputs.

    Parameters
    ----------
    nodes : sequence of Node
    given : iterable of str
        Tensors that no node makes: inputs and stored constants.

    Raises
    ------
    SpinplaneError
        If a tensor is made twice or by no node, or if a node needs what it makes.
    """
    known, producers = set(given), dict[str, int]()
    for number, node in enumerate(nodes):
        for output in filter(None, node.outputs):
            if output in producers or output in known:
                raise SpinplaneError(f"{node.label}: its output {quoted(output)} is made elsewhere too")
            producers[output] = number
    users: list[list[int]] = [[] for _ in nodes]
    waiting = [0] * len(nodes)
    for number, node in enumerate(nodes):
        for tensor in filter(None, node.inputs):
            if tensor not in producers and tensor not in known:
                raise SpinplaneError(f"{node.label}: its input {quoted(tensor)} is made by no node")
        for source in {producers[tensor] for tensor in node.inputs if tensor in producers}:
            users[source].append(number)
            waiting[number] += 1
    order = [number for number, sources in enumerate(waiting) if not sources]
    for number in order:
        for user in users[number]:
            waiting[user] -= 1
            if not waiting[user]:
                order.append(user)
    if len(order) < len(nodes):
        first = next(node for node, sources in zip(nodes, waiting, strict=True) if sources)
        raise SpinplaneError(f"{first.label}: it takes what it makes itself, or a node before it does")
    return [nodes[number] for number in order]


def needed_for(outputs: Iterable[str], nodes: Sequence[Node]) -> list[Node]:
    """Those of some ordered nodes that the outputs need, in the same order."""
    wanted, kept = set(outputs), list[Node]()
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]
