"""Counters of a program from its descriptors alone, without reading a bank or walking a pass window by window."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spinplane.machine import Machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES, AcceleratorCounters
from spinplane.machine.descriptor import Load
from spinplane.machine.memory_operation import MemoryOperation, RowOperation
from spinplane.machine.pass_timing import pass_time
from spinplane.machine.passes import Pass
from spinplane.machine.program import Program
from spinplane.machine.timing import END_CYCLES, FINISH_CYCLES, fetch_cycles, memory_time


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Counters of a program.

    Parameters
    ----------
    total : AcceleratorCounters
        From the start register to the interrupt.
    passes : tuple of AcceleratorCounters
        Of each descriptor, header and END included; their cycles are from the fetch to the next one.
    """

    total: AcceleratorCounters
    passes: tuple[AcceleratorCounters, ...]


def predict(program: Program, *, resident: bool) -> Prediction:
    """Counters of one run.

    Parameters
    ----------
    program : Program
    resident : bool
        Whether the kernels that stay are in the array already (a steady run); else all are loaded (a cold one).
    """
    return predict_descriptors(program.machine, program.passes, resident=resident)


def predict_descriptors(
    machine: Machine, descriptors: Iterable[Pass | MemoryOperation], *, resident: bool
) -> Prediction:
    """Counters of one run of the descriptors between a header and END.

    Parameters
    ----------
    machine : Machine
    descriptors : iterable of Pass or MemoryOperation
    resident : bool
        Whether the kernels that stay are in the array when it starts.
    """
    passes = [AcceleratorCounters(cycles=fetch_cycles(machine))]
    for descriptor in descriptors:
        if isinstance(descriptor, MemoryOperation):
            passes.append(predict_memory_operation(descriptor))
            resident = resident and not descriptor.writes_rows
        else:
            loads = descriptor.load is Load.ALWAYS or (
                descriptor.load is Load.UNLESS_RESIDENT and not resident
            )
            passes.append(predict_pass(descriptor, loads=loads))
    passes.append(AcceleratorCounters(cycles=fetch_cycles(machine) + END_CYCLES))
    total = {name: sum(getattr(c, name) for c in passes) for name in ACCELERATOR_COUNTER_NAMES}
    return Prediction(total=AcceleratorCounters(**total), passes=tuple(passes))


def predict_memory_operation(operation: MemoryOperation) -> AcceleratorCounters:
    """Counters of a memory operation."""
    steps = operation.rows * operation.sub_arrays
    senses = {
        RowOperation.READ: ("row_reads",),
        RowOperation.AND: ("ands",),
        RowOperation.OR: ("ors",),
        RowOperation.XOR: ("ands", "ors"),
    }
    sensed = senses.get(operation.operation, ())
    cycles, stalled = memory_time(operation)
    return AcceleratorCounters(
        **dict.fromkeys(sensed, steps),
        row_writes=steps * operation.writes_rows,
        cycles=fetch_cycles(operation.machine) + cycles + FINISH_CYCLES,
        stalled=stalled,
        kernel_reads=operation.kernel_words,
        image_writes=operation.image_words,
    )


def predict_pass(layer_pass: Pass, *, loads: bool) -> AcceleratorCounters:
    """Counters of a pass.

    Parameters
    ----------
    layer_pass : Pass
    loads : bool
        Whether kernels are loaded.
    """
    clusters, windows = layer_pass.clusters, layer_pass.regions * layer_pass.windows
    taking_part = (layer_pass.kernel_tiles - 1) * layer_pass.sub_arrays + layer_pass.last_sub_arrays
    pairs = layer_pass.kernel_planes * layer_pass.plane_groups * layer_pass.window_rows
    ands = windows * clusters * taking_part * pairs
    kernel_words = layer_pass.load_rows * layer_pass.load_sub_arrays if loads else 0
    written_rows = sum(row_sets(layer_pass)) * layer_pass.sub_arrays
    written = written_regions(layer_pass) * len(layer_pass.existing_beats)
    time = pass_time(layer_pass, row_sets(layer_pass), kernel_words)
    return AcceleratorCounters(
        row_writes=(kernel_words + written_rows) * clusters,
        ands=ands,
        bit_counts=ands,
        shifts=ands * layer_pass.slots,
        additions=ands * layer_pass.slots,
        cycles=fetch_cycles(layer_pass.machine) + time.cycles + FINISH_CYCLES,
        stalled=time.stalled,
        image_reads=row_reads(layer_pass) + written * layer_pass.read_residual_planes,
        image_writes=written * layer_pass.writes,
        kernel_reads=kernel_words,
        parameter_reads=(windows + layer_pass.regions * (layer_pass.multiplies + layer_pass.lookups))
        * clusters
        * layer_pass.channel_beats,
    )


