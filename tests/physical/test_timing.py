# amaranth: UnusedElaboratable=no
"""Worst paths by OpenSTA: of cells whose delays are round numbers, so that every path is known."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import spinplane
from spinplane.device import load_technology
from spinplane.evaluation import memory_times
from spinplane.hdl.common.bank import Bank
from spinplane.hdl.export.memories import memory_cells
from spinplane.machine import Machine, Name, SpinplaneError, load_machine
from spinplane.machine.memory_times import MemoryTimes
from spinplane.physical import AreaReport, Timing, TimingPath, synthesis, synthesize
from spinplane.physical.asic import AsicTarget
from spinplane.physical.liberty import library_text
from spinplane.physical.library import read_library
from spinplane.physical.logic_path import worst_logic_path
from spinplane.physical.machine_timing import time_machine
from spinplane.physical.synthesis import map_modules
from spinplane.physical.timing import Netlists, OpenSta, find_sta, worst_paths
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

INNER_NAME = Name("inner")
Cells = dict[str, Counter[str]]
BANK_TIMES = MemoryTimes(bank_access_s=lambda bits: {6: 1.11e-9, 12: 5e-11}[bits], setup_s=2e-11)
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


def _mapped(
    modules: dict[str, str], liberty: Path, workdir: Path, banks: list[Bank] | None = None
) -> tuple[Cells, Netlists]:
    target = AsicTarget(library=read_library(liberty))
    named = {Name(name): text for name, text in modules.items()}
    netlists = Netlists(folder=workdir, memories=memory_cells([], banks or [], BANK_TIMES))
    return map_modules(named, netlists.memories.stubs, target, find_yosys(), netlists=netlists), netlists


def _paths(modules: dict[str, str], liberty: Path, workdir: Path, banks: list[Bank] | None = None) -> Timing:
    cells, netlists = _mapped(modules, liberty, workdir, banks)
    return worst_paths(Name(list(modules)[-1]), cells, netlists, find_sta())


def test_netlists_are_kept(timed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mapped from the same text with the same cells and memories is not mapped again."""
    modules = {Name("inner"): INNER, Name("outer"): OUTER}
    target, yosys, found = AsicTarget(library=read_library(timed)), find_yosys(), []
    for folder in ("first", "second"):
        netlists = Netlists(folder=tmp_path / folder)
        netlists.folder.mkdir()
        cells = map_modules(modules, {}, target, yosys, netlists=netlists, kept_in=tmp_path)
        (netlists.folder / "memories.lib").write_text(netlists.memories.liberty)
        found.append((cells, worst_paths(Name("outer"), cells, netlists, find_sta())))
        monkeypatch.setattr(synthesis, "run_script", None)
    assert found[0] == found[1]
    others = Netlists(folder=tmp_path, memories=memory_cells([], [Bank(2, 3, 1)], BANK_TIMES))
    for changed, at in (({**modules, Name("inner"): INNER.replace("~", "")}, netlists), (modules, others)):
        with pytest.raises(TypeError):
            map_modules(changed, {}, target, yosys, netlists=at, kept_in=tmp_path)


def test_a_path_goes_through_modules(timed: Path, tmp_path: Path) -> None:
    path = TimingPath(delay_ns=0.18, start="first/Q", end="y/D")  # 100 + 10 + 20 + 50 ps
    assert _paths({"inner": INNER, "outer": OUTER}, timed, tmp_path) == Timing(
        between_registers=path, with_ports=path
    )


def test_paths_of_ports(timed: Path, tmp_path: Path) -> None:
    assert _paths({"inner": INNER}, timed, tmp_path) == Timing(
        between_registers=None, with_ports=TimingPath(delay_ns=0.01, start="a", end="y")
    )


WITH_BANK = """\
module top (input clk, input [2:0] data, input place, output [2:0] y);
  reg [2:0] held;
  wire [2:0] old;
  bank #(.READS(1), .WIDTH(3), .WORDS(2)) memory (
    .clk(clk), .write__enable(place), .write__address(place), .write__data(~held), .write__mask(3'b111),
    .read__enable(place), .read__address(place), .read__data(old)
  );
  always @(posedge clk) held <= data;
  assign y = old;
endmodule
"""


