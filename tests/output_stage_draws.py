"""Random numbers for the output stage of a pass, and for its banks, with which codes come out of all kinds."""

from collections.abc import Callable, Sequence

import numpy as np
from contract_output import PARAMETERS, SCALES, Channel, pack, search_words

from spinplane.machine import Machine, Rounding

#: Sums of random passes have about so many bits.
SUM_BITS = 11
#: Thresholds of the longest search, and words that they take.
THRESHOLDS = 5**4 - 1
SEARCH_WORDS = 156
#: A table of 512 codes has 32 words.
TABLE_OFFSETS = SEARCH_WORDS - 32
#: One in so many has numbers that nobody would choose.
RARE = 10

Pick = Callable[[str, Sequence[int]], int]


def draw_output_stage(machine: Machine, rng: np.random.Generator, pick: Pick) -> dict[str, object]:
    """Fields of a pass that say what becomes of a sum."""
    multiplies = pick("multiplies", [0, 1, 1])
    raw = pick("raw", [0, 0, 1])
    float_scale = multiplies and pick("float_scale", [0, 0, 1])
    residual = multiplies and pick("residual", [0, 1])
    own_code = multiplies and pick("own_code", [0, 1])
    search_reads = 0 if raw else pick("search_reads", range(5))
    table = 0 if raw else pick("table", [0, 0, 1])
    low, high = _bounds(rng)
    first_scale = machine.parameter_beats // 2 * (not float_scale)
    # What the residual is divided by brings it near the value that it is added to.
    divided = int(rng.integers(18, 28)) if own_code else int(rng.integers(0, 16) + 8 * (not float_scale))
    own_divided = int(rng.integers(24, 32))
    if rng.integers(RARE) == 0:
        divided, own_divided = rng.integers(0, 4, 2).tolist()
    multiplies_total = own_code and pick("multiplies_total", [0, 1])
    return {
        "multiplies": bool(multiplies),
        "float_scale": bool(float_scale),
        "parameter_base": int(rng.integers(0, 9)),
        "scale_base": first_scale + int(rng.integers(0, 9)),
        "rounding": Rounding(pick("rounding", range(9))),
        "search_reads": search_reads,
        "residual": bool(residual),
        "residual_zero": int(rng.integers(0, 256 if rng.integers(2) else 4)),
        **_shifts(rng, "residual", divided),
        "own_code": bool(own_code),
        "own_rounding": Rounding(pick("own_rounding", range(9))),
        "own_multiplier": _number(rng, 31, 28),
        **_shifts(rng, "own", own_divided),
        "total_offset": _number(rng, 31) if rng.integers(RARE) == 0 else _number(rng, 10),
        "multiplies_total": bool(multiplies_total),
        "total_multiplier": _number(rng, 31, 28),
        "total_high_shift": int(rng.integers(26, 34)),
        "total_shift": int(rng.integers(0, 9)),
        "total_low": low,
        "total_high": high,
        "table": bool(table),
        "table_offset": int(rng.integers(0, TABLE_OFFSETS + 1)),
        "level_shift": int(rng.integers(0, 2)),
        "out_zero": int(rng.integers(0, 256)),
        "raw": bool(raw),
    }


def _shifts(rng: np.random.Generator, name: str, together: int) -> dict[str, int]:
    """Two shifts that divide by 2^together."""
    high = int(rng.integers(0, together + 1))
    return {f"{name}_high_shift": high, f"{name}_shift": together - high}


def _bounds(rng: np.random.Generator) -> tuple[int, int]:
    """Bounds of codes: those of whole types mostly."""
    if rng.integers(4) == 0:
        low, high = sorted(rng.integers(-256, 256, 2).tolist())
        return low, high
    return ((0, 255), (-128, 127), (-256, 255))[rng.integers(3)]


