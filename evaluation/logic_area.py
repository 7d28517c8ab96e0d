"""Area of a machine's logic without a synthesis: blocks as one was measured, scaled by the sizes they follow."""

from collections.abc import Callable

from spinplane.machine import Machine, Parameter

from .parameters import Known, shipped_parameters
from .sources import Values


def _one(machine: Machine) -> int:
    return 1


def _sub_arrays(machine: Machine) -> int:
    return machine.sub_arrays


def _rows(machine: Machine) -> int:
    return machine.sub_arrays * machine.rows


def _columns(machine: Machine) -> int:
    return machine.sub_arrays * machine.columns


def _segments(machine: Machine) -> int:
    return machine.sub_arrays * machine.segments


def _accumulator_bits(machine: Machine) -> int:
    return machine.sub_arrays * machine.segments * machine.accumulator_bits


def _word(machine: Machine) -> int:
    return machine.columns


def _bus(machine: Machine) -> int:
    return machine.bus_bits


def _lanes(machine: Machine) -> int:
    return machine.results_per_cycle


def _multipliers(machine: Machine) -> int:
    return machine.multipliers


#: Blocks of `spinplane.physical.AreaReport`, and what each is proportional to.
SIZES: dict[str, Callable[[Machine], int]] = {
    "decoder": _rows,
    "reference_select": _sub_arrays,
    "controller": _sub_arrays,
    "bit_counter": _columns,
    "shifter": _segments,
    "sum": _accumulator_bits,
    "sub_array": _columns,
    "counters": _one,
    "engine": _accumulator_bits,
    "input_streamer": _word,
    "window_sum": _word,
    "sequencer": _one,
    "layer_controller": _one,
    "correction": _lanes,
    "batch_norm": _multipliers,
    "quantizer": _multipliers,
    "pooling": _lanes,
    "activation": _lanes,
    "lanes": _lanes,
    "output_stage": _one,
    "image_bank": _word,
    "axi_bank": _bus,
    "axi_registers": _one,
    "accelerator": _one,
}
KNOWN: dict[str, Known] = {
    "logic_area.scaling": ("1", 0.1, 10.0),
    **{f"logic_area.{block}": ("µm²", 0.0, 1e-6) for block in SIZES},
}


def logic_area_parameters() -> dict[str, Parameter]:
    """Those of ``logic_area.toml``."""
    return shipped_parameters("logic_area.toml", KNOWN)


def logic_area(values: Values, machine: Machine) -> float:
    """Area in m² of a machine's logic, as `spinplane.physical.synthesize` would find it."""
    blocks = sum(values[f"logic_area.{block}"] * size(machine) for block, size in SIZES.items())
    return values["logic_area.scaling"] * blocks
