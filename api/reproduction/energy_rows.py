"""Rows of work and energy: operations, single-bit ANDs, and where the energy of an image goes."""

from collections.abc import Iterator

from spinplane.compiler.frontend.networks import BitWidths
from spinplane.evaluation import Interval
from spinplane.evaluation.run_energy import CATEGORIES, CORE

from ..commands.estimate_result import TechnologyEstimate
from .definitions import counted_layers
from .evidence import CONFIGURATIONS, Evidence
from .printed import printed
from .row import Row, largest, text_of

_MILLION, _MICRO = 1e-6, 1e6
#: What could be meant by the energy of an image: id, name, and how it is made.
ENERGIES = (
    (
        "core",
        "core",
        "row writes and reads, AND, bit-count, add of all layers, the first and the last at 8:8",
    ),
    (
        "all",
        "everything",
        "core, output stage, control, banks, clock of all flip-flops, leakage, words of the host",
    ),
    (
        "quantized-core",
        "core of quantized layers",
        "the core's categories of all layers but the first and the last",
    ),
    ("quantized", "quantized layers", "all categories of all layers but the first and the last"),
    (
        "held",
        "everything, currents held",
        "as everything, with currents that flow for all cycles of an operation",
    ),
    ("cold", "everything, cold", "as everything, of a run that loads all kernels"),
)


def energy_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of Fig. 9, and of what takes most."""
    yield from _operations(evidence)
    for bits in CONFIGURATIONS:
        yield from _ands(evidence, bits)
    for bits in CONFIGURATIONS:
        for id, name, how in ENERGIES[:4]:
            yield printed("fig9a.energy").row(
                energy_of(evidence.cost("svhn", bits), id).scaled(_MICRO),
                how,
                of=f"{_id(bits)}.{id}",
                what=f"{bits}, {name}",
            )
    yield from _categories(evidence)


def energy_of(cost: TechnologyEstimate, id: str) -> Interval:
    """One of `ENERGIES` in J."""
    found = {
        "core": cost.core,
        "all": cost.energy,
        "quantized-core": cost.quantized_core,
        "quantized": cost.quantized,
        "held": cost.held,
        "cold": cost.cold,
    }[id]
    return found or Interval.without("quantized layer")


def _operations(evidence: Evidence) -> Iterator[Row]:
    item, network = printed("operations.svhn"), evidence.network("svhn")
    yield item.row(
        Interval.exact(2 * network.macs * _MILLION),
        "two a multiply-accumulate, all layers",
        of="all",
        what="all layers",
    )
    for counted in counted_layers(network):
        macs = sum(shape.macs for shape in counted.layers)
        yield item.row(
            Interval.exact(2 * macs * _MILLION),
            "two a multiply-accumulate",
            of=counted.id,
            what=counted.names,
        )


def _ands(evidence: Evidence, bits: BitWidths) -> Iterator[Row]:
    for counted in counted_layers(evidence.network("svhn")):
        yield printed("fig9a.ands").row(
            Interval.exact(counted.ands(bits) * _MILLION),
            "W · I · multiply-accumulates, average pooling not folded",
            of=f"{_id(bits)}.{counted.id}",
            what=f"{bits}, {counted.names}",
        )


def _categories(evidence: Evidence) -> Iterator[Row]:
    cost, item = evidence.cost("svhn"), printed("fig9b")
    found = {one.category: one.energy.scaled(_MICRO) for one in cost.categories}
    inner = {category: _quantized(cost, category) for category in CATEGORIES}
    for energies, of, layers in ((found, "all", "all layers"), (inner, "quantized", "quantized layers")):
        for category, energy in energies.items():
            yield item.row(
                energy,
                f"how often its events happen in a steady run of {layers} × what each takes",
                of=f"{_id_of(category)}.{of}",
                what=f"{category}, {layers}",
            )
    claim = printed("and-dominates")
    for energies, of, layers in ((inner, "quantized", "quantized layers"), (found, "all", "all layers")):
        for among, categories in (("core", CORE), ("everything", CATEGORIES)):
            others = {name: energies[name] for name in categories if name != "AND"}
            most = max(others, key=lambda name: others[name].value or 0.0)
            yield claim.row(
                energies["AND"],
                f"AND beside {len(others)} other categories",
                of=f"{among}.{of}",
                what=f"of {among}, {layers}",
                why=f"the largest of the others is {most}: {text_of(others[most])} µJ",
                verdict=largest(energies["AND"], list(others.values())),
            )


def _quantized(cost: TechnologyEstimate, category: str) -> Interval:
    """Energy in µJ of a category in all layers but the first and the last."""
    parts = [
        part.energy
        for layer in cost.layers
        if layer.quantized
        for part in layer.categories
        if part.category == category
    ]
    if lacking := next((part for part in parts if part.value is None), None):
        return lacking
    return Interval(
        value=_MICRO * sum(part.value or 0.0 for part in parts),
        low=_MICRO * sum(part.low or 0.0 for part in parts),
        high=_MICRO * sum(part.high or 0.0 for part in parts),
    )


def _id(bits: BitWidths) -> str:
    return str(bits).replace(":", "-")


def _id_of(category: str) -> str:
    return category.lower().replace(" ", "-")
