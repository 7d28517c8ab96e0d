"""A placed layer as passes, kernel rows, and words of the banks of parameters and of scales."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.descriptor import Load
from spinplane.machine.output_stage import (
    PARAMETER_FIELDS,
    RAW_BITS,
    SCALE_FIELDS,
    VALUE_BITS,
    WINDOW_SUM_BITS,
)
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap

from ..mapping.kernel_allocation import Allocation
from ..mapping.placement import Placement, ceil_div
from ..requantization.parameters import Requantization
from .bank_words import channel_words, kernel_rows, zero_code


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedKernels:
    """Kernels loaded together, their passes over each stripe of each image's map, and the bank words of these passes.

    Parameters
    ----------
    passes : tuple of Pass
        Without the bases of what follows, image by image. The first pass loads the kernels.
    placement : Placement
    part : int
        Of the layer.
    kernels : range
        Of the part, with those that are missing if slots hold channels of their own.
    parameters, scales : ndarray of shape (beats, results_per_cycle · 16), uint8
        There are no scales where nothing is multiplied.
    """

    passes: tuple[Pass, ...]
    placement: Placement
    part: int
    kernels: range
    parameters: np.ndarray
    scales: np.ndarray

    @property
    def kernel_words(self) -> int:
        """Words of the kernel bank."""
        return _kernel_words(self.placement, self.kernels)

    def kernel_rows(self) -> np.ndarray:
        """Words of the kernel bank, shape (words, columns / 8), uint8."""
        if self.placement.spread:
            return kernel_rows(self.placement, spread_codes(self.placement, self.part, self.kernels))
        codes = self.placement.layer.weights.codes[self.part]
        return kernel_rows(self.placement, codes[self.kernels.start : self.kernels.stop])


def taken_map(placement: Placement, first: int, channels: int) -> FeatureMap:
    """A feature map that a placed layer takes, from channel `first` of the pixels on, at no address yet."""
    layer = placement.layer
    _, height, width = layer.input_shape
    return FeatureMap(
        layout="bytes" if placement.in_bytes else "planes",
        base=first,
        line_bits=placement.line_bits,
        pixel_bits=placement.pixel_bits,
        plane_bits=placement.plane_bits,
        planes=layer.code.bits,
        channels=channels,
        height=height,
        width=width,
        scale=layer.code.scale,
        offset=layer.code.offset,
    )


def layer_passes(
    number: int,
    allocation: Allocation,
    requantization: Requantization,
    threshold_base: int,
    source: FeatureMap,
    target: FeatureMap,
    residual: FeatureMap | None = None,
    batch: int = 1,
) -> list[LoadedKernels]:
    """Passes of a layer: part by part, as many kernels at a time as `allocation` allows, image by image, by stripes.

    Each pass writes its lines anew, whichever of the loops is the outer one, and so kernels are loaded once.

    Parameters
    ----------
    number : int
        Of the layer.
    allocation : Allocation
    requantization : Requantization
    threshold_base : int
        First word of the layer's thresholds and tables.
    source, target : FeatureMap
        What it takes and gives.
    residual : FeatureMap, optional
        What it adds.
    batch : int
        Images that a run takes.

    Raises
    ------
    SpinplaneError
        If a number does not fit, with the layer's name.
    """
    placement = allocation.placement
    _prove_widths(placement)
    loads = []
    numbers = _channel_numbers(placement, requantization, threshold_base)
    try:
        for part, of_part in enumerate(placement.parts):
            kernel_row = allocation.kernel_row + (
                part * placement.kernel_tiles * placement.kernel_tile_rows if allocation.resident else 0
            )
            for kernels in _kernels_at_once(allocation, of_part):
                loads.append(
                    _loaded_kernels(
                        number,
                        allocation,
                        requantization,
                        numbers,
                        source,
                        target,
                        residual,
                        part,
                        kernels,
                        kernel_row,
                        batch,
                    )
                )
                if allocation.resident:
                    kernel_row += placement.rows_of(len(kernels))
    except SpinplaneError as error:
        raise SpinplaneError(f"layer {placement.layer.name}: {error}") from None
    return loads


def passes_of_image(allocation: Allocation) -> int:
    """Passes of a layer for one image."""
    placement = allocation.placement
    of_parts = sum(len(_kernels_at_once(allocation, of_part)) for of_part in placement.parts)
    return of_parts * len(placement.stripes)


def kernel_words(allocation: Allocation) -> int:
    """Words of the kernel bank that a layer takes."""
    placement = allocation.placement
    return sum(
        _kernel_words(placement, kernels)
        for of_part in placement.parts
        for kernels in _kernels_at_once(allocation, of_part)
    )


def _kernel_words(placement: Placement, kernels: range) -> int:
    return placement.rows_of(len(kernels)) * placement.used_sub_arrays(len(kernels))


def _kernels_at_once(allocation: Allocation, of_part: int) -> list[range]:
    """Kernels of a part that are loaded together."""
    at_once = allocation.pass_kernel_tiles * allocation.placement.kernel_tile_kernels
    return [range(first, min(first + at_once, of_part)) for first in range(0, of_part, at_once)]


def accumulator_bits(placement: Placement) -> int:
    """Width of accumulators, with their sign, that hold the largest count of a layer."""
    return _largest_sums(placement)[0].bit_length() + 1


def _largest_sums(placement: Placement) -> tuple[int, int]:
    """Greatest count of a kernel and greatest window sum, whatever the codes of the inputs are."""
    layer = placement.layer
    largest = (1 << layer.code.bits) - 1
    _, _, channels, height, width = layer.weights.codes.shape
    channels = placement.block if placement.spread else channels
    beyond = placement.empty_taps * height * channels
    counted = (layer.largest_codes + beyond * zero_code(placement)) * largest
    return counted, (channels * height * width + beyond) * largest


def _prove_widths(placement: Placement) -> None:
    """Accumulators and window sums hold whatever the codes are."""
    layer, machine = placement.layer, placement.machine
    counted, summed = _largest_sums(placement)
    bits = min(machine.accumulator_bits, VALUE_BITS)
    if counted >= 1 << (bits - 1):
        raise SpinplaneError(
            f"layer {layer.name}: counts up to {counted} do not fit in accumulator_bits = {machine.accumulator_bits} "
            f"of machine {machine.name}, which uses {VALUE_BITS} of them"
        )
    if summed >= 1 << (WINDOW_SUM_BITS - 1):
        raise SpinplaneError(
            f"layer {layer.name}: window sums up to {summed} do not fit in {WINDOW_SUM_BITS - 1} bits"
        )


def _loaded_kernels(
    number: int,
    allocation: Allocation,
    requantization: Requantization,
    numbers: Mapping[str, np.ndarray],
    source: FeatureMap,
    target: FeatureMap,
    residual: FeatureMap | None,
    part: int,
    kernels: range,
    kernel_row: int,
    batch: int,
) -> LoadedKernels:
    placement = allocation.placement
    machine = placement.machine
    # Slots of their own channels share the kernels of a part, each from its first one on.
    first_kernel = part * placement.part_kernels + kernels.start // (
        placement.slots if placement.spread else 1
    )
    first_pass = Pass(
        machine=machine,
        layer=number,
        kernel_row=kernel_row,
        **requantization.fields,
        load=Load.UNLESS_RESIDENT if allocation.resident else Load.ALWAYS,
        load_rows=placement.rows_of(len(kernels)),
        load_sub_arrays=placement.used_sub_arrays(len(kernels)),
    )
    others = Pass(machine=machine, layer=number, kernel_row=kernel_row, **requantization.fields)
    passes = list[Pass]()
    for stripe in placement.stripes:
        layer_pass = others if passes else first_pass
        layer_pass = _reading(layer_pass, stripe, source, part)
        layer_pass = _walking(layer_pass, stripe)
        layer_pass = _counting(layer_pass, stripe, len(kernels))
        if placement.spread:
            layer_pass = _spreading(layer_pass, stripe, part, kernels)
        layer_pass = _writing(layer_pass, stripe, target, first_kernel)
        if residual:
            layer_pass = _adding(layer_pass, stripe, residual, first_kernel)
        passes.append(layer_pass)
    for image in range(1, batch):
        behind = [image * (one.image_bits if one else 0) for one in (source, target, residual)]
        passes += [_elsewhere(layer_pass, *behind) for layer_pass in passes[: len(placement.stripes)]]
    own = {name: _of_beats(placement, of_all, part, kernels) for name, of_all in numbers.items()}
    parameters = channel_words(machine, PARAMETER_FIELDS, own)
    return LoadedKernels(
        passes=tuple(passes),
        placement=placement,
        part=part,
        kernels=kernels,
        parameters=parameters,
        scales=channel_words(machine, SCALE_FIELDS, own) if first_pass.multiplies else parameters[:0],
    )


def _elsewhere(layer_pass: Pass, source: int, target: int, residual: int) -> Pass:
    """A pass of the first image with the maps of another one, so many bits behind; its kernels are there."""
    return replace(
        layer_pass,
        load=Load.NEVER,
        load_rows=0,
        load_sub_arrays=1,
        in_base=layer_pass.in_base + source,
        out_base=layer_pass.out_base + target,
        residual_base=layer_pass.residual_base + residual,
    )


def _channel_numbers(
    placement: Placement, requantization: Requantization, threshold_base: int
) -> dict[str, np.ndarray]:
    """Numbers of all channels of a layer, and of those that fill its last beat, as the banks hold them."""
    lanes = placement.machine.results_per_cycle
    whole = requantization.with_gaps(lanes)
    bias = placement.layer.bias.reshape(-1) + requantization.bias
    places = whole.list_places(lanes)
    return {
        **whole.channels,
        "bias": np.pad(bias, (0, len(whole.bias) - len(bias))),
        "threshold_base": places.word + threshold_base * (places.words > 0),
    }


def _reading(layer_pass: Pass, placement: Placement, source: FeatureMap, part: int) -> Pass:
    """The pass with its input map, and what its units and clusters take of it."""
    layer = placement.layer
    code_bits = 8 if placement.in_bytes else 1
    channels, elements = layer.weights.codes.shape[2], placement.elements
    if placement.spread:
        channels = placement.row_columns
        elements = min(elements, layer.input_shape[0] - part * channels)
    length = min(placement.length, elements)
    rows, columns = placement.clusters
    region_lines = layer.region_stride[0] * layer.stride[0]
    region_pixels = layer.region_stride[1] * layer.stride[1]
    first_pixel = layer.start[1] + placement.first_column * region_pixels
    return replace(
        layer_pass,
        in_base=source.base,
        in_line_bits=source.line_bits,
        in_height=source.height,
        in_valid_bits=source.line_bits,
        in_bytes=placement.in_bytes,
        in_planes=layer.code.bits,
        pad_code=layer.pad_code,
        start_x=first_pixel * source.pixel_bits + part * channels * code_bits,
        spread=placement.spread,
        start_y=layer.start[0],
        unit_bits=placement.unit_pixels * source.pixel_bits,
        piece_bits=length * code_bits,
        plane_group_bits=placement.planes * source.plane_bits,
        pieces=placement.pieces,
        plane_groups=placement.plane_groups,
        slots=placement.slots,
        planes=placement.planes,
        length=length,
        last_length=elements - (placement.pieces - 1) * length,
        clusters=rows * columns,
        clusters_x=columns,
        cluster_x_bits=placement.region_columns * region_pixels * source.pixel_bits if columns > 1 else 0,
        cluster_y_lines=placement.region_rows * region_lines if rows > 1 else 0,
    )


def _walking(layer_pass: Pass, placement: Placement) -> Pass:
    """The pass with its ring, new units of a region, windows and taps; steps that are never taken are 0."""
    layer = placement.layer
    height, width = layer.region
    down, right = layer.region_dilation
    several_rows, several_columns = placement.region_rows > 1, placement.region_columns > 1
    return replace(
        layer_pass,
        input_row=0,
        line_rows=placement.line_rows,
        group_rows=placement.group_rows,
        ring_lines=placement.first_lines,
        first_lines=placement.first_lines,
        next_lines=placement.next_lines if several_rows else 0,
        line_skip=placement.region_lines - placement.next_lines if several_rows else 0,
        first_columns=placement.first_columns,
        next_columns=placement.region_units if several_columns else 0,
        region_rows=placement.region_rows,
        region_columns=placement.region_columns,
        region_height=height,
        region_width=width,
        region_lines=placement.region_lines if several_rows else 0,
        window_lines=layer.stride[0] * down if height > 1 else 0,
        region_step=placement.region_units * placement.pieces if several_columns else 0,
        window_step=placement.window_units * right * placement.pieces if width > 1 else 0,
        taps_y=layer.kernel[0],
        tap_lines=layer.dilation[0] if layer.kernel[0] > 1 else 0,
        bursts=placement.bursts,
        burst_rows=placement.burst_rows,
        burst_step=placement.tap_units * placement.pieces if placement.bursts > 1 else 0,
    )


def _counting(layer_pass: Pass, placement: Placement, kernels: int) -> Pass:
    """The pass with the kernel tiles of its kernels and the cycles of their results."""
    kernel_tiles = ceil_div(kernels, placement.kernel_tile_kernels)
    last = kernels - (kernel_tiles - 1) * placement.kernel_tile_kernels
    beats, last_beats = placement.beats(kernels), placement.beats(last)
    inner, last_inner = beats * layer_pass.clusters, last_beats * layer_pass.clusters
    return replace(
        layer_pass,
        kernel_planes=placement.layer.weights.bits,
        subtracts=placement.layer.weights.subtracts,
        kernel_tiles=kernel_tiles,
        sub_arrays=placement.used_sub_arrays(kernels),
        last_sub_arrays=placement.used_sub_arrays(last),
        beats=beats,
        last_beats=last_beats,
        out_beats=ceil_div(kernels, layer_pass.lanes),
        interval=placement.interval,
        inner_cycles=inner,
        last_inner_cycles=last_inner,
        outer_cycles=inner * placement.interval,
        last_outer_cycles=last_inner * placement.interval,
    )


def _spreading(layer_pass: Pass, placement: Placement, part: int, kernels: range) -> Pass:
    """The pass with the places of its beats, as slots hold channels of their own."""
    of_slot = kernels.start // placement.slots
    left = placement.layer.kernels - part * placement.part_kernels
    of_part = min(left, placement.slots * placement.slot_kernels)
    return replace(
        layer_pass,
        slot_beats=placement.slot_kernels // layer_pass.lanes,
        out_beats=ceil_div(of_part - of_slot, layer_pass.lanes),
    )


def _writing(layer_pass: Pass, placement: Placement, target: FeatureMap, first: int) -> Pass:
    """The pass with its way from accumulators to sums, and where what becomes of them lies."""
    layer = placement.layer
    channel_bits = RAW_BITS if layer_pass.raw else 1
    # Windows are counted from where the stripe begins, so that a window outside is one before the map's first.
    first_window = layer.first_window[1] + placement.first_column * layer.region_stride[1]
    left_out = max(0, first_window)
    return replace(
        layer_pass,
        first_window_x=first_window - left_out,
        first_window_y=layer.first_window[0],
        # A single region may be further from the next one than the field says.
        stride_x=layer.region_stride[1] if layer.regions[1] > 1 else 0,
        stride_y=layer.region_stride[0] if layer.regions[0] > 1 else 0,
        windows_x=max(0, layer.windows[1] - left_out),
        windows_y=layer.windows[0],
        out_width=placement.columns,
        out_height=layer.regions[0],
        accumulator_shift=(layer.weights.scale * layer.code.scale).bit_length() - 1,
        window_sum_scale=-layer.weights.offset * layer.code.scale,
        out_base=target.base + placement.first_column * target.pixel_bits + first * channel_bits,
        out_line_bits=target.line_bits if target.height > 1 else 0,
        out_pixel_bits=target.pixel_bits if target.width > 1 else 0,
        out_beat_bits=layer_pass.lanes * channel_bits,
        out_plane_bits=target.plane_bits,
        out_planes=max(1, placement.output_planes),
    )


def _adding(layer_pass: Pass, placement: Placement, residual: FeatureMap, first: int) -> Pass:
    """The pass with where the residual of the stripe's first output lies, and the ways to the others."""
    return replace(
        layer_pass,
        residual_base=residual.base + placement.first_column * residual.pixel_bits + first,
        residual_line_bits=residual.line_bits if residual.height > 1 else 0,
        residual_pixel_bits=residual.pixel_bits if residual.width > 1 else 0,
        residual_plane_bits=residual.plane_bits if residual.planes > 1 else 0,
        residual_planes=residual.planes,
    )


