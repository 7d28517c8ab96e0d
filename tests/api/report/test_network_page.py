"""The page of a network in a real browser: figures can be read, nothing is asked of anybody, names are text."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from browser import chromium
from small_networks import small_graph, small_images

import spinplane
from spinplane.commands import report_network as reporting

_TABLES = "[...document.querySelectorAll('table')].map(t => [...t.rows].map(r => [...r.cells].map(c => c.innerText)))"
_LINKS = "[...document.querySelectorAll('[href]')].map(e => e.getAttribute('href'))"
_TARGETS = "[...document.querySelectorAll('[id]')].map(e => '#' + e.id)"


@pytest.fixture(autouse=True)
def few_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells are written a few times only."""
    monkeypatch.setattr(reporting, "report_device", partial(spinplane.report_device, trials=1000, writes=20))


@pytest.mark.thorough
def test_the_page_of_a_run_in_a_browser(tmp_path: Path) -> None:
    result = spinplane.report_network("digits-1-4")
    assert result.simulator
    spinplane.write_page(result, tmp_path / "a.html")
    with chromium() as page:
        page.open(tmp_path / "a.html", width=1280)
        cells = {row[0]: row for table in page.value(_TABLES) for row in table}
        figures = page.value(
            "[...document.querySelectorAll('.figures > div')].map(e => e.innerText.split('\\n'))"
        )
        widths = [page.value("document.documentElement.scrollWidth")]
        links, targets = page.value(_LINKS), page.value(_TARGETS)
        loaded = page.value("[...document.images].map(i => i.complete && i.naturalWidth > 100)")
        page.open(tmp_path / "a.html", width=390)
        widths.append(page.value("document.documentElement.scrollWidth"))
        asked = {url for url in page.requests if not url.startswith(("data:", "about:"))}
        complaints = page.complaints
    assert ["cycles", "27,585", "31,217 in the first run"] in figures
    assert ["mismatches", "0", "RTL, functional machine, prediction and oracle"] in figures
    # Of the RTL, of the functional machine, predicted: the last table with this row is of the cold run.
    assert cells["cycles"] == ["cycles", "31,217", "31,217", "31,217"]
    assert cells["conv0"][0] == "conv0"
    assert asked == {(tmp_path / "a.html").as_uri()}
    assert complaints == []
    assert [width <= room for width, room in zip(widths, (1280, 390), strict=True)] == [True, True]
    assert links
    assert set(links) <= set(targets)
    assert loaded == [True, True]


@pytest.mark.thorough
def test_hostile_names_are_shown_and_not_run(tmp_path: Path) -> None:
    name, of_layer = "<script>document.title = 1</script>", "<img src=x onerror='document.title = 2'>"
    graph = small_graph()
    conv, dense = graph.layers
    evil = replace(graph, name=name, layers=(replace(conv, name=of_layer), dense))
    result = spinplane.report_network(evil, small_images(1), machine="tiny", rtl=False)
    spinplane.write_page(result, tmp_path / "a.html")
    with chromium() as page:
        page.open(tmp_path / "a.html", width=1280)
        title, heading = page.value("[document.title, document.querySelector('h1').innerText]")
        scripts, images = page.value(
            "[document.scripts.length, [...document.images].map(i => i.src.slice(0, 5))]"
        )
        body = page.value("document.body.innerText")
        width = page.value("document.documentElement.scrollWidth")
        complaints = page.complaints
    assert title == heading == f"{name} on tiny"
    assert (scripts, set(images)) == (0, {"data:"})
    assert of_layer in body
    assert complaints == []
    assert width <= 1280
