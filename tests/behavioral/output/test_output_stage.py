"""The golden model of the output stage against plain loops over one number at a time."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, random_pass
from contract_output import (
    PARAMETERS,
    SCALES,
    bits_of_channel,
    code_of,
    pack,
    pool,
    unpack,
    value_of,
    wrap,
)

from spinplane.behavioral import OutputStageError, OutputStageRun, run_output_stage
from spinplane.behavioral.output import output_stage
from spinplane.behavioral.output.output_packer import OutputMap
from spinplane.behavioral.output.output_stage import OutputStage
from spinplane.behavioral.output.parameters import Parameters
from spinplane.machine import Machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.passes import Pass

MACHINE = Machine(
    name="loops", sub_arrays=4, rows=16, columns=32, segments=1, results_per_cycle=2, image_words=2048
)
BANKS = ("parameters", "scales", "thresholds")


@dataclass(frozen=True)
class Case:
    """Results of a pass's kernel tiles, and what its banks hold, as words of uint8."""

    layer_pass: Pass
    accumulators: np.ndarray
    window_sums: np.ndarray
    banks: dict[str, np.ndarray]

    def run(self, wraps: bool = False) -> OutputStageRun:
        bits = {name: np.unpackbits(self.banks[name], axis=1, bitorder="little") for name in BANKS}
        return run_output_stage(
            self.layer_pass,
            self.accumulators,
            self.window_sums,
            **bits,
            image=self.banks["image"],
            wraps=wraps,
        )


def random_case(seed: int, reach: int = 1 << 12, **choices: object) -> Case:
    n, rng = random_pass(FEW, seed, **choices), np.random.default_rng(seed)
    shape = (n.region_rows, n.region_columns, n.region_height, n.region_width, n.clusters)
    accumulators = rng.integers(-reach, reach, (*shape, n.channel_beats, n.lanes))
    return Case(n, accumulators, rng.integers(0, 1 << 8, shape), fill_banks(FEW, seed))


def by_loops(case: Case) -> tuple[list[tuple[int, list[int]]], int, int]:
    """Writes, planes of residuals, and words of parameters, scales, thresholds and tables that are read."""
    n = case.layer_pass
    writes, residual_reads, parameter_reads = [], 0, 0
    for rho, kappa in np.ndindex(n.region_rows, n.region_columns):
        parameter_reads += case.accumulators[rho, kappa][..., 0].size
        for j in range(n.kernel_tiles):
            for g in range(n.clusters):
                for b in range(n.last_beats if j == n.kernel_tiles - 1 else n.beats):
                    channel = j * n.beats + b
                    ox = g % n.clusters_x * n.region_columns + kappa
                    oy = g // n.clusters_x * n.region_rows + rho
                    parameter_reads += n.multiplies + n.search_reads + n.table
                    if ox >= n.out_width or oy >= n.out_height or place_of(n, channel) >= n.out_beats:
                        continue
                    stored = [
                        stored_of(case, (rho, kappa, g, channel, lane, ox, oy)) for lane in range(n.lanes)
                    ]
                    residual_reads += n.residual * n.residual_planes
                    start = n.out_base + oy * n.out_line_bits + ox * n.out_pixel_bits
                    start += place_of(n, channel) * n.out_beat_bits + n.out_first_bit
                    if n.raw:
                        bits = [value >> bit & 1 for value in stored for bit in range(32)]
                        size = min(len(bits), FEW.columns)
                        writes += [(start + at, bits[at : at + size]) for at in range(0, len(bits), size)]
                    else:
                        writes += [
                            (start + m * n.out_plane_bits, [value >> m & 1 for value in stored])
                            for m in range(n.out_planes)
                        ]
    return writes, residual_reads, parameter_reads


def place_of(n: Pass, channel_beat: int) -> int:
    number, slot = divmod(channel_beat, n.slots)
    return slot * n.slot_beats + number if n.spread else channel_beat


