"""What an image costs: energy by layer and category, time, area, storage, currents, lifetime; other hardware beside."""

from dataclasses import dataclass

from rich.table import Table

from spinplane.evaluation import AreaEstimate, Interval, Storage
from spinplane.evaluation.baselines import BaselineEstimate, Silicon, VonNeumann
from spinplane.evaluation.technology_bounds import CutBound
from spinplane.machine import AcceleratorCounters, Machine, MachineClock
from spinplane.machine.reporting.records import Record

from ..report.model_notes import ModelNotes
from ..report.report import Report
from .estimate_records import figure_records
from .estimate_tables import (
    baseline_layers,
    baseline_parts,
    bytes_text,
    interval_text,
    layer_areas,
    silicon_table,
    technology_layers,
    totals,
    von_neumann_table,
)


@dataclass(frozen=True, kw_only=True)
class CategoryEnergy:
    """Energy of a category for an image, in J."""

    category: str
    energy: Interval


@dataclass(frozen=True, kw_only=True)
class LayerArea:
    """What a layer has of a chip that all layers share, by two definitions.

    Parameters
    ----------
    rows : int
        Of each sub-array, that hold its input lines and its kernels while it runs.
    of_rows : Interval
        The part of all arrays that these rows are, in m².
    of_cycles : Interval
        The part of the whole chip that its cycles are of the run, in m².
    """

    rows: int
    of_rows: Interval
    of_cycles: Interval


@dataclass(frozen=True, kw_only=True)
class LayerEnergy:
    """What a layer takes in a steady run.

    Parameters
    ----------
    layer : str
        Empty for what belongs to none: header and END.
    quantized : bool
        Neither the first layer nor the last one.
    counters : AcceleratorCounters
    energy : Interval
        In J.
    categories : tuple of CategoryEnergy
    area : LayerArea or None
        None for header and END.
    """

    layer: str
    quantized: bool
    counters: AcceleratorCounters
    energy: Interval
    categories: tuple[CategoryEnergy, ...]
    area: LayerArea | None