def fill_output_banks(machine: Machine, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Parameters, scales and thresholds, uint8; scales in the lower half of their bank are those of `float_scale`."""
    lanes, words, beats = machine.results_per_cycle, machine.threshold_beats, machine.parameter_beats
    parameters = [
        pack(PARAMETERS, _parameters(rng, words)) | int(rng.integers(1 << 59)) << 69
        for _ in range(beats * lanes)
    ]
    scales = [
        pack(SCALES, _scales(rng, float_scale=number < beats * lanes // 2)) | int(rng.integers(16)) << 124
        for number in range(beats * lanes)
    ]
    thresholds = np.sort(_thresholds(rng, (words, lanes, 4)), axis=-1)
    random_bits = rng.integers(0, 2, (words, lanes, 1)) == 1
    bits = np.sort(rng.integers(-(1 << 31), 1 << 31, thresholds.shape), axis=-1)
    thresholds = np.where(random_bits, bits, thresholds)
    for lane in range(lanes):
        used = np.sort(_thresholds(rng, int(rng.choice([THRESHOLDS, rng.integers(THRESHOLDS)]))))
        for word, four in search_words(4, used.tolist()).items():
            thresholds[word, lane] = four
    return {
        "parameters": _as_words(parameters, beats),
        "scales": _as_words(scales, beats),
        "thresholds": thresholds.astype("<i4").view(np.uint8).reshape(words, -1),
    }


def _parameters(rng: np.random.Generator, threshold_beats: int) -> Channel:
    low, high = _bounds(rng)
    base = int(rng.integers(0, threshold_beats - SEARCH_WORDS + 1))
    search, least, falling = rng.integers(0, 2, 3).tolist()
    return {
        "bias": _number(rng, 30) if rng.integers(RARE) == 0 else _number(rng, SUM_BITS),
        "low": low,
        "high": high,
        "threshold_base": base if rng.integers(3) == 0 else 0,
        "least": least,
        "search": search,
        "falling": falling,
    }


def _scales(rng: np.random.Generator, float_scale: bool) -> Channel:
    """Of a channel; random bits in a few of them."""
    if rng.integers(RARE) == 0:
        return {name: int(rng.integers(1 << abs(width))) for name, width in SCALES}
    multiplier = _number(rng, 24, 2) if float_scale else _number(rng, 31, int(rng.choice([4, 29])))
    bits = SUM_BITS + multiplier.bit_length()
    high_shift = int(rng.integers(0, 64))
    if not float_scale:
        value_bits = int(rng.integers(5, min(bits, 30) + 1))
        high_shift, bits = bits - value_bits, value_bits
    return {
        "multiplier": multiplier,
        "residual_multiplier": _number(rng, 31, 20),
        "offset": _number(rng, max(1, bits - 2)),
        "shift": max(0, bits - int(rng.integers(2, 9))),
        "high_shift": high_shift,
    }


def _number(rng: np.random.Generator, bits: int, least_bits: int = 1) -> int:
    """A whole number of either sign and any of some magnitudes; many end in zeros, which make middles."""
    width = int(rng.integers(least_bits, bits + 1))
    zeros = int(rng.integers(0, width)) if rng.integers(2) else 0
    number = int(rng.integers(1 << (width - 1), 1 << width)) >> zeros << zeros
    return int(rng.choice([-1, 1])) * number


def _thresholds(rng: np.random.Generator, shape: object) -> np.ndarray:
    """Thresholds of either sign and of all magnitudes that values have."""
    magnitudes = 2 ** rng.uniform(0, 31, shape) if rng.integers(4) == 0 else 2 ** rng.uniform(0, 20, shape)
    return (magnitudes * rng.choice([-1, 1], magnitudes.shape)).astype(np.int64)


def _as_words(channels: list[int], words: int) -> np.ndarray:
    """Words of a bank from 128 bits a channel."""
    octets = b"".join(channel.to_bytes(16, "little") for channel in channels)
    return np.frombuffer(octets, dtype=np.uint8).reshape(words, -1).copy()
