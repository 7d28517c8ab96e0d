"""Reading Liberty files, those that lack something included."""

import gzip
import re
from decimal import Decimal
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.physical.liberty import library_cells, library_text
from spinplane.physical.library import FullAdder, read_library

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"

# Spellings that other vendors use: quoted names, ', juxtaposition, dont_use, groups of no interest, a
# continued line, a complex attribute without its semicolon, a last attribute without one.
FOREIGN = """\
// made for this test
library("foreign") {
  technology (cmos) ;
  leakage_power_unit : "1pW";
  capacitive_load_unit (1,pf)
  lu_table_template(t) { variable_1 : input_net_transition; index_1 ("1, 2"); }
  default_cell_leakage_power : 5.0;
  cell("inv") { area : 1.5 ; pin("a") { direction : "input"; } pin("z") { direction : "output";
      function : "a'"; timing () { related_pin : "a"; cell_rise(t) { values ("1, 2", \\
        "3, 4"); } } } }
  cell (buf) { area : 2; cell_leakage_power : 2000; pin(a) { direction : input; } pin(z) { direction : output;
      function : "a"; } }
  cell (nand) { area : 2; pin(a) { direction : input; } pin(b) { direction : input; }
      pin(z) { direction : output; function : "(a b)'" } }
  cell (big) { area : 1; dont_use : true; pin(a) { direction : input; } pin(z) { direction : output;
      function : "a"; } }
  cell (adder) { area : 7.25; pin(x) { direction : input; } pin(y) { direction : input; }
      pin(c) { direction : input; } pin(co) { direction : output; function : "x y + c (x + y)"; }
      pin(s) { direction : output; function : "x ^ y ^ c"; } }
  cell (flop) { area : 6; ff (q, qn) { next_state : "d"; clocked_on : "ck"; }
      pin(d) { direction : input; } pin(ck) { direction : input; }
      pin(q) { direction : output; function : "qn"; } }
}
"""


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_other_spellings(tmp_path: Path) -> None:
    library = read_library(_write(tmp_path / "foreign.lib", FOREIGN))
    assert library.name == "foreign"
    assert list(library.cells) == ["inv", "buf", "nand", "big", "adder", "flop"]
    assert library.cells["inv"].area == Decimal("1.5")
    assert library.cells["inv"].functions == {"z": "a'"}
    assert library.cells["nand"].functions == {"z": "(a b)'"}
    assert library.cells["inv"].leakage_nw == Decimal("0.005")
    assert library.cells["buf"].leakage_nw == 2
    assert library.dont_use == ["big"]
    assert library.cells["flop"].is_flip_flop
    assert library.full_adder == FullAdder(cell="adder", inputs=("x", "y", "c"), sum="s", carry="co")


def test_knows_which_cells_are_timed(tmp_path: Path) -> None:
    library = read_library(_write(tmp_path / "foreign.lib", FOREIGN))
    assert [name for name, cell in library.cells.items() if cell.is_timed] == ["inv"]
    with pytest.raises(SpinplaneError) as error:
        library.require_timing()
    assert str(error.value) == (
        f"library {tmp_path / 'foreign.lib'}: cell buf has no timing; "
        "give a Liberty file whose cells have timing tables"
    )


def test_smallest_buffer(tmp_path: Path) -> None:
    assert read_library(_write(tmp_path / "foreign.lib", FOREIGN)).buffer == "buf"  # big is not to be used
    assert read_library().buffer == "BUFX2"


def test_leakage_is_absent_where_the_file_gives_none(tmp_path: Path) -> None:
    text = FOREIGN.replace("default_cell_leakage_power : 5.0;", "")
    library = read_library(_write(tmp_path / "foreign.lib", text))
    assert library.cells["inv"].leakage_nw is None


def test_reads_gzip(tmp_path: Path) -> None:
    path = tmp_path / "foreign.lib.gz"
    path.write_bytes(gzip.compress(FOREIGN.encode()))
    assert read_library(path).cells == read_library(_write(tmp_path / "foreign.lib", FOREIGN)).cells


@pytest.mark.skipif(not GSCL45NM.is_file(), reason="gscl45nm.lib is not beside the repository (shared/pdk)")
def test_reads_gscl45nm_of_which_the_own_library_is_made() -> None:
    real, own = read_library(GSCL45NM), read_library()
    for name, cell in own.cells.items():
        if "derived" in library_cells()[name]:
            continue
        assert cell.area is not None
        assert float(cell.area) == pytest.approx(float(real.cells[name].area or 0), abs=0.0006)
        assert cell.is_flip_flop == real.cells[name].is_flip_flop
    assert real.full_adder == own.full_adder
    real.require_timing()


