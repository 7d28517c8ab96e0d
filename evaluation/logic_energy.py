"""Energy of the logic's events and of its clock, from coefficients that were measured on mapped netlists."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from spinplane.machine import Machine

from .parameters import Known
from .sources import Values


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
    size : callable
        From a machine to the number to which the energy is proportional.
    size_name : str
    """

    name: str
    modules: tuple[str, ...]
    per: str
    size: Callable[[Machine], float]
    size_name: str


def _columns(machine: Machine) -> float:
    return machine.columns


def _one(machine: Machine) -> float:
    return 1.0


def _part_of_a_beat(machine: Machine) -> float:
    """Of what is done once for all lanes."""
    return 1 / machine.results_per_cycle


EVENTS: tuple[LogicEvent, ...] = (
    LogicEvent(name="count", modules=("bit_counter",), per="bit_counts", size=_columns, size_name="columns"),
    LogicEvent(
        name="shift",
        modules=("shifter", "half_shifter", "quarter_shifter", "eighth_shifter"),
        per="shifts",
        size=_one,
        size_name="",
    ),
    LogicEvent(
        name="add",
        modules=("sum",),
        per="additions",
        size=lambda machine: machine.accumulator_bits,
        size_name="accumulator_bits",
    ),
    LogicEvent(
        name="decode",
        modules=("row_decoder", "multi_line_row_decoder", "reference_select"),
        per="row_operations",
        size=lambda machine: log2(machine.rows),
        size_name="bits of a row's number",
    ),
    LogicEvent(
        name="array_control",
        modules=("sub_array_controller",),
        per="row_operations",
        size=_one,
        size_name="",
    ),
    LogicEvent(
        name="row_path",
        modules=("sub_array", "write_controller"),
        per="row_operations",
        size=_columns,
        size_name="columns",
    ),
    LogicEvent(
        name="engine",
        modules=("engine",),
        per="cycles",
        size=lambda machine: machine.sub_arrays,
        size_name="sub_arrays",
    ),
    LogicEvent(
        name="row_feed",
        modules=("sequencer", "kernel_loader"),
        per="row_writes",
        size=_columns,
        size_name="columns",
    ),
    LogicEvent(name="row_pair", modules=("row_pair_generator",), per="row_pairs", size=_one, size_name=""),
    LogicEvent(
        name="control",
        modules=("layer_controller", "sense_walk", "counters"),
        per="cycles",
        size=_one,
        size_name="",
    ),
    LogicEvent(
        name="input",
        modules=("input_streamer", "row_sum", "window_sum"),
        per="image_reads",
        size=_columns,
        size_name="columns",
    ),
    LogicEvent(
        name="input_address",
        modules=("input_address_generator",),
        per="image_reads",
        size=_one,
        size_name="",
    ),
    LogicEvent(name="correction", modules=("window_correction",), per="results", size=_one, size_name=""),
    LogicEvent(name="pooling", modules=("pooling", "pool_lane"), per="results", size=_one, size_name=""),
    LogicEvent(
        name="batch_norm",
        modules=("batch_norm", "multiplier", "scaler", "scale_reader", "lane_phases"),
        per="products",
        size=_one,
        size_name="",
    ),
    LogicEvent(
        name="residual",
        modules=("residual_loader",),
        per="residuals",
        size=_part_of_a_beat,
        size_name="1 ÷ results_per_cycle",
    ),
    LogicEvent(name="quantizer", modules=("quantizer", "limiter"), per="values", size=_one, size_name=""),
    LogicEvent(name="lookup", modules=("activation",), per="values", size=_one, size_name=""),
    LogicEvent(
        name="output",
        modules=(
            *("output_stage", "dpu", "beat_walk", "cluster_steps", "serial_multiplier", "lookup_walk"),
            *("output_address_generator", "output_packer", "row_store"),
        ),
        per="results",
        size=_part_of_a_beat,
        size_name="1 ÷ results_per_cycle",
    ),
    LogicEvent(
        name="bank_port",
        modules=("image_bank", "parameters_bank", "scales_bank", "thresholds_bank"),
        per="image_reads",
        size=_columns,
        size_name="columns",
    ),
    LogicEvent(
        name="bus",
        modules=("axi_bank", "axi_registers", "accelerator"),
        per="cycles",
        size=_one,
        size_name="",
    ),
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
    return event.size(machine) * factor * (gates + wires * wire)


def cells(machine: Machine) -> int:
    """Memory cells of its arrays."""
    return machine.rows * machine.columns * machine.sub_arrays


def doublings(machine: Machine, of_cells: float) -> float:
    """How often rows, columns and sub-arrays have to double from a machine of so many cells to one as large as this."""
    return log2(cells(machine) / of_cells) / 3


def clock(values: Values) -> float:
    """Energy in J of a flip-flop's clock in one cycle: both edges at its pin, and its part of the tree."""
    return values["flip_flop.clock"] + values["clock.wire"] * values["logic.voltage"] ** 2


def leakage(values: Values) -> float:
    """Power in W that leaks in the logic, for each flip-flop that there is."""
    return values["logic.area_per_flip_flop"] / 1e-12 * values["logic.leakage_per_area"]


def gated_clock(values: Values) -> float:
    """The same of a flip-flop whose clock is off: its part of a gate whose own clock goes on."""
    wire = values["clock.wire"] * values["logic.voltage"] ** 2
    return (values["clock.gate"] + wire) / values["clock.gate_flip_flops"]
