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
ROOMS = {
    room: set(imports.split(", ")) - {"–"}
    for room, imports in re.findall(r"^\| `(\w+/\w+)` \|.*\| ([^|]+) \|$", ARCHITECTURE, re.MULTILINE)
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


FILE_CELL = r"^\|[^|]*\| (`[^|]*`) \|"
BOX = r"\b(axi_\w+|engine|input_streamer|layer_controller|output_\w+|row_store|sequencer|window_sum)\b"
UNIT = r"\b(bit_counter|reference_select|shifter|sot_mram_array|sub_array|sum|\w+_controller|\w+_decoder)\b"


@pytest.mark.parametrize(
    ("folder", "heading", "pattern"),
    [
        ("compiler", "## The way of a network", FILE_CELL),
        ("behavioral", "## The functional machine", FILE_CELL),
        ("hdl", "## The accelerator in ten boxes", BOX),
        ("hdl", "## The engine", UNIT),
    ],
)
def test_files_that_the_page_names_exist(folder: str, heading: str, pattern: str) -> None:
    section = ARCHITECTURE.split(heading)[1].split("\n## ")[0]
    names = {name for cell in re.findall(pattern, section, re.MULTILINE) for name in re.findall(r"\w+", cell)}
    assert len(names) > 8
    assert not names - {path.stem for path in (ROOT / folder).rglob("*") if path.suffix in (".py", "")}


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


def test_the_table_names_every_room() -> None:
    rooms = {
        init.parent.relative_to(ROOT) for folder in ALLOWED for init in (ROOT / folder).glob("*/__init__.py")
    }
    assert set(ROOMS) == {room.as_posix() for room in rooms}


@pytest.mark.parametrize("room", [room for room in ROOMS if ROOMS[room] != {"all"}])
def test_rooms_import_what_the_table_says(room: str) -> None:
    sources = list((ROOT / room).rglob("*.py"))
    assert set().union(*map(imported_of_its_folder, sources)) - {Path(room).name} == ROOMS[room]


def imported_of_its_folder(source: Path) -> set[str]:
    """Rooms of its folder, and files beside them, that a file in a room imports; "" is the folder as a whole."""
    folder, *rooms = source.relative_to(ROOT).parts[:-1]
    package = "spinplane" if folder == "api" else f"spinplane.{folder}"
    inside = [package, *rooms]
    names = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(inside[: len(inside) + 1 - node.level]) if node.level else ""
            # `from .. import unit` names what it imports behind the word.
            ends = [node.module] if node.module else [alias.name for alias in node.names]
            names += [f"{base}.{end}".removeprefix(".") for end in ends]
    own = [name.removeprefix(package) for name in names if name == package or name.startswith(f"{package}.")]
    return {name.split(".")[1] if name else "" for name in own} - (set(ALLOWED) if folder == "api" else set())
