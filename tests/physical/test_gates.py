# amaranth: UnusedElaboratable=no
"""Gates against RTL: what is equal is proven, and a gate that was changed is found by the proof and by the bench."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from spinplane.cli import main
from spinplane.hdl.export.machine_verilog import machine_verilog
from spinplane.machine import Name, load_machine
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.physical import find_yosys
from spinplane.physical.equivalence import compare
from spinplane.physical.gate_report import GateReport, Unit
from spinplane.physical.gates import Netlists, bench_unit, prove_unit
from spinplane.physical.library import read_library
from spinplane.physical.unit_benches import NETWORK_BENCH, UNIT_BENCHES
from tests.campaigns import gates

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"
SUB_ARRAY, CONTROLLER = Name("sub_array"), Name("sub_array_controller")
#: A sum of many operands, whose carries the gates save and the RTL does not: beyond the prover's limits.
OPEN = {Name("serial_multiplier")}


def netlists(within: str, liberty: Path | None = None) -> Netlists:
    return Netlists.of(
        load_machine("tiny"), within=Name(within), liberty=liberty, kept_in=default_build_root()
    )


@pytest.fixture(scope="module")
def sub_array() -> Netlists:
    return netlists("sub_array")


def sabotaged(found: Netlists, module: Name, number: int) -> Netlists:
    """With one NAND of a module that is a NOR now."""
    text = found.gates[module]
    nand = list(re.finditer(r"\bNAND2X1\b", text))[number]
    return replace(found, gates=found.gates | {module: f"{text[: nand.start()]}NOR2X1{text[nand.end() :]}"})


@pytest.mark.parametrize("name", ["sub_array", "sub_array_controller", "reference_select"])
def test_gates_of_the_sub_array_are_proven(sub_array: Netlists, name: str) -> None:
    found = prove_unit(sub_array, Name(name))
    assert (found.verdict, found.open_points, found.difference) == ("proven", 0, "")
    assert found.points


#: Elements of an array have the names that bits of the port would have.
_ARRAY = """\
module joined(a, b, sum);
  input [1:0] a, b;
  output [1:0] sum;
  wire [1:0] \\sum[0] , \\sum[1] ;
  assign \\sum[0]  = a;
  assign \\sum[1]  = b;
  assign sum = \\sum[0]  ^ \\sum[1] ;
endmodule
"""
_GATES = """\
module joined(a, b, sum);
  input [1:0] a, b;
  output [1:0] sum;
  XOR2X1 low(.A(a[0]), .B(b[0]), .Y(sum[0]));
  GATE high(.A(a[1]), .B(b[1]), .Y(sum[1]));
endmodule
"""


@pytest.mark.parametrize(
    ("gate", "verdict", "difference"), [("XOR2X1", "proven", ""), ("OR2X1", "unequal", "sum[1]")]
)
def test_an_element_of_an_array_is_no_bit_of_a_port(
    gate: str, verdict: str, difference: str, tmp_path: Path
) -> None:
    gates, name = _GATES.replace("GATE", gate), Name("joined")
    found = compare(name, {name: _ARRAY}, gates, read_library(None).text, tmp_path, find_yosys())
    assert (found.verdict, found.difference) == (verdict, difference)


_TWICE = """\
module kept(clk, rst, load, bit, twice);
  input clk, rst, load, bit;
  output [1:0] twice;
  reg [1:0] twice;
  always @(posedge clk) if (rst) twice <= 0; else if (load) twice <= {bit, SECOND};
endmodule
"""
_ONCE = """\
module kept(clk, rst, load, bit, twice);
  input clk, rst, load, bit;
  output [1:0] twice;
  wire held, next;
  assign next = rst ? 1'b0 : load ? bit : twice[0];
  DFFPOSX1 one(.CLK(clk), .D(next), .Q(twice[0]));
  assign twice[1] = twice[0];
