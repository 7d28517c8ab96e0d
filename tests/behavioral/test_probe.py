"""What a probe sees of a pass against what the pass writes, and the contract's senses."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW, random_pass
from contract_output import pool, value_of

from spinplane.behavioral import Accelerator, Place, Probe
from spinplane.machine import SpinplaneError
from spinplane.machine.descriptor import Pool
from spinplane.machine.passes import Pass
from tests.behavioral.test_accelerator import prepare, some_faults


def stored(accelerator: Accelerator, layer_pass: Pass, channel: int, y: int, x: int) -> int:
    """What the image bank holds of an output."""
    p = layer_pass
    beat, lane = divmod(channel, p.lanes)
    first = p.out_base + y * p.out_line_bits + x * p.out_pixel_bits + beat * p.out_beat_bits + p.out_first_bit
    places = (
        first + 32 * lane + np.arange(32)
        if p.raw
        else first + lane + np.arange(p.out_planes) * p.out_plane_bits
    )
    code = int(accelerator.state.image[places].astype(np.int64) @ (1 << np.arange(len(places))))
    return code - (code >> 31 << 32) if p.raw else code


@pytest.mark.parametrize("faulty", [False, True])
@pytest.mark.parametrize("seed", range(16))
def test_every_output_comes_about_as_it_is_stored(seed: int, faulty: bool) -> None:
    layer_pass = random_pass(FEW, 600 + seed)
    faults = some_faults(FEW, seed) if faulty else None
    existing = [layer_pass.places[beat] for beat in layer_pass.existing_beats]
    used = layer_pass.slots * layer_pass.sub_arrays // layer_pass.lanes or 1
    beats = existing if layer_pass.spread else existing[:used]
    rng = np.random.default_rng(seed)
    for _ in range(4):
        channel = int(rng.choice(beats)) * layer_pass.lanes
        channel += int(rng.integers(0, min(layer_pass.lanes, layer_pass.slots * layer_pass.sub_arrays)))
        y, x = int(rng.integers(0, layer_pass.out_height)), int(rng.integers(0, layer_pass.out_width))
        accelerator, _ = prepare(FEW, seed, layer_pass, faults=faults)
        probe = Probe(1, channel=channel, y=y, x=x)
        accelerator.run(probe=probe)
        kept = 32 if layer_pass.raw else layer_pass.out_planes
        mask = (1 << kept) - 1
        assert probe.code & mask == stored(accelerator, layer_pass, channel, y, x) & mask
        assert len(probe.windows) == layer_pass.windows
        for number, window in enumerate(probe.windows):
            ry, rx = divmod(number, layer_pass.region_width)
            assert window.y == layer_pass.first_window_y + y * layer_pass.stride_y + ry
            assert window.x == layer_pass.first_window_x + x * layer_pass.stride_x + rx
            exists = 0 <= window.y < layer_pass.windows_y and 0 <= window.x < layer_pass.windows_x
            assert window.counts == exists
            total = 0
            for pair in window.pairs:
                planes = pair.bits.sum(axis=1, dtype=np.int64)
                # Faulty columns beyond the row's elements count, too.
                assert pair.count >= int(planes @ (1 << np.arange(layer_pass.planes)))
                assert faulty or pair.count == int(planes @ (1 << np.arange(layer_pass.planes)))
                subtracts = layer_pass.subtracts and pair.kernel_plane == layer_pass.kernel_planes - 1
                total += (-pair.count if subtracts else pair.count) << pair.shift
                assert pair.total == total
            assert window.accumulator == total
        counted = [one.value for one in probe.windows if one.counts or layer_pass.pool is Pool.NONE]
        assert probe.pooled == pool(layer_pass, probe.parameters, counted)
        assert (probe.residual is not None) == layer_pass.residual
        y = value_of(layer_pass, probe.parameters, probe.parameters, probe.pooled, probe.residual or 0)
        assert probe.y == y
        assert (probe.own_code is not None) == layer_pass.own_code
        if layer_pass.raw:
            assert (probe.code - y) % (1 << 32) == 0
        elif not layer_pass.table:
            assert probe.code & mask == (probe.level << layer_pass.level_shift) + layer_pass.out_zero & mask
        if layer_pass.search_reads and (probe.parameters["search"] or not layer_pass.multiplies):
            reached = sum(threshold <= max(y, -(2**31)) for threshold in probe.thresholds)
            low = layer_pass.total_low if layer_pass.own_code else probe.parameters["low"]
            high = layer_pass.total_high if layer_pass.own_code else probe.parameters["high"]
            assert probe.level == (high - reached if probe.parameters["falling"] else low + reached)
        elif layer_pass.search_reads:
            assert probe.thresholds == ()


def test_a_place_is_where_the_kernel_lies() -> None:
    layer_pass = replace(
        random_pass(FEW, 3),
        clusters=2,
        clusters_x=1,
        region_rows=2,
        region_columns=3,
        kernel_tiles=2,
        beats=1,
        out_beats=2,
        slots=2,
    )
    place = Place(layer_pass, channel=3, y=3, x=1)
    assert (place.cluster, place.row, place.column, place.region) == (1, 1, 1, 4)
    assert (place.kernel_tile, place.beat, place.sub_array, place.slot) == (1, 0, 2, 1)


def test_slots_of_their_own_elements_have_places_apart() -> None:
    layer_pass = Pass(
        machine=FEW, slots=2, spread=True, kernel_tiles=2, beats=4, last_beats=2, slot_beats=3, out_beats=5
    )
    # Channels 7 and 9 are those of lane 1 in the beats of slot 1.
    for channel, beat, sub_array in ((7, 1, 1), (9, 3, 3)):
        place = Place(layer_pass, channel=channel, y=0, x=0)
        assert (place.kernel_tile, place.beat, place.sub_array, place.slot) == (0, beat, sub_array, 1)
        assert place.number == 2 * beat + 1
    with pytest.raises(ValueError, match=r"^no channel 10$"):
        Place(layer_pass, channel=10, y=0, x=0)


def test_what_cannot_be_seen_is_refused() -> None:
    layer_pass = random_pass(FEW, 3)
    accelerator, _ = prepare(FEW, 3, layer_pass)
    with pytest.raises(SpinplaneError, match=r"^descriptor 1 has no output of channel 0, y 99, x 0$"):
        accelerator.run(probe=Probe(1, channel=0, y=99, x=0))
    first = random_pass(FEW, 11, clusters=0, pools=1, in_bytes=0)
    stale = replace(first, first_columns=first.first_columns - 1)
    accelerator, _ = prepare(FEW, 11, first, stale)
    with pytest.raises(
        SpinplaneError, match=r"^descriptor 2 cannot be probed: it senses rows that it does not"
    ):
        accelerator.run(probe=Probe(2, channel=0, y=0, x=0))
