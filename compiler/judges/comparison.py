"""An imported network beside the executor of its file, node by node, each on the executor's own inputs.

So a difference shows at the node that makes it and nowhere else. A layer's values are those of the oracle: integers,
computed exactly. Its near-ties are elements where float32 may come to another code than exact arithmetic, see
`spinplane.compiler.meaning.near_ties`; integer operators have none. Sums that leave the network as real numbers differ
from the executor's by no more than float32 rounds.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from spinplane.machine import SpinplaneError

from ..frontend.building import ImportedNetwork
from ..frontend.onnx_file.names import quoted
from ..graph import Graph, Layer, Output
from ..meaning.near_ties import value_bounds
from ..oracle import arrange, concatenate, finish, linear, pooled

#: Operations on a number that leaves the network, besides the additions of its products, that may round: at most.
_OTHER_OPERATIONS = 16
#: 1 / u of float32.
_FLOAT32_WHOLE = 1 << 24


@dataclass(frozen=True, kw_only=True)
class NodeComparison:
    """One tensor of a file.

    Parameters
    ----------
    node : str
        The file's node, or "input" or "output".
    tensor : str
    shape : tuple of int
    elements : int
        Of all images.
    differing : int
        Elements that differ and are not near-ties.
    near_ties : int
        Elements that are near-ties.
    near_ties_differing : int
        Near-ties that the executor takes otherwise.
    largest : float
        Largest difference, near-ties included: in codes, or in numbers where sums leave the network.
    """

    node: str
    tensor: str
    shape: tuple[int, ...]
    elements: int
    differing: int
    near_ties: int
    near_ties_differing: int
    largest: float


def tensors_to_compare(network: ImportedNetwork) -> tuple[str, ...]:
    """Names of the file's tensors that `compare_tensors` takes."""
    views = (view.tensor for view in network.views.values())
    return tuple(dict.fromkeys((*views, *(output.name for output in network.graph.outputs))))


def compare_tensors(
    network: ImportedNetwork, inputs: np.ndarray, tensors: Mapping[str, np.ndarray]
) -> tuple[NodeComparison, ...]:
    """Compare every tensor that a map of the network is, in the order in which they are computed.

    Parameters
    ----------
    network : ImportedNetwork
    inputs : ndarray of shape (images, channels, height, width), int64
        From `Graph.encode_input`.
    tensors : mapping of str to ndarray of shape (images, *shape of the tensor)
        What the executor gives for the same images.
    """
    return tuple(_Walk(network, tensors).compare(inputs))


