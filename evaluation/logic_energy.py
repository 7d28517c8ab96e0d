"""Energy of the logic's events and of its clock, from coefficients that were measured on mapped netlists."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from spinplane.machine import Machine

from .parameters import Known
from .sources import Values


@dataclass(frozen=True, kw_only=True)
class Size:
    """What an event's energy is proportional to.

    Parameters
    ----------
    of : callable
        From a machine to a number.
    name : str
        Empty where it is 1 for all machines.
    """

    of: Callable[[Machine], float]
    name: str


_ONE = Size(of=lambda machine: 1.0, name="")
_COLUMNS = Size(of=lambda machine: machine.columns, name="columns")
#: Of what is done once for all lanes.
_PART_OF_A_BEAT = Size(of=lambda machine: 1 / machine.results_per_cycle, name="1 ÷ results_per_cycle")


@dataclass(frozen=True, kw_only=True)
class LogicEvent:
    """Something that logic does.

    Parameters
    ----------
    name : str
    modules : tuple of str
        Modules whose energy it has, without what is placed in them that belongs to another event.
    per : str
        What happens as often: a key of `spinplane.evaluation.event_counts.event_counts`.
    size : Size
    """

    name: str
    modules: tuple[str, ...]
    per: str
    size: Size = _ONE


EVENTS: tuple[LogicEvent, ...] = (
    LogicEvent(name="count", modules=("bit_counter",), per="bit_counts", size=_COLUMNS),
    LogicEvent(
        name="shift", modules=("shifter", "half_shifter", "quarter_shifter", "eighth_shifter"), per="shifts"
    ),
    LogicEvent(
        name="add",
        modules=("sum",),
        per="additions",
        size=Size(of=lambda machine: machine.accumulator_bits, name="accumulator_bits"),
    ),
    LogicEvent(
        name="decode",
        modules=("row_decoder", "multi_line_row_decoder", "reference_select"),
        per="row_operations",
        size=Size(of=lambda machine: log2(machine.rows), name="bits of a row's number"),
    ),
    LogicEvent(name="array_control", modules=("sub_array_controller",), per="row_operations"),
    LogicEvent(
        name="row_path", modules=("sub_array", "write_controller"), per="row_operations", size=_COLUMNS
    ),
    LogicEvent(
        name="engine",
        modules=("engine",),
        per="cycles",
        size=Size(of=lambda machine: machine.sub_arrays, name="sub_arrays"),
    ),
    LogicEvent(name="row_feed", modules=("sequencer", "kernel_loader"), per="row_writes", size=_COLUMNS),
    LogicEvent(name="row_pair", modules=("row_pair_generator",), per="row_pairs"),
    LogicEvent(name="control", modules=("layer_controller", "sense_walk", "counters"), per="cycles"),
    LogicEvent(
        name="input", modules=("input_streamer", "row_sum", "window_sum"), per="image_reads", size=_COLUMNS
    ),
    LogicEvent(name="input_address", modules=("input_address_generator",), per="image_reads"),
    LogicEvent(name="correction", modules=("window_correction",), per="results"),
    LogicEvent(name="pooling", modules=("pooling", "pool_lane"), per="results"),
    LogicEvent(
        name="batch_norm",
        modules=("batch_norm", "multiplier", "scaler", "scale_reader", "lane_phases"),
        per="products",
    ),
    LogicEvent(name="residual", modules=("residual_loader",), per="residuals", size=_PART_OF_A_BEAT),
    LogicEvent(name="quantizer", modules=("quantizer", "limiter"), per="values"),
    LogicEvent(name="lookup", modules=("activation",), per="values"),
    LogicEvent(
        name="output",
        modules=(
            *("output_stage", "dpu", "beat_walk", "cluster_steps", "serial_multiplier", "lookup_walk"),
            *("output_address_generator", "output_packer", "row_store"),
        ),
        per="results",
        size=_PART_OF_A_BEAT,
    ),
    LogicEvent(
        name="bank_port",
        modules=("image_bank", "parameters_bank", "scales_bank", "thresholds_bank"),
        per="image_reads",
        size=_COLUMNS,
    ),
    LogicEvent(name="bus", modules=("axi_bank", "axi_registers", "accelerator"), per="cycles"),
)

#: What is known of each event, for one unit of its size: energies without wires, changes of wires, and by what the
#: energy differs from the size's rule each time that rows, columns and sub-arrays double.
MEASURED: dict[str, Known] = {
    "settled": ("fJ", 0.0, 1e-6),
    "glitches": ("fJ", -1e-9, 1e-6),
    "settled_wires": ("1", 0.0, 1e9),
    "glitch_wires": ("1", -1e9, 1e9),
    "doubled": ("1", 1e-2, 1e2),
}
KNOWN: dict[str, Known] = {
    **{f"{event.name}.{part}": known for event in EVENTS for part, known in MEASURED.items()},
    "flip_flop.clock": ("fJ", 0.0, 1e-9),
    "measured.cells": ("1", 1.0, 1e12),
}
ASSUMED: dict[str, Known] = {
    "logic.voltage": ("V", 0.1, 10.0),
    "logic.glitches": ("1", 0.0, 1.0),
    "logic.wire": ("fF", 0.0, 1e-12),
    "logic.leakage_per_area": ("nW", 0.0, 1.0),
    "logic.leakage_per_width": ("nW/µm", 0.0, 1.0),
    "logic.area_per_flip_flop": ("µm²", 1e-13, 1e-8),
    "clock.wire": ("fF", 0.0, 1e-12),
    "clock.gate": ("fJ", 0.0, 1e-9),
    "clock.gate_flip_flops": ("1", 1.0, 1e4),
}


def energy(values: Values, machine: Machine, event: LogicEvent) -> float:
    """Energy in J of one event, with a part of the glitches that gates of one delay each make.

    It is proportional to a size of the machine, but for a factor for each doubling of the machine that was measured.
    """
    part = values["logic.glitches"]
    gates = values[f"{event.name}.settled"] + part * values[f"{event.name}.glitches"]
    wires = values[f"{event.name}.settled_wires"] + part * values[f"{event.name}.glitch_wires"]
    wire = values["logic.wire"] * values["logic.voltage"] ** 2 / 2
    factor = values[f"{event.name}.doubled"] ** doublings(machine, values["measured.cells"])
    return event.size.of(machine) * factor * (gates + wires * wire)


def cells(machine: Machine) -> int:
    """Memory cells of its arrays."""
    return machine.rows * machine.columns * machine.sub_arrays


def doublings(machine: Machine, of_cells: float) -> float:
    """How often rows, columns and sub-arrays have to double from a machine of so many cells to one as large as this."""
    return log2(cells(machine) / of_cells) / 3


def clock(values: Values) -> float:
    """Energy in J of a flip-flop's clock in one cycle: both edges at its pin, and its part of the tree."""
    return values["flip_flop.clock"] + _clock_wire(values)


def leakage(values: Values) -> float:
    """Power in W that leaks in the logic, for each flip-flop that there is."""
    return values["logic.area_per_flip_flop"] / 1e-12 * values["logic.leakage_per_area"]


def gated_clock(values: Values) -> float:
    """The same of a flip-flop whose clock is off: its part of a gate whose own clock goes on."""
    return (values["clock.gate"] + _clock_wire(values)) / values["clock.gate_flip_flops"]


def _clock_wire(values: Values) -> float:
    """Energy in J of both edges of a part of the clock tree."""
    return values["clock.wire"] * values["logic.voltage"] ** 2
