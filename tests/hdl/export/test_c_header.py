"""The C header: what a compiler makes of it."""

import re
import subprocess
from pathlib import Path

import pytest

from spinplane.hdl.export.c_header import PREFIX, c_header
from spinplane.machine import Machine, Rounding, load_machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.descriptor import (
    DESCRIPTOR_FIELDS,
    DESCRIPTOR_WORDS,
    FORMAT_VERSION,
    Kind,
    Load,
    OperationBit,
    Pool,
)
from spinplane.machine.memory_map import MemoryMap, region_address
from spinplane.machine.memory_operation import RowOperation
from spinplane.machine.registers import (
    IDENTITY,
    Control,
    Error,
    Register,
    Status,
    counter_address,
    log_address,
    machine_digest,
)

STRICT = ("-Wall", "-Wextra", "-pedantic", "-Werror")


@pytest.fixture(params=["tiny", "paper"])
def machine(request: pytest.FixtureRequest) -> Machine:
    return load_machine(request.param)


def expected(machine: Machine) -> dict[str, int]:
    """Every constant by name, from the contract in Python."""
    banks = MemoryMap.of(machine).banks
    sizes = (
        *("sub_arrays", "rows", "columns", "segments", "accumulator_bits", "sense_cycles", "write_cycles"),
        *("row_buses", "results_per_cycle", "multipliers", "bus_bits", "pool_beats", "descriptors"),
    )
    kinds = {
        "KIND": Kind,
        "LOAD": Load,
        "POOL": Pool,
        "ROUNDING": Rounding,
        "OPERATION": list(RowOperation)[:4],
    }
    return {
        **{f"REG_{register.name}": register.value for register in Register},
        **{"ID_VALUE": IDENTITY, "VERSION_VALUE": FORMAT_VERSION, "MACHINE_VALUE": machine_digest(machine)},
        **{f"CONTROL_{flag.name}": flag.value for flag in Control},
        **{f"STATUS_{flag.name}": flag.value for flag in Status},
        **{f"ERROR_{error.name}": error.value for error in Error},
        **{f"COUNTER_{name.upper()}": counter_address(name) for name in ACCELERATOR_COUNTER_NAMES},
        **{"LOG_BASE": 0x10000, "LOG_STRIDE": 0x80},
        **{f"{name.upper()}_BASE": region_address(name) for name in banks},
        **{f"{name.upper()}_BYTES": bank.size for name, bank in banks.items()},
        **{f"{name.upper()}_WORDS": bank.words for name, bank in banks.items()},
        **{f"{name.upper()}_WORD_BITS": bank.width for name, bank in banks.items()},
        **{f"{name}_{one.name}": one.value for name, kind in kinds.items() for one in kind},
        **({"OPERATION_XOR_BIT": 1} if machine.xor_sensing else {}),
        **{f"OPERATION_BIT_{bit.name}": bit.value for bit in OperationBit},
        **{
            "DESCRIPTOR_WORDS": DESCRIPTOR_WORDS,
            "CHANNEL_BITS": 128,
            "PARAMETER_BIAS_BIT": 0,
            "PARAMETER_LOW_BIT": 32,
            "PARAMETER_HIGH_BIT": 41,
            "PARAMETER_THRESHOLD_BASE_BIT": 50,
            "PARAMETER_LEAST_BIT": 66,
            "PARAMETER_SEARCH_BIT": 67,
            "PARAMETER_FALLING_BIT": 68,
            "SCALE_MULTIPLIER_BIT": 0,
            "SCALE_RESIDUAL_MULTIPLIER_BIT": 32,
            "SCALE_OFFSET_BIT": 64,
            "SCALE_SHIFT_BIT": 112,
            "SCALE_HIGH_SHIFT_BIT": 118,
            "THRESHOLDS_PER_WORD": 4,
            "UNUSED_THRESHOLD": 0x7FFFFFFF,
            "CODES_PER_WORD": 16,
            "RAW_BITS": 32,
        },
        **{f"FIELD_{field.name.upper()}": index for index, field in enumerate(DESCRIPTOR_FIELDS)},
        **{name.upper(): getattr(machine, name) for name in sizes},
    }


def run_c(code: str, header: str, folder: Path, compiler: tuple[str, ...] = ("gcc", "-std=c99")) -> str:
    """Output of a program that includes the header twice."""
    (folder / "accelerator.h").write_text(header, encoding="ascii")
    source = folder / ("main.c" if compiler[0] == "gcc" else "main.cpp")
    include = '#include "accelerator.h"\n'
    source.write_text(f"#include <stdio.h>\n{include}{include}int main(void) {{\n{code}return 0;\n}}\n")
    subprocess.run([*compiler, *STRICT, "-o", folder / "main", source], check=True, cwd=folder)
    return subprocess.run([folder / "main"], check=True, capture_output=True, text=True).stdout


def test_a_compiler_reads_the_numbers_of_the_contract(machine: Machine, tmp_path: Path) -> None:
    names = re.findall(rf"^#define {PREFIX}(\w+) ", header := c_header(machine), re.MULTILINE)
    constants = [name for name in names if name != "ACCELERATOR_H"]
    code = "".join(f'printf("%s %lu\\n", "{name}", (unsigned long)({PREFIX}{name}));\n' for name in constants)
    found = {
        name: int(value)
        for name, value in (line.split() for line in run_c(code, header, tmp_path).splitlines())
    }
    assert found == expected(machine)
    assert len(constants) == len(set(constants))


def test_macros_with_parameters(tmp_path: Path) -> None:
    code = (
        f'printf("%u %u\\n", {PREFIX}ERROR_CODE(0x00250002u), {PREFIX}ERROR_WORD(0x00250002u));\n'
        f'printf("%u\\n", {PREFIX}LOG(3u + 2u, {PREFIX}COUNTER_STALLED));\n'
    )
    assert run_c(code, c_header(load_machine("tiny")), tmp_path) == f"2 37\n{log_address(5, 'stalled')}\n"


def test_it_is_cpp_too(tmp_path: Path) -> None:
    code = f'printf("%u\\n", {PREFIX}SUB_ARRAYS);\n'
    assert run_c(code, c_header(load_machine("tiny")), tmp_path, ("g++",)) == "2\n"


def test_it_names_its_machine() -> None:
    assert c_header(load_machine("tiny")).startswith(
        "/* Registers, banks and programs of the accelerator, machine tiny.\n"
        "   Generated by spinplane: do not edit. */\n"
    )
