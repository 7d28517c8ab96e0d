"""The machine: the only place where a size is written down."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from .arguments import as_path, is_path, refusal
from .choices import one_of
from .errors import SpinplaneError, shown
from .names import Name
from .output_stage import RAW_BITS
from .toml_files import check_keys, read_toml

#: Columns whose ones are counted first; slots and planes in a row are whole numbers of them.
LEAF_COLUMNS = 16
#: Bits of a channel in a word of the banks of parameters, scales and thresholds.
CHANNEL_BITS = 128
#: ``"none"``: a write stops all sensing of its array; ``"same_array"``: other rows may be sensed meanwhile.
WRITE_OVERLAPS = ("none", "same_array")
_LEAST_ACCUMULATOR_BITS = 16


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Sizes and timing of an in-memory convolution engine.

    Parameters
    ----------
    name : Name
        Becomes part of file names: letters, digits, ``-`` and ``_``.
    sub_arrays : int
        Sub-arrays that run in lock-step, 1 to 256.
    rows : int
        Word lines of a sub-array, 8 to 4096.
    columns : int
        Bit lines of a sub-array, a power of two from 16 to 2048.
    segments : int
        Groups of neighbouring columns with a count and an accumulator of their own, a power of two; a
        segment has at least 16 columns.
    accumulator_bits : int
        Width of an accumulator, 16 to 48.
    sense_cycles : int
        Clock cycles for which word lines are held to sense, 1 to 16.
    write_cycles : int
        Clock cycles of a write pulse, 1 to 64.
    write_overlap : {"none", "same_array"}
        Whether rows are sensed while another row of the same array is written.
    memory_operations : bool
        Whether a program may use the array as a memory: descriptors that write, read, AND and OR rows.
    xor_sensing : bool
        Whether two sense amplifiers a bit line compare with the references of AND and OR at once, so that a memory
        operation XORs rows in one sense. Only with `memory_operations`.
    row_buses : int
        Clusters of sub-arrays that can be given different rows at once: 1, 2, 4 or 8, divides `sub_arrays`.
        If not given, the greatest of 1, 2 and 4 that divides them.
    results_per_cycle : int
        Results that leave the engine in a cycle, and lanes of the digital processing unit: a power of two up to
        16 that divides `sub_arrays`. If not given, the greatest.
    multipliers : int
        Multipliers that the lanes share, a power of two up to `results_per_cycle`; if not given, one for 8 lanes.
    bus_bits : int
        Width of the AXI4 data bus, a power of two from 16 to 512, at most `columns` and 128 · `results_per_cycle`;
        if not given, at most 128.
    image_words, kernel_words : int
        Words of `columns` bits of the image bank and of the kernel bank, 16 to 2^22; the former even.
    parameter_beats, threshold_beats : int
        Words of the banks of parameters and of scales, and of that of thresholds and tables, 128 bits for each of
        `results_per_cycle` channels; 16 to 2^16.
    pool_beats : int
        Words of the pooling memory: beats of a pooling region that can be held at most, 4 to 4096.
    descriptors : int
        Descriptors that the program memory holds, 4 to 1024.
    description : str
        One line for people.

    Raises
    ------
    SpinplaneError
        For a value that is not allowed, naming the key, the value and what is allowed.
    """

    name: Name
    sub_arrays: int
    rows: int
    columns: int
    segments: int
    accumulator_bits: int = 32
    sense_cycles: int = 1
    write_cycles: int = 2
    write_overlap: str = "none"
    memory_operations: bool = False
    xor_sensing: bool = False
    row_buses: int = 0
    results_per_cycle: int = 0
    multipliers: int = 0
    bus_bits: int = 0
    image_words: int = 16384
    kernel_words: int = 65536
    parameter_beats: int = 1024
    threshold_beats: int = 1024
    pool_beats: int = 64
    descriptors: int = 64
    description: str = ""

    def __post_init__(self) -> None:
        for key in ("name", "description"):
            text = getattr(self, key)
            if not isinstance(text, str) or not text.isprintable():
                raise SpinplaneError(f"{key} = {shown(text)}: must be text on one line")
        object.__setattr__(self, "name", Name(self.name))
        self._check_range("sub_arrays", 1, 256)
        self._check_range("rows", 8, 4096)
        self._check_power_of_two("columns", 16, 2048)
        self._check_power_of_two("segments", 1, self.columns // LEAF_COLUMNS)
        self._check_range("accumulator_bits", _LEAST_ACCUMULATOR_BITS, 48)
        self._check_range("sense_cycles", 1, 16)
        self._check_range("write_cycles", 1, 64)
        if self.write_overlap not in WRITE_OVERLAPS:
            raise SpinplaneError(
                f"write_overlap = {shown(self.write_overlap)}: must be one of {', '.join(WRITE_OVERLAPS)}"
            )
        for key in ("memory_operations", "xor_sensing"):
            if type(getattr(self, key)) is not bool:
                raise SpinplaneError(f"{key} = {shown(getattr(self, key))}: must be true or false")
        if self.xor_sensing and not self.memory_operations:
            raise SpinplaneError("xor_sensing = True: only with memory_operations = true")
        self._complete("row_buses", _power_that_divides(self.sub_arrays, 4))
        self._complete("results_per_cycle", _power_that_divides(self.sub_arrays, 16))
        self._complete("bus_bits", min(128, self.columns))
        self._check_power_of_two("row_buses", 1, 8)
        self._check_power_of_two("results_per_cycle", 1, 16)
        for key in ("row_buses", "results_per_cycle"):
            if self.sub_arrays % getattr(self, key):
                raise SpinplaneError(
                    f"{key} = {getattr(self, key)}: must be a power of two that divides sub_arrays = "
                    f"{self.sub_arrays}"
                )
        self._complete("multipliers", max(1, self.results_per_cycle // 8))
        self._check_power_of_two("multipliers", 1, self.results_per_cycle)
        narrowest = min(self.columns, CHANNEL_BITS * self.results_per_cycle)
        self._check_power_of_two("bus_bits", 16, min(512, narrowest))
        self._check_range("image_words", 16, 1 << 22)
        self._check_range("kernel_words", 16, 1 << 22)
        if self.image_words % 2:
            raise SpinplaneError(f"image_words = {self.image_words}: must be even")
        self._check_range("parameter_beats", 16, 1 << 16)
        self._check_range("threshold_beats", 16, 1 << 16)
        self._check_range("pool_beats", 4, 4096)
        self._check_range("descriptors", 4, 1024)

    def _complete(self, key: str, value: int) -> None:
        """Give a field that was left out its value."""
        if getattr(self, key) == 0:
            object.__setattr__(self, key, value)

    def _check_range(self, key: str, low: int, high: int) -> None:
        value = getattr(self, key)
        if type(value) is not int or not low <= value <= high:
            raise SpinplaneError(f"{key} = {shown(value)}: must be a whole number from {low} to {high}")

    def _check_power_of_two(self, key: str, low: int, high: int) -> None:
        value = getattr(self, key)
        if type(value) is not int or not low <= value <= high or value & (value - 1):
            raise SpinplaneError(f"{key} = {shown(value)}: must be a power of two from {low} to {high}")

    @property
    def fingerprint(self) -> str:
        """Digest of all fields, by which caches tell machines apart: sixteen hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    @property
    def overlaps_writes(self) -> bool:
        """Whether rows are sensed while others are written."""
        return self.write_overlap != "none"

    @property
    def segment_columns(self) -> int:
        """Columns of one segment."""
        return self.columns // self.segments

    @property
    def leaves(self) -> int:
        """Groups of `LEAF_COLUMNS` columns that the bit-counter counts first."""
        return self.columns // LEAF_COLUMNS

    @property
    def raw_writes(self) -> int:
        """Writes of a beat of raw values into the image bank."""
        return max(1, self.results_per_cycle * RAW_BITS // self.columns)

    @property
    def lanes_per_multiplier(self) -> int:
        """Lanes that share a multiplier."""
        return self.results_per_cycle // self.multipliers

    @property
    def accumulators(self) -> int:
        """Accumulators of the whole engine: the kernels that one pass can serve at most."""
        return self.sub_arrays * self.segments


def _power_that_divides(number: int, largest: int) -> int:
    """Greatest power of two up to `largest` that divides `number`."""
    return min(largest, number & -number) if isinstance(number, int) and number > 0 else 1


def machine_names() -> list[str]:
    """Names of the machines that come with the package."""
    return sorted(f.name[:-5] for f in files(__package__).iterdir() if f.name.endswith(".toml"))


def load_machine(machine: str | Path | Machine) -> Machine:
    """Read a machine by name or from a TOML file.

    Parameters
    ----------
    machine : str, Path or Machine
        ``"tiny"``, ``"paper8"``, ``"paper"``, ``"paper-overlap"``, ``"wide"``, the path of a TOML file, or a
        machine as it is.

    Raises
    ------
    SpinplaneError
        If there is no such machine or file, the file is not TOML, a key is unknown or missing, a value is not allowed,
        or `machine` is of another type.
    """
    if isinstance(machine, Machine):
        return machine
    if not is_path(machine):
        raise refusal("machine", machine, "a name, the path of a TOML file or a Machine")
    source = f"machine file {machine}"
    if str(machine) in machine_names():
        path = Path(str(files(__package__))) / f"{machine}.toml"
    else:
        path = as_path("machine", machine)
        if not path.is_file():
            raise SpinplaneError(
                f"machine {str(machine)!r} is neither a file nor {one_of(str(machine), machine_names())}"
            )
    table = read_toml(path, source)
    try:
        return machine_of(table)
    except SpinplaneError as error:
        raise SpinplaneError(f"{source}: {error}") from None


def machine_of(table: dict[str, Any]) -> Machine:
    """A machine of its fields by name, as files have them; a SpinplaneError names one that is unknown or missing."""
    check_keys(table, [field.name for field in fields(Machine)])
    for key in ("name", "sub_arrays", "rows", "columns", "segments"):
        if key not in table:
            raise SpinplaneError(f"missing key {key!r}")
    return Machine(**table)
