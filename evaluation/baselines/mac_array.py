"""The same network on a digital array of multipliers and adders, as large as the machine's logic and arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log2

from spinplane.machine import Machine, Parameter

from .. import logic_energy
from ..bank_energy import SramBank, counted_banks
from ..event_totals import EventTotals, Interval
from ..events import energy_sources
from ..parameters import Known, shipped_parameters
from ..sources import Sources, Values
from .layer_work import LayerWork
from .results import BaselineEstimate, CostPart, LayerCost

_J, _M2 = 1e-9, 1e-9
KNOWN: dict[str, Known] = {
    "mac.multiply": ("fJ", 0.0, _J),
    "mac.add": ("fJ", 0.0, _J),
    "mac.tree": ("1", 1.0, 4096.0),
    "mac.accumulator": ("1", 8.0, 64.0),
    "mac.use": ("1", 0.01, 1.0),
    "mac.clock": ("MHz", 1.0, 1e11),
    "mac.input_reuse": ("1", 1.0, 1e6),
    "mac.weight_reuse": ("1", 1.0, 1e6),
    "mac.full_adder": ("µm²", 0.0, _M2),
    "mac.gate": ("µm²", 0.0, _M2),
    "mac.flip_flop": ("µm²", 0.0, _M2),
}
NAME = "mac-array"
#: Key of the area that the array has.
AREA = "mac.area"
PARTS = ("multiply", "add", "registers", "inputs", "weights", "outputs")
_UM2 = 1e12


def mac_sources(machine: Machine, area: Interval) -> Sources:
    """Parameters of ``mac_array.toml``, of a machine's banks and logic, and the area of the array.

    Parameters
    ----------
    machine : Machine
        Whose banks feed the array.
    area : Interval
        Of multipliers, adders and registers, in m². Without a value the array has no area.
    """
    sources = energy_sources(machine, None).with_parameters(
        shipped_parameters("baselines/mac_array.toml", KNOWN)
    )
    if area.value is None or area.low is None or area.high is None:
        return sources
    return sources.with_parameters(
        {
            AREA: Parameter(
                value=area.value * _UM2,
                unit="µm²",
                mark="derived",
                source=f"logic and arrays of {machine.name}",
                bounds=(area.low * _UM2, area.high * _UM2),
            )
        }
    )


def mac_array(
    works: Sequence[LayerWork],
    machine: Machine,
    area: Interval,
    *,
    sources: Sources | None = None,
) -> BaselineEstimate:
    """What an image costs on such an array.

    Its multipliers are as wide as the widest layer's, and take the energy of the bits that a layer has. Inputs and
    weights come from banks of the machine's sizes; what has been fetched is shared as `mac_array.toml` says.

    Parameters
    ----------
    works : sequence of LayerWork
    machine : Machine
    area : Interval
        See `mac_sources`.
    sources : Sources, optional
        In place of `mac_sources`.
    """
    sources = sources or mac_sources(machine, area)
    costs = _Costs(sources, works, machine)
    energy = costs.energy()
    quantized = [number for number, work in enumerate(works) if work.quantized]
    macs = sum(work.macs for work in works)
    return BaselineEstimate(
        name=NAME,
        title=f"digital multipliers and adders on the area of logic and arrays of {machine.name}",
        energy=energy,
        quantized=costs.energy(layers=quantized) if quantized else None,
        area=Interval.of(
            sources.figure(lambda values: values[AREA], unit="m²", source="as large as logic and arrays")
        ),
        latency=costs.latency(range(len(works))),
        parts=costs.parts(range(len(works))),
        layers=tuple(
            LayerCost(
                layer=work.name,
                quantized=work.quantized,
                energy=costs.energy(layers=[number]),
                latency=costs.latency([number]),
                parts=costs.parts([number]),
            )
            for number, work in enumerate(works)
        ),
        energy_share=None,
        area_share=None,
        operations_per_j=energy.under(2 * macs),
        reasons={
            "cold": "all weights come from the kernel bank in every run",
            "current": "not modelled",
            "lifetime": "nothing wears",
        },
        notes=(
            "multipliers of {}×{} bits; batch-norm, pooling and control are not counted".format(
                *_widest(works)
            ),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Event:
    """What a multiply-accumulate or a value takes in a part of the array."""

    part: str
    function: Callable[[Values], float]
    counts: tuple[int, ...]


class _Costs:
    """Costs of layers in the array."""

    def __init__(self, sources: Sources, works: Sequence[LayerWork], machine: Machine) -> None:
        self._works = works
        self._events = tuple(_events(works, machine))
        self._energies = EventTotals(sources, [event.function for event in self._events])
        self._time = EventTotals(sources, [partial(_time, *_widest(works))])

    def energy(self, *, parts: Sequence[str] = PARTS, layers: Sequence[int] | None = None) -> Interval:
        """Of some parts and some layers, in J."""
        chosen = range(len(self._works)) if layers is None else layers
        return self._energies.of(
            [
                sum(event.counts[number] for number in chosen) if event.part in parts else 0
                for event in self._events
            ]
        )

    def parts(self, layers: Sequence[int]) -> tuple[CostPart, ...]:
        """Each part of some layers."""
        return tuple(CostPart(name=part, energy=self.energy(parts=(part,), layers=layers)) for part in PARTS)

    def latency(self, layers: Sequence[int]) -> Interval:
        """Of some layers, in s."""
        return self._time.of([sum(self._works[number].macs for number in layers)])


def _events(works: Sequence[LayerWork], machine: Machine) -> list[_Event]:
    banks = counted_banks(machine)
    image, kernel = banks["image"], banks["kernel"]

    def once(part: str, number: int, function: Callable[[Values], float], count: int) -> _Event:
        counts = [0] * len(works)
        counts[number] = count
        return _Event(part=part, function=function, counts=tuple(counts))

    def read_bit(bank: SramBank, values: Values) -> float:
        return bank.read(values) / bank.size.width

    found = []
    for number, work in enumerate(works):
        found += [
            once("multiply", number, partial(_multiply, work.w_bits * work.i_bits), work.macs),
            once("add", number, partial(_add, work.w_bits + work.i_bits), work.macs),
            once("registers", number, partial(_registers, work.i_bits), work.macs),
        ]
    return [
        *found,
        _Event(
            part="inputs",
            function=lambda values: read_bit(image, values) / values["mac.input_reuse"],
            counts=tuple(work.macs * work.i_bits for work in works),
        ),
        _Event(
            part="weights",
            function=lambda values: read_bit(kernel, values) / values["mac.weight_reuse"],
            counts=tuple(work.macs * work.w_bits for work in works),
        ),
        _Event(
            part="outputs",
            function=lambda values: image.write(values) / image.size.width,
            counts=tuple(work.outputs * work.out_bits for work in works),
        ),
    ]


def _multiply(bit_products: int, values: Values) -> float:
    """Energy in J of a multiplication."""
    return bit_products * values["mac.multiply"]


def _add(bits: int, values: Values) -> float:
    """Energy in J of additions, for each product: in the tree, whose sums grow, and in the accumulator."""
    tree = values["mac.tree"]
    in_tree = (tree - 1) / tree * (bits + log2(tree) / 2)
    return values["mac.add"] * (in_tree + values["mac.accumulator"] / tree)


def _registers(bits: int, values: Values) -> float:
    """Energy in J of the clock of registers, for each product: an input, and its part of the accumulator."""
    return logic_energy.clock(values) * (bits + values["mac.accumulator"] / values["mac.tree"])


def _multiplier_area(w_bits: int, i_bits: int, values: Values) -> float:
    """Area in m² of a multiplier with registers of its operands, and its part of tree and accumulator."""
    tree, accumulator = values["mac.tree"], values["mac.accumulator"]
    in_tree = (tree - 1) / tree * (w_bits + i_bits + log2(tree) / 2)
    adders = w_bits * i_bits - max(w_bits, i_bits) + in_tree + accumulator / tree
    registers = w_bits + i_bits + accumulator / tree
    return (
        w_bits * i_bits * values["mac.gate"]
        + adders * values["mac.full_adder"]
        + registers * values["mac.flip_flop"]
    )


def _time(w_bits: int, i_bits: int, values: Values) -> float:
    """Time in s of a multiply-accumulate, of all multipliers together."""
    number = values[AREA] / _multiplier_area(w_bits, i_bits, values)
    return 1 / (number * values["mac.use"] * values["mac.clock"])


def _widest(works: Sequence[LayerWork]) -> tuple[int, int]:
    """Bits of the widest weights and inputs."""
    return max(work.w_bits for work in works), max(work.i_bits for work in works)
