"""The page that sets a layer beside another tool prints what it says, and its table follows from our figures."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import spinplane
from tools.notebooks import read_blocks

PAGE = Path(__file__).parents[2] / "docs" / "compare.md"


@pytest.mark.thorough
def test_the_page_prints_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("zigzag") is None:
        pytest.skip("zigzag-dse is not installed: tools/setup.sh all")
    monkeypatch.setenv("SPINPLANE_BUILD", str(Path("build").resolve()))
    monkeypatch.chdir(tmp_path)
    (block,) = read_blocks(PAGE)
    # A process of its own: ZigZag changes how this one logs and warns.
    done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout == block.printed


def cells(row: str) -> list[str]:
    """Ours and ZigZag's of a row of the table."""
    line = next(
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {row} |")
    )
    return [cell.strip() for cell in line.split("|")[2:4]]


def test_our_figures_of_the_table_are_those_of_the_layer() -> None:
    layer = spinplane.compile_model("svhn:1:1", machine="paper8").layers[1]
    energies = spinplane.event_energies("paper8", "sot-mram")

    def microjoules(**counts: float) -> str:
        names = {name.replace("__", ", ").replace("_bank", " bank"): count for name, count in counts.items()}
        return f"{sum((energies.event(name).energy.value or 0) * count for name, count in names.items()) * 1e6:.2f}"

    ands, writes = layer.counters.ands, layer.counters.row_writes
    operation = ("decode", "array_control", "row_path")
    sensing = dict.fromkeys(("ands", "count", *operation), ands) | dict.fromkeys(("shift", "add"), 4 * ands)
    assert cells("cycles that sense")[0] == f"{ands // 8:,}".replace(",", " ")
    assert cells("all cycles")[0] == f"{layer.cycles:,}".replace(",", " ")
    assert cells("products, µJ")[0] == microjoules(**sensing)
    assert cells("rows written, µJ")[0] == microjoules(
        **dict.fromkeys(("row_writes", "row_feed", *operation), writes)
    )
    images = {
        "image_bank__read": layer.counters.image_reads,
        "image_bank__write": layer.counters.image_writes,
    }
    inputs = dict.fromkeys(("input", "input_address", "bank_port"), layer.counters.image_reads)
    assert cells("image bank, µJ")[0] == microjoules(**images, **inputs)
