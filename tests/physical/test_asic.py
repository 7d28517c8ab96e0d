# amaranth: UnusedElaboratable=no
"""Mapping to a library's cells: exact areas, and netlists that compute what the RTL does."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.hdl import BitCounter, MultiLineRowDecoder, ReferenceSelect, RowDecoder, Shifter, Sum
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.machine import Name, SpinplaneError
from spinplane.physical.area import Figures
from spinplane.physical.asic import ADDERS, AsicTarget
from spinplane.physical.liberty import library_text
from spinplane.physical.library import Library, read_library
from spinplane.physical.synthesis import map_modules
from spinplane.physical.timing import Netlists, find_sta, worst_paths
from spinplane.physical.yosys import find_yosys, run_script

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"

# Its flip-flops have an inverted output, or a set and a reset.
INVERTED = """
library (inverted) {
  cell (NOT) { area : 1; pin (A) { direction : input; } pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; } pin (Y) { direction : output; function : "A"; } }
  cell (NAND) { area : 2; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!(A B)"; } }
  cell (FLOP) { area : 10; FF
    pin (D) { direction : input; } pin (C) { direction : input; } PINS
  }
}
"""
INVERTED_OUTPUT = INVERTED.replace("FF", 'ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; }').replace(
    "PINS", 'pin (QN) { direction : output; function : "IQN"; }'
)
SET_AND_RESET = INVERTED.replace(
    "FF",
    'ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; clear : "!R"; preset : "!S";'
    " clear_preset_var1 : L; clear_preset_var2 : L; }",
).replace(
    "PINS",
    "pin (R) { direction : input; } pin (S) { direction : input; }"
    ' pin (Q) { direction : output; function : "IQ"; }',
)


def _library(source: str, tmp_path: Path) -> Library:
    if source == "spinplane45":
        return read_library()
    if source == "gscl45nm":
        if not GSCL45NM.is_file():
            pytest.skip("gscl45nm.lib is not beside the repository (shared/pdk)")
        return read_library(GSCL45NM)
    path = tmp_path / "foreign.lib"
    path.write_text(source)
    return read_library(path)


def _map(verilog: str, top: str, library: Library) -> Counter[str]:
    return map_modules({Name(top): verilog}, {}, AsicTarget(library=library), find_yosys())[top]


@pytest.mark.parametrize(
    ("expression", "cell"),
    [
        ("~a", "INVX1"),
        ("~(a & b)", "NAND2X1"),
        ("~(a | b)", "NOR2X1"),
        ("a & b", "AND2X1"),
        ("a | b", "OR2X1"),
        ("a ^ b", "XOR2X1"),
        ("~(a ^ b)", "XNOR2X1"),
        ("~((a & b) | c)", "AOI21X1"),
        ("~((a | b) & c)", "OAI21X1"),
        ("~(a & b & c)", "NAND3X1"),
        ("~(a | b | c)", "NOR3X1"),
        ("~((a & b) | (c & d))", "AOI22X1"),
        ("~((a | b) & (c | d))", "OAI22X1"),
        ("~(c ? a : b)", "MUX2X1"),
    ],
)
def test_a_gate_takes_its_cell(expression: str, cell: str) -> None:
    library = read_library()
    verilog = (
        f"module gate (input a, input b, input c, input d, output y); assign y = {expression}; endmodule\n"
    )
    cells = _map(verilog, "gate", library)
    assert cells == Counter({cell: 1})
    area, leakage = library.cells[cell].area, library.cells[cell].leakage_nw
    assert area is not None
    assert leakage is not None
    assert AsicTarget(library=library).figures(cells) == Figures(
        cells=1, flip_flops=0, area_um2=float(area), leakage_nw=float(leakage)
    )


FLOP = "module flop (input clk, input d, output reg q); always @(posedge clk) q <= d; endmodule\n"


def test_a_flip_flop_takes_its_cell() -> None:
    library = read_library()
    cells = _map(FLOP, "flop", library)
    assert AsicTarget(library=library).figures(cells) == Figures(
        cells=1, flip_flops=1, area_um2=7.978, leakage_nw=79.87
    )


@pytest.mark.parametrize(("source", "area"), [(INVERTED_OUTPUT, 11.0), (SET_AND_RESET, 10.0)])
def test_flip_flops_of_other_kinds(source: str, area: float, tmp_path: Path) -> None:
    library = _library(source, tmp_path)
    figures = AsicTarget(library=library).figures(_map(FLOP, "flop", library))
    assert figures.flip_flops == 1
    assert figures.area_um2 == area
    assert figures.leakage_nw is None


def test_an_addition_takes_full_adders_where_it_has_three_bits() -> None:
    ports = "input [7:0] a, input [7:0] b, output [8:0] y"
    cells = _map(f"module add ({ports}); assign y = a + b; endmodule\n", "add", read_library())
    assert cells == Counter({"FAX1": 7, "XOR2X1": 1, "AND2X1": 1})


def test_a_negation_is_an_adder_with_an_operand_of_no_bits() -> None:
    """Yosys gives its 0 no bits; half adders are left of it."""
    verilog = "module negate (input [7:0] b, output [8:0] y); assign y = -b; endmodule\n"
    cells = _map(verilog, "negate", read_library())
    assert "FAX1" not in cells
    assert 0 < cells.total() < 30


def test_dont_use_is_left_alone(tmp_path: Path) -> None:
    marked = library_text()
    for cell in ("XOR2X1", "FAX1"):
        marked = marked.replace(f"cell ({cell}) {{", f"cell ({cell}) {{ dont_use : true;")
    library = _library(marked, tmp_path)
    verilog = verilog_modules(BitCounter(16, 1), "bit_counter")["bit_counter"]
    assert {"XOR2X1", "FAX1"} <= set(_map(verilog, "bit_counter", read_library()))
    assert not {"XOR2X1", "FAX1"} & set(_map(verilog, "bit_counter", library))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"$_DLATCH_P_": 1}, "library spinplane45: has no cell for Yosys' $_DLATCH_P_"),
        ({"INVX1": 1, "VOID": 1}, "library spinplane45: has no cell for Yosys' VOID"),
    ],
)
def test_refuses_cells_of_no_library(cells: dict[str, int], message: str) -> None:
    with pytest.raises(SpinplaneError) as error:
        AsicTarget(library=read_library()).figures(Counter(cells))
    assert str(error.value) == message


def test_refuses_a_cell_without_area(tmp_path: Path) -> None:
    library = _library(library_text().replace("area : 4.693;", "", 1), tmp_path)
    with pytest.raises(SpinplaneError) as error:
        AsicTarget(library=library).figures(Counter({"XOR2X1": 1}))
    assert str(error.value) == f"library {tmp_path / 'foreign.lib'}: cell XOR2X1 has no area"


UNITS = {
    "row_decoder": lambda: RowDecoder(16),
    "multi_line_row_decoder": lambda: MultiLineRowDecoder(13),
    "reference_select": ReferenceSelect,
    "shifter": lambda: Shifter(5, 16, 4),
    "bit_counter": lambda: BitCounter(32, 4, leaf=8),
    "sum": lambda: Sum(2, 16),
}


def _prove(
    unit: wiring.Component, name: str, target: AsicTarget, models: str, workdir: Path, effort: int = 0
) -> None:
    """Map `unit`; prove the netlist, with cells as in `models`, equal to the RTL for any input and state."""
    for file, text in {**target.files(), "models.lib": models}.items():
        (workdir / file).write_text(text)
    (workdir / "rtl.v").write_text("".join(verilog_modules(unit, name).values()))
    run_script(
        f"""\