def _without(*cells: str) -> str:
    return re.sub(
        rf"^  cell \(({'|'.join(cells)})\) {{.*?^  }}\n", "", library_text(), flags=re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a Liberty file: it does not begin with 'library (NAME) {'"),
        ("module x; endmodule", "not a Liberty file: it does not begin with 'library (NAME) {'"),
        ("library (x);", "not a Liberty file: it does not begin with 'library (NAME) {'"),
        ("library (x) {", "ends inside library (x)"),
        ("library (x) { cell (y) { area : 1;", "ends inside cell (y)"),
        ("library (x) { cell (y) { timing () { values", "ends inside timing ()"),
        ("library (x) { }", "has no cell"),
        (re.sub("area : .*;", "", library_text()), "no cell has an area"),
        (library_text().replace("area : 1.408", "area : small"), "cell INVX1: area is 'small', not a number"),
        (_without("DFFPOSX1"), "has no flip-flop (a cell with an ff group)"),
        (_without("INVX1", "INVX2", "INVX4"), "has no inverter"),
        (_without("BUFX2", "BUFX4"), "has no buffer"),
        (_without("NAND2X1", "NAND2X2"), "has no NAND of two inputs"),
    ],
)
def test_names_the_file_and_what_lacks(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path / "broken.lib", text)
    with pytest.raises(SpinplaneError) as error:
        read_library(path)
    assert str(error.value) == f"Liberty file {path}: {message}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cell (INVX1)", 'cell ("INV;X1")', "cell = 'INV;X1': must consist of letters, digits, '.', '-' and '_'"),
        ("cell (INVX1)", 'cell ("a\n! id\n")',
         "cell = 'a\\n! id\\n': must consist of letters, digits, '.', '-' and '_'"),
        ("cell (INVX1)", 'cell ("")', "cell = '': must consist of letters, digits, '.', '-' and '_'"),
        ("cell (INVX1)", "cell (INVX1, rev2)", "cell (INVX1, rev2): must have one name"),
        ("cell (INVX1)", "cell ()", "cell (): must have one name"),
        ("cell (INVX1)", 'cell (INVX1, "a b")', "cell = 'a b': must consist of letters, digits, '.', '-' and '_'"),
        ("pin (YS)", 'pin ("Y S")', "pin = 'Y S': must consist of letters, digits, '.', '[', ']', '-' and '_'"),
        ("pin (YS)", "pin (YS, $Y)", "pin = '$Y': must consist of letters, digits, '.', '[', ']', '-' and '_'"),
        ("ff (IQ, IQN)", "ff (IQ, `N)", "ff = '`N': must consist of letters, digits, '.', '-' and '_'"),
        ("library (spinplane45)", 'library ("#!")',
         "library = '#!': must consist of letters, digits, '.', '-' and '_'"),
    ],
)  # fmt: skip
def test_names_are_plain(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = _write(tmp_path / "hostile.lib", library_text().replace(old, new))
    assert old in library_text()
    with pytest.raises(SpinplaneError) as error:
        read_library(path)
    assert str(error.value) == f"Liberty file {path}: {message}"


def test_names_that_libraries_use(tmp_path: Path) -> None:
    text = library_text().replace("(spinplane45)", '("lib-9_1.2V")').replace("(INVX1)", "(sky130_fd__inv_1)")
    macro = "  cell (ram.4x2) { pin (D[0]) { direction : input; } pin (D[1]) { direction : input; } }\n}\n"
    library = read_library(_write(tmp_path / "named.lib", text.removesuffix("}\n") + macro))
    assert library.name == "lib-9_1.2V"
    assert "sky130_fd__inv_1" in library.cells
    assert library.cells["ram.4x2"].inputs == ("D[0]", "D[1]")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError) as error:
        read_library(tmp_path / "none.lib")
    assert str(error.value) == f"Liberty file {tmp_path / 'none.lib'}: no such file"


def test_broken_gzip(tmp_path: Path) -> None:
    path = tmp_path / "broken.lib.gz"
    path.write_bytes(gzip.compress(FOREIGN.encode())[:100])
    with pytest.raises(SpinplaneError) as error:
        read_library(path)
    assert str(error.value) == (
        f"Liberty file {path}: cannot be read: "
        "Compressed file ended before the end-of-stream marker was reached"
    )
