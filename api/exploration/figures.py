"""Figures of a design, by the names with which spaces ask for them."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a design takes in a steady run, of one image or of a batch.

    Parameters
    ----------
    cycles : int
        Of a run, from the start register to the interrupt.
    clock_mhz : float
    latency_us : float
        Of a run: an image of a batch waits for the others.
    images_per_s : float
    energy_uj, energy_low_uj, energy_high_uj : float
        Of an image. With the bounds of `spinplane.evaluation.Interval`, as power and area.
    power_mw : float
        Mean of images without a pause.
    area_mm2, area_low_mm2, area_high_mm2 : float
        Of the chip.
    lifetime_years : float
        Of images without a pause, until the row that is written most is worn.
    array_efficiency : float
        Single-bit products that the network needs ÷ columns × sub-arrays × cycles.
    accuracy : float or None
        Share of right classes, if it was asked for.
    """

    cycles: int
    clock_mhz: float
    latency_us: float
    images_per_s: float
    energy_uj: float
    energy_low_uj: float
    energy_high_uj: float
    power_mw: float
    area_mm2: float
    area_low_mm2: float
    area_high_mm2: float
    lifetime_years: float
    array_efficiency: float
    accuracy: float | None = None


#: What a constraint or an objective may name.
FIGURES = tuple(field.name for field in fields(Figures))
_UNITS = {"uj": "µJ", "us": "µs", "mw": "mW", "mm2": "mm²", "mhz": "MHz", "years": "years"}


def label(figure: str) -> str:
    """A figure's name for people, with its unit."""
    words = figure.split("_")
    unit = _UNITS.get(words[-1])
    return f"{' '.join(words[:-1])}, {unit}" if unit else " ".join(words)


@dataclass(frozen=True, kw_only=True)
class LayerCycles:
    """Where the cycles of a layer go.

    Parameters
    ----------
    layer : str
        Empty for header and END.
    cycles : int
    needed : float
        In which all columns of all sub-arrays would have the layer's single-bit products.
    empty_columns : float
        In which the pairs of rows that are sensed have columns without a product.
    row_writes : float
        Of write pulses, where no row is sensed beside them; the mean of the sub-arrays.
    """

    layer: str
    cycles: int
    needed: float
    empty_columns: float
    row_writes: float

    @property
    def other(self) -> float:
        """The rest: idle sub-arrays, loads, waits for results, fetch, fill and drain."""
        return self.cycles - self.needed - self.empty_columns - self.row_writes
