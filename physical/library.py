"""The part of a Liberty file that synthesis needs: cells, areas, leakages, flip-flops, a full adder, a buffer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from spinplane.machine import DottedName, PinName, SpinplaneError
from spinplane.machine.errors import shown
from spinplane.machine.files import read_unpacked

from .boolean import truth_table
from .liberty import library_text
from .liberty_groups import Group, Reader

_SUM = truth_table("A ^ B ^ C", "ABC")
_CARRY = truth_table("A B + B C + C A", "ABC")
# Without these ABC maps nothing; the last one has it build what else is missing.
_NEEDED = {"inverter": "!A", "buffer": "A", "NAND of two inputs": "!(A B)"}
_NANOWATTS = {
    f"{digits}{unit}": Decimal(digits) * scale
    for unit, scale in (("mW", 10**6), ("uW", 10**3), ("nW", 1), ("pW", Decimal("0.001")))
    for digits in (1, 10, 100)
}
_LARGEST = Decimal(10**9)
_MOST_BYTES = 1 << 27
# Groups that are read, and the kind of their names. Names of cells and of pins become words of a script and of Verilog.
GROUPS: dict[str, type[PinName]] = {
    "library": DottedName,
    "cell": DottedName,
    "pin": PinName,
    "ff": DottedName,
    "ff_bank": DottedName,
    "latch": DottedName,
}


@dataclass(frozen=True, kw_only=True)
class Storage:
    """What a flip-flop or a latch holds, and when it takes something else; all of it as Liberty's functions.

    Parameters
    ----------
    is_latch : bool
    state, inverse : DottedName
        Names that the functions of the cell's outputs have for the bit and its inverse.
    clock : str
        The flip-flop takes `data` as this rises, the latch while it is 1.
    data : str
    clear, preset : str
        The bit is 0, 1 while this is 1; ``"0"`` where there is none.
    both : tuple of str
        What `state` and `inverse` are with `clear` and `preset`: ``L``, ``H``, ``N``, ``T`` or ``X``.
    """

    is_latch: bool
    state: DottedName
    inverse: DottedName
    clock: str
    data: str
    clear: str
    preset: str
    both: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a library.

    Parameters
    ----------
    name : DottedName
    area : Decimal or None
        In the library's unit, by convention µm²; None where the file gives none.
    leakage_nw : Decimal or None
        Leakage power in nW; None where the file gives none.
    is_flip_flop : bool
    dont_use : bool
        The file asks synthesis to leave it alone.
    inputs : tuple of PinName
    functions : dict of PinName to str
        Function of each output that has one.
    is_timed : bool
        Each of those outputs has a timing group.
    storage : Storage, optional
        Of a cell that is one flip-flop or one latch.
    outputs : tuple of PinName
        All of them, those without a function and those that can be switched off included.
    three_state : tuple of PinName
        Outputs that can be switched off.
    is_clock_gate : bool
        A latch lets its enable pass while the clock is low.
    """

    name: DottedName
    area: Decimal | None
    leakage_nw: Decimal | None
    is_flip_flop: bool
    dont_use: bool
    inputs: tuple[PinName, ...]
    functions: dict[PinName, str]
    is_timed: bool
    storage: Storage | None
    outputs: tuple[PinName, ...]
    three_state: tuple[PinName, ...]
    is_clock_gate: bool


@dataclass(frozen=True, kw_only=True)
class FullAdder:
    """A cell that adds three bits, and its pins: ``inputs``, ``sum``, ``carry``."""

    cell: DottedName
    inputs: tuple[PinName, PinName, PinName]
    sum: PinName
    carry: PinName


@dataclass(frozen=True, kw_only=True)
class Library:
    """A Liberty file, read.

    Parameters
    ----------
    name : str
        Name of the ``library`` group.
    source : str
        The file's name, or the name again for the library that comes with the package.
    text : str
        Liberty text, as Yosys is to read it.
    cells : dict of str to Cell
    """

    name: str
    source: str
    text: str
    cells: dict[str, Cell]

    @property
    def dont_use(self) -> list[DottedName]:
        """Cells that synthesis has to leave alone."""
        return [cell.name for cell in self.cells.values() if cell.dont_use]

    @property
    def full_adder(self) -> FullAdder | None:
        """The smallest cell with a sum and a carry of three inputs, if there is one."""
        adders = [cell for cell in self.cells.values() if not cell.dont_use and cell.area and _is_adder(cell)]
        if not adders:
            return None
        cell = min(adders, key=lambda cell: (cell.area, cell.name))
        outputs = {_truth(cell, pin): pin for pin in cell.functions}
        a, b, c = cell.inputs
        return FullAdder(cell=cell.name, inputs=(a, b, c), sum=outputs[_SUM], carry=outputs[_CARRY])

    @property
    def clock_gate(self) -> Cell | None:
        """The smallest cell that stops a clock, if there is one; those are never for the mapping of logic."""
        gates = [cell for cell in self.cells.values() if cell.is_clock_gate and cell.area]
        return min(gates, key=lambda cell: (cell.area, cell.name), default=None)

    @property
    def buffer(self) -> DottedName:
        """The smallest buffer."""
        usable = [cell for cell in self.cells.values() if not cell.dont_use and _is_gate(cell, "A")]
        return min(usable, key=lambda cell: (cell.area or Decimal("Infinity"), cell.name)).name

    @property
    def is_timed(self) -> bool:
        """Whether it times every cell that synthesis may take."""
        return not self._untimed

    @property
    def _untimed(self) -> list[Cell]:
        used = (cell for cell in self.cells.values() if cell.inputs and cell.functions and not cell.dont_use)
        return [cell for cell in used if not cell.is_timed]

    def require_timing(self) -> None:
        """Let a library pass that times every cell that synthesis may take.

        Raises
        ------
        SpinplaneError
            If an output has a function but no timing group. The message names its cell.
        """
        for cell in self._untimed:
            raise SpinplaneError(
                f"library {self.source}: cell {cell.name} has no timing; "
                "give a Liberty file whose cells have timing tables"
            )