def new_lines(layer_pass: Pass) -> np.ndarray:
    """Numbers v of all lines that a cluster writes, in order."""
    step = layer_pass.next_lines + layer_pass.line_skip
    starts = layer_pass.first_lines + layer_pass.line_skip + np.arange(layer_pass.region_rows - 1) * step
    further = starts[:, np.newaxis] + np.arange(layer_pass.next_lines)
    return np.concatenate([np.arange(layer_pass.first_lines), further.ravel()])


def new_units(layer_pass: Pass) -> np.ndarray:
    """Numbers u of all units of a line that a cluster writes, in order."""
    return np.arange(layer_pass.first_columns + (layer_pass.region_columns - 1) * layer_pass.next_columns)


def row_reads(layer_pass: Pass) -> int:
    """Reads for rows of all clusters with an element inside the map: lines inside times rows inside a line."""
    columns = layer_pass.clusters_x
    rows = layer_pass.clusters // columns
    below = np.arange(rows)[:, np.newaxis] * layer_pass.cluster_y_lines
    y = layer_pass.start_y + new_lines(layer_pass) + below
    inside_y = int(((y >= 0) & (y < layer_pass.in_height)).sum())
    unit = layer_pass.start_x + new_units(layer_pass) * layer_pass.unit_bits
    plane_bits = 0 if layer_pass.in_bytes else layer_pass.plane_group_bits
    x = (
        np.arange(columns).reshape(-1, 1, 1, 1) * layer_pass.cluster_x_bits
        + unit.reshape(-1, 1, 1)
        + np.arange(layer_pass.plane_groups).reshape(-1, 1) * plane_bits
        + np.arange(layer_pass.pieces) * layer_pass.piece_bits
    )
    lengths = np.full(layer_pass.pieces, layer_pass.length)
    lengths[-1] = layer_pass.last_length
    # Of bytes any element counts; of planes the first bit stands for all.
    last = x + 8 * (lengths - 1) if layer_pass.in_bytes else x
    first_inside = np.maximum(x, 0)
    inside = (first_inside <= last) & (first_inside < layer_pass.in_valid_bits)
    # Rows that are spread are read plane by plane.
    left = layer_pass.in_planes - np.arange(layer_pass.plane_groups) * layer_pass.planes
    reads = np.clip(left, 0, layer_pass.planes) if layer_pass.spread else np.ones_like(left)
    inside_x = int((inside * reads.reshape(-1, 1)).sum())
    return inside_y * inside_x


def written_regions(layer_pass: Pass) -> int:
    """Regions of all clusters that yield an output."""
    count = 1
    for clusters, regions, size in (
        (layer_pass.clusters // layer_pass.clusters_x, layer_pass.region_rows, layer_pass.out_height),
        (layer_pass.clusters_x, layer_pass.region_columns, layer_pass.out_width),
    ):
        count *= sum(min(regions, max(0, size - g * regions)) for g in range(clusters))
    return count


def row_sets(layer_pass: Pass) -> list[int]:
    """Row sets that each region writes: its new lines times its new units times the rows of a unit."""
    lines = [layer_pass.first_lines, *[layer_pass.next_lines] * (layer_pass.region_rows - 1)]
    columns = [layer_pass.first_columns, *[layer_pass.next_columns] * (layer_pass.region_columns - 1)]
    of_unit = layer_pass.plane_groups * layer_pass.pieces
    return [of_unit * new_lines * new_units for new_lines in lines for new_units in columns]