def test_memories_begin_and_end_paths(timed: Path, tmp_path: Path) -> None:
    paths = _paths({"top": WITH_BANK}, timed, tmp_path, [Bank(2, 3, 1)])
    assert paths.banks is not None
    assert paths.banks.delay_ns == 1.11  # from the edge to its data
    assert paths.banks.start.startswith("memory/read__data[")
    assert paths.banks.end.startswith("y[")
    paths = _paths({"top": WITH_BANK.replace("WORDS(2)", "WORDS(4)")}, timed, tmp_path, [Bank(4, 3, 1)])
    assert paths.banks is not None
    assert paths.banks.delay_ns == 0.13  # 100 + 10 ps, and 20 before the edge
    assert paths.banks.start.startswith("held[")
    assert paths.banks.end.startswith("memory/write__data[")
    assert paths.between_registers is None


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
    cells, netlists = _mapped({"inner": INNER, "outer": text}, timed, tmp_path)
    cells["[exec touch canary]"] = cells["outer"]
    with pytest.raises(
        TypeError, match=r"^name = '\[exec touch canary\]': must be a Text, a name or a whole number$"
    ):
        worst_paths("[exec touch canary]", cells, netlists, find_sta())  # type: ignore[arg-type]


SMALL = "module inner (clk, a, y); input clk; input a; output y; NOT not_a (.A(a), .Y(y)); endmodule\n"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (
            "output y;",
            "output y; assign {y} = a;",
            "./inner.netlist.v, line 1 syntax error, unexpected '{', expecting ID.",
        ),
        ("NOT not_a (.A(a), .Y(y));", "", "inner: 0 instances of NOT, Yosys has 1"),
        ("NOT not_a", "LOST not_a", "module LOST not found for instance not_a."),
        ("NOT not_a", "NAND not_a", "inner: 1 instances of NAND, Yosys has 0"),
        ("(.A(a), .Y(y))", "(.A(a), .Z(y))", "instance not_a port Z not found."),
        (SMALL, "", "inner is not a verilog module."),
    ],
)
def test_what_is_not_read_is_an_error(good: str, bad: str, message: str, timed: Path, tmp_path: Path) -> None:
    """OpenSTA drops it, goes on and exits with 0."""
    cells, netlists = _mapped({"inner": INNER}, timed, tmp_path)
    netlist = tmp_path / "inner.netlist.v"
    netlist.write_text(SMALL)
    assert worst_paths(INNER_NAME, cells, netlists, find_sta()).with_ports is not None
    netlist.write_text(SMALL.replace(good, bad))
    with pytest.raises(SpinplaneError) as error:
        worst_paths(INNER_NAME, cells, netlists, find_sta())
    assert message in str(error.value)
    assert str(error.value).startswith(f"{find_sta()}: ")