def _of_beats(placement: Placement, of_all: np.ndarray, part: int, kernels: range) -> np.ndarray:
    """Numbers of the channels of a pass, beat by beat, from those of all channels and gaps of a layer."""
    lanes = placement.machine.results_per_cycle
    if not placement.spread:
        first = part * placement.part_kernels + kernels.start
        return of_all[first : first + ceil_div(len(kernels), lanes) * lanes]
    number, exists = _spread_kernels(placement, part, kernels, len(of_all))
    of_slots = np.where(exists, of_all[np.where(exists, number, 0)], 0)
    # From (number in the slot, slot) to (beat of a slot, slot, lane).
    return of_slots.reshape(-1, lanes, placement.slots).swapaxes(1, 2).ravel()


def _spread_kernels(
    placement: Placement, part: int, kernels: range, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of kernels, (numbers in a slot, slots), and whether they are below `count` and of the part's slots."""
    of_slot = np.arange(kernels.start // placement.slots, kernels.stop // placement.slots)[:, np.newaxis]
    in_part = np.arange(placement.slots) * placement.slot_kernels + of_slot
    number = part * placement.part_kernels + in_part
    return number, (number < count) & (of_slot < placement.slot_kernels)


def spread_codes(placement: Placement, part: int, kernels: range) -> np.ndarray:
    """Codes of kernels in the columns of their slots: shape (kernels, block columns, kernel height, kernel width)."""
    codes = placement.layer.weights.codes
    _, of_group, channels, height, width = codes.shape
    number, exists = _spread_kernels(placement, part, kernels, placement.layer.kernels)
    found = np.zeros((*number.shape, placement.block, height, width), dtype=np.uint8)
    of_slot, slot = exists.nonzero()
    # Groups of a slot lie beside each other.
    in_slot = (of_slot + kernels.start // placement.slots) // of_group * channels
    column = in_slot[:, np.newaxis] + np.arange(channels)
    own = codes.reshape(-1, channels, height, width)[number[exists]]
    found[of_slot[:, np.newaxis], slot[:, np.newaxis], column] = own
    return found.reshape(-1, placement.block, height, width)
