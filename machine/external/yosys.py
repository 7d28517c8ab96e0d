"""Scripts for Yosys."""

from collections.abc import Iterable, Sequence

from ..names import DottedName, Name
from .text import Text, fill, inline, joined

_NOTHING = fill("")

# `proc` with multiplexers, not `always @*`: Icarus does not run those at time 0. No tables: their contents would be
# initial values, which a chip does not have. `-noattr` keeps the text to read.
_TO_VERILOG = """read_rtlil <<@end@
@rtlil@
proc -norom
memory_collect
opt_clean -purge
write_verilog -noparallelcase -noattr
"""
_END = fill("spinplane_end_of_rtlil")

_TO_CELLS = """\
read_liberty -lib -ignore_miss_func library.lib
synth -top @top@ -run begin:fine
memory_map
opt -undriven -fine
@multipliers@maccmap
opt -full
@adders@techmap
opt -fast
dfflibmap -liberty library.lib@leave@
opt
abc -liberty library.lib@leave@@speed@
opt_clean -purge
"""
_ADDERS = fill("techmap -map carry.v\nsimplemap t:$pos\nopt -full\ntechmap -map adder.v\n")
# For a period: Yosys' own reduction, none to two rounds of balancing (`&if -g`), gates, buffers (also of inputs, where
# flip-flops drive) and their sizes. docs/timing.md has what each of these brings.
_REDUCE = "strash;&get,-n;&fraig,-x;&put;scorr;dc2;strash;&get,-n;&st;"
_BALANCE = ("", "&if,-g,-K,6;&st;&dch,-f;", "&if,-g,-K,6;&st;&if,-g,-K,6;&st;&dch,-f;")
_GATES = "&nf,{D};&put;buffer,-p,-N,24;topo;upsize,{D};dnsize,{D};stime,-p"

#: Scripts of `to_cells` with a period, from the smallest to the fastest cells.
EFFORTS = len(_BALANCE)

_TO_FPGA = {
    "xc7": "synth_xilinx -family xc7 -noiopad -noclkbuf -top @top@\n",
    "ecp5": "synth_ecp5 -noflatten -top @top@\n",
    "ice40": "synth_ice40 -noflatten -top @top@\n",
}

# Flip-flops and memories are cut out: their pins become ports, where paths end and begin. ABC reads that netlist in
# place of the inverter that it is called for, tells its path and goes back.
_LOGIC_PATH = """\
read_liberty -lib -ignore_miss_func library.lib
read_liberty -lib memories.lib
@netlists@hierarchy -top @top@
flatten
@cut@opt_clean -purge
splitnets -ports
write_verilog -noattr -noexpr -nohex -simple-lhs @top@.logic.v
design -reset
read_verilog <<@end@
@inverter@
synth -top inverter
abc -liberty library.lib -script +&get,-n;read_verilog,-m,@top@.logic.v;topo;stime,-p;&put
"""
_INVERTER = "module inverter (input a, output y); assign y = ~a; endmodule"

_NETLIST = """\
rename -wire t:*@boxes@
read_liberty -lib memories.lib
techmap -map memories.v
hierarchy -top @top@
write_verilog -noattr -simple-lhs @top@.netlist.v
"""


def to_verilog(rtlil: Sequence[str]) -> Text:
    """Commands that write RTLIL modules, as Amaranth has made them, as Verilog to the output."""
    return fill(_TO_VERILOG, end=_END, rtlil=inline("\n".join(rtlil), _END))


def read_modules(libraries: Sequence[Name], modules: Sequence[Name]) -> Text:
    """Commands that read ``NAME.v`` of modules: of `libraries` the ports alone; the last of `modules` is the top."""
    return joined(
        [
            *(fill("read_verilog -lib @name@.v\n", name=name) for name in libraries),
            *(fill("read_verilog @name@.v\n", name=name) for name in modules),
            fill("hierarchy -check -top @top@\n", top=modules[-1]),
        ]
    )