@pytest.mark.parametrize("file", ["library.lib", "memories.lib", "inner.netlist.v"])
def test_a_missing_file_is_an_error(file: str, timed: Path, tmp_path: Path) -> None:
    cells, netlists = _mapped({"inner": INNER}, timed, tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(SpinplaneError, match=f"cannot read file ./{file}"):
        worst_paths(INNER_NAME, cells, netlists, find_sta())


TOLD = "count 1 NOT\nwith_ports 0.99\nstart a\nend y\n"


@pytest.mark.parametrize(
    ("told", "status", "message"),
    [
        (f"{TOLD}Error: 1.tcl, 3 invalid command name\ncomplete\n", 0, "1.tcl, 3 invalid command name"),
        (f"1.tcl line 3, Error: no such thing\n{TOLD}complete\n", 0, "no such thing"),
        (
            f"Warning: x.lib line 3, bus is ignored.\n{TOLD}complete\n",
            0,
            "Warning: x.lib line 3, bus is ignored.",
        ),
        (
            f"Warning: module LOST not found. Creating black box.\n{TOLD}complete\n",
            0,
            "module LOST not found",
        ),
        ("count 1 NOT\nNo paths found.\ncomplete\n", 0, "No paths found."),
        ("count 1 NOT\ncomplete\n", 0, "inner: no paths found"),
        (f"{TOLD}complete\n", 1, "did not finish with inner"),
        (TOLD, 0, "did not finish with inner"),
        (TOLD.replace("1", "2", 1) + "complete\n", 0, "inner: 2 instances of NOT, Yosys has 1"),
        (TOLD.replace("NOT", "BUF", 1) + "complete\n", 0, "inner: 1 instances of BUF, Yosys has 0"),
    ],
)
def test_complaints_are_errors(told: str, status: int, message: str, timed: Path, tmp_path: Path) -> None:
    """Whatever OpenSTA's exit status."""
    program = tmp_path / "fake_sta"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{told}END\nexit {status}\n")
    program.chmod(0o755)
    sta = OpenSta(program=str(program), version="0")
    cells, netlists = _mapped({"inner": INNER}, timed, tmp_path)
    with pytest.raises(SpinplaneError) as error:
        worst_paths(INNER_NAME, cells, netlists, sta)
    assert str(error.value).startswith("OpenSTA 0: ")
    assert message in str(error.value)


def test_without_opensta_abc_times_the_logic(
    monkeypatch: pytest.MonkeyPatch, timed: Path, tmp_path: Path
) -> None:
    """From flip-flop to flip-flop through modules, without the flip-flops' own times."""
    longer = OUTER.replace("~(middle & b)", "~(~(middle & b) & a)")
    cells, netlists = _mapped({"inner": INNER, "outer": longer}, timed, tmp_path)
    library, yosys = read_library(timed), find_yosys()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpinplaneError) as error:
        find_sta()
    assert str(error.value) == "no OpenSTA (program sta) is installed: run 'sudo apt-get install opensta'"
    timing = time_machine(load_machine("tiny"), cells, [netlists], library, yosys, "")
    assert (timing.tool, timing.limits) == (f"ABC of {yosys}", None)
    path = TimingPath(delay_ns=0.05, start="first/Q", end="y/D")  # 10 + 20 + 20 ps
    assert timing.paths["outer"] == Timing(between_registers=None, with_ports=path)
    path = TimingPath(delay_ns=0.01, start="a", end="y")
    assert timing.paths["inner"] == Timing(between_registers=None, with_ports=path)


def test_abc_takes_memories_as_ends_of_paths(timed: Path, tmp_path: Path) -> None:
    longer = WITH_BANK.replace("(~held)", "(~(~(~held & {3{place}}) & data))")
    cells, netlists = _mapped({"top": longer}, timed, tmp_path, [Bank(2, 3, 1)])
    timing = worst_logic_path(Name("top"), cells, netlists, read_library(timed), find_yosys())
    assert timing.with_ports is not None
    assert timing.with_ports.delay_ns == 0.08  # 10 + 20 + 20 ps, and the buffer of a pin that is an alias
    assert timing.with_ports.start.startswith("held[")
    assert timing.with_ports.end.startswith("memory/write__data[")


def test_logic_without_gates_has_no_path_for_abc(timed: Path, tmp_path: Path) -> None:
    register = "module top (input clk, input a, output reg y); always @(posedge clk) y <= a; endmodule\n"
    cells, netlists = _mapped({"top": register}, timed, tmp_path)
    timing = worst_logic_path(Name("top"), cells, netlists, read_library(timed), find_yosys())
    assert timing == Timing(between_registers=None, with_ports=None)


