"""What four tools may say of an export, and why: the one place where a message of theirs is waived.

Verilator and slang read their waivers from files of the export. Verilator's names the generated modules alone: a user's
own Verilog beside them, the models and the stubs are looked at whole. slang waives a rule for all that it reads, though
only generated modules need it. Icarus and Yosys have nothing to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Messages of one rule of one tool.

    Parameters
    ----------
    tool : {"verilator", "slang"}
    rule : str
        As the tool names it.
    reason : str
    modules : str
        Pattern of the names of generated modules.
    """

    tool: str
    rule: str
    reason: str
    modules: str = "*"


WAIVERS = (
    Waiver(
        tool="verilator",
        rule="PROCASSINIT",
        reason="simulations of single units begin without a reset; initial values decide nothing behind one",
    ),
    Waiver(
        tool="verilator",
        rule="UNUSEDSIGNAL",
        reason="fields of a descriptor and carries that a unit does not use; signals that a standard bus requires",
    ),
    Waiver(
        tool="verilator",
        rule="WIDTHEXPAND",
        reason="Yosys writes operators at the width of their operands, and constants without leading zeros",
    ),
    Waiver(
        tool="verilator",
        rule="WIDTHTRUNC",
        reason="Yosys writes a test for zero as ! of a vector, and a part of a vector as a shift",
    ),
    Waiver(
        tool="verilator",
        rule="SYMRSVDWORD",
        reason="a common word of C++ but no keyword, and the name by which hosts know the pin",
        modules="accelerator*",
    ),
    Waiver(
        tool="verilator",
        rule="CMPCONST",
        reason="a limit of a machine can be all that a field holds anyway",
        modules="layer_controller",
    ),
    Waiver(
        tool="verilator",
        rule="LATCH",
        reason="a clock gate holds its enable while the clock is high",
        modules="clock_gate",
    ),
    Waiver(tool="slang", rule="width-trunc", reason="Yosys writes a part of a vector as a shift"),
)


def verilator_waivers(modules: Iterable[str]) -> str:
    """A configuration file of Verilator, to be read before the modules.

    It names each file as it is called from its own folder and from elsewhere: ``*sum.v`` would be ``checksum.v`` too.
    """
    names = list(modules)
    parts = [
        f"// {waiver.reason}\n"
        + "".join(
            f'lint_off -rule {waiver.rule} -file "{place}{name}.v"\n'
            for name in names
            if fnmatchcase(name, waiver.modules)
            for place in ("", "*/")
        )
        for waiver in _of("verilator")
    ]
    return "`verilator_config\n" + "".join(parts)


def slang_options() -> str:
    """A command file of slang; it waives by rule alone."""
    waived = "".join(f"// {waiver.reason}\n-Wno-{waiver.rule}\n" for waiver in _of("slang"))
    return f"// slang -f slang.f\n-Wextra\n{waived}-f simulation.f\n"


def _of(tool: str) -> list[Waiver]:
    return [waiver for waiver in WAIVERS if waiver.tool == tool]
