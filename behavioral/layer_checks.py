"""Golden model of the checks of a layer's descriptor: fields that fit their words but ask for what no unit does."""

from spinplane.machine import Machine, Rounding
from spinplane.machine.activation import RAW_BITS
from spinplane.machine.descriptor import FIELD_INDEX, THRESHOLD_WORDS, Descriptor, Load, Requantize
from spinplane.machine.machine import LEAF_COLUMNS

_LARGEST_PLANES = 8


def refused_field(layer: Descriptor, machine: Machine) -> int | None:
    """Number of the first word that asks for what no unit of the machine does, or None.

    Parameters
    ----------
    layer : Descriptor
        Of kind LAYER.
    machine : Machine
    """
    planes, slots, groups = (1 << layer[name] for name in ("log_planes", "log_slots", "log_groups"))
    block = machine.columns // (slots * planes)
    longest = min(block, machine.columns // 8) if layer["in_bytes"] else block
    raw = layer["requantize"] == Requantize.RAW.value
    writes = (
        max(1, machine.results_per_cycle * RAW_BITS // machine.columns) if raw else layer["out_planes"] + 1
    )
    residual = layer["residual_planes"] + 1 if layer["residual"] else 0
    fits = {
        "plane_groups": (layer["plane_groups"] + 1) * planes <= _LARGEST_PLANES,
        "log_slots": slots <= machine.segments,
        "log_planes": slots * planes <= machine.columns // LEAF_COLUMNS,
        "length": layer["length"] < longest,
        "last_length": layer["last_length"] < longest,
        "first_lines": layer["first_lines"] > 0,
        "first_columns": layer["first_columns"] > 0,
        "log_groups": groups <= machine.row_buses,
        "log_groups_x": layer["log_groups_x"] <= layer["log_groups"],
        "load": layer["load"] in [load.value for load in Load],
        "interval": layer["interval"] >= max(writes, layer["threshold_words"], residual),
        "threshold_words": layer["threshold_words"] <= THRESHOLD_WORDS,
        "requantize": layer["requantize"] in [way.value for way in Requantize],
        "rounding": layer["rounding"] in [rounding.value for rounding in Rounding],
    }
    for name in ("sub_arrays", "last_sub_arrays", "load_sub_arrays"):
        fits[name] = layer[name] < machine.sub_arrays // groups
    return min((FIELD_INDEX[name] for name, fit in fits.items() if not fit), default=None)