def to_cells(
    top: Name,
    *,
    leave: Sequence[DottedName] = (),
    booth: bool = False,
    full_adders: bool = False,
    period_ps: int | None = None,
    effort: int = 0,
) -> Text:
    """Commands that map the design in memory to the cells of ``library.lib``, its hierarchy kept.

    Parameters
    ----------
    top : Name
    leave : sequence of DottedName
        Cells not to take.
    booth : bool
        Make multipliers by Booth's recoding.
    full_adders : bool
        Make additions of ``carry.v`` and ``adder.v``.
    period_ps : int, optional
        Map for this period, with ``abc.constr``, in place of the smallest area.
    effort : int
        Less than `EFFORTS`.
    """
    speed = _NOTHING
    if period_ps is not None:
        script = fill(f"{_REDUCE}{_BALANCE[effort]}{_GATES}")
        speed = fill(" -constr abc.constr -D @ps@ -script +@script@", ps=period_ps, script=script)
    return fill(
        _TO_CELLS,
        top=top,
        multipliers=fill("booth\n") if booth else _NOTHING,
        adders=_ADDERS if full_adders else _NOTHING,
        leave=joined(fill(" -dont_use @cell@", cell=cell) for cell in leave),
        speed=speed,
    )


def constraints(buffer: DottedName, load_ff: int) -> Text:
    """``abc.constr``: what drives inputs, and the load of outputs."""
    return fill("set_driving_cell @buffer@\nset_load @load@\n", buffer=buffer, load=load_ff)


def to_fpga(family: str, top: Name) -> Text:
    """Commands that map the design in memory to the primitives of ``xc7``, ``ecp5`` or ``ice40``."""
    return fill(_TO_FPGA[family], top=top)


def write_statistics(top: Name) -> Text:
    """Commands that write the cells of each module to ``TOP.json``."""
    return fill("tee -o @top@.json stat -json\n", top=top)


def write_netlist(top: Name, boxes: Iterable[Name]) -> Text:
    """Commands that write the mapped module in memory as OpenSTA can read it, to ``TOP.netlist.v``.

    Black boxes become the cells of ``memories.lib`` to which ``memories.v`` maps them. All other cells get the names
    of what they drive.
    """
    return fill(_NETLIST, top=top, boxes=joined(fill(" t:@box@ %d", box=box) for box in boxes))


def logic_path(modules: Sequence[Name], top: Name, cut: Iterable[DottedName]) -> Text:
    """Commands that have ABC tell the worst path of `top` and of all that it places, in the log.

    Read are ``library.lib``, ``memories.lib`` and ``NAME.netlist.v`` of all modules. What ABC reads is left in
    ``TOP.logic.v``; the path begins at one of its inputs and ends at one of its outputs.

    Parameters
    ----------
    modules : sequence of Name
    top : Name
    cut : iterable of DottedName
        Cells at which paths end and begin: flip-flops, memories.
    """
    cells = joined(fill(" t:@cell@", cell=cell) for cell in cut)
    return fill(
        _LOGIC_PATH,
        netlists=joined(fill("read_verilog @name@.netlist.v\n", name=name) for name in modules),
        top=top,
        cut=fill("expose -evert@cells@\n", cells=cells) if cells else _NOTHING,
        end=_END,
        inverter=inline(_INVERTER, _END),
    )


# No net of the RTL begins like those that the mapping adds.
_WRITE_GATES = "write_verilog -noattr -renameprefix mapped @top@.gates.v\n"

