"""What the README shows is so: its Python runs, its commands are parsed, its figures are what the compiler says."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

import spinplane
from spinplane.cli import app
from spinplane.machine import Machine, load_machine
from tests.mlperf_tiny import NETWORKS
from tests.random_networks.files import write
from tools.notebooks import execute, notebook_of, read_blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def table(heading: str) -> list[list[str]]:
    """Cells of the rows of the first table below a line that begins with `heading`."""
    lines = TEXT[TEXT.index(heading) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_python_prints_what_it_says(tmp_path: Path) -> None:
    said = [block.printed for block in read_blocks(PAGE) if block.language == "python"]
    assert len(said) == 2
    assert execute(PAGE, notebook_of(PAGE, lambda block: block.language == "python"), tmp_path) == said


def test_commands_and_options_exist() -> None:
    shell = [block.text for block in read_blocks(PAGE) if block.language == "sh"]
    lines = [line for line in "".join(shell).splitlines() if line.startswith("spinplane ")]
    commands = [shlex.split(line, comments=True) for line in lines]
    for _, *tokens in commands:
        app.parse_args(tokens, exit_on_error=False, print_error=False)
    assert {tokens[1] for tokens in commands} == {
        name for name in app.resolved_commands() if not name.startswith("-")
    }


def test_targets_of_make_exist() -> None:
    targets = re.findall(r"^make ([\w-]+)", TEXT, re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{target}:" in makefile for target in targets)


def test_a_machine_of_ones_own_has_all_keys(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TEXT.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    mine = load_machine(file)
    keys = re.findall(r"^(\w+) =", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert keys == [field.name for field in fields(Machine) if field.name != "description"]
    # What may be left out has the value that it has there.
    written = {key: getattr(mine, key) for key in ("name", "sub_arrays", "rows", "columns", "segments")}
    assert Machine(**written) == mine


def test_the_digit_takes_the_cycles_of_the_table() -> None:
    compiled = spinplane.compile_model("digits-1-4", machine="paper8")
    rows = []
    for layer in compiled.layers:
        figures = [thousands(layer.cycles), percent(layer.efficiency), thousands(layer.counters.ands)]
        rows.append([layer.layer, layer.size, layer.bits, *figures, "0"])
    shown = table("| layer | output |")
    assert shown[:-1] == rows
    steady, ands = compiled.steady, compiled.counters.ands
    assert shown[-1][3:6] == [thousands(steady.cycles), percent(steady.efficiency), thousands(ands)]


@pytest.mark.parametrize("row", table("| network, W:I |"), ids=lambda row: row[0])
def test_networks_take_the_cycles_of_the_table(row: list[str]) -> None:
    steady = spinplane.compile_model(row[0], machine=row[1]).steady
    shares = [percent(share or 0) for share in (steady.efficiency, steady.efficiency_without_first)]
    assert row[2:] == [thousands(steady.cycles), *shares]


@pytest.mark.thorough
@pytest.mark.parametrize("row", table("| int8 network |"), ids=lambda row: f"{row[0]}-{row[1]}")
def test_int8_networks_take_the_cycles_of_the_table(row: list[str], tmp_path: Path) -> None:
    name, forms, machine, *shown = row
    for form in forms.lower().split(", "):
        file = write(form, NETWORKS[name](0, explicit=form == "qdq"), 0, tmp_path)
        compiled = spinplane.compile_model(str(file.path), machine=machine)
        needed = sum(layer.column_use * layer.counters.ands for layer in compiled.layers)
        shares = [percent(compiled.steady.efficiency), percent(needed / compiled.counters.ands)]
        assert shown == [thousands(compiled.steady.cycles), *shares]


def test_the_table_has_every_int8_network_in_both_forms() -> None:
    rows = [(row[0], form) for row in table("| int8 network |") for form in row[1].split(", ")]
    assert rows == [(name, form) for name in NETWORKS for form in ("QDQ", "TFLite")]
