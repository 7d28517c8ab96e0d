"""The drawings of the house hold: imports are those of the table, and files, links and boxes exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ALLOWED = {
    folder: set(allowed.split(", ")) - {"–"}
    for folder, allowed in re.findall(r"^\| `(\w+)/` \|.*\| ([^|]+) \|$", ARCHITECTURE, re.MULTILINE)
}
PAGES = sorted(page for pattern in ("*.md", "docs/**/*.md") for page in ROOT.glob(pattern))


def imported(source: Path) -> set[str]:
    """Sub-packages of spinplane that a file imports, itself as a whole being ``api``."""
    packages = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "spinplane":
            names = [f"spinplane.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for first, *rest in (name.split(".") for name in names):
            if first == "spinplane":
                packages.add(rest[0] if rest and rest[0] in ALLOWED else "api")
    return packages


def test_the_table_names_every_package() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert set(ALLOWED) == set(re.findall(r'^"spinplane[\w.]*" = "(\w+)"$', text, re.MULTILINE))


@pytest.mark.parametrize("folder", [folder for folder in ALLOWED if ALLOWED[folder] != {"all"}])
def test_imports_are_those_of_the_table(folder: str) -> None:
    found = {source: imported(source) - {folder} for source in (ROOT / folder).rglob("*.py")}
    assert found
    outside = {source.name: names - ALLOWED[folder] for source, names in found.items()}
    assert not {name: names for name, names in outside.items() if names}
    # What may be imported and is not would be a line too much in the table.
    assert set().union(*found.values()) == ALLOWED[folder]


def test_an_import_is_found_wherever_it_stands(tmp_path: Path) -> None:
    source = tmp_path / "unit.py"
    source.write_text(
        "import numpy\nfrom spinplane import hdl, load_machine\nfrom .machine import Machine\n"
        "def late():\n    from spinplane.sim.tools import available_simulators\n    import spinplane.device.mtj\n"
    )
    assert imported(source) == {"hdl", "api", "sim", "device"}


@pytest.mark.parametrize("folder", ["compiler", "hdl"])
def test_files_that_the_page_names_exist(folder: str) -> None:
    way, rest = ARCHITECTURE.split("# The accelerator in ten boxes")
    sections = {
        "compiler": re.findall(r"^\|[^|]*\| (`[^|]*`) \|", way, re.MULTILINE),
        "hdl": re.findall(
            r"\b(axi_\w+|input_streamer|sequencer|engine|output_stage|window_sum|\w+_controller)\b", rest
        ),
    }
    names = {name for cell in sections[folder] for name in re.findall(r"\w+", cell)}
    assert len(names) > 8
    assert not names - {path.stem for path in (ROOT / folder).rglob("*.py")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, target


@pytest.mark.parametrize("package", ["behavioral", "compiler", "hdl"])
def test_rooms_do_not_import_what_is_made_of_them(package: str) -> None:
    for source in sorted((ROOT / package).glob("*/*.py")):
        room = source.parent.name
        rooms = rooms_imported(source)
        if room == "common":
            assert rooms <= {"common"}, source
        if room != "export":
            assert not rooms & {"", "accelerator", "export"}, source


def rooms_imported(source: Path) -> set[str]:
    """Rooms, and files beside them, of its own package that a file in a room imports; "" is the package as a whole."""
    package = f"spinplane.{source.parent.parent.name}"
    names = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = {0: "", 1: f"{package}.{source.parent.name}.", 2: f"{package}."}[node.level]
            names += [f"{base}{node.module}" if node.module else f"{base}{a.name}" for a in node.names]
    return {
        name.split(".")[2] if "." in name[len("spinplane.") :] else "" for name in names if package in name
    }
