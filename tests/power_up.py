"""Verilog as a chip has it: no flip-flop has a value before its first reset."""

import re
from pathlib import Path

#: What Yosys writes of a register's initial value.
_REGISTER = re.compile(r"^(  reg (?:\[[^]]*\] )?(?:\\\S+ |\w+)) = [^;]*;$", re.MULTILINE)


def without_initial_values(text: str) -> str:
    """Generated Verilog without the initial values of its registers.

    Raises
    ------
    AssertionError
        If any other initial value is left, as of a table.
    """
    stripped = _REGISTER.sub(r"\1;", text)
    assert not re.search(r"^\s*initial\b|^\s*reg .*=", stripped, re.MULTILINE), "an initial value is left"
    return stripped


def strip_export(folder: Path, modules: tuple[str, ...]) -> int:
    """Take the initial values out of the modules of an export and of its banks; returns how many registers had one."""
    count, bank = 0, folder / "bank.v"
    text, contents = (
        bank.read_text(encoding="utf-8"),
        re.compile(r"^    (read__data = 0|for .* words\[word] = 0);\n", re.MULTILINE),
    )
    assert len(contents.findall(text)) == 2
    bank.write_text(contents.sub("", text), encoding="utf-8")
    for module in modules:
        path = folder / f"{module}.v"
        text = path.read_text(encoding="utf-8")
        count += len(_REGISTER.findall(text))
        path.write_text(without_initial_values(text), encoding="utf-8")
    return count
