"""Checks of a descriptor: fields that fit their words but ask for something that no unit does."""

from itertools import product

from amaranth.hdl import Array, Cat, Mux, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from spinplane.machine import Machine, Rounding, RowOperation
from spinplane.machine.descriptor import (
    FIELD_INDEX,
    MEMORY_WORDS,
    MEMORY_XOR_WORD,
    Load,
    OperationBit,
    Pool,
)
from spinplane.machine.output_stage import MOST_SEARCH_READS
from spinplane.machine.passes import Pass
from spinplane.machine.timing import LOOKUP_CYCLES

_LARGEST_PLANES = 8


def layer_refusals(machine: Machine, layer: data.View) -> dict[str, Value]:
    """Conditions under which a layer is refused, by the field that is named, in the order of the fields."""
    log_blocks = layer.log_slots + layer.log_planes
    block = machine.columns - 1 >> Mux(layer.spread, layer.log_planes, log_blocks)
    refusals = {
        "plane_groups": (layer.plane_groups + 1 << layer.log_planes) > _LARGEST_PLANES,
        "log_slots": layer.log_slots > exact_log2(machine.segments),
        "log_planes": log_blocks > exact_log2(machine.leaves),
        "spread": layer.spread & layer.in_bytes,
        "log_clusters": layer.log_clusters > exact_log2(machine.row_buses),
        "log_clusters_x": layer.log_clusters_x > layer.log_clusters,
        "load": layer.load > max(load.value for load in Load),
        "interval": _interval_is_short(machine, layer),
        "pool": layer.pool > max(pool.value for pool in Pool),
        "search_reads": layer.search_reads > MOST_SEARCH_READS,
        "multiplies_total": layer.multiplies_total & ~layer.own_code,
        "total_high": layer.total_high < layer.total_low,
        "raw": layer.raw & ((layer.search_reads != 0) | layer.table),
    }
    for name in ("rounding", "own_rounding"):
        refusals[name] = layer[name] > max(rounding.value for rounding in Rounding)
    for name in ("float_scale", "residual", "own_code"):
        refusals[name] = layer[name] & ~layer.multiplies
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
    is_and = layer.operation[:2] == RowOperation.AND.value
    exclusive = {MEMORY_XOR_WORD: layer[MEMORY_XOR_WORD] & ~is_and} if machine.xor_sensing else {}
    return {
        **exclusive,
        last: layer[last] >= machine.sub_arrays,
        first: layer[first] > layer[last],
        "operation": (layer.operation[:2] == RowOperation.WRITE.value) & stored,
    }


def _interval_is_short(machine: Machine, layer: data.View) -> Value:
    """Whether an outer beat takes longer to write, to look up, to multiply or to read than the descriptor says."""
    raw_writes, lookups = machine.raw_writes, layer.search_reads + layer.table
    searching = Mux(layer.search_reads != 0, LOOKUP_CYCLES * lookups, 0)
    reading = Mux(layer.residual & ~layer.own_code, layer.residual_planes, 0)
    return (
        (layer.interval == 0)
        | (layer.raw & (layer.interval < raw_writes))
        | (~layer.raw & (layer.interval <= layer.out_planes))
        | (layer.interval + 1 < LOOKUP_CYCLES * lookups)
        | (layer.residual & (layer.interval <= layer.residual_planes))
        | (layer.multiplies & (layer.interval < _multiplier_cycles(machine, layer) + searching + reading))
    )


def _multiplier_cycles(machine: Machine, layer: data.View) -> Value:
    """Cycles of the multipliers for a beat, by what a pass multiplies."""
    cycles = []
    for residual, own_code, total in product((False, True), repeat=3):
        beat = Pass(
            machine=machine, multiplies=True, residual=residual, own_code=own_code, multiplies_total=total
        )
        cycles.append(beat.multiplier_cycles)
    return Array(cycles)[Cat(layer.multiplies_total, layer.own_code, layer.residual)]
