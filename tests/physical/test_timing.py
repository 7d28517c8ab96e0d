"""Worst paths by OpenSTA: of cells whose delays are round numbers, so that every path is known."""

from pathlib import Path

import pytest

import spinplane
from spinplane.machine import Machine, Name, SpinplaneError, load_machine
from spinplane.physical import AreaReport, Timing, TimingPath, synthesize
from spinplane.physical.asic import AsicTarget
from spinplane.physical.library import read_library
from spinplane.physical.synthesis import map_modules
from spinplane.physical.timing import find_sta, worst_paths
from spinplane.physical.yosys import find_yosys

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"


def _arc(related: str, kind: str, ps: int) -> str:
    if kind == "setup_rising":
        tables = {"rise_constraint": ps, "fall_constraint": ps}
        template = "slews"
    else:
        tables = {"cell_rise": ps, "cell_fall": ps, "rise_transition": 1, "fall_transition": 1}
        template = "loads"
    text = f'timing () {{ related_pin : "{related}"; timing_type : {kind}; '
    if kind == "combinational":
        text += "timing_sense : negative_unate; "
    return (
        text
        + "".join(
            f'{table} ({template}) {{ values ("{v}, {v}", "{v}, {v}"); }} ' for table, v in tables.items()
        )
        + "}"
    )


def _pin(name: str, *inner: str, direction: str = "output") -> str:
    capacitance = "capacitance : 1;" if direction == "input" else "max_capacitance : 1000;"
    return f"pin ({name}) {{ direction : {direction}; {capacitance} {' '.join(inner)} }}"


def _gate(name: str, area: int, ps: int, function: str, inputs: str) -> str:
    pins = [_pin(pin, direction="input") for pin in inputs]
    arcs = [_arc(pin, "combinational", ps) for pin in inputs]
    output = _pin("Y", f'function : "{function}";', *arcs)
    return f"cell ({name}) {{ area : {area}; {' '.join(pins)} {output} }}"


# An inverter takes 10 ps, a NAND 20, a buffer 30, a flip-flop 100 and 50 before the edge; loads and slews cost nothing.
TIMED = f"""
library (timed) {{
  delay_model : table_lookup;
  time_unit : "1ps";
  voltage_unit : "1V";
  current_unit : "1uA";
  pulling_resistance_unit : "1kohm";
  capacitive_load_unit (1, ff);
  slew_lower_threshold_pct_rise : 20; slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20; slew_upper_threshold_pct_fall : 80;
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  lu_table_template (loads) {{
    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("1, 100"); index_2 ("1, 100");
  }}
  lu_table_template (slews) {{
    variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("1, 100"); index_2 ("1, 100");
  }}
  {_gate("NOT", 1, 10, "!A", "A")}
  {_gate("NAND", 2, 20, "!(A B)", "AB")}
  {_gate("BUF", 2, 30, "A", "A").replace("negative_unate", "positive_unate")}
  cell (FLOP) {{ area : 10;
    ff (IQ, IQN) {{ next_state : "D"; clocked_on : "C"; }}
    {_pin("C", "clock : true;", direction="input")}
    {_pin("D", _arc("C", "setup_rising", 50), direction="input")}
    {_pin("Q", 'function : "IQ";', _arc("C", "rising_edge", 100))}
  }}
}}
"""

OUTER_NAME = Name("outer")
INNER = "module inner (input clk, input a, output y); assign y = ~a; endmodule\n"
OUTER = """\
module outer (input clk, input a, input b, output y, output z);
  reg first, last;
  wire middle;
  inner part (.clk(clk), .a(first), .y(middle));
  always @(posedge clk) begin first <= a; last <= ~(middle & b); end
  assign y = last;
  assign z = ~b;
endmodule
"""


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "timed.lib"
    path.write_text(TIMED)
    return path


def _paths(
    modules: dict[str, str], liberty: Path, workdir: Path, stubs: dict[str, str] | None = None
) -> Timing:
    target = AsicTarget(library=read_library(liberty))
    named = {Name(name): text for name, text in modules.items()}
    boxes = {Name(name): text for name, text in (stubs or {}).items()}
    map_modules(named, boxes, target, find_yosys(), netlists_in=workdir)
    return worst_paths(list(named), list(named)[-1], workdir, find_sta())


def test_a_path_goes_through_modules(timed: Path, tmp_path: Path) -> None:
    path = TimingPath(delay_ns=0.18, start="first/Q", end="y/D")  # 100 + 10 + 20 + 50 ps
    assert _paths({"inner": INNER, "outer": OUTER}, timed, tmp_path) == Timing(
        between_registers=path, with_ports=path
    )


def test_paths_of_ports(timed: Path, tmp_path: Path) -> None:
    assert _paths({"inner": INNER}, timed, tmp_path) == Timing(
        between_registers=None, with_ports=TimingPath(delay_ns=0.01, start="a", end="y")
    )


