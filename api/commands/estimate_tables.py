"""Tables of an estimate: technologies and other hardware side by side, layers, parts."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from scipy.constants import day, year

from spinplane.evaluation import Interval
from spinplane.evaluation.baselines import BaselineEstimate, Silicon, VonNeumann
from spinplane.evaluation.run_energy import CATEGORIES
from spinplane.machine import clock_text

if TYPE_CHECKING:
    from .estimate_result import TechnologyEstimate

_LEAST = 0.001
_SHORT = {"row write and read": "W/R", "bit-count": "count", "output stage": "output", "leakage": "leak"}
_NONE = "–"
_MICRO, _MM2 = 1e6, 1e6


def totals(
    title: str, technologies: "Sequence[TechnologyEstimate]", baselines: Sequence[BaselineEstimate]
) -> Table:
    """All figures of an image, a column for each technology and each other hardware.

    Parameters
    ----------
    title : str
    technologies : sequence of TechnologyEstimate
    baselines : sequence of BaselineEstimate
    """
    table = _table(f"{title}: an image, value (low to high)")
    table.add_column("", no_wrap=True)
    for name in (*(one.technology for one in technologies), *(one.name for one in baselines)):
        table.add_column(name, justify="right")

    def row(
        name: str,
        text: "Callable[[TechnologyEstimate], str]",
        other: Callable[[BaselineEstimate], str] = lambda one: _NONE,
    ) -> None:
        texts = [*map(text, technologies), *map(other, baselines)]
        if any(text != _NONE for text in texts):
            table.add_row(name, *texts)

    row("clock", lambda one: clock_text(one.clock.clock_hz))
    row(
        "latency, steady · cold, µs",
        lambda one: f"{one.latency_s * _MICRO:,.1f} · {one.latency_cold_s * _MICRO:,.1f}",
        lambda one: _optional(one.latency, _MICRO),
    )
    row("images a second", lambda one: f"{one.images_per_s:,.0f}")
    table.add_section()
    row(
        "energy, µJ", lambda one: interval_text(one.energy, _MICRO), lambda one: _optional(one.energy, _MICRO)
    )
    row(
        "  quantized layers",
        lambda one: _optional(one.quantized, _MICRO),
        lambda one: _optional(one.quantized, _MICRO),
    )
    row("core", lambda one: interval_text(one.core, _MICRO))
    row("  quantized layers", lambda one: _optional(one.quantized_core, _MICRO))
    row("energy of a cold run", lambda one: interval_text(one.cold, _MICRO))
    row("energy, currents held", lambda one: interval_text(one.held, _MICRO))
    row("load of the program, once", lambda one: interval_text(one.load, _MICRO))
    table.add_section()
    for category in CATEGORIES:
        row(category, _category(category), _part(category))
    table.add_section()
    row("power, mW", lambda one: interval_text(one.power_w, 1e3))
    row("binary TOPS/W", lambda one: interval_text(one.binary_operations_per_j, 1e-12))
    row(
        "TOPS/W",
        lambda one: interval_text(one.operations_per_j, 1e-12),
        lambda one: interval_text(one.operations_per_j, 1e-12),
    )
    table.add_section()
    row("area, mm²", lambda one: interval_text(one.area.total, _MM2), lambda one: _optional(one.area, _MM2))
    row("  logic and arrays", lambda one: interval_text(one.area.without_banks, _MM2))
    table.add_section()
    row(
        "current, write · sense, A",
        lambda one: f"{one.write_current_a:.3g} · {one.sense_current_a:.3g}",
    )
    row(
        "lifetime, as placed · levelled",
        lambda one: f"{_time(one.lifetime_s)} · {_time(one.levelled_lifetime_s)}",
    )
    return table


def technology_layers(one: "TechnologyEstimate") -> Table:
    """Energy of each layer by category."""
    table = Table(title=f"{one.technology}: energy by layer and category, µJ", padding=0)
    table.add_column("layer")
    for category in one.categories:
        table.add_column(_SHORT.get(category.category, category.category), justify="right")
    table.add_column("all", justify="right")
    for layer in one.layers:
        table.add_row(
            layer.layer or "start, end",
            *(_number(category.energy.value, _MICRO) for category in layer.categories),
            _number(layer.energy.value, _MICRO),
        )
    table.add_section()
    values = (_number(category.energy.value, _MICRO) for category in one.categories)
    table.add_row("all", *values, _number(one.energy.value, _MICRO))
    return table


def layer_energies(one: "TechnologyEstimate") -> Table:
    """Energy of each layer with its bounds, and its share."""
    table = _table(f"{one.technology}: energy of a layer, value (low to high)")
    table.add_column("layer")
    for name in ("energy, µJ", "share"):
        table.add_column(name, justify="right")
    whole = one.energy.value
    for layer in one.layers:
        value = layer.energy.value
        share = f"{value / whole:.1%}" if value is not None and whole else _NONE
        table.add_row(layer.layer or "start, end", interval_text(layer.energy, _MICRO), share)
    table.add_section()
    table.add_row("all", interval_text(one.energy, _MICRO), "")
    return table


def layer_areas(one: "TechnologyEstimate") -> Table:
    """What each layer has of the chip: its rows of all arrays, and its cycles' part of everything."""
    table = _table(f"{one.technology}: area of a layer, value (low to high)")
    table.add_column("layer")
    for name in ("rows", "its rows, mm²", "its part of the cycles, mm²"):
        table.add_column(name, justify="right")
    for layer in one.layers:
        if layer.area:
            table.add_row(
                layer.layer,
                str(layer.area.rows),
                interval_text(layer.area.of_rows, _MM2),
                interval_text(layer.area.of_cycles, _MM2),
            )
    return table


