"""The page in a real browser: its tables can be read, nothing is asked of anybody, and it fits the screen."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from browser import chromium
from paper_rows import base

import spinplane
from spinplane.machine.drawing import Drawing
from spinplane.reproduction.pictures import PICTURES, draw_bars

_TABLES = "[...document.querySelectorAll('table')].map(t => [...t.rows].map(r => [...r.cells].map(c => c.innerText)))"
_WIDTHS = "[...document.querySelectorAll('*')].map(e => [e.tagName, e.scrollWidth, e.clientWidth])"
_OUTSIDE = "[...document.querySelectorAll('[src],[href]')].map(e => e.src || e.href)"


@pytest.mark.thorough
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    drawn = tuple(
        Drawing(name=bars.name, draw=partial(draw_bars, bars=bars, rows=base().rows)) for bars in PICTURES
    )
    spinplane.write_page(replace(base(), drawn=drawn), tmp_path / "paper.html")
    with chromium() as page:
        page.open(tmp_path / "paper.html", width=1280)
        tables = page.value(_TABLES)
        widths = page.value(_WIDTHS)
        outside = page.value(_OUTSIDE)
        loaded = page.value("[...document.images].map(i => i.complete && i.naturalWidth > 100)")
        assert [url for url in page.requests if not url.startswith(("data:", "file:///", "about:"))] == []
        assert [url.rpartition("/")[2] for url in page.requests if url.startswith("file:")] == ["paper.html"]
        assert page.complaints == []
    cells = {row[0]: row for table in tables for row in table}
    # Printed, paper, ours.
    assert cells["ImageNet, CNN on RRAM: energy, all layers"][1:3] == ["544485", "5,445"]
    assert cells["ImageNet, BCNN on RRAM: area"][1:3] == ["919", "9.19"]
    assert cells["complexity of training, W·I + W·G, at 2:2"][1:4] == ["20", "20", "20"]
    assert cells["Fig. 7a: test error on SVHN, 1:1"][1:4] == ["–", "–", "–"]
    assert "not run, data not available" in cells["Fig. 7a: test error on SVHN, 1:1"][-1]
    assert {row[8] for row in cells.values() if len(row) == 10} >= {"holds", "fails", "cannot be judged"}
    assert {row.item for row in base().rows} <= set(cells)
    assert outside
    assert all(url.startswith("data:") for url in outside)
    assert loaded == [True] * len(drawn)
    assert next(one for one in widths if one[0] == "HTML")[1] <= 1280
    # Nothing is wider than its own box either: no table is scrolled.
    assert not [one for one in widths if one[0] in ("DIV", "BODY", "TABLE") and one[1] > max(one[2], 0) > 0]


def test_the_page_asks_for_nothing(tmp_path: Path) -> None:
    spinplane.write_page(base(), tmp_path / "paper.html")
    text = (tmp_path / "paper.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    assert "<script" not in text
    assert "url(" not in text
