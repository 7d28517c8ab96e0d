"""Convolutions in crossbars of resistive cells, with converters: the paper's CNN-RRAM and BCNN-RRAM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ..event_totals import EventTotals, Interval
from ..parameters import Known, shipped_parameters
from ..sources import Sources, Values
from .crossbar_design import CrossbarDesign, CrossbarLayer, crossbar_designs
from .layer_work import LayerWork
from .results import BaselineEstimate, CostPart, LayerCost, spread

_J, _M2, _MOST = 1e-8, 1e-6, 1e6
KNOWN: dict[str, Known] = {
    "adc.energy": ("pJ", 0.0, _J),
    "adc.area": ("µm²", 0.0, _M2),
    "adc.energy_exponent": ("1", 0.0, 10.0),
    "adc.area_exponent": ("1", 0.0, 10.0),
    "adc.rate": ("MHz", 1.0, 1e12),
    "adc.columns": ("1", 1.0, _MOST),
    "adc.saved_bits": ("1", 0.0, 10.0),
    "adc.most_bits": ("1", 1.0, 32.0),
    "dac.energy": ("pJ", 0.0, _J),
    "dac.area": ("µm²", 0.0, _M2),
    "dac.growth": ("1", 1.0, 4.0),
    "cell.on_resistance": ("kΩ", 1.0, 1e9),
    "cell.read_voltage": ("V", 1e-3, 10.0),
    "cell.read_time": ("ns", 1e-12, 1e-3),
    "cell.conduction": ("1", 0.0, 1.0),
    "cell.area": ("F²", 1.0, 1e4),
    "cell.feature_size": ("nm", 1e-9, 1e-6),
    "digital.add": ("pJ", 0.0, _J),
    "digital.add_area": ("µm²", 0.0, _M2),
    "buffer.energy": ("pJ", 0.0, _J),
    "buffer.area": ("µm²", 0.0, _M2),
    "buffer.refetch": ("1", 0.0, 1.0),
    "node.energy": ("1", 0.1, 100.0),
    "node.area": ("1", 0.1, 100.0),
}
NAMES = {"multi-bit": "rram-crossbar", "binary": "rram-binary"}
PARTS = ("crossbar", "DAC", "ADC", "shift and add", "buffers")
#: Of which the paper says that they take more than 85 %.
CONVERTERS = ("DAC", "ADC", "buffers")
#: Widths of Table II's multi-bit network (assumed: the paper does not say which).
MULTI_BIT = (8, 8)
_WIDEST = 8
TITLES = {
    "multi-bit": "RRAM crossbars, {w}-bit weights and {i}-bit inputs",
    "binary": "RRAM crossbars, weights and inputs as wide as the network's",
}
_Function = Callable[[Values], float]


def crossbar_sources() -> Sources:
    """Parameters of ``rram.toml``."""
    return Sources(None, shipped_parameters("baselines/rram.toml", KNOWN))


def crossbar(
    works: Sequence[LayerWork],
    kind: str,
    *,
    sources: Sources | None = None,
    bits: tuple[int, int] = MULTI_BIT,
    designs: Sequence[CrossbarDesign] | None = None,
) -> BaselineEstimate:
    """What an image costs in crossbars.

    Each layer has crossbars of its own, and its weights are in them. The value is that of the first design; the bounds
    hold all designs with all parameters at their bounds.

    Parameters
    ----------
    works : sequence of LayerWork
    kind : {"multi-bit", "binary"}
        Multi-bit takes all layers with `bits`, binary as they are.
    sources : Sources, optional
        In place of `crossbar_sources`.
    bits : (int, int)
        Of weights and of inputs.
    designs : sequence of CrossbarDesign, optional
        By default those of ``crossbars.toml``.
    """
    sources = sources or crossbar_sources()
    if kind == "multi-bit":
        works = [work.with_bits(*bits) for work in works]
    designs = crossbar_designs(kind) if designs is None else designs
    of_designs = [
        _Costs(sources, [CrossbarLayer(design=design, work=work) for work in works]) for design in designs
    ]

    def over_designs(figure: "Callable[[_Costs], Interval]") -> Interval:
        return spread([figure(costs) for costs in of_designs])

    energy = over_designs(lambda costs: costs.energy())
    return BaselineEstimate(
        name=NAMES[kind],
        title=TITLES[kind].format(w=bits[0], i=bits[1]),
        energy=energy,
        quantized=over_designs(lambda costs: costs.energy(layers=costs.quantized))
        if any(work.quantized for work in works)
        else None,
        area=over_designs(lambda costs: costs.area()),
        latency=over_designs(lambda costs: costs.latency()),
        parts=tuple(
            CostPart(
                name=part,
                energy=over_designs(partial(_Costs.energy, parts=(part,))),
                area=over_designs(partial(_Costs.area, parts=(part,))),
            )
            for part in PARTS
        ),
        layers=tuple(_layer(of_designs, number) for number in range(len(works))),
        energy_share=over_designs(lambda costs: costs.share(costs.energies)),
        area_share=over_designs(lambda costs: costs.share(costs.areas)),
        operations_per_j=energy.under(2 * sum(work.macs for work in works)),
        reasons={
            "cold": "weights are in the crossbars; how they are written is not modelled",
            "current": "cells are read by a small voltage; peaks are not modelled",
            "lifetime": "no cell is written for an image",
        },
        notes=tuple(f"{design.name}: {design.source}" for design in designs),
    )


def _layer(of_designs: "Sequence[_Costs]", number: int) -> LayerCost:
    first = of_designs[0].layers[number]
    own = (number,)

    def over_designs(function: Callable[..., Interval], *parts: str) -> Interval:
        chosen = {"parts": parts} if parts else {}
        return spread([function(costs, layers=own, **chosen) for costs in of_designs])

    return LayerCost(
        layer=first.work.name,
        quantized=first.work.quantized,
        crossbars=first.crossbars,
        splits=first.splits,
        energy=over_designs(_Costs.energy),
        area=over_designs(_Costs.area),
        latency=over_designs(_Costs.latency),
        parts=tuple(
            CostPart(
                name=part,
                energy=over_designs(_Costs.energy, part),
                area=over_designs(_Costs.area, part),
            )
            for part in PARTS
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Events:
    """What happens, or is there: its part of the hardware, what it takes once, and how often in each layer."""

    part: str
    function: _Function
    counts: tuple[int, ...]


class _Costs:
    """Costs of layers in crossbars of one design."""

    def __init__(self, sources: Sources, layers: Sequence[CrossbarLayer]) -> None:
        self.layers = layers
        self._sources = sources
        self.energies = _energies(layers)
        self.areas = _areas(layers)
        self._energy_totals = EventTotals(sources, [event.function for event in self.energies])
        self._area_totals = EventTotals(sources, [event.function for event in self.areas])
        self._time_totals = EventTotals(sources, [partial(_step, layers[0].design)])

    @property
    def quantized(self) -> tuple[int, ...]:
        """Numbers of the quantized layers."""
        return tuple(number for number, layer in enumerate(self.layers) if layer.work.quantized)

    def energy(self, *, parts: Sequence[str] = PARTS, layers: Sequence[int] | None = None) -> Interval:
        """Of some parts and some layers, in J."""
        return self._energy_totals.of(self._counts(self.energies, parts, layers))

    def area(self, *, parts: Sequence[str] = PARTS, layers: Sequence[int] | None = None) -> Interval:
        """Of some parts and some layers, in m²."""
        return self._area_totals.of(self._counts(self.areas, parts, layers))

    def latency(self, *, layers: Sequence[int] | None = None) -> Interval:
        """Of some layers, one after the other, in s."""
        return self._time_totals.of([sum(self.layers[number].steps for number in self._chosen(layers))])

    def share(self, events: Sequence[_Events]) -> Interval:
        """Part of converters and buffers in the sum of all events, of all layers."""

        def sum_of(values: Values, parts: Sequence[str]) -> float:
            return sum(sum(event.counts) * event.function(values) for event in events if event.part in parts)

        return Interval.of(
            self._sources.figure(
                lambda values: sum_of(values, CONVERTERS) / sum_of(values, PARTS),
                unit="1",
                source="parts ÷ all",
            )
        )

    def _chosen(self, layers: Sequence[int] | None) -> Sequence[int]:
        return range(len(self.layers)) if layers is None else layers

    def _counts(
        self, events: Sequence[_Events], parts: Sequence[str], layers: Sequence[int] | None
    ) -> list[int]:
        chosen = self._chosen(layers)
        return [
            sum(event.counts[number] for number in chosen) if event.part in parts else 0 for event in events
        ]


def _energies(layers: Sequence[CrossbarLayer]) -> tuple[_Events, ...]:
    widths = sorted({bits for layer in layers for bits in layer.conversions})
    works = [layer.work for layer in layers]
    first = [work.inputs * work.i_bits for work in works]
    all_windows = [work.window_values * work.i_bits for work in works]
    return (
        _Events(part="crossbar", function=_cell, counts=tuple(layer.cell_reads for layer in layers)),
        _Events(
            part="DAC",
            function=partial(_row, layers[0].design.input_bits),
            counts=tuple(layer.row_conversions for layer in layers),
        ),
        *(
            _Events(
                part="ADC",
                function=partial(_conversion, bits),
                counts=tuple(layer.conversions.get(bits, 0) for layer in layers),
            )
            for bits in widths
        ),
        _Events(
            part="shift and add",
            function=lambda values: values["digital.add"],
            # A sum of one bit is a code already.
            counts=tuple(
                sum(number for bits, number in layer.conversions.items() if bits > 1) for layer in layers
            ),
        ),
        _Events(
            part="buffers",
            function=_buffered_bit,
            counts=tuple(
                bits + work.outputs * work.out_bits for bits, work in zip(first, works, strict=True)
            ),
        ),
        _Events(
            part="buffers",
            function=lambda values: values["buffer.refetch"] * _buffered_bit(values),
            counts=tuple(max(0, every - bits) for every, bits in zip(all_windows, first, strict=True)),
        ),
    )


def _areas(layers: Sequence[CrossbarLayer]) -> tuple[_Events, ...]:
    design = layers[0].design
    crossbars = [layer.crossbars for layer in layers]
    columns = tuple(number * design.columns for number in crossbars)
    by_width: Mapping[int, list[int]] = {
        bits: [
            number if layer.converter_bits == bits else 0
            for layer, number in zip(layers, columns, strict=True)
        ]
        for bits in sorted({layer.converter_bits for layer in layers})
    }
    return (
        _Events(
            part="crossbar",
            function=lambda values: values["cell.area"] * values["cell.feature_size"] ** 2,
            counts=tuple(number * design.rows for number in columns),
        ),
        _Events(
            part="DAC",
            function=partial(_row_area, design.input_bits),
            counts=tuple(number * design.rows for number in crossbars),
        ),
        *(
            _Events(part="ADC", function=partial(_converter_area, bits), counts=tuple(counts))
            for bits, counts in by_width.items()
        ),
        _Events(
            part="shift and add",
            function=lambda values: values["digital.add_area"] * values["node.area"] / values["adc.columns"],
            counts=columns,
        ),
        _Events(
            part="buffers",
            function=lambda values: values["buffer.area"] * values["node.area"],
            counts=tuple(
                layer.work.held * layer.work.i_bits + layer.work.outputs * layer.work.out_bits
                for layer in layers
            ),
        ),
    )


def _cell(values: Values) -> float:
    """Energy in J of a cell that is read once."""
    power = values["cell.read_voltage"] ** 2 / values["cell.on_resistance"]
    return values["cell.conduction"] * power * values["cell.read_time"]


def _row(bits: int, values: Values) -> float:
    """Energy in J of an input that is applied to a row."""
    return values["dac.energy"] * values["dac.growth"] ** (bits - 1) * values["node.energy"]


def _row_area(bits: int, values: Values) -> float:
    return values["dac.area"] * values["dac.growth"] ** (bits - 1) * values["node.area"]


def _conversion(bits: int, values: Values) -> float:
    """Energy in J of a conversion of a sum that has so many bits without loss."""
    part = (_converted(bits, values) / _WIDEST) ** values["adc.energy_exponent"]
    return values["adc.energy"] * part * values["node.energy"]


def _converter_area(bits: int, values: Values) -> float:
    """Area in m² of a column's part of a converter."""
    part = (_converted(bits, values) / _WIDEST) ** values["adc.area_exponent"]
    return values["adc.area"] * part * values["node.area"] / values["adc.columns"]


def _converted(bits: int, values: Values) -> float:
    """Bits of the converter."""
    return max(1.0, min(bits - values["adc.saved_bits"], values["adc.most_bits"]))


def _buffered_bit(values: Values) -> float:
    return values["buffer.energy"] * values["node.energy"]


def _step(design: CrossbarDesign, values: Values) -> float:
    """Time in s of a read: the cells', and the columns' of a converter one after the other."""
    shared = min(values["adc.columns"], float(design.columns))
    return max(values["cell.read_time"], shared / values["adc.rate"])