endmodule
"""


@pytest.mark.parametrize(("second", "verdict"), [("bit", "proven"), ("~bit", "unequal")])
def test_flip_flops_that_hold_the_same_may_be_one(second: str, verdict: str, tmp_path: Path) -> None:
    rtl, name = _TWICE.replace("SECOND", second), Name("kept")
    found = compare(name, {name: rtl}, _ONCE, read_library(None).text, tmp_path, find_yosys())
    assert (found.verdict, found.difference) == (verdict, "twice[0]" if verdict == "unequal" else "")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("within", "liberty"),
    [("sub_array", None), ("sub_array", GSCL45NM), ("output_stage", GSCL45NM)],
    ids=lambda value: getattr(value, "stem", value) or "spinplane45",
)
def test_a_unit_and_all_that_it_places(within: str, liberty: Path | None) -> None:
    if liberty is not None and not liberty.is_file():
        pytest.skip("gscl45nm.lib is not beside the repository (shared/pdk)")
    found = netlists(within, liberty)
    verdicts = {name: prove_unit(found, name).verdict for name in found.gates}
    assert {name for name, verdict in verdicts.items() if verdict != "proven"} <= OPEN
    assert set(verdicts.values()) <= {"proven", "open"}
    for name in OPEN & verdicts.keys():
        run = bench_unit(found, name)
        assert run is not None
        assert run.check().tests


@pytest.mark.thorough
@pytest.mark.parametrize("power_up", [0, 7])
def test_the_bench_of_the_sub_array_passes_on_its_gates(sub_array: Netlists, power_up: int) -> None:
    run = bench_unit(sub_array, SUB_ARRAY, power_up=power_up)
    assert run is not None
    assert run.check().tests == 4


@pytest.mark.thorough
@pytest.mark.parametrize("number", [0, 5, 11])
def test_a_changed_gate_is_found_by_the_proof_and_by_the_bench(sub_array: Netlists, number: int) -> None:
    wrong = sabotaged(sub_array, CONTROLLER, number)
    found = prove_unit(wrong, CONTROLLER)
    assert found.verdict == "unequal"
    assert found.difference
    runs = [bench_unit(netlists, CONTROLLER) for netlists in (sub_array, wrong)]
    assert [run is not None and run.passed for run in runs] == [True, False]


@pytest.mark.thorough
def test_a_cell_that_is_another_one_is_found_by_the_proof_and_by_the_bench(
    sub_array: Netlists, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.lib"
    sound, wrong_function = '"!((A & B) | C)"', '"!((A & !B) | C)"'
    assert sound in sub_array.library.text
    path.write_text(sub_array.library.text.replace(sound, wrong_function), encoding="utf-8")
    wrong = replace(sub_array, library=read_library(path))
    assert prove_unit(wrong, CONTROLLER).verdict == "unequal"
    run = bench_unit(wrong, CONTROLLER)
    assert run is not None
    assert not run.passed


def test_the_command_tells_each_unit_and_fails_where_one_is_unequal(
    sub_array: Netlists, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [Name("reference_select"), CONTROLLER]
    few = replace(sub_array, gates={name: sub_array.gates[name] for name in names})
    monkeypatch.setattr("spinplane.physical.gates.bench_unit", lambda *_, **__: None)
    command = ["synth", "--machine", "tiny", "--check"]
    monkeypatch.setattr(Netlists, "of", lambda *_, **__: few)
    main(command)
    printed = capsys.readouterr()
    assert printed.out.count("proven") > len(names)
    assert "- sub_array_controller: proven, bench: none\n" in printed.err
    monkeypatch.setattr(Netlists, "of", lambda *_, **__: sabotaged(few, CONTROLLER, 5))
    with pytest.raises(SystemExit) as ended:
        main(command)
    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert "sub_array_controller is unequal, first in " in printed.err.splitlines()[-1]
    assert "unequal" in printed.out


def test_benches_are_there() -> None:
    benches = Path(__file__).parents[2] / "sim" / "benches"
    for bench in [*UNIT_BENCHES.values(), NETWORK_BENCH]:
        text = (benches / f"{bench.name.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert all(f"async def {test}(" in text for test in bench.tests)


def test_the_page_of_campaigns_names_every_unit_of_tiny() -> None:
    page = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text(encoding="utf-8")
    section = page.split(f"## {gates.TITLE}\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (\w+): ([^,]+), bench: .* \| 1 \|$", section, re.MULTILINE))
    assert rows.keys() == machine_verilog(load_machine("tiny"), default_build_root()).keys()
    assert len(rows) == gates.CASES
    assert set(rows.values()) <= {"proven", "bench only"}


def unit(name: str, **known: object) -> Unit:
    least = {"equivalence": "proven", "points": 9, "open_points": 0, "difference": "", "tests": None}
    return Unit(
        name=Name(name), **{**least, "bench_failure": "", "seconds": 1.0, "bench_seconds": 1.0, **known}
    )


@pytest.mark.parametrize(
    ("known", "verdict", "reason"),
    [
        ({}, "proven", ""),
        ({"tests": 2}, "proven", ""),
        ({"equivalence": "open", "tests": 2}, "bench only", ""),
        ({"equivalence": "open"}, "unknown", "a is unknown: not proven, and no bench exercises it"),
        ({"equivalence": "unequal", "difference": "q[3]"}, "unequal", "a is unequal, first in q[3]"),
        ({"tests": 2, "bench_failure": "AssertionError"}, "unequal", "a is unequal: AssertionError"),
        ({"tests": 0, "bench_failure": "no end after 9 s"}, "unequal", "a is unequal: no end after 9 s"),
        ({"equivalence": "open", "tests": 2, "bench_in": "c"}, "bench only", ""),
    ],
)
def test_verdicts(known: dict[str, object], verdict: str, reason: str) -> None:
    found = unit("a", **known)
    assert (found.verdict, found.reason) == (verdict, reason)
    report = GateReport(
        machine="m", library="l", library_source="s", yosys="y", simulator="icarus", units=(unit("b"), found)
    )
    assert report.failure == reason
    assert verdict in str(report)