@dataclass(frozen=True, kw_only=True)
class TechnologyEstimate:
    """What an image costs with arrays of a technology; energies in J, of a steady run if nothing else is said.

    Parameters
    ----------
    technology : str
    digest : str
        Of all parameters of the technology.
    clock : MachineClock
    latency_s, latency_cold_s, images_per_s : float
        Of a run, which takes one image, or a batch; runs follow one after the other.
    energy, core : Interval
        Of an image: of all categories, and of row writes and reads, AND, bit-count and add.
    quantized, quantized_core : Interval or None
        The same without the first and the last layer; None if there is no other.
    cold : Interval
        Of a run that loads all kernels.
    held : Interval
        With currents that flow for all cycles of a row operation.
    load : Interval
        Of the words of a program that a host writes into the banks, once for all images.
    cuts : tuple of CutBound
        Ends of the technology's bounds at which arrays would not work.
    power_w : Interval
        Mean of images without a pause.
    area : AreaEstimate
        Of the chip.
    categories : tuple of CategoryEnergy
    layers : tuple of LayerEnergy
    binary_operations_per_j, operations_per_j : Interval
        Two a single-bit product, and two a multiply-accumulate.
    write_current_a, sense_current_a : float
        Of all columns of all sub-arrays at once.
    lifetime_s, levelled_lifetime_s : float
        Until the row that is written most has borne the technology's demonstrated writes, of images without a pause;
        and were the writes spread over all rows.
    """

    technology: str
    digest: str
    clock: MachineClock
    latency_s: float
    latency_cold_s: float
    images_per_s: float
    energy: Interval
    core: Interval
    quantized: Interval | None
    quantized_core: Interval | None
    cold: Interval
    held: Interval
    load: Interval
    cuts: tuple[CutBound, ...]
    power_w: Interval
    area: AreaEstimate
    categories: tuple[CategoryEnergy, ...]
    layers: tuple[LayerEnergy, ...]
    binary_operations_per_j: Interval
    operations_per_j: Interval
    write_current_a: float
    sense_current_a: float
    lifetime_s: float
    levelled_lifetime_s: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Estimate(Report):
    """What an image costs on a machine, with one technology or several.

    Parameters
    ----------
    network : str
    model : ModelNotes
    machine : Machine
    counters, counters_cold : AcceleratorCounters
        Of a steady run and of one that loads all kernels; those of a layer are of the steady run, too.
    macs, binary_operations : int
        Multiply-accumulates and single-bit products of an image.
    flip_flops : int
        Bits of the registers of the machine's RTL.
    gated : bool
        Whether the clock of units that are known to be idle is off.
    weight_bits, map_bits : int
        Of all weights, and of the input and all maps between layers.
    storage : tuple of Storage
        Bits of all weights and of the inputs of all layers, with other widths of those that nothing quantizes.
    port_bits : int
        Through the ports of all banks in a steady run, of an image.
    technologies : tuple of TechnologyEstimate
    baselines : tuple of BaselineEstimate
        Other hardware.
    von_neumann : VonNeumann or None
    silicon : tuple of Silicon
    by_layer : bool
        Whether the layers are shown.
    batch : int
        Images that a run takes.
    """

    network: str
    model: ModelNotes
    machine: Machine
    counters: AcceleratorCounters
    counters_cold: AcceleratorCounters
    macs: int
    binary_operations: int
    flip_flops: int
    gated: bool
    weight_bits: int
    map_bits: int
    storage: tuple[Storage, ...]
    port_bits: int
    technologies: tuple[TechnologyEstimate, ...]
    baselines: tuple[BaselineEstimate, ...]
    von_neumann: VonNeumann | None
    silicon: tuple[Silicon, ...]
    by_layer: bool
    batch: int = 1

    def tables(self) -> tuple[Table, ...]:
        """Totals, all side by side; each one's layers; parts of other hardware, operands, published figures."""
        found = [totals(f"{self.network} on {self.machine.name}", self.technologies, self.baselines)]
        if self.by_layer:
            for technology in self.technologies:
                found += [technology_layers(technology), layer_areas(technology)]
        for one in self.baselines:
            found.append(baseline_parts(one))
            if self.by_layer:
                found.append(baseline_layers(one))
        if self.von_neumann:
            found.append(von_neumann_table(self.von_neumann))
        if self.silicon:
            found.append(silicon_table(self.silicon))
        return tuple(found)

    def notes(self) -> tuple[str, ...]:
        """Those of costs and model."""
        return (*self.cost_notes(), *self.model.lines())

    def cost_notes(self) -> tuple[str, ...]:
        """Work and storage of an image, what is counted, and what is not."""
        lines = [
            f"an image: {self.macs:,} multiply-accumulates, {self.binary_operations:,} single-bit products; "
            f"{self.counters.cycles / self.batch:,.0f} cycles",
            *self._of_batch(),
            f"storage: {bytes_text(self.weight_bits)} of weights, {bytes_text(self.map_bits)} of maps; "
            f"{bytes_text(self.port_bits)} through the banks' ports",
            f"weights and all layers' inputs: {', '.join(map(_storage, self.storage))}",
            "core: row writes and reads, AND, bit-count, add; quantized: without the first and the last layer",
            "TOPS/W: two operations a single-bit product, or a multiply-accumulate",
            f"counted: all {self.machine.columns} columns of a row; {self.flip_flops:,} flip-flops, all of them with a "
            f"clock {'but in units that are known to be idle' if self.gated else 'in every cycle'}",
            "host: words of image and results in their bank; not counted: its bus, and what is outside of the chip",
        ]
        cuts = dict.fromkeys(str(cut) for one in self.technologies for cut in one.cuts)
        return (*lines, *cuts, *self._of_baselines())

    @property
    def main_figure(self) -> str:
        """Cycles, and the energy of the first hardware."""
        energy = next((energy_line(one.energy) for one in self.technologies[:1]), "")
        return ", ".join(part for part in (f"{self.counters.cycles:,} cycles", energy) if part)

    def records(self) -> tuple[Record, ...]:
        """A record for each figure that has bounds, in J, s and m²."""
        return figure_records(self.technologies, self.baselines)

    def _of_batch(self) -> list[str]:
        if self.batch == 1:
            return []
        return [
            f"batch: {self.batch} images in a run of {self.counters.cycles:,} cycles, whose time the latency is; "
            "energies are those of an image"
        ]

    def _of_baselines(self) -> list[str]:
        """What each other hardware is, what it counts, and why figures are not there."""
        lines = []
        for one in self.baselines:
            missing = "; ".join(f"no {figure}: {reason}" for figure, reason in one.reasons.items())
            lines += [f"{one.name}: {one.title}", *(f"  {note}" for note in one.notes), f"  {missing}"]
        return lines


def _storage(one: Storage) -> str:
    if one.ends_bits is None:
        return bytes_text(one.bits)
    where = "ends" if one.inner_bits is None else "all"
    return f"{bytes_text(one.bits)} with {where} of {one.ends_bits} bits"


def energy_line(energy: Interval) -> str:
    """What a run says of its energy, given in J."""
    return f"energy  {interval_text(energy, 1e6)} µJ an image, steady"
