"""How often each event of a machine happens in a run: its counters, and what follows from its passes alone."""

from collections.abc import Iterable, Mapping
from math import ceil

from spinplane.compiler.predict import written_regions
from spinplane.machine import AcceleratorCounters, Machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.memory_map import MemoryMap
from spinplane.machine.output_stage import RAW_BITS
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, Program
from spinplane.machine.timing import DECODE_CYCLES, fetch_cycles

#: What says how often a word of a bank of the memory map is read or written in a run.
_READ_AND_WRITTEN = {
    "image": ("image_reads", "image_writes"),
    "kernel": ("kernel_reads",),
    "parameters": ("parameter_words",),
    "scales": ("scale_words",),
    "thresholds": ("threshold_words",),
    "program": ("program_words",),
}
#: Words that a host moves, of each event: those of images, and those of a program, written once.
HOST_WORDS = {
    "image bank, write": "host_image_writes",
    "image bank, read": "host_image_reads",
}
LOADED_WORDS = {
    f"{bank} bank, write": f"host_{bank}_writes"
    for bank in ("kernel", "parameters", "scales", "thresholds", "program")
}
#: Where no host takes part.
NO_HOST: Mapping[str, int] = dict.fromkeys((*HOST_WORDS.values(), *LOADED_WORDS.values()), 0)


def host_counts(program: Program) -> dict[str, int]:
    """Words of banks that a host moves: of a run's images and their results, and of all that a program writes once.

    A map takes the words that its bits fill, without the gaps that its lines may have.

    Parameters
    ----------
    program : Program
    """
    banks = MemoryMap.of(program.machine).banks

    def words(bank: str, bits: int) -> int:
        return ceil(bits / banks[bank].width)

    outputs = (program.layers[number].output for number in program.output_layers)
    return {
        "host_image_writes": program.batch * words("image", map_bits(program.input)),
        "host_image_reads": program.batch * sum(words("image", map_bits(place)) for place in outputs),
        "host_kernel_writes": len(program.kernel_rows),
        "host_parameters_writes": len(program.parameters),
        "host_scales_writes": len(program.scales),
        "host_thresholds_writes": len(program.thresholds),
        "host_program_writes": words("program", 32 * program.descriptors.size),
    }


def map_bits(place: FeatureMap) -> int:
    """Bits of a map's values: planes of codes, bytes, or raw sums."""
    bits = {"planes": place.planes, "bytes": 8, "raw": RAW_BITS}[place.layout]
    return bits * place.channels * place.height * place.width


def event_counts(
    machine: Machine,
    counters: AcceleratorCounters,
    passes: Iterable[Pass],
    descriptors: int,
    host: Mapping[str, int] = NO_HOST,
) -> dict[str, int]:
    """How often events happen, by what the events name.

    Parameters
    ----------
    machine : Machine
    counters : AcceleratorCounters
        Of the passes, predicted or those of a run.
    passes : iterable of Pass
    descriptors : int
        That are read, END and header included; each is logged once at most.
    host : mapping of str to int
        See `host_counts`; by default nothing.

    Returns
    -------
    dict of str to int
        All counters; ``row_operations``; ``row_pairs`` that all sub-arrays sense together; ``results`` that leave the
        engine and ``values`` that leave the output stage, of all lanes of a beat; ``residuals`` that are added to
        values, and ``products`` of batch-norm's multipliers, those of residuals among them; words that are read of the
        banks of parameters, scales, thresholds and descriptors; beats that pooling reads and writes in its bank, at
        most; those of `host_counts`.
    """
    results = values = residuals = products = row_pairs = 0
    scales = thresholds = pool_reads = pool_writes = 0
    for layer_pass in passes:
        beats = layer_pass.clusters * layer_pass.regions * layer_pass.channel_beats
        of_windows = beats * layer_pass.windows
        results += of_windows * layer_pass.lanes
        written = written_regions(layer_pass) * len(layer_pass.existing_beats) * layer_pass.lanes
        values += written
        residuals += written * layer_pass.residual
        products += beats * layer_pass.lanes * sum(layer_pass.multiplications)
        if layer_pass.pool is not Pool.NONE:
            # The first beat of each region is not joined with a stored one.
            pool_reads += of_windows - beats
            pool_writes += of_windows
        windows = layer_pass.clusters * layer_pass.regions * layer_pass.windows
        row_pairs += windows * layer_pass.kernel_tiles * _pairs(layer_pass)
        scales += beats * layer_pass.multiplies
        thresholds += beats * layer_pass.lookups
    return {
        **counters.as_dict(),
        **host,
        "row_operations": counters.row_writes + counters.row_reads + counters.ands + counters.ors,
        "results": results,
        "values": values,
        "residuals": residuals,
        "products": products,
        "row_pairs": row_pairs,
        "parameter_words": counters.parameter_reads - scales - thresholds,
        "scale_words": scales,
        "threshold_words": thresholds,
        "pool_reads": pool_reads,
        "pool_writes": pool_writes,
        "descriptors": descriptors,
        "program_words": descriptors * (fetch_cycles(machine) - DECODE_CYCLES),
    }


def _pairs(layer_pass: Pass) -> int:
    """Row pairs of a window, in the sub-arrays of one kernel tile."""
    return layer_pass.kernel_planes * layer_pass.plane_groups * layer_pass.window_rows


def bank_bits(machine: Machine, numbers: Mapping[str, int]) -> int:
    """Bits that pass the ports of all banks, reads and writes of whole words.

    Parameters
    ----------
    machine : Machine
    numbers : mapping of str to int
        See `event_counts`.
    """
    return sum(
        bank.width * sum(numbers[name] for name in _READ_AND_WRITTEN[region])
        for region, bank in MemoryMap.of(machine).banks.items()
    )
