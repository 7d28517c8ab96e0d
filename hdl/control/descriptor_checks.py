"""Checks of a descriptor: fields that fit their words but ask for something that no unit does."""

from amaranth.hdl import Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from spinplane.machine import Machine, Rounding, RowOperation
from spinplane.machine.activation import RAW_BITS
from spinplane.machine.descriptor import (
    FIELD_INDEX,
    MEMORY_WORDS,
    THRESHOLD_WORDS,
    Load,
    OperationBit,
    Requantize,
)

_LARGEST_PLANES = 8


def layer_refusals(machine: Machine, layer: data.View) -> dict[str, Value]:
    """Conditions under which a layer is refused, by the field that is named, in the order of the fields."""
    log_blocks = layer.log_slots + layer.log_planes
    block = machine.columns - 1 >> log_blocks
    refusals = {
        "plane_groups": (layer.plane_groups + 1 << layer.log_planes) > _LARGEST_PLANES,
        "log_slots": layer.log_slots > exact_log2(machine.segments),
        "log_planes": log_blocks > exact_log2(machine.leaves),
        "log_clusters": layer.log_clusters > exact_log2(machine.row_buses),
        "log_clusters_x": layer.log_clusters_x > layer.log_clusters,
        "load": layer.load > max(load.value for load in Load),
        "interval": _interval_is_short(machine, layer),
        "threshold_words": layer.threshold_words > THRESHOLD_WORDS,
        "requantize": layer.requantize > max(way.value for way in Requantize),
        "rounding": layer.rounding > max(rounding.value for rounding in Rounding),
    }
    for name in ("length", "last_length"):
        elements = machine.columns // 8
        refusals[name] = (layer[name] > block) | (layer.in_bytes & (layer[name] >= elements))
    for name in ("first_lines", "first_columns"):
        refusals[name] = layer[name] == 0
    for name in ("sub_arrays", "last_sub_arrays", "load_sub_arrays"):
        refusals[name] = layer[name] >= (machine.sub_arrays >> layer.log_clusters)
    return dict(sorted(refusals.items(), key=lambda item: FIELD_INDEX[item[0]]))


def memory_refusals(machine: Machine, layer: data.View) -> dict[str, Value]:
    """Conditions under which a memory operation is refused, by the field that is named, in the order of the fields."""
    first, last = (MEMORY_WORDS[f"{which}_sub_array"] for which in ("first", "last"))
    stored = layer.operation[OperationBit.WRITE_BACK] | layer.operation[OperationBit.STORE]
    return {
        last: layer[last] >= machine.sub_arrays,
        first: layer[first] > layer[last],
        "operation": (layer.operation[:2] == RowOperation.WRITE.value) & stored,
    }


def _interval_is_short(machine: Machine, layer: data.View) -> Value:
    """Whether an outer beat takes longer to write, to compare or to read than the descriptor says."""
    raw_writes = max(1, machine.results_per_cycle * RAW_BITS // machine.columns)
    is_raw = layer.requantize == Requantize.RAW.value
    return (
        (is_raw & (layer.interval < raw_writes))
        | (~is_raw & (layer.interval <= layer.out_planes))
        | (layer.interval < layer.threshold_words)
        | (layer.residual & (layer.interval <= layer.residual_planes))
    )