def stored_of(case: Case, place: tuple[int, ...]) -> int:
    """Code or value of an output's channel."""
    n, (rho, kappa, g, channel, lane, ox, oy) = case.layer_pass, place
    parameters = unpack(
        PARAMETERS, bits_of_channel(case.banks["parameters"], n.parameter_base + channel, lane)
    )
    scales = {}
    if n.multiplies:
        scales = unpack(SCALES, bits_of_channel(case.banks["scales"], n.scale_base + channel, lane))
    sums = []
    for ry, rx in np.ndindex(n.region_height, n.region_width):
        wx, wy = n.first_window_x + ox * n.stride_x + rx, n.first_window_y + oy * n.stride_y + ry
        if n.pool is Pool.NONE or (0 <= wx < n.windows_x and 0 <= wy < n.windows_y):
            value = int(case.accumulators[rho, kappa, ry, rx, g, channel, lane]) << n.accumulator_shift
            value -= n.window_sum_scale * int(case.window_sums[rho, kappa, ry, rx, g])
            sums.append(wrap(value + parameters["bias"], 32))
    residual = 0
    if n.residual:
        at = n.residual_base + oy * n.residual_line_bits + ox * n.residual_pixel_bits
        at += place_of(n, channel) * n.lanes + lane
        planes = range(n.residual_planes)
        residual = sum(int(case.banks["image"][at + p * n.residual_plane_bits]) << p for p in planes)
    y = value_of(n, parameters, scales, wrap(pool(n, parameters, sums), 36), residual)
    thresholds = partial(bits_of_channel, case.banks["thresholds"], channel=lane)
    return y if n.raw else code_of(n, parameters, scales, y, thresholds)


@pytest.mark.parametrize("seed", range(60))
def test_is_what_loops_find(seed: int) -> None:
    case = random_case(seed, reach=1 << (12 if seed % 4 else 31))
    found = case.run(wraps=True)
    writes, residual_reads, parameter_reads = by_loops(case)
    assert list(zip(found.addresses.tolist(), found.bits.tolist(), strict=True)) == writes
    assert found.image_writes == len(writes)
    assert found.residual_reads == residual_reads
    assert found.parameter_reads == parameter_reads
    assert len(writes) > 1


