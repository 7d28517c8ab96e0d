"""What every kind of result shows of itself: one line, a fragment of HTML, comma-separated values."""

import csv
import io
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from made_results import HOSTILE, made_result
from small_networks import small_graph

import spinplane
from spinplane.machine.reporting.records import csv_text, record_of
from spinplane.models import open_network
from spinplane.report.results import KINDS

TRAINED = ("StudyResult", "TrainingResult")
EVERY_KIND = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.training if kind in TRAINED else ()) for kind in KINDS]
)


class Fragment(HTMLParser):
    """Tags with their attributes of a fragment whose tags are balanced."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@EVERY_KIND
def test_a_result_is_one_short_line(kind: str) -> None:
    line = repr(made_result(kind))
    assert line.startswith(f"<{kind} ")
    assert line.endswith(">")
    assert len(line) < 200
    assert line.isprintable()


@EVERY_KIND
def test_a_fragment_is_balanced_and_asks_nothing_of_anybody(kind: str) -> None:
    source = made_result(kind)._repr_html_()
    fragment = Fragment(source)
    assert fragment.tags[0] == ("div", {"class": "spinplane"})
    names = {tag for tag, _ in fragment.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "base", "form", "a", "body", "html"})
    assert names & {"table", "pre"}
    assert not any(name in ("src", "href") for _, attributes in fragment.tags for name in attributes)
    style = source.split("<style>")[1].split("</style>")[0]
    rules = [line for line in style.splitlines() if "{" in line and not line.startswith("@media")]
    assert rules
    assert all(line.lstrip().startswith(".spinplane ") for line in rules)


@EVERY_KIND
def test_comma_separated_values_are_read_back(kind: str) -> None:
    text = made_result(kind).csv()
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header
    assert len(set(header)) == len(header)
    assert rows
    assert {len(row) for row in rows} == {len(header)}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert text.replace("\r\n", "").count("\r") == 0


def test_numbers_have_all_their_digits_and_what_is_missing_is_empty() -> None:
    records = [{"a": 1234567.5, "b": None, "c": True}, {"a": -1e-12, "b": float("inf"), "d": "-x"}]
    assert csv_text(records) == "a,b,c,d\r\n1234567.5,,true,\r\n-1e-12,,,'-x\r\n"
    assert csv_text([]) == ""


def test_a_record_has_the_names_of_what_is_inside() -> None:
    result = made_result("NetworkRun")
    record = record_of(result.layers[0])
    assert record["counters_cycles"] == 1
    assert "outputs" not in record
    assert record["layer"] == HOSTILE


def test_a_compilation_shows_its_rows_without_a_file() -> None:
    result = spinplane.compile_model(small_graph(), machine="tiny")
    (source,) = [
        attributes["src"] or "" for tag, attributes in Fragment(result._repr_html_()).tags if tag == "img"
    ]
    assert source.startswith("data:image/png;base64,")
    assert repr(result) == (
        f"<Compilation small on tiny: 2 sub-arrays of 64×64: {result.steady.cycles} cycles, "
        f"array efficiency {result.steady.efficiency:.1%}>"
    )


def test_what_has_arrays_is_one_line_too() -> None:
    machine = spinplane.load_machine("tiny")
    row = spinplane.write_rows(3, np.ones(64, dtype=np.uint8))
    provenance = spinplane.Provenance(command="spinplane run x", machine=machine)
    assert repr(small_graph()).startswith("<Graph small: ")
    assert repr(open_network(small_graph())).endswith(" layers, from a graph>")
    assert repr(provenance) == "<Provenance spinplane run x, on tiny>"
    assert "\n" not in repr(row)
    assert len(repr(row)) < 100


def test_names_of_the_package_are_offered_and_exist() -> None:
    assert dir(spinplane) == sorted(spinplane.__all__)
    assert set(spinplane._LATE) <= set(spinplane.__all__)


def test_printing_in_a_notebook_is_text_alone() -> None:
    """As rich sees it in a notebook: it displays HTML by itself unless it is told not to."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import rich.console\n"
        "rich.console._is_jupyter = lambda: True\n"
        "from made_results import made_result\n"
        "for kind in ('AreaReport', 'ChipArea', 'Compilation', 'EnergyReport', 'PaperReport'):\n"
        "    str(made_result(kind))\n"
        "print('IPython' in sys.modules)\n"
    )
    folder = __file__.rpartition("/api/")[0]
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
