"""All placements of a layer in the rows of a machine."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from spinplane.machine import Machine
from spinplane.machine.machine import LEAF_COLUMNS

from .lowering import LoweredLayer
from .placement import Placement, ceil_div


def placements(
    layer: LoweredLayer,
    machine: Machine,
    *,
    in_bytes: bool,
    clean: bool,
    output_planes: int,
    interval: int,
) -> Iterator[Placement]:
    """All placements of a layer in the rows of a machine.

    Parameters
    ----------
    layer : LoweredLayer
    machine : Machine
    in_bytes : bool
        Layout of the input map.
    clean : bool
        Whether the bits between the channels that the layer takes of two pixels of a `planes` map are 0.
    output_planes, interval : int
        As in `Placement`.
    """
    parts = layer.weights.codes.shape[0]
    lanes = machine.results_per_cycle
    strips = parts == 1 and not layer.spread and layer.kernel[1] > 1 and layer.dilation[1] == 1
    if not in_bytes:
        # Strips of planes lie inside of their line as a whole, and lines outside of the map are clean only if 0 pads.
        gaps = layer.span % lanes != 0
        strips = strips and not (gaps and layer.pad_code and any(layer.layer.padding))
        strips = strips and clean and layer.start[1] == 0 and not any(layer.layer.padding[1::2])
        strips = strips and not (layer.layer.pool and any(layer.layer.pool.padding[1::2]))
    widths = {1, layer.kernel[1]} if strips else {1}
    # Taps beyond the kernel need weights of the value 0.
    whole = layer.kernel[1] % layer.stride[1] == 0 or layer.weights.offset % layer.weights.scale == 0
    if strips and in_bytes and layer.stride[1] < layer.kernel[1] and whole:
        widths.add(layer.stride[1])
    most_planes = min(3, (layer.code.bits - 1).bit_length())
    for log_slots, log_planes, log_clusters in product(range(4), range(most_planes + 1), range(4)):
        clusters, slots = 1 << log_clusters, 1 << log_slots
        if (
            slots > machine.segments
            or slots << log_planes > machine.columns // LEAF_COLUMNS
            or clusters > machine.row_buses
            or (machine.sub_arrays // clusters * slots) % lanes
        ):
            continue
        for log_clusters_x in range(log_clusters + 1):
            pixels = Placement(
                layer=layer,
                machine=machine,
                in_bytes=in_bytes,
                unit_taps=1,
                log_slots=log_slots,
                log_planes=log_planes,
                log_clusters=log_clusters,
                log_clusters_x=log_clusters_x,
                stripe=layer.regions[1],
                output_planes=output_planes,
                interval=interval,
            )
            rows, columns = pixels.clusters
            # Clusters beyond the map would compute nothing that exists.
            if rows > layer.regions[0] or columns > layer.regions[1]:
                continue
            for width, stripe in product(sorted(widths), _stripes(layer.regions[1], columns)):
                candidate = replace(pixels, unit_taps=width, stripe=stripe)
                if candidate.fits():
                    yield candidate


def _stripes(regions: int, clusters: int) -> list[int]:
    """Widths of stripes worth a try: whole columns of clusters, from the whole map down to one column of each
    cluster.
    """
    widths, count = [], 1
    while True:
        width = min(regions, ceil_div(ceil_div(regions, count), clusters) * clusters)
        widths.append(width)
        if width <= clusters:
            return sorted(set(widths), reverse=True)
        # About as many more stripes again as there are: 1, 2, 3, 4, 6, 8, 12, 16 …
        count += max(1, count // 2)