def few_levels(n: Pass, reach: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Banks of channels whose levels have some steps within sums of that reach; each has up to 24 of them or 7."""
    banks = {name: np.zeros((FEW.threshold_beats, n.lanes * 16), dtype=np.uint8) for name in BANKS}
    for word, lane in np.ndindex(FEW.parameter_beats, n.lanes):
        multiplier = int(rng.choice([-1, 1])) * int(rng.integers(1, 1 << 22))
        product = reach * abs(multiplier)
        high_shift = int(rng.integers(0, 10)) * (not n.float_scale)
        shift = max(0, product.bit_length() - high_shift - int(rng.integers(1, 4)))
        search, least, falling = rng.integers(0, 2, 3).tolist()
        low = int(rng.integers(-5, 0))
        of_channel = {"bias": 0, "low": low, "high": low + 7, "threshold_base": 0}
        of_channel |= {"least": least, "search": search, "falling": falling}
        offset = int(rng.integers(-product // 4, product // 4 + 1)) >> high_shift
        scales = {"multiplier": multiplier, "residual_multiplier": 9, "offset": wrap(offset, 47)}
        scales |= {"shift": shift, "high_shift": high_shift}
        for bank, layout, numbers in (("parameters", PARAMETERS, of_channel), ("scales", SCALES, scales)):
            octets = np.frombuffer(pack(layout, numbers).to_bytes(16, "little"), dtype=np.uint8)
            banks[bank][word, 16 * lane : 16 * lane + 16] = octets
    limit = min(reach, (1 << 31) - 1)
    thresholds = np.sort(rng.integers(-limit, limit, (FEW.threshold_beats, n.lanes, 4)), axis=-1)
    banks["thresholds"] = thresholds.astype("<i4").view(np.uint8).reshape(FEW.threshold_beats, -1)
    return banks


@pytest.mark.parametrize("pool_by", Pool)
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int64])
@pytest.mark.parametrize("seed", range(8))
def test_many_codes_by_steps_are_those_of_arithmetic(
    seed: int, dtype: type, pool_by: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums of six windows may be more than their type holds."""
    across, down = (1, 1) if pool_by is Pool.NONE else (3, 2)
    choices = {"region_x": across, "region_y": down, "pools": 1, "residual": 0}
    choices |= {"own_code": 0, "raw": 0, "search_reads": 1 + seed % 2, "multiplies": int(seed > 1)}
    n, rng = replace(random_pass(FEW, seed, **choices), pool=pool_by), np.random.default_rng(seed)
    assert n.windows == across * down
    reach = (1 << 24) - 1 if dtype is np.float32 else (1 << 31) - 1
    parameters = Parameters.read(n, **few_levels(n, reach, rng))
    shape = (40, n.clusters, n.regions, n.windows, n.channel_beats * n.lanes)
    values = rng.integers(-reach, reach + 1, shape).astype(dtype)
    found, steps = [], []
    for table_codes, sums in ((1, values), (1 << 62, values.astype(np.int64))):
        monkeypatch.setattr(output_stage, "_TABLE_CODES", table_codes)
        stage = OutputStage(n, parameters, OutputMap(n))
        found.append(stage.codes(sums, None, reach).astype(np.int64))
        steps.append(0 if stage._table is None else stage._table.steps)
    assert steps[0] > 1
    assert steps[1] == 0
    np.testing.assert_array_equal(found[0], found[1])


def test_levels_of_products_that_wrap_are_not_told_by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three sums of 2^31 − 1 times as much are 2^63 and more, which is a negative number of 64 bits."""
    case = one_beat(multiplies=True, pool=Pool.SUM, region_width=3, windows_x=3, out_planes=5, out_zero=16)
    of_channel = {"bias": 0, "low": -8, "high": 7, "threshold_base": 0, "least": 0, "search": 0, "falling": 0}
    scales = {"multiplier": 2**31 - 1, "residual_multiplier": 0, "offset": 0, "shift": 60, "high_shift": 0}
    for bank, layout, numbers in (("parameters", PARAMETERS, of_channel), ("scales", SCALES, scales)):
        octets = np.frombuffer(pack(layout, numbers).to_bytes(16, "little"), dtype=np.uint8)
        case.banks[bank][0] = np.tile(octets, 2)
    parameters = Parameters.read(case.layer_pass, **{name: case.banks[name] for name in BANKS})
    values = np.random.default_rng(0).integers(2**30, 2**31, (40, 1, 1, 3, 2))
    values[0] = 2**31 - 1
    monkeypatch.setattr(output_stage, "_TABLE_CODES", 1)
    codes = OutputStage(case.layer_pass, parameters, OutputMap(case.layer_pass)).codes(values, None, 2**31)
    products = values.sum(axis=3)[:, 0] * (2**31 - 1)
    assert (codes == np.clip(products >> 60, -8, 7) + 16).all()
    assert {bool(sign) for sign in (products < 0).ravel()} == {False, True}


def test_sums_of_windows_are_exact_beyond_what_float32_holds() -> None:
    case = one_beat(raw=True, pool=Pool.SUM, region_width=3, windows_x=3)
    parameters = Parameters.read(case.layer_pass, **{name: case.banks[name] for name in BANKS})
    sums = np.array([[2**24 - 1, 2**24 - 1, 2**24 - 3], [1, 2**24 - 1, 2**24]]).T
    stage = OutputStage(case.layer_pass, parameters, OutputMap(case.layer_pass))
    codes = stage.codes(sums.reshape(1, 1, 1, 3, 2).astype(np.float32), None, 2**24)
    assert codes.tolist() == [[[3 * 2**24 - 5, 2**25]]]


def one_beat(**numbers: object) -> Case:
    """One window of one channel beat, all of whose numbers are 0."""
    one = {"interval": 90, "windows_x": 1, "windows_y": 1, "out_width": 1, "out_height": 1}
    n = Pass(machine=MACHINE, **one | numbers)
    shape = (1, 1, n.region_height, n.region_width, 1)
    banks = {name: np.zeros((16, n.lanes * 16), dtype=np.uint8) for name in BANKS}
    banks["image"] = np.zeros(MACHINE.image_words * MACHINE.columns, dtype=np.uint8)
    accumulators = np.zeros((*shape, n.channel_beats, n.lanes), dtype=np.int64)
    return Case(n, accumulators, np.zeros(shape, dtype=np.int64), banks)


def test_sums_wrap_only_where_they_are_told_to() -> None:
    case = one_beat(raw=True)
    case.accumulators[...] = 2**31 - 1
    case.banks["parameters"][0, 0] = 1  # bias 1
    with pytest.raises(OverflowError, match=rf"^sums before scaling: {2**31} does not fit in 32 bits$"):
        case.run()
    assert case.run(wraps=True).bits[0].tolist() == [0] * 31 + [1]


def test_pooled_sums_wrap_only_where_they_are_told_to() -> None:
    """Of 17 windows, each of 2^31 − 1; behind the multiplier, bits 35 and up are seen."""
    sizes = {"region_width": 16, "region_height": 2, "windows_x": 16, "windows_y": 2}
    case = one_beat(raw=True, pool=Pool.SUM, multiplies=True, **sizes)
    case.accumulators[:, :, 0] = 2**31 - 1
    case.accumulators[:, :, 1, 0] = 2**31 - 1
    case.banks["scales"][0, :4] = case.banks["scales"][0, 16:20] = [1, 0, 0, 0]
    case.banks["scales"][0, 14] = case.banks["scales"][0, 30] = 16 << 2 & 0xFF  # high_shift 16
    with pytest.raises(OverflowError, match=rf"^pooled sum {17 * (2**31 - 1)} does not fit in 36 bits$"):
        case.run()
    pooled = wrap(17 * (2**31 - 1), 36)
    high_shift = unpack(SCALES, bits_of_channel(case.banks["scales"], 0, 0))["high_shift"]
    expected = (pooled + (1 << high_shift >> 1)) >> high_shift
    assert case.run(wraps=True).bits[0].tolist() == [expected >> bit & 1 for bit in range(32)]


def test_raw_values_wrap_only_where_they_are_told_to() -> None:
    case = one_beat(raw=True, multiplies=True)
    case.banks["scales"][0, 0] = 2  # multiplier 2
    case.accumulators[...] = 2**31 - 1
    with pytest.raises(OverflowError, match=rf"^raw values: {2**32 - 2} does not fit in 32 bits$"):
        case.run()
    assert case.run(wraps=True).bits[0].tolist() == [0] + [1] * 31


def test_codes_are_cut_only_where_they_are_told_to() -> None:
    case = one_beat(out_zero=5, out_planes=2)
    with pytest.raises(OverflowError, match=r"^code 5 does not fit in 2 planes$"):
        case.run()
    assert case.run(wraps=True).bits.tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("numbers", "error", "text"),
    [
        ({"interval": 0}, ValueError, "interval = 0: must be at least 1"),
        ({"interval": 2, "out_planes": 3}, ValueError, "interval = 2: must be at least 3"),
        ({"out_base": 1}, OutputStageError, "bit address 1: must be a multiple of 2"),
        ({"out_base": 65536}, OutputStageError, "bit 65537 is beyond the bank of 65536 bits"),
        (
            {"multiplies": True, "residual": True, "residual_base": 65535},
            OutputStageError,
            "residual bit 65536 is beyond the bank of 65536 bits",
        ),
        ({"parameter_base": 16}, OutputStageError, "parameters: word 16 is beyond the bank of 16"),
        (
            {"parameter_base": 15, "last_beats": 2},
            OutputStageError,
            "parameters: word 16 is beyond the bank of 16",
        ),
        (
            {"multiplies": True, "scale_base": 16},
            OutputStageError,
            "scales: word 16 is beyond the bank of 16",
        ),
        ({"search_reads": 3}, OutputStageError, "thresholds: word 30 is beyond the bank of 16"),
        (
            {"table": True, "table_offset": 16},
            OutputStageError,
            "thresholds: word 16 is beyond the bank of 16",
        ),
        (
            {"pool": Pool.SUM, "last_beats": 65},
            OutputStageError,
            "65 beats per window: the pooling memory holds 64",
        ),
    ],
)
def test_refuses_what_the_hardware_cannot_do(
    numbers: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        one_beat(**numbers).run()


def test_words_that_no_beat_reads_need_not_exist() -> None:
    """Scales without products; a search whose values lead elsewhere; outputs beside the map."""
    assert len(one_beat(scale_base=16).run().bits) == 1
    elsewhere = one_beat(search_reads=3)
    elsewhere.accumulators[...] = -1
    assert len(elsewhere.run().bits) == 1
    assert not len(one_beat(search_reads=3, out_width=0).run().bits)
