"""From drafts to a graph: what is needed of them, in order, with the operands that maps are taken with."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from ...graph import Graph, InputCoding, InputTensor, Layer, Output
from ..operands import least_operand
from .access import code_map
from .drafts import INPUT, Drafts, sources
from .imported import TensorView
from .input_codings import coding_of_input
from .merging import merge_copies
from .value import CodesCarrier, Value

#: A tensor of the file, and what it is.
Named = tuple[str, Value]
#: An output: its tensor, the maps that give it, and the value that they are.
Given = tuple[str, tuple[int, ...], Value]


def finish(
    drafts: Drafts, name: str, named: Iterable[Named], given: Iterable[Given]
) -> tuple[Graph, dict[int, TensorView]]:
    """The graph, and the tensors that its maps are."""
    given = list(given)
    keep = {number for _, maps, _ in given for number in maps}
    _prune(drafts, keep)
    coding = coding_of_input(drafts)
    gone = merge_copies(drafts, keep)
    _set_operands(drafts)
    order = [number for number in sorted(drafts.maps) if drafts.maps[number].layer is not None]
    places = {number: at for at, number in enumerate(order)}
    places |= {number: INPUT for number in drafts.maps if number not in places}
    layers = [_numbered(drafts.maps[number].layer, at, places) for at, number in enumerate(order)]
    assert drafts.input is not None
    if coding is None or not layers:
        raise SpinplaneError("has no convolution or matrix product of a quantized input")
    outputs = []
    for tensor, maps, value in given:
        view = view_of(tensor, value)
        outputs.append(
            Output(
                name=tensor,
                layers=tuple(places[number] for number in maps),
                scale=view.scale,
                offset=view.offset,
                shape=view.shape,
                low=view.low if np.isfinite(view.low).any() else None,
                high=view.high if np.isfinite(view.high).any() else None,
                order=view.order,
            )
        )
    graph = Graph(
        name=name,
        input_shape=drafts.input.layout.sides,
        input_coding=coding,
        layers=tuple(layers),
        outputs=tuple(outputs),
        input_tensor=InputTensor(
            name=drafts.input.name,
            shape=drafts.input.shape if drafts.input.batched else (1, *drafts.input.shape),
            order=drafts.input.layout.order,
            dtype=drafts.input.dtype.name,
        ),
    )
    views: dict[int, TensorView] = {}
    if drafts.input.scale is not None and isinstance(coding, InputCoding):
        views[INPUT] = _view_of_input(drafts, drafts.input.scale)
    for tensor, given_value in named:
        value = drafts.on_line(given_value)
        if isinstance(value.carrier, CodesCarrier) and not any(value.carrier.padding) and value.real:
            if value.real.stages:
                continue
            for number, view in _views(drafts, tensor, value.carrier.maps, value):
                if number not in gone and number in places:
                    views.setdefault(places[number], view)
    for tensor, maps, value in given:
        for number, view in _views(drafts, tensor, maps, value):
            views.setdefault(places[number], view)
    return graph, views


def _views(
    drafts: Drafts, tensor: str, maps: tuple[int, ...], value: Value
) -> Iterator[tuple[int, TensorView]]:
    """A tensor's maps, each with what it is of the tensor."""
    whole, first = view_of(tensor, value), 0
    for number in maps:
        if len(maps) == 1:
            yield number, whole
        elif number in drafts.maps:
            sides = drafts.maps[number].sides
            part = slice(first, first + sides[0])
            yield (
                number,
                replace(
                    whole,
                    sides=sides,
                    scale=whole.scale[part],
                    offset=whole.offset[part],
                    low=whole.low[part],
                    high=whole.high[part],
                    first=first,
                    channels=value.channels,
                ),
            )
            first += sides[0]
        else:
            return  # what a map is that is gone, another tensor says


def _view_of_input(drafts: Drafts, scale: Fraction) -> TensorView:
    """The network's input as the file's own tensor, whose numbers are codes times a scale."""
    given, draft = drafts.input, drafts.maps[INPUT]
    assert given is not None
    assert draft.levels is not None
    real = code_map(draft.levels, np.array([scale] * draft.sides[0], dtype=object))
    return view_of(given.name, Value(layout=given.layout, carrier=CodesCarrier(maps=(INPUT,)), real=real))


def view_of(tensor: str, value: Value) -> TensorView:
    """A tensor of the file, of a value without functions."""
    assert value.real is not None
    first = value.real.first
    return TensorView(
        tensor=tensor,
        # What has no axis of images gets one.
        shape=value.shape if value.layout.axes[:1] == ((),) else (1, *value.shape),
        sides=value.layout.sides,
        order=value.layout.order,
        scale=first.line.slope.astype(np.float64),
        offset=first.line.offset.astype(np.float64),
        low=np.where(first.has_low, first.low.offset, -np.inf).astype(np.float64),
        high=np.where(first.has_high, first.high.offset, np.inf).astype(np.float64),
    )


def _prune(drafts: Drafts, keep: set[int]) -> None:
    """Leave out maps that no output needs."""
    needed, waiting = set(), list(keep)
    while waiting:
        number = waiting.pop()
        if number in needed:
            continue
        needed.add(number)
        layer = drafts.maps[number].layer
        waiting += sources(layer) if layer else []
    for number in set(drafts.maps) - needed:
        del drafts.maps[number]


def _set_operands(drafts: Drafts) -> None:
    """Let all that take a map take it with the same operand: one that spans all maps that are taken with it."""
    groups = {number: {number} for number in drafts.maps}
    for draft in drafts.maps.values():
        inputs = draft.layer.inputs if draft.layer else ()
        joined = set().union(*(groups[number] for number in inputs))
        for number in joined:
            groups[number] = joined
    for number, draft in list(drafts.maps.items()):
        if draft.layer is None:
            continue
        operand = _operand(drafts, draft.layer, groups[draft.layer.inputs[0]])
        if operand != draft.layer.i:
            drafts.maps[number] = replace(draft, layer=replace(draft.layer, i=operand))


def _operand(drafts: Drafts, layer: Layer, maps: set[int]) -> Operand:
    operands = {drafts.maps[number].operand for number in maps}
    if len(operands) == 1:
        return operands.pop()
    levels = [drafts.maps[number].levels for number in maps]
    return least_operand(np.concatenate([some for some in levels if some is not None]), layer.name)


def _numbered(layer: Layer | None, at: int, places: dict[int, int]) -> Layer:
    assert layer is not None
    inputs = tuple(places[number] for number in layer.inputs)
    if inputs == (at - 1,):
        inputs = ()  # the layer before it
    residual, addition = layer.residual, layer.addition
    if residual is not None:
        residual = replace(residual, source=places[residual.source])
    if addition is not None and addition.source is not None:
        addition = replace(addition, source=places[addition.source])
    return replace(layer, inputs=inputs, residual=residual, addition=addition)
