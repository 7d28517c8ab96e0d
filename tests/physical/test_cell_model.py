"""Verilog of cells: what each does, on Icarus, and cells that have no model."""

import subprocess
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.physical.cell_model import cell_model
from spinplane.physical.library import Library, read_library

CELLS = """\
  cell (odd) { area : 1; pin(A) { direction : input; } pin(B) { direction : input; } pin(C) { direction : input; }
      pin(Y) { direction : output; function : "A B ^ C'"; } }
  cell (both) { area : 1; ff (S, SN) { next_state : "D"; clocked_on : "!CK"; clear : "R'"; preset : "P";
      clear_preset_var1 : L; clear_preset_var2 : H; } pin(D) { direction : input; } pin(CK) { direction : input; }
      pin(R) { direction : input; } pin(P) { direction : input; }
      pin(Q) { direction : output; function : "S"; } pin(QN) { direction : output; function : "SN"; } }
  cell (held) { area : 1; latch (S, SN) { data_in : "D"; enable : "G"; } pin(D) { direction : input; }
      pin(G) { direction : input; } pin(QN) { direction : output; function : "SN"; } }
  cell (bus) { area : 1; pin(A) { direction : input; } pin(Y) { direction : output; function : "A";
      three_state : "!A"; } }
  cell (mute) { area : 1; pin(A) { direction : input; } pin(Y) { direction : output; } }
"""
BENCH = r"""
module bench;
  reg a, b, c, d, ck, r, p, g;
  wire y, q, qn, ln;
  integer i;
  \odd gate (.A(a), .B(b), .C(c), .Y(y));
  \both flip_flop (.D(d), .CK(ck), .R(r), .P(p), .Q(q), .QN(qn));
  \held latch (.D(d), .G(g), .QN(ln));
  initial begin
    for (i = 0; i < 8; i = i + 1) begin
      {c, b, a} = i; #1 $write("%b", y);
    end
    {d, ck, r, p, g} = 5'b11100; #1 ck = 0; #1 $write(" %b%b", q, qn);
    d = 0; ck = 1; #1 $write("%b", q); ck = 0; #1 $write("%b", q);
    p = 1; #1 $write(" %b%b", q, qn); r = 0; #1 $write("%b%b", q, qn); p = 0; #1 $write("%b%b", q, qn);
    r = 1; #1 $write("%b", q); p = 1; #1 p = 0; #1 $write("%b", q);
    g = 1; #1 $write(" %b", ln); d = 1; #1 $write("%b", ln); g = 0; #1 d = 0; #1 $write("%b", ln);
    $display("");
  end
endmodule
"""
POWER_UP = r"""
module bench;
  wire [63:0] q;
  \both flip_flops [63:0] (.D(1'b0), .CK(1'b1), .R(1'b1), .P(1'b0), .Q(q), .QN());
  initial #1 $display("%h", q);
endmodule
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    own = read_library().text.rstrip()
    path = tmp_path / "more.lib"
    path.write_text(f"{own[:-1]}{CELLS}}}\n", encoding="utf-8")
    return read_library(path)


def simulated(texts: list[str], folder: Path, *plusargs: str) -> str:
    (folder / "bench.v").write_text("".join(texts), encoding="utf-8")
    subprocess.run(["iverilog", "-g2012", "-o", "bench", "bench.v"], cwd=folder, check=True)
    return subprocess.run(
        ["vvp", "-n", "bench", *plusargs], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_cells_do_what_their_functions_say(library: Library, tmp_path: Path) -> None:
    models = cell_model(library, ["odd", "both", "held"])
    shown = simulated([*models.values(), BENCH], tmp_path)
    # A & (B ^ !C); clocked by the falling edge; preset, both, cleared, released, preset again; a latch, inverted.
    gate, clocked, forced, latched = shown.split()
    assert gate == "".join(str(int(a & (b ^ (1 - c)))) for c in (0, 1) for b in (0, 1) for a in (0, 1))
    assert clocked == "1010"
    assert forced == "10" + "01" + "01" + "0" + "1"
    assert latched == "100"


def test_flip_flops_power_up_at_random(library: Library, tmp_path: Path) -> None:
    models = cell_model(library, ["both"])
    found = [simulated([*models.values(), POWER_UP], tmp_path, f"+power_up={number}") for number in (0, 1, 0)]
    assert found[0] == found[2] != found[1]
    assert all(16 < int(word, 16).bit_count() < 48 for word in found)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("bus", "cell bus has no model: output Y is a three-state one"),
        ("mute", "cell mute has no model: output Y has no function"),
        ("none", "has no cell none"),
    ],
)
def test_cells_without_a_model(library: Library, cell: str, message: str) -> None:
    with pytest.raises(SpinplaneError) as caught:
        cell_model(library, [cell])
    assert message in str(caught.value)