def read_library(path: Path | None = None) -> Library:
    """Read a Liberty file (also gzipped), or the library that comes with the package.

    Raises
    ------
    SpinplaneError
        If the file is missing, not Liberty, has an invalid name (see `PinName`), or lacks what synthesis needs:
        cells, areas, a flip-flop. The message names the file.
    """
    if path is None:
        return _parse(library_text(), "")
    source = f"Liberty file {path}"
    if not path.exists():
        raise SpinplaneError(f"{source}: no such file")
    content = read_unpacked(path, source, _MOST_BYTES)
    try:
        # Some vendors write Latin-1 in comments; names and numbers are ASCII.
        return _parse(content.decode("utf-8-sig", errors="replace"), str(path))
    except SpinplaneError as error:
        raise SpinplaneError(f"{source}: {error}") from None


def _parse(text: str, source: str) -> Library:
    group = Reader(text, GROUPS).library()
    unit = str(group.attributes.get("leakage_power_unit", "1nW"))
    scale = _NANOWATTS.get(unit)
    default_leakage = group.attributes.get("default_cell_leakage_power")
    cells: dict[str, Cell] = {}
    for cell in group.groups:
        if cell.kind == "cell":
            cells[cell.name] = _cell(cell, scale, default_leakage)
    usable = [cell for cell in cells.values() if not cell.dont_use]
    if not usable:
        raise SpinplaneError("has no cell")
    if not any(cell.area for cell in usable):
        raise SpinplaneError("no cell has an area")
    if not any(cell.is_flip_flop for cell in usable):
        raise SpinplaneError("has no flip-flop (a cell with an ff group)")
    for what, function in _NEEDED.items():
        if not any(_is_gate(cell, function) for cell in usable):
            raise SpinplaneError(f"has no {what}")
    return Library(name=group.name, source=source or group.name, text=text, cells=cells)


def _cell(group: Group, scale: Decimal | None, default_leakage: str | None) -> Cell:
    leakage = _number(group, "cell_leakage_power", default_leakage)
    pins = [pin for pin in group.groups if pin.kind == "pin"]
    outputs = [pin for pin in pins if "function" in pin.attributes]
    return Cell(
        name=DottedName(group.name, "cell"),
        area=_number(group, "area"),
        leakage_nw=None if leakage is None or scale is None else leakage * scale,
        is_flip_flop=any(inner.kind in ("ff", "ff_bank") for inner in group.groups),
        dont_use=group.attributes.get("dont_use") == "true",
        inputs=_pins(pins, lambda of: of.get("direction") == "input"),
        functions={PinName(pin.name, "pin"): pin.attributes["function"] for pin in outputs},
        is_timed=all(any(inner.kind == "timing" for inner in pin.groups) for pin in outputs),
        storage=_storage(group),
        outputs=_pins(pins, lambda of: of.get("direction") in ("output", "inout")),
        three_state=_pins(pins, lambda of: "three_state" in of),
        is_clock_gate=group.attributes.get("clock_gating_integrated_cell") == "latch_posedge",
    )


def _pins(pins: list[Group], chosen: Callable[[Mapping[str, str]], bool]) -> tuple[PinName, ...]:
    return tuple(PinName(pin.name, "pin") for pin in pins if chosen(pin.attributes))


def _storage(cell: Group) -> Storage | None:
    groups = [group for group in cell.groups if group.kind in ("ff", "latch")]
    if len(groups) != 1 or len(groups[0].names) != 2:
        return None
    of = groups[0].attributes.get
    is_latch = groups[0].kind == "latch"
    state, inverse = (DottedName(name, groups[0].kind) for name in groups[0].names)
    return Storage(
        is_latch=is_latch,
        state=state,
        inverse=inverse,
        clock=of("enable" if is_latch else "clocked_on", "0"),
        data=of("data_in" if is_latch else "next_state", "0"),
        clear=of("clear", "0"),
        preset=of("preset", "0"),
        both=(of("clear_preset_var1", "X"), of("clear_preset_var2", "X")),
    )


def _number(group: Group, key: str, default: str | None = None) -> Decimal | None:
    text = group.attributes.get(key, default)
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise SpinplaneError(f"cell {group.name}: {key} is {shown(text)}, not a number") from None
    # A leakage that was measured may lie below 0.
    if not number.is_finite() or not (0 if key == "area" else -_LARGEST) <= number <= _LARGEST:
        raise SpinplaneError(f"cell {group.name}: {key} is {shown(text)}, beyond any cell's")
    return number


def _truth(cell: Cell, output: PinName) -> int | None:
    try:
        return truth_table(cell.functions[output], cell.inputs)
    except ValueError:
        return None


def _is_gate(cell: Cell, function: str) -> bool:
    """Whether the cell's only output is `function` of its inputs A and, if there are two, B."""
    names = "AB" if "B" in function else "A"
    if cell.is_flip_flop or len(cell.inputs) != len(names) or len(cell.functions) != 1:
        return False
    return _truth(cell, *cell.functions) == truth_table(function, names)


def _is_adder(cell: Cell) -> bool:
    if len(cell.inputs) != 3 or len(cell.functions) != 2 or cell.is_flip_flop:
        return False
    return {_truth(cell, output) for output in cell.functions} == {_SUM, _CARRY}