def baseline_parts(one: BaselineEstimate) -> Table:
    """Energy and area of each part of other hardware, and of converters and buffers in all of it."""
    table = _table(f"{one.name}: parts, value (low to high)")
    for name in ("", "energy, µJ", "area, mm²"):
        table.add_column(name, justify="right" if name else "left")
    for part in one.parts:
        table.add_row(part.name, interval_text(part.energy, _MICRO), _optional(part.area, _MM2))
    table.add_section()
    table.add_row("all", interval_text(one.energy, _MICRO), _optional(one.area, _MM2))
    if one.energy_share:
        table.add_row(
            "converters and buffers, %", _optional(one.energy_share, 100), _optional(one.area_share, 100)
        )
    return table


def baseline_layers(one: BaselineEstimate) -> Table:
    """Energy, area and time of each layer of other hardware."""
    table = _table(f"{one.name}: layers, value (low to high)")
    crossbars = any(layer.crossbars is not None for layer in one.layers)
    table.add_column("layer")
    for name in (*(("crossbars", "splits") if crossbars else ()), "energy, µJ", "area, mm²", "latency, µs"):
        table.add_column(name, justify="right")
    for layer in one.layers:
        table.add_row(
            layer.layer or "start, end",
            *((str(layer.crossbars), str(layer.splits)) if crossbars else ()),
            interval_text(layer.energy, _MICRO),
            _optional(layer.area, _MM2),
            _optional(layer.latency, _MICRO),
        )
    return table


def von_neumann_table(one: VonNeumann) -> Table:
    """Bits of operands, and what they take from memories."""
    table = _table("operands of an image, beside the words of the machine's banks")
    for name in ("", "bits", "÷ banks", "cache, µJ", "DRAM, µJ"):
        table.add_column(name, justify="right" if name else "left")
    table.add_row(
        "each operand of each product",
        f"{one.fetched_bits:,}",
        f"{one.reduction:.3g}",
        interval_text(one.energy_fetched, _MICRO),
        interval_text(one.energy_fetched_dram, _MICRO),
    )
    table.add_row(
        "each value once a layer",
        f"{one.reused_bits:,}",
        f"{one.reduction_reused:.3g}",
        interval_text(one.energy_reused, _MICRO),
        interval_text(one.energy_reused_dram, _MICRO),
    )
    table.add_row(
        "the machine's banks", f"{one.port_bits:,}", "1", interval_text(one.energy_ports, _MICRO), _NONE
    )
    return table


def silicon_table(figures: Sequence[Silicon]) -> Table:
    """Published figures of other hardware."""
    table = _table("published, of other processes and networks")
    for name in ("", "nm", "what", "value", "source"):
        table.add_column(name, justify="right" if name in ("nm", "value") else "left")
    for one in figures:
        table.add_row(one.name, str(one.process_nm), one.figure, f"{one.value:g} {one.unit}", one.source)
    return table


def _table(title: str) -> Table:
    return Table(title=title, collapse_padding=True, pad_edge=False)


def _category(name: str) -> "Callable[[TechnologyEstimate], str]":
    return lambda one: interval_text(
        next(part.energy for part in one.categories if part.category == name), _MICRO
    )


def _part(name: str) -> Callable[[BaselineEstimate], str]:
    return lambda one: next(
        (interval_text(part.energy, _MICRO) for part in one.parts if part.name == name), _NONE
    )


def _optional(interval: Interval | None, factor: float) -> str:
    return _NONE if interval is None else interval_text(interval, factor)


def interval_text(interval: Interval, factor: float) -> str:
    """A value with its bounds, times a factor; or what is missing."""
    value, bounds = interval_parts(interval, factor)
    return f"{value} ({bounds})" if bounds else value


def interval_parts(interval: Interval, factor: float) -> tuple[str, str]:
    """A value and its bounds, if it has any, times a factor; or what is missing."""
    if interval.value is None:
        return f"no {interval.missing}", ""
    value, low, high = (_number(one, factor) for one in (interval.value, interval.low, interval.high))
    return value, "" if interval.low == interval.high else f"{low} to {high}"


def _number(value: float | None, factor: float) -> str:
    """Three digits; of a large number all before the point."""
    if value is None:
        return _NONE
    scaled = value * factor
    if scaled >= 100:
        return f"{scaled:,.0f}"
    if 0 < scaled < _LEAST:
        return f"<{_LEAST}"
    return f"{scaled:.3g}"


def _time(seconds: float) -> str:
    return f"{_number(seconds, 1 / year)} years" if seconds >= year else f"{_number(seconds, 1 / day)} days"


def bytes_text(bits: int) -> str:
    """Bits as text, in bytes of 1024s."""
    size = bits / 8
    for unit in ("B", "KiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} MiB"
