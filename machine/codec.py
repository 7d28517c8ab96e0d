"""The codec of descriptors: from words of the program memory to their meaning, and back.

It is the only place that knows which fields hold a number less one or a logarithm, and in which word a field lies.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coding import Rounding
from .descriptor import (
    DESCRIPTOR_FIELDS,
    DESCRIPTOR_WORDS,
    FIELD_INDEX,
    FORMAT_VERSION,
    MEMORY_ROWS_WORD,
    MEMORY_WORDS,
    MEMORY_XOR_WORD,
    Field,
    Holds,
    Kind,
    Load,
    OperationBit,
    Pool,
)
from .errors import SpinplaneError
from .machine import LEAF_COLUMNS, Machine
from .memory_operation import MemoryOperation, RowOperation, row_operations
from .output_stage import MOST_SEARCH_READS
from .passes import Pass

#: Planes of a code at most.
_MOST_PLANES = 8
#: Fields of a pass that are not whole numbers.
_TYPES: dict[str, type] = {
    **dict.fromkeys(
        ("in_bytes", "spread", "subtracts", "multiplies", "float_scale", "residual", "own_code"), bool
    ),
    **dict.fromkeys(("multiplies_total", "table", "raw"), bool),
    "load": Load,
    "pool": Pool,
    "rounding": Rounding,
    "own_rounding": Rounding,
}
_PASS_FIELDS = {field.name for field in fields(Pass)}
#: The fields of a pass among those of a descriptor.
PASS_FIELDS: tuple[Field, ...] = tuple(
    field for field in DESCRIPTOR_FIELDS if field.meant in _PASS_FIELDS - {"machine"}
)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first descriptor of a program: the machine and version that it is for.

    Parameters
    ----------
    machine : int
        `spinplane.machine.registers.machine_digest` of its machine.
    tag : int
        Of its kernels; 0 if none stay in the array.
    version : int
        Of the program format.
    """

    machine: int
    tag: int = 0
    version: int = FORMAT_VERSION


@dataclass(frozen=True)
class End:
    """The last descriptor of a program."""


class FieldError(SpinplaneError):
    """A word does not fit its field; `word` is its number."""

    def __init__(self, word: int, message: str) -> None:
        super().__init__(message)
        self.word = word


class UnitError(FieldError):
    """A word of a pass or a memory operation fits its field, but asks for what no unit of the machine does."""


class KindError(SpinplaneError):
    """A descriptor is of a kind that the machine does not have."""


def largest(name: str) -> int:
    """Largest number of a pass that the field of that name holds."""
    field = next(field for field in PASS_FIELDS if field.meant == name)
    return _meant(field, field.largest)


def encode(descriptor: Header | Pass | MemoryOperation | End) -> NDArray[np.uint32]:
    """Words of a descriptor.

    Returns
    -------
    ndarray of shape (DESCRIPTOR_WORDS,), uint32

    Raises
    ------
    SpinplaneError
        If a number does not fit its field, naming the field, the number and what is allowed.
    """
    match descriptor:
        case Header(machine=machine, tag=tag, version=version):
            return raw_words(kind=Kind.HEADER.value, machine=machine, tag=tag, version=version)
        case Pass():
            values = {field.name: _held(field, getattr(descriptor, field.meant)) for field in PASS_FIELDS}
            return raw_words(kind=Kind.LAYER.value, **values)
        case MemoryOperation():
            return raw_words(kind=Kind.MEMORY.value, **_memory_words(descriptor))
        case End():
            return raw_words(kind=Kind.END.value)


def raw_words(**held: int) -> NDArray[np.uint32]:
    """Words that hold these values as they are, and 0 elsewhere: for descriptors that mean nothing, too.

    Raises
    ------
    SpinplaneError
        If there is no such field, or a value does not fit it.
    """
    words = np.zeros(DESCRIPTOR_WORDS, dtype=np.uint32)
    for name, value in held.items():
        if name not in FIELD_INDEX:
            raise SpinplaneError(f"a descriptor has no field {name!r}")
        field = DESCRIPTOR_FIELDS[FIELD_INDEX[name]]
        if not field.smallest <= value <= field.largest:
            raise SpinplaneError(
                f"descriptor field {field.meant} = {_meant(field, value)}: {_allowed(field)}"
            )
        words[FIELD_INDEX[name]] = value & 0xFFFFFFFF
    return words