class _Walk:
    def __init__(self, network: ImportedNetwork, tensors: Mapping[str, np.ndarray]) -> None:
        self._graph: Graph = network.graph
        self._views, self._tensors = network.views, tensors
        # By the number of a map: the executor's values where it has the tensor, else the oracle's of its inputs.
        self._maps: dict[int, np.ndarray] = {}
        # Least and greatest values of hidden maps, which no tensor of the file is: what takes them may differ, too.
        self._ends: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        # Of sums that leave the network: their terms without signs, and how many float32 adds up.
        self._terms: dict[int, tuple[np.ndarray, int]] = {}

    def compare(self, inputs: np.ndarray) -> list[NodeComparison]:
        found = [self._compare_codes("input", -1, inputs, inputs, inputs)]
        found += [self._compare_layer(number, layer) for number, layer in enumerate(self._graph.layers)]
        named = {one.tensor for one in found if one}
        found += [self._compare_output(output) for output in self._graph.outputs if output.name not in named]
        return [one for one in found if one]

    def _compare_layer(self, number: int, layer: Layer) -> NodeComparison | None:
        taken = self._taken(number, layer)
        residual = self._maps[layer.residual.source] if layer.residual else None
        added = None
        if layer.addition and layer.addition.source is not None:
            added = self._maps[layer.addition.source]
        sums = linear(layer, taken)
        own = finish(layer, sums, residual, added)
        if layer.steps is not None:
            ends = self._bounds(number, layer, sums)
            if number not in self._views and (ends[0] != ends[1]).any():
                self._ends[number] = ends
            return self._compare_codes(layer.name, number, own, *ends)
        self._maps[number], self._terms[number] = own, _terms(layer, taken, residual)
        view = self._views.get(number)
        if view is None:
            return None
        unsigned = replace(
            view,
            scale=abs(view.scale),
            offset=abs(view.offset),
            low=np.full_like(view.scale, -np.inf),
            high=np.full_like(view.scale, np.inf),
        )
        terms, count = self._terms[number]
        least, greatest = (view.decode(end) for end in self._bounds(number, layer, sums))
        error = _gamma(count) * unsigned.decode(terms) + abs(greatest - least)
        return self._compare_numbers(layer.name, view.tensor, view.shape, view.decode(own), error)

    def _taken(self, number: int, layer: Layer, end: int | None = None) -> np.ndarray:
        """What a layer takes, with the least (0) or the greatest (1) values of hidden maps if asked for."""
        sources = self._graph.sources(number)
        maps = [
            self._maps[source] if end is None or source not in self._ends else self._ends[source][end]
            for source in sources
        ]
        return arrange(layer, concatenate(layer, maps))

    def _bounds(self, number: int, layer: Layer, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest value that float32 may make of a layer, given what it may have made of hidden maps."""
        hidden = any(source in self._ends for source in self._graph.sources(number))
        all_sums = self._end_sums(number, layer) if hidden else [sums]
        residuals = self._both(layer.residual.source if layer.residual else None)
        addends = self._both(layer.addition.source if layer.addition else None)
        # What a layer gives rises or falls with each of them.
        bounds = [
            value_bounds(layer, one, residual=residual, added=added)
            for one, residual, added in product(all_sums, residuals, addends)
        ]
        least, greatest = np.min([b[0] for b in bounds], axis=0), np.max([b[1] for b in bounds], axis=0)
        if layer.steps is not None and not layer.steps.monotone:
            # Levels between two that are equal may be others.
            levels = layer.addition.levels if layer.addition else layer.steps.levels
            apart = (all_sums[0] != all_sums[-1]).astype(np.int64)
            open_ = (pooled(apart, replace(layer.pool, least=())) if layer.pool else apart) > 0
            if layer.residual:
                open_ |= residuals[0] != residuals[-1]
            least, greatest = np.where(open_, levels.min(), least), np.where(open_, levels.max(), greatest)
        return least, greatest

    def _both(self, source: int | None) -> Sequence[np.ndarray | None]:
        """The values of a map that is added; least and greatest ones, if these differ."""
        if source is None:
            return (None,)
        return self._ends.get(source, (self._maps[source],))

    def _end_sums(self, number: int, layer: Layer) -> list[np.ndarray]:
        """Least and greatest sums of what a layer may take."""
        least, greatest = (self._taken(number, layer, end) for end in (0, 1))
        rising = replace(layer, weights=np.maximum(layer.weights, 0))
        falling = replace(layer, weights=np.minimum(layer.weights, 0), bias=0 * layer.bias)
        return [
            linear(rising, low) + linear(falling, high)
            for low, high in ((least, greatest), (greatest, least))
        ]

    def _compare_codes(
        self, node: str, number: int, own: np.ndarray, least: np.ndarray, greatest: np.ndarray
    ) -> NodeComparison | None:
        """A map of codes, of which the executor's are those that later layers take."""
        view = self._views.get(number)
        self._maps[number] = own
        if view is None:
            return None
        numbers = self._given(view.tensor, view.shape)
        given = None
        if np.isfinite(numbers).all():
            with suppress(SpinplaneError):
                given = view.encode(numbers)
        if given is None:
            # A number that no code stands for: all that can be said is how far it is from the right one.
            return self._compare_numbers(node, view.tensor, view.shape, view.decode(own), np.array(0.0))
        self._maps[number] = given
        own, least, greatest = (view.limited(values) for values in (own, least, greatest))
        difference, near = abs(given - own), least != greatest
        outside = (given < least) | (given > greatest)
        return NodeComparison(
            node=node,
            tensor=view.tensor,
            shape=view.shape,
            elements=own.size,
            differing=int(outside.sum()),
            near_ties=int(near.sum()),
            near_ties_differing=int((~outside & (difference > 0)).sum()),
            largest=float(difference.max()),
        )

    def _compare_output(self, output: Output) -> NodeComparison:
        expected = output.decode(output.values([self._maps[n] for n in range(len(self._graph.layers))]))
        unsigned = replace(output, scale=abs(output.scale), offset=abs(output.offset), low=None, high=None)
        terms = {n: abs(self._maps[n]) for n in output.layers} | {
            n: self._terms[n][0] for n in output.layers if n in self._terms
        }
        count = max(self._terms[n][1] if n in self._terms else 0 for n in output.layers)
        error = _gamma(count) * unsigned.decode(np.concatenate([terms[n] for n in output.layers], axis=1))
        return self._compare_numbers("output", output.name, output.shape, expected, error)

    def _compare_numbers(
        self, node: str, tensor: str, shape: tuple[int, ...], expected: np.ndarray, error: np.ndarray
    ) -> NodeComparison:
        """Numbers that float32 may have moved by no more than an error, integers by nothing."""
        given = self._given(tensor, shape)
        difference = abs(given.astype(np.float64) - expected)
        allowed = error if given.dtype.kind == "f" else 0.0
        # A number that is not finite differs.
        within = difference <= allowed
        return NodeComparison(
            node=node,
            tensor=tensor,
            shape=shape,
            elements=given.size,
            differing=int((~within).sum()),
            near_ties=0,
            near_ties_differing=0,
            largest=float(np.nan_to_num(difference, nan=np.inf, posinf=np.inf).max()),
        )

    def _given(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The executor's tensor, a batch of 1 in each image, whatever batch the file has."""
        given = self._tensors[name]
        if shape[:1] == (1,) and given.shape[1:] == shape[1:]:
            given = given[:, np.newaxis]  # a file may drop the axis of its batch
        if given.ndim == len(shape) + 1:
            given = given[(slice(None), *(slice(side) for side in shape))]
        if given.shape[1:] != shape:
            raise SpinplaneError(
                f"tensor {quoted(name)}: its executor gives the shape {given.shape[1:]}, expected {shape}"
            )
        return given.reshape(len(given) * shape[0], *shape[1:]) if shape else given


def _terms(layer: Layer, taken: np.ndarray, residual: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Sums of the absolute values of all terms that a layer's own sums add, and how many products that are."""
    unsigned = replace(
        layer, weights=abs(layer.weights), bias=abs(layer.bias), pad_value=abs(layer.pad_value)
    )
    terms, count = linear(unsigned, abs(taken)), int(np.prod(layer.weights.shape[1:]))
    if layer.pool:
        terms = pooled(terms, replace(layer.pool, least=()))
        count *= int(np.prod(layer.pool.size)) if layer.pool.kind == "sum" else 1
    if layer.residual and residual is not None:
        terms = abs(layer.residual.total(terms, 0 * residual)) + abs(
            layer.residual.total(0 * terms, residual)
        )
    return terms, count


def _gamma(products: int) -> float:
    """γ_n of a sum of so many products and what comes after it."""
    roundings = products + _OTHER_OPERATIONS
    return roundings / (_FLOAT32_WHOLE - roundings)
