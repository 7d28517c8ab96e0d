"""Reports in HTML: everything is in the one file, and no text of a file or a name becomes a part of the page."""

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table
from rich.text import Text
from small_networks import small_graph, small_images

import spinplane
from spinplane.cli import main
from spinplane.commands import compile as compilation
from spinplane.commands import trace as tracing
from spinplane.machine import load_machine
from spinplane.models import open_network
from spinplane.report.provenance import Provenance, UsedTechnology
from spinplane.report.report import Report

#: The least PNG there is: one gray pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000 3a7e9b55"
    "0000000a49444154789c6368000000820081 77cd72b6 0000000049454e44ae426082"
)


@dataclass(frozen=True, kw_only=True)
class Sample(Report):
    """A result of two tables and a picture."""

    name: str
    picture: Path

    def tables(self) -> tuple[Table, ...]:
        """One with a group of rows and a total, and one more."""
        first = Table(title=f"areas of {self.name}", caption="without wiring")
        first.add_column("block")
        first.add_column("µm²", justify="right")
        first.add_row(Text("engine", style="bold"))
        first.add_row(self.name, "1.5")
        first.add_row("rest", "")
        first.add_section()
        first.add_row("total", "1.5")
        second = Table("only", title="second")
        second.add_row("/[red]row[0][/]")
        return first, second

    def notes(self) -> tuple[str, ...]:
        """A line."""
        return (f"file    {self.name}",)

    def drawings(self) -> tuple[Path, ...]:
        """The picture."""
        return (self.picture,)


class Page(HTMLParser):
    """Tags with their attributes, and the texts between them, of a page whose tags are balanced."""

    VOID = ("meta", "img")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def of(self, tag: str) -> list[str]:
        return [text for found, text in self.texts if found == tag]


def written(tmp_path: Path, *, name: str = "tiny", provenance: Provenance | None = None) -> Page:
    (tmp_path / "a.png").write_bytes(PNG)
    spinplane.write_page(Sample(name=name, picture=tmp_path / "a.png"), tmp_path / "a.html", provenance)
    return Page(tmp_path / "a.html")


def test_a_page_has_tables_notes_and_pictures(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert page.of("title") == page.of("h1") == ["areas of tiny"]
    assert page.of("h2") == ["second", "Origin of these figures"]
    assert page.of("th") == ["block", "µm²", "engine", "only"]
    assert page.of("td") == ["tiny", "1.5", "rest", "total", "1.5", "/[red]row[0][/]"]
    assert page.of("caption") == ["without wiring"]
    assert page.of("li") == ["file tiny"]
    assert page.of("figcaption") == ["a.png"]
    assert [attributes.get("class") for tag, attributes in page.tags if tag == "tr"] == [
        *(None, "group", None, None, "after"),
        *(None, None),
    ]


def test_a_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert {tag for tag, _ in page.tags}.isdisjoint(
        {"script", "link", "iframe", "object", "base", "form", "a"}
    )
    sources = [
        value or "" for _, attributes in page.tags for name, value in attributes.items() if name == "src"
    ]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/png;base64,")
    assert not re.search(r"url\(|@import|https?:", page.source)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_no_text_becomes_a_part_of_the_page(tmp_path: Path) -> None:
    plain = written(tmp_path)
    evil = '<script>alert("1")</script>&amp;</td><img src=x onerror=y>{{ 7 * 7 }}'
    machine = replace(load_machine("tiny"), description=evil)
    provenance = Provenance(
        command=f"spinplane {evil}",
        machine=machine,
        technology=UsedTechnology(name=evil, digest=evil),
        seed=1,
        versions={evil: evil},
    )
    page = written(tmp_path, name=evil, provenance=provenance)
    same = written(tmp_path, provenance=replace(provenance, machine=load_machine("tiny")))
    assert page.tags == same.tags
    assert len(plain.tags) < len(same.tags)
    assert page.of("h1") == [f"areas of {evil}"]
    assert page.of("td")[0] == evil
    assert page.of("li") == [f"file {evil}"]
    assert page.of("code") == [f"spinplane {evil}"]
    assert f"tiny: {evil}" in page.of("dd")
    assert evil in page.of("dt")


def test_a_page_says_where_its_figures_are_from(tmp_path: Path) -> None:
    provenance = Provenance(
        command="spinplane run x",
        machine=load_machine("tiny"),
        technology=UsedTechnology(name="sot-mram", digest="12ab"),
        seed=3,
        versions={"numpy": "2.0"},
    )
    page = written(tmp_path, provenance=provenance)
    assert page.of("dt") == ["machine", "its sizes", "technology", "seed", "spinplane", "numpy"]
    machine, sizes, *others = page.of("dd")
    assert machine.startswith("tiny: 2 sub-arrays")
    assert "sub_arrays 2, rows 64, columns 64" in sizes
    assert others == ["sot-mram, digest 12ab", "3", spinplane.__version__, "2.0"]
    assert page.of("code") == ["spinplane run x"]


@pytest.mark.parametrize(
    ("arguments", "heading", "pictures"),
    [
        (["compile", "small"], "small on tiny: 2 sub-arrays of 64×64", 1),
        (
            ["trace", "small", "--input", "x.npy", "--output", "1,0,0"],
            "small on tiny: layer dense, kernel 1, y 0, x 0 is ",
            0,
        ),
    ],
)
def test_the_command_writes_a_page(
    arguments: list[str], heading: str, pictures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (compilation, tracing):
        monkeypatch.setattr(module, "open_network", lambda model, check: open_network(small_graph()))
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", small_images(1))
    arguments = [*arguments, "--machine", "tiny", "--html", "new/a.html"]
    main(arguments)
    page = Page(tmp_path / "new" / "a.html")
    assert page.of("h1")[0].startswith(heading)
    assert page.of("code") == [" ".join(["spinplane", *arguments])]
    assert len(page.of("figcaption")) == pictures
    assert "machine" in page.of("dt")


def test_a_page_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compile", "digits-1-1", "--html", str(tmp_path)])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (
        "",
        f'spinplane: Invalid value "{tmp_path}" for --html. Is a folder.\n',
    )