def decode(words: NDArray[np.uint32], machine: Machine) -> Header | Pass | MemoryOperation | End:
    """What a descriptor says to a machine; the inverse of `encode`.

    Parameters
    ----------
    words : ndarray of shape (DESCRIPTOR_WORDS,), uint32
    machine : Machine

    Raises
    ------
    FieldError
        If a word does not fit its field: for the first such word.
    UnitError
        If a word of a pass or a memory operation asks for what no unit of the machine does: for the first such word.
    KindError
        If it is of a kind that the machine does not have.
    """
    held: dict[str, int] = {}
    for index, (field, word) in enumerate(zip(DESCRIPTOR_FIELDS, words.tolist(), strict=False)):
        value = word - (word >> 31 << 32) if field.signed else word
        if not field.smallest <= value <= field.largest:
            raise FieldError(
                index, f"descriptor field {field.meant} = {_meant(field, value)}: {_allowed(field)}"
            )
        held[field.name] = value
    match held["kind"]:
        case Kind.HEADER.value:
            return Header(machine=held["machine"], tag=held["tag"], version=held["version"])
        case Kind.LAYER.value:
            refused = _refused(held, machine)
            if refused is not None:
                field = DESCRIPTOR_FIELDS[refused]
                value = _meant(field, held[field.name])
                raise UnitError(
                    refused,
                    f"descriptor field {field.meant} = {value}: no unit of machine {machine.name} does this",
                )
            values = {field.meant: _meant(field, held[field.name]) for field in PASS_FIELDS}
            typed: dict[str, Any] = {
                name: _TYPES[name](value) if name in _TYPES else value for name, value in values.items()
            }
            return Pass(machine=machine, **typed)
        case Kind.MEMORY.value if machine.memory_operations:
            wrong = _refused_operation(held, machine)
            if wrong is not None:
                raise UnitError(
                    FIELD_INDEX[wrong],
                    f"descriptor field {wrong} = {held[wrong]}: no memory operation of machine {machine.name}",
                )
            return _memory_operation(held, machine)
        case Kind.END.value:
            return End()
    raise KindError(
        f"descriptor field kind = {held['kind']}: machine {machine.name} has no memory operations "
        "(memory_operations)"
    )


def _held(field: Field, number: object) -> int:
    """What the word of a field holds for a number that is meant."""
    value = number.value if isinstance(number, Load | Pool | Rounding) else int(number)  # type: ignore[call-overload]
    match field.holds:
        case Holds.LESS_ONE:
            return value - 1
        case Holds.LOGARITHM:
            if value < 1 or value & (value - 1):
                raise SpinplaneError(f"descriptor field {field.meant} = {value}: {_allowed(field)}")
            return value.bit_length() - 1
    return value


def _meant(field: Field, value: int) -> int:
    """The number that is meant by what the word of a field holds."""
    match field.holds:
        case Holds.LESS_ONE:
            return value + 1
        case Holds.LOGARITHM if 0 <= value < 32:
            return 1 << value
    return value


def _allowed(field: Field) -> str:
    kind = "a power of two" if field.holds is Holds.LOGARITHM else "a whole number"
    return f"must be {kind} from {_meant(field, field.smallest)} to {_meant(field, field.largest)}"