# Modules that are placed are cut out on both sides: their ports become ports, so that what goes into them is compared
# and what comes out of them is free.
_SIDE = """\
hierarchy -check -top @top@
proc
memory_map
@cut@flatten
delete */t:$scopeinfo
opt_clean
rename @top@ @side@
design -stash @side@
"""
_BOTH_SIDES = """\
@ports@read_verilog @top@.v
@rtl@read_liberty -ignore_miss_func library.lib
@ports@read_verilog @top@.gates.v
@gates@design -copy-from rtl -as rtl rtl
design -copy-from gates -as gates gates
"""
# Bit by bit, flip-flops that both sides have are cut, too: what they take next is compared, from every state. Those
# that never leave their reset value, which gates do not have, are that value. A bit is NAME<n>: NAME[n] may be a net of
# the RTL's own.
_CUT = """\
splitnets -ports -format <>
expose -dff -evert-dff -shared rtl gates
write_json @top@.sides.json
"""
# Where the RTL is undefined, gates may be anything; with that encoded there are two values alone.
_STEP = """\
read_json @top@.sides.json
miter -equiv -flatten -make_outcmp -ignore_gold_x rtl gates miter
hierarchy -top miter
delete */t:$scopeinfo
opt -fast
xprop -assume-def-inputs
chformal -assume -remove
opt -fast
techmap
opt -fast
abc -script +strash;&get,-n;&fraig,-x,-C,@conflicts@;&put
opt -fast
write_json @top@.points.json
write_rtlil @top@.open.il
"""
_SEARCH = """\
read_rtlil @top@.open.il
delete -output w:cmp_*
opt_clean
techmap
abc -script +strash;iprove,-N,@rounds@,-M,@conflicts@
"""
_DIFFERENCE = """\
read_rtlil @top@.open.il
sat -prove trigger 0 -show-outputs
"""


def write_gates(top: Name) -> Text:
    """Commands that write the mapped module in memory as it is compared and simulated, to ``TOP.gates.v``."""
    return fill(_WRITE_GATES, top=top)


def write_gates_as_json(top: Name) -> Text:
    """Commands that write the mapped module in memory as JSON, to ``TOP.gates.json``."""
    return fill("write_json @top@.gates.json\n", top=top)


def cut_sides(top: Name, placed: Sequence[Name]) -> Text:
    """Commands that write ``TOP.v`` and ``TOP.gates.v`` to ``TOP.sides.json``, as modules ``rtl`` and ``gates``.

    Flip-flops of both are cut: ``NAME.q`` is an input, what it takes next the output ``NAME.d``.

    Parameters
    ----------
    top : Name
    placed : sequence of Name
        Modules that it places, whose ports are read from ``NAME.v``.
    """
    return joined([_both_sides(top, placed), fill(_CUT, top=top)])


def compare_step(top: Name, *, conflicts: int) -> Text:
    """Commands that compare the outputs of both modules of ``TOP.sides.json``.

    They merge what is equal in both. In ``TOP.points.json`` an output ``cmp_NAME`` is 1 where that has made its two
    sides one; what is left is in ``TOP.open.il``.

    Parameters
    ----------
    top : Name
    conflicts : int
        After which the solver leaves a pair of nets undecided.
    """
    return fill(_STEP, top=top, conflicts=conflicts)


def search_difference(top: Name, *, rounds: int, conflicts: int) -> Text:
    """Commands that ask a prover whether anything in ``TOP.open.il`` differs.

    In so many rounds, each a longer one; `conflicts` are the limit of the last one.
    """
    return fill(_SEARCH, top=top, rounds=rounds, conflicts=conflicts)


def show_difference(top: Name) -> Text:
    """Commands that show a state and inputs from which something in ``TOP.open.il`` differs."""
    return fill(_DIFFERENCE, top=top)


def _both_sides(top: Name, placed: Sequence[Name]) -> Text:
    """Commands that make the modules ``rtl`` and ``gates``."""
    instances = joined(fill(" @top@/t:@name@", top=top, name=name) for name in placed)
    cut = fill("expose -evert@instances@\n", instances=instances) if placed else _NOTHING
    rtl, gates = (fill(_SIDE, top=top, cut=cut, side=Name(side)) for side in ("rtl", "gates"))
    ports = joined(fill("read_verilog -lib @name@.v\n", name=name) for name in placed)
    return fill(_BOTH_SIDES, top=top, ports=ports, rtl=rtl, gates=gates)
