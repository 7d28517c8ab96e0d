"""Mapping to the cells of a Liberty library."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from spinplane.machine import SpinplaneError

from .area import Figures
from .library import FullAdder, Library

ADDERS = ("ripple", "fast")
"""Carries that ripple through the library's full adders, or prefix adders and Booth's multipliers made of gates."""

# Carries ripple: the smallest adder, not the fastest. An operand that `opt` found to be 0 has no bits.
_CARRY_MAP = """\
(* techmap_celltype = "$alu" *)
module ripple_carry (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  input CI, BI;
  output [Y_WIDTH-1:0] X, Y, CO;
  wire [Y_WIDTH-1:0] a, b;
  generate
    if (A_WIDTH == 0) assign a = 0;
    else \\$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_a (.A(A), .Y(a));
    if (B_WIDTH == 0) assign b = 0;
    else \\$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_b (.A(B), .Y(b));
  endgenerate
  wire [Y_WIDTH-1:0] c = b ^ {Y_WIDTH{BI}};
  wire [Y_WIDTH:0] carry;
  assign carry[0] = CI;
  assign X = a ^ c;
  assign CO = carry[Y_WIDTH:1];
  genvar i;
  generate
    for (i = 0; i < Y_WIDTH; i = i + 1) begin : bits
      \\$fa #(.WIDTH(1)) adder (.A(a[i]), .B(c[i]), .C(carry[i]), .X(carry[i+1]), .Y(Y[i]));
    end
  endgenerate
endmodule
"""

# Bits with a constant are left to ABC, which makes half adders or less of them.
_ADDER_MAP = """\
(* techmap_celltype = "$fa" *)
module full_adder (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : bits
      if (_TECHMAP_CONSTMSK_A_[i] || _TECHMAP_CONSTMSK_B_[i] || _TECHMAP_CONSTMSK_C_[i]) begin
        assign Y[i] = A[i] ^ B[i] ^ C[i];
        assign X[i] = (A[i] & B[i]) | (A[i] & C[i]) | (B[i] & C[i]);
      end else begin
        \\{cell} adder (.\\{a} (A[i]), .\\{b} (B[i]), .\\{c} (C[i]), .\\{sum} (Y[i]), .\\{carry} (X[i]));
      end
    end
  endgenerate
endmodule
"""

# For a period: Yosys' own reduction, none to two rounds of balancing (`&if -g`), gates, buffers (also of inputs, where
# flip-flops drive) and their sizes. docs/area.md has what each of these brings.
_REDUCE = "strash;&get,-n;&fraig,-x;&put;scorr;dc2;strash;&get,-n;&st;"
_BALANCE = ("", "&if,-g,-K,6;&st;&dch,-f;", "&if,-g,-K,6;&st;&if,-g,-K,6;&st;&dch,-f;")
_GATES = "&nf,{D};&put;buffer,-p,-N,24;topo;upsize,{D};dnsize,{D};stime,-p"
_DELAY = re.compile(r"^ABC: .* Delay = *([\d.]+) ps", re.MULTILINE)
# ABC knows no flip-flops: a fifth of the period is theirs.
_LOGIC_SHARE = 0.8
_PS_PER_NS = 1000
_OUTPUT_LOAD_FF = 20  # about ten gates at 45 nm


@dataclass(frozen=True, kw_only=True)
class AsicTarget:
    """The cells of a library as a target of synthesis.

    Parameters
    ----------
    library : Library
    adders : {"ripple", "fast"}
        See `ADDERS`.
    period_ns : float, optional
        Map each module to the smallest cells with which ABC's estimate meets this clock period, or else to the
        fastest; without it for area alone.

    Raises
    ------
    SpinplaneError
        If `adders` is unknown, or the period is not a positive number, or the library has no timing for it.
    """

    library: Library
    adders: str = "ripple"
    period_ns: float | None = None

    separately = True
    """Modules are mapped in runs of their own: a module's cells depend on nothing else in the design."""

    def __post_init__(self) -> None:
        if self.adders not in ADDERS:
            raise SpinplaneError(f"adders = {self.adders!r}: must be one of {', '.join(ADDERS)}")
        if self.period_ns is not None:
            if not 0 < self.period_ns < math.inf:
                raise SpinplaneError(f"period_ns = {self.period_ns}: must be a positive number")
            self.library.require_timing()

    @property
    def efforts(self) -> int:
        """Number of scripts to choose from, from the smallest to the fastest cells."""
        return 1 if self.period_ns is None else len(_BALANCE)

    def is_met(self, log: str) -> bool:
        """Whether the cells that Yosys has mapped to, as its log tells, are fast enough for the period."""
        if self.period_ns is None or "nothing to map" in log:
            return True
        delays = _DELAY.findall(log)
        return bool(delays) and float(delays[-1]) <= self._logic_ps

    @property
    def _logic_ps(self) -> int:
        return max(1, round((self.period_ns or 0) * _LOGIC_SHARE * _PS_PER_NS))

    @property
    def name(self) -> str:
        """Name of the library."""
        return self.library.name

    def files(self) -> dict[str, str]:
        """Files that `script` reads, by name."""
        files = {"library.lib": self.library.text}
        if (adder := self.library.full_adder) is not None:
            files |= {"carry.v": _CARRY_MAP, "adder.v": _adder_map(adder)}
        if self.period_ns is not None:
            files["abc.constr"] = f"set_driving_cell {self.library.buffer}\nset_load {_OUTPUT_LOAD_FF}\n"
        return files

    def script(self, top: str, effort: int = 0) -> str:
        """Yosys commands that map the design in memory, its hierarchy kept.

        Additions that may ripple go to the library's full adder where it has one, as ABC uses no cell with two
        outputs. What that brings is measured in ``docs/area.md``.

        Parameters
        ----------
        top : str
        effort : int
            Less than `efforts`.
        """
        leave = "".join(f" -dont_use {name}" for name in self.library.dont_use)
        multipliers = "booth\n" if self.adders == "fast" else ""
        adders = "techmap -map carry.v\nsimplemap t:$pos\nopt -full\ntechmap -map adder.v\n"
        if self.adders == "fast" or self.library.full_adder is None:
            adders = ""
        speed = ""
        if self.period_ns is not None:
            speed = f" -constr abc.constr -D {self._logic_ps} -script +{_REDUCE}{_BALANCE[effort]}{_GATES}"
        return f"""\
read_liberty -lib -ignore_miss_func library.lib
synth -top {top} -run begin:fine
memory_map
opt -undriven -fine
{multipliers}maccmap
opt -full
{adders}techmap
opt -fast
dfflibmap -liberty library.lib{leave}
opt
abc -liberty library.lib{leave}{speed}
opt_clean -purge
"""

    def figures(self, cells: Counter[str]) -> Figures:
        """Figures of a number of cells of each type.

        Raises
        ------
        SpinplaneError
            If the library has no such cell, or no area for it.
        """
        library = self.library
        area, leakage, flip_flops = Decimal(0), Decimal(0), 0
        leakage_known = True
        for name, number in cells.items():
            cell = library.cells.get(name)
            if cell is None:
                raise SpinplaneError(f"library {library.source}: has no cell for Yosys' {name}")
            if cell.area is None:
                raise SpinplaneError(f"library {library.source}: cell {name} has no area")
            area += cell.area * number
            if cell.leakage_nw is None:
                leakage_known = False
            else:
                leakage += cell.leakage_nw * number
            flip_flops += number if cell.is_flip_flop else 0
        return Figures(
            cells=cells.total(),
            flip_flops=flip_flops,
            area_um2=float(area),
            leakage_nw=float(leakage) if leakage_known else None,
        )


def _adder_map(adder: FullAdder) -> str:
    text = _ADDER_MAP
    pins = dict(zip("abc", adder.inputs, strict=True)) | {"sum": adder.sum, "carry": adder.carry}
    for key, name in ({"cell": adder.cell} | pins).items():
        text = text.replace("{" + key + "}", name)
    return text