def _refused(held: dict[str, int], machine: Machine) -> int | None:
    """Number of the first word of a pass that asks for what no unit of the machine does, or None."""
    slots, planes, clusters = (1 << held[name] for name in ("log_slots", "log_planes", "log_clusters"))
    longest = Pass(
        machine=machine,
        slots=slots,
        planes=planes,
        spread=bool(held["spread"]),
        in_bytes=bool(held["in_bytes"]),
    ).longest
    fits = {
        "plane_groups": (held["plane_groups"] + 1) * planes <= _MOST_PLANES,
        "log_slots": slots <= machine.segments,
        "log_planes": slots * planes <= machine.columns // LEAF_COLUMNS,
        "spread": not (held["spread"] and held["in_bytes"]),
        "length": held["length"] < longest,
        "last_length": held["last_length"] < longest,
        "first_lines": held["first_lines"] > 0,
        "first_columns": held["first_columns"] > 0,
        "log_clusters": clusters <= machine.row_buses,
        "log_clusters_x": held["log_clusters_x"] <= held["log_clusters"],
        "load": held["load"] in [load.value for load in Load],
        "interval": held["interval"] >= _least_interval(held, machine),
        "pool": held["pool"] in [pool.value for pool in Pool],
        "float_scale": held["multiplies"] or not held["float_scale"],
        "rounding": held["rounding"] in [rounding.value for rounding in Rounding],
        "search_reads": held["search_reads"] <= MOST_SEARCH_READS,
        "residual": held["multiplies"] or not held["residual"],
        "own_code": held["multiplies"] or not held["own_code"],
        "own_rounding": held["own_rounding"] in [rounding.value for rounding in Rounding],
        "multiplies_total": held["own_code"] or not held["multiplies_total"],
        "total_high": held["total_low"] <= held["total_high"],
        "raw": not (held["raw"] and (held["search_reads"] or held["table"])),
    }
    for name in ("sub_arrays", "last_sub_arrays", "load_sub_arrays"):
        fits[name] = held[name] < machine.sub_arrays // clusters
    return min((FIELD_INDEX[name] for name, fit in fits.items() if not fit), default=None)


def _least_interval(held: dict[str, int], machine: Machine) -> int:
    """Least cycles of an outer beat, whatever else is wrong with the pass."""
    names = ("multiplies", "residual", "own_code", "multiplies_total", "table", "raw")
    flags: dict[str, Any] = {name: bool(held[name]) for name in names}
    beat = Pass(
        machine=machine,
        out_planes=held["out_planes"] + 1,
        search_reads=held["search_reads"],
        residual_planes=held["residual_planes"] + 1,
        **flags,
    )
    return beat.least_interval


def _memory_words(operation: MemoryOperation) -> dict[str, int]:
    """What the words of a memory operation hold, by the names of their fields."""
    code, machine = operation.operation.value, operation.machine
    if operation.operation not in row_operations(machine):
        raise SpinplaneError(
            f"{operation.operation.name}: machine {machine.name} does not sense it (xor_sensing)"
        )
    flags = (
        operation.masked << OperationBit.MASKED
        | operation.write_back << OperationBit.WRITE_BACK
        | operation.store << OperationBit.STORE
    )
    numbers = {word: int(getattr(operation, name)) for name, word in MEMORY_WORDS.items()}
    return numbers | {
        "operation": code & 0b11 | flags,
        MEMORY_XOR_WORD: code >> 2,
        MEMORY_ROWS_WORD: operation.rows - 1,
    }


def _memory_operation(held: dict[str, int], machine: Machine) -> MemoryOperation:
    word = held["operation"]
    exclusive = machine.xor_sensing and held[MEMORY_XOR_WORD]
    return MemoryOperation(
        machine=machine,
        operation=RowOperation.XOR if exclusive else RowOperation(word & 0b11),
        rows=held[MEMORY_ROWS_WORD] + 1,
        masked=bool(word >> OperationBit.MASKED & 1),
        write_back=bool(word >> OperationBit.WRITE_BACK & 1),
        store=bool(word >> OperationBit.STORE & 1),
        **{name: held[word] for name, word in MEMORY_WORDS.items()},
    )


def _refused_operation(held: dict[str, int], machine: Machine) -> str | None:
    """Name of the first word of a memory operation that no sub-array of the machine can obey, or None."""
    operation = _memory_operation(held, machine)
    first, last = (MEMORY_WORDS[f"{which}_sub_array"] for which in ("first", "last"))
    fits = {
        MEMORY_XOR_WORD: operation.operation is not RowOperation.XOR
        or RowOperation(held["operation"] & 0b11) is RowOperation.AND,
        last: operation.last_sub_array < machine.sub_arrays,
        first: operation.first_sub_array <= operation.last_sub_array,
        "operation": operation.operation is not RowOperation.WRITE
        or not (operation.write_back or operation.store),
    }
    return next((name for name, fit in fits.items() if not fit), None)
