"""The site builds without a warning, holds every public name and opens from a disk, without a network."""

import re
from html import unescape
from pathlib import Path

import mkdocs.commands.build
import nbformat
import pytest
from browser import chromium
from mkdocs.config import load_config
from mkdocstrings import Inventory

import spinplane
import spinplane.behavioral
import spinplane.machine
from tools import link_types
from tools.notebooks import DOCS, PAGES, ROOT, notebook_of

API = DOCS / "api"


def test_every_name_of_spinplane_has_its_place_in_the_api_pages() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in API.glob("*.md"))
    entries = re.findall(r"^::: ([\w.]+)$", pages, re.MULTILINE)
    wanted = {f"spinplane.{name}" for name in spinplane.__all__}
    modules = {"spinplane.behavioral", "spinplane.machine"}
    found = {entry for entry in entries if entry.count(".") == 1} - modules
    assert wanted - found == set(), "add '::: NAME' to the page of docs/api that has its theme"
    assert found - wanted == set(), "docs/api has names that spinplane no longer has"
    assert len(entries) == len(set(entries)), "a name has two entries"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; its notebooks are those of the pages, not executed."""
    folder = tmp_path_factory.mktemp("site")
    for page in PAGES:
        notebook = folder / "notebooks" / page.relative_to(DOCS).with_suffix(".ipynb")
        notebook.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook_of(page), notebook)
    link_types.main()
    configuration = load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(folder / "site"))
    configuration.extra["notebooks"] = str(folder / "notebooks")
    configuration.plugins.on_startup(command="build", dirty=False)
    # In strict mode a warning, such as a link to nothing or a page that the navigation lacks, ends the build.
    mkdocs.commands.build.build(configuration)
    configuration.plugins.on_shutdown()
    return folder / "site"


@pytest.mark.thorough
def test_the_lower_level_has_its_entries(site: Path) -> None:
    with (site / "objects.inv").open("rb") as file:
        entries = set(Inventory.parse_sphinx(file))
    modules = (spinplane, spinplane.behavioral, spinplane.machine)
    public = {f"{module.__name__}.{name}" for module in modules for name in module.__all__}
    public |= {"spinplane.compiler.graph.Graph", "spinplane.compiler.codegen.program.compile_graph"}
    assert public - entries == set()


@pytest.mark.thorough
def test_lists_and_tables_are_read_as_in_the_repository(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        body = unescape(re.sub(r"<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))
        paragraphs = "\n".join(re.findall(r"<(?:p|li)>(.*?)</(?:p|li)>", body, re.DOTALL))
        lines = re.findall(r"^(?:[-*] |\||```).*", paragraphs, re.MULTILINE)
        broken += [f"{page.name}: {line}" for line in lines]
    assert broken == []


@pytest.mark.thorough
def test_each_page_that_runs_offers_its_notebook(site: Path) -> None:
    for page in PAGES:
        built = site / page.relative_to(DOCS).with_suffix(".html")
        assert f'href="{page.stem}.ipynb"' in built.read_text(encoding="utf-8")
        assert built.with_suffix(".ipynb").is_file()


@pytest.mark.thorough
def test_it_opens_and_is_searched_without_a_network(site: Path) -> None:
    with chromium() as browser:
        browser.open(site / "index.html", width=1200)
        assert "inside a memory" in browser.value("document.querySelector('article').innerText")
        found = browser.ask(
            "Runtime.evaluate",
            awaitPromise=True,
            returnByValue=True,
            expression="""new Promise(found => {
                const results = document.querySelector(".md-search-result__list");
                new MutationObserver(() => results.innerText.includes("compile_model") && found(results.innerText))
                    .observe(results, {childList: true, subtree: true});
                const input = document.querySelector(".md-search__input");
                input.focus();
                input.value = "compile_model";
                input.dispatchEvent(new KeyboardEvent("keyup", {bubbles: true}));
            })""",
        )["result"]["value"]
        assert "Networks" in found
        assert [request for request in browser.requests if not request.startswith(("file:", "data:"))] == []