@pytest.mark.parametrize("options", [{"timing": True}, {"period_ns": 1}])
def test_library_without_timing(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "partly.lib"
    path.write_text(
        TIMED.replace("rising_edge", "x", 1).replace(
            'timing () { related_pin : "C"; timing_type : x', "other () { x : 1"
        )
    )
    with pytest.raises(SpinplaneError) as error:
        synthesize(load_machine("tiny"), liberty=path, **options)
    assert str(error.value) == (
        f"library {path}: cell FLOP has no timing; give a Liberty file whose cells have timing tables"
    )


def _chain(stages: int) -> str:
    """Inverters that nothing optimizes, each with three more at its output."""
    lines = [
        "module chain (input a, output y);",
        f"wire [{stages}:0] n;",
        "assign n[0] = a;",
        f"assign y = n[{stages}];",
    ]
    for stage in range(stages):
        lines.append(f"INVX1 stage{stage} (.A(n[{stage}]), .Y(n[{stage + 1}]));")
        lines += [f"INVX1 load{stage}_{other} (.A(n[{stage + 1}]), .Y());" for other in range(3)]
    return "\n".join([*lines, "endmodule\n"])


def test_inverters_of_the_library_have_the_delay_of_their_tables(tmp_path: Path) -> None:
    """As ngspice has it for such a chain: 16.2 ps a stage, the mean of both edges (tests/tools/test_cells.py)."""
    netlists = Netlists(folder=tmp_path)
    for file, text in {**netlists.files(), "library.lib": library_text()}.items():
        (tmp_path / file).write_text(text)
    delays = []
    for stages in (11, 21):
        (tmp_path / "chain.netlist.v").write_text(_chain(stages))
        cells = {"chain": Counter({"INVX1": 4 * stages})}
        timing = worst_paths(Name("chain"), cells, netlists, find_sta())
        assert timing.with_ports is not None
        delays.append(timing.with_ports.delay_ns)
    assert (delays[1] - delays[0]) / 10 == pytest.approx(0.0162, rel=0.05)


@pytest.mark.parametrize("options", [{"timing": True}, {"period_ns": 2.0}, {"adders": "fast"}])
def test_timing_is_of_a_library(options: dict[str, object]) -> None:
    with pytest.raises(SpinplaneError) as error:
        spinplane.synth("tiny", fpga="ice40", **options)  # type: ignore[arg-type]
    assert str(error.value) == "adders, a period and timing are of a Liberty file, not of an FPGA family"


TIMES = memory_times(load_machine("tiny"), load_technology("sot-mram"))


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
    return synthesize(machine, liberty=timed, times=TIMES)


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_the_clock_is_limited_by_what_takes_longest(report: AreaReport) -> None:
    limits = report.clock_limits
    assert limits is not None
    assert [limit.name for limit in limits.limits] == ["logic", "sense", "write", "banks"]
    assert limits.technology == "sot-mram"
    whole = report.timing
    assert whole is not None
    found = {limit.name: limit for limit in limits.limits}
    assert found["logic"].path == whole.between_registers
    assert (found["sense"].path, found["write"].path) == (whole.sense, whole.write)
    assert found["sense"].path.end.startswith("engine/sub_array_")
    assert "sot_mram_array/" in found["write"].path.end
    for name, seconds in (("sense", "sense_s"), ("write", "write_s")):
        middle, low, high = (getattr(times, seconds) for times in (TIMES.middle, TIMES.low, TIMES.high))
        limit = found[name]
        assert limit.path.delay_ns > middle * 1e9
        assert limit.low_ns == pytest.approx(limit.path.delay_ns - (middle - low) * 1e9, abs=2e-4)
        assert limit.high_ns == pytest.approx(limit.path.delay_ns + (high - middle) * 1e9, abs=2e-4)


@pytest.mark.thorough
def test_paths_are_told_and_read_back(report: AreaReport, tmp_path: Path) -> None:
    assert "FF→FF ns" in str(report)
    assert report.heading.endswith(f"{report.yosys}, {report.sta}")
    path = tmp_path / "area.json"
    spinplane.write_result(report, path)
    assert spinplane.read_result(path) == report
    assert spinplane.read_provenance(path).versions["static timing"] == report.sta