read_verilog rtl.v
hierarchy -check -top {name}
{target.script(Name(name), effort)}read_liberty -overwrite -ignore_miss_func models.lib
flatten
rename -top gate
design -stash gate
read_verilog rtl.v
hierarchy -check -top {name}
proc
flatten
opt_clean
rename -top gold
design -copy-from gate gate
equiv_make gold gate equiv
hierarchy -top equiv
opt_clean
equiv_simple
equiv_induct
equiv_status -assert
""",
        workdir,
    )


@pytest.mark.parametrize("source", ["spinplane45", "gscl45nm"])
@pytest.mark.parametrize("name", sorted(UNITS))
def test_netlist_equals_rtl(name: str, source: str, tmp_path: Path) -> None:
    library = _library(source, tmp_path)
    _prove(UNITS[name](), name, AsicTarget(library=library), library.text, tmp_path)


class Product(wiring.Component):
    """A product that Booth's multiplier can make, and a sum after it."""

    def __init__(self) -> None:
        super().__init__({"a": In(signed(5)), "b": In(signed(6)), "c": In(signed(8)), "y": Out(signed(12))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.y.eq(self.a * self.b + self.c)
        return m


@pytest.mark.parametrize(
    "effort", [2, *(pytest.param(effort, marks=pytest.mark.thorough) for effort in (0, 1))]
)
@pytest.mark.parametrize("adders", ADDERS)
@pytest.mark.parametrize("name", ["product", "shifter", "bit_counter", "sum"])
def test_fast_netlist_equals_rtl(name: str, adders: str, effort: int, tmp_path: Path) -> None:
    library = _library("gscl45nm", tmp_path)
    target = AsicTarget(library=library, adders=adders, period_ns=1.0)
    assert target.efforts == 3
    _prove((UNITS | {"product": Product})[name](), name, target, library.text, tmp_path, effort)


WIDE = {"bit_counter": lambda: BitCounter(128, 4, leaf=8), "sum": lambda: Sum(4, 32)}


def _mapped(name: str, tmp_path: Path, **options: Any) -> tuple[float, float]:
    """Area in µm² and worst path in ns of a unit."""
    workdir = tmp_path / "-".join([name, *map(str, options.values())])
    workdir.mkdir()
    target = AsicTarget(library=_library("gscl45nm", tmp_path), **options)
    netlists = Netlists(folder=workdir)
    cells = map_modules(verilog_modules(WIDE[name](), name), {}, target, find_yosys(), netlists=netlists)
    timing = worst_paths(Name(name), cells, netlists, find_sta())
    assert timing.with_ports is not None
    return target.figures(cells[name]).area_um2 or 0, timing.with_ports.delay_ns


@pytest.mark.parametrize("name", sorted(WIDE))
def test_a_period_buys_speed_with_area(name: str, tmp_path: Path) -> None:
    small, slow = _mapped(name, tmp_path)
    fast, quick = _mapped(name, tmp_path, adders="fast", period_ns=0.5)
    assert quick < 0.8 * slow
    assert fast > small
    relaxed, enough = _mapped(name, tmp_path, adders="fast", period_ns=20.0)
    assert relaxed < fast
    assert quick < enough < 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adders": "slow"}, "adders = 'slow': must be one of ripple, fast"),
        ({"period_ns": 0.0}, "period_ns = 0.0: must be a positive number"),
        ({"period_ns": float("inf")}, "period_ns = inf: must be a positive number"),
        ({"period_ns": float("nan")}, "period_ns = nan: must be a positive number"),
    ],
)
def test_refuses_what_no_mapping_is(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SpinplaneError) as error:
        AsicTarget(library=read_library(), **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("good", "bad"), [('"A & B"', '"A | B"'), ('"(A ^ B) ^ C"', '"(A ^ B) & C"'), ('"D"', '"!D"')]
)
def test_a_wrong_cell_is_noticed(good: str, bad: str, tmp_path: Path) -> None:
    library = read_library()
    assert good in library.text
    with pytest.raises(SpinplaneError, match=r"Found \d+ unproven \$equiv cells in 'equiv_status -assert'"):
        _prove(
            BitCounter(32, 4, leaf=8),
            "bit_counter",
            AsicTarget(library=library),
            library.text.replace(good, bad),
            tmp_path,
        )