def test_memories_begin_and_end_paths(timed: Path, tmp_path: Path) -> None:
    stub = """\
(* blackbox *)
module store #(
  parameter WIDTH = 1
) (
  input  clk,
  input  [WIDTH-1:0] data,
  output [WIDTH-1:0] old
);
endmodule
"""
    top = """\
module top (input clk, input [2:0] data, output [2:0] y);
  reg [2:0] held;
  wire [2:0] old;
  store #(.WIDTH(3)) bank (.clk(clk), .data(~held), .old(old));
  always @(posedge clk) held <= data;
  assign y = ~old;
endmodule
"""
    paths = _paths({"top": top}, timed, tmp_path, {"store": stub})
    assert paths.between_registers is not None
    assert paths.between_registers.delay_ns == 0.11  # 100 + 10 ps: the memory itself takes no time
    assert paths.between_registers.end.startswith("bank.data_bit")
    top = top.replace("(~held)", "(data)").replace("<= data", "<= ~old").replace("y = ~old", "y = held")
    paths = _paths({"top": top}, timed, tmp_path, {"store": stub})
    assert paths.between_registers is not None
    assert paths.between_registers.delay_ns == 0.06  # 10 + 50 ps
    assert paths.between_registers.start.startswith("bank.old_bit")


def test_names_run_no_command(timed: Path, tmp_path: Path) -> None:
    """Names of a netlist reach OpenSTA in a file only, and Tcl as values."""
    canary = tmp_path / "canary"
    name = f"\\[exec,touch,{canary}] "
    text = OUTER.replace("first", name)
    (tmp_path / ".sta").write_text(f"exec touch {canary}\n")
    paths = _paths({"inner": INNER, "outer": text}, timed, tmp_path)
    assert paths.between_registers is not None
    assert "exec,touch" in paths.between_registers.start
    assert not canary.exists()
    with pytest.raises(
        TypeError, match=r"^name = '\[exec touch canary\]': must be a Text, a name or a whole number$"
    ):
        worst_paths(["[exec touch canary]"], OUTER_NAME, tmp_path, find_sta())  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (
            "assign z",
            "assign {y, z}",
            "./outer.netlist.v, line 1 syntax error, unexpected '{', expecting ID.",
        ),
        ("inner part", "lost part", "module lost not found for instance part."),
    ],
)
def test_what_is_not_read_is_an_error(good: str, bad: str, message: str, timed: Path, tmp_path: Path) -> None:
    """OpenSTA drops it, goes on and exits with 0."""
    _paths({"inner": INNER, "outer": OUTER}, timed, tmp_path)
    netlist = tmp_path / "outer.netlist.v"
    text = "module outer (clk, a, y, z); input clk, a; output y, z; inner part (.a(a), .y(y)); assign z = a; endmodule"
    netlist.write_text(text.replace(good, bad))
    with pytest.raises(SpinplaneError) as error:
        worst_paths([Name("inner"), OUTER_NAME], OUTER_NAME, tmp_path, find_sta())
    assert message in str(error.value)
    assert str(error.value).startswith(f"{find_sta()}: ")


def test_an_answer_without_its_end_is_none(timed: Path, tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError):
        worst_paths([OUTER_NAME], OUTER_NAME, tmp_path, find_sta())


def test_missing_program(monkeypatch: pytest.MonkeyPatch, timed: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpinplaneError) as error:
        synthesize(load_machine("tiny"), liberty=timed, timing=True)
    assert str(error.value) == "no OpenSTA (program sta) is installed: `apt-get install opensta`"


def test_library_without_timing(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError) as error:
        synthesize(load_machine("tiny"), timing=True)
    assert str(error.value) == (
        "library spinplane45: cell INVX1 has no timing; give a Liberty file whose cells have timing tables"
    )
    path = tmp_path / "partly.lib"
    path.write_text(
        TIMED.replace("rising_edge", "x", 1).replace(
            'timing () { related_pin : "C"; timing_type : x', "other () { x : 1"
        )
    )
    with pytest.raises(SpinplaneError, match=r"partly\.lib: cell FLOP has no timing;"):
        synthesize(load_machine("tiny"), liberty=path, period_ns=1)


@pytest.mark.parametrize("options", [{"timing": True}, {"period_ns": 2.0}, {"adders": "fast"}])
def test_timing_is_of_a_library(options: dict[str, object]) -> None:
    with pytest.raises(SpinplaneError) as error:
        spinplane.synth("tiny", fpga="ice40", **options)  # type: ignore[arg-type]
    assert str(error.value) == "adders, a period and timing are of a Liberty file, not of an FPGA family"


@pytest.fixture(scope="module")
def report(timed: Path) -> AreaReport:
    machine = Machine(
        name="small",
        sub_arrays=3,
        rows=8,
        columns=16,
        segments=1,
        accumulator_bits=16,
        memory_operations=True,
    )
    return synthesize(machine, liberty=timed, timing=True)


def test_every_block_has_its_paths(report: AreaReport) -> None:
    for block in report.blocks:
        assert block.timing is not None
        assert block.timing.with_ports is not None
        registers = block.timing.between_registers
        assert registers is None or registers.delay_ns <= block.timing.with_ports.delay_ns
    without = {block.name for block in report.blocks if block.timing and not block.timing.between_registers}
    assert without == {"decoder", "reference select", "shifter"}
    paths = {block.name: block.timing for block in report.blocks}
    assert report.timing == paths["top, rest"]
    assert report.sta == str(find_sta())
    assert (report.adders, report.period_ns) == ("ripple", None)


def test_paths_are_told_and_read_back(report: AreaReport, tmp_path: Path) -> None:
    assert "FF→FF ns" in str(report)
    assert report.heading.endswith(f"{report.yosys}, {report.sta}")
    path = tmp_path / "area.json"
    spinplane.write_result(report, path)
    assert spinplane.read_result(path) == report
    assert spinplane.read_provenance(path).versions["OpenSTA"] == report.sta
