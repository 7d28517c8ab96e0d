"""The paper beside ours: every row is there, follows what it should, and says why it has no value."""

import json
import re
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from unittest.mock import patch

import pytest
from paper_rows import DIGITS, LOW, base, in_short, small_paper
from result_files import written

import spinplane
from spinplane.cli import main
from spinplane.compiler.frontend.networks import BitWidths, load_network
from spinplane.device import load_technology
from spinplane.machine import SpinplaneError
from spinplane.reproduction.evidence import NETWORKS
from spinplane.reproduction.printed import printed_sections
from spinplane.reproduction.storage_rows import of_side_227, stored_bits

BASE = base()
SOT = load_technology("sot-mram")
#: More of everything that rows of the array follow.
CHANGED = SOT.with_values(
    {
        key: 1.03 * float(SOT.parameters[key].value)  # type: ignore[arg-type]
        for key in (
            "oxide.thickness",
            "cell.area",
            "read.current",
            "write.pulse",
            "write.current_0",
            "write.current_1",
        )
    }
)
MACHINE, TECHNOLOGY, NETWORK = "machine", "technology", "network"
OTHERS = {
    MACHINE: small_paper(machine=replace(LOW, sub_arrays=4, columns=128, rows=512, accumulator_bits=28)),
    TECHNOLOGY: small_paper(technology=CHANGED),
    NETWORK: small_paper(networks=dict.fromkeys(DIGITS, "lenet")),
}
#: What each row follows, by the first pattern that its id begins with.
FOLLOWS = {
    r"device\.standby\.chip": {MACHINE, TECHNOLOGY},
    r"device\.standby": set(),
    r"device\.(tmr|write-current)": {TECHNOLOGY},
    r"device|fig4b": {MACHINE, TECHNOLOGY},
    r"fig7|complexity|sensitivity": set(),
    r"fig8|storage|operations|fig9a\.ands": {NETWORK},
    # Both networks have images of one size and as many classes.
    r"fig9b\.host\.all": {MACHINE},
    r"fig9b\.host": set(),
    # As many results leave, whatever the array is like.
    r"fig9b\.output-stage": {NETWORK},
    r"fig9b\.(bit-count|add|control|banks|clock)": {MACHINE, NETWORK},
    r"rram|table2\.\w+\.\w+\.b?cnn-rram": {NETWORK},
    r"communication": {MACHINE, NETWORK},
    r"fig9|fig10a|and-dominates|ratio|table2\.\w+\.energy": {MACHINE, TECHNOLOGY, NETWORK},
    r"fig10b\.plain|area\.add-on|table2\.\w+\.area": {MACHINE, TECHNOLOGY},
    r"fig10b\.(reference|sub-array)|area\.decoder": {MACHINE},
    r"fig10b": {MACHINE},
    # Both networks have two quantized layers.
    r"contradiction\.six-convolutions\.quantized": set(),
    r"contradiction\.(energy-of|one|six|binary|adc)": {NETWORK},
    r"contradiction\.(svhn-area|add-on)": {MACHINE, TECHNOLOGY},
    r"contradiction\.alexnet-area": {TECHNOLOGY, NETWORK},
    r"contradiction": set(),
}
#: Few errors are counted, which may be as many by chance.
COUNTED = r"fig4b\.error|device\.fan-in"


def follows(id: str) -> set[str]:
    return next(found for pattern, found in FOLLOWS.items() if re.match(pattern, id))


@pytest.mark.parametrize("what", OTHERS)
def test_each_row_moves_with_what_it_follows(what: str) -> None:
    others, layers = {row.id: row for row in OTHERS[what].rows}, r"fig10a\."
    # A layer of another network is another row.
    assert (set(others) == {row.id for row in BASE.rows}) == (what != NETWORK)
    for row in BASE.rows:
        if re.match(COUNTED, row.id) or (what == NETWORK and re.match(layers, row.id)):
            continue
        other = others[row.id].ours
        if row.ours is None or other is None:
            assert row.ours is other is None, row.id
            continue
        moved = row.ours != pytest.approx(other, rel=1e-9)
        assert moved == (what in follows(row.id)), row.id


def test_every_item_has_rows_and_every_row_an_item() -> None:
    ids = Counter(row.id for row in BASE.rows)
    assert set(ids.values()) == {1}
    items = {item.id: item for section in printed_sections() for item in section.items}
    used = set()
    for row in BASE.rows:
        (item,) = [item for id, item in items.items() if row.id == id or row.id.startswith(f"{id}.")]
        assert (row.printed, row.paper, row.unit) == (item.printed, item.value, item.unit)
        used.add(item.id)
    assert used == set(items)


def test_a_row_without_a_number_says_why() -> None:
    for row in BASE.rows:
        assert row.how or row.ours is None, row.id
        if row.paper is None or row.ours is None:
            assert row.why, row.id
        if row.low is not None and row.high is not None:
            assert row.ours is not None
            assert row.low <= row.ours <= row.high, row.id


def test_trainings_that_were_not_run_are_told() -> None:
    for part in "ab":
        row = BASE[f"fig7{part}.svhn.1-1"]
        assert (row.ours, row.paper) == (None, None)
        assert "not run, data not available" in row.why
    assert BASE["fig7b-mnist.1-1"].ours == pytest.approx(1.17)
    assert BASE["fig7a-mnist.1-3"].ours is None


@pytest.mark.parametrize(
    ("side", "mib", "less_64", "less_32"), [(227, 39.70, 12.07, 6.03), (224, 39.67, 12.07, 6.04)]
)
def test_storage_of_alexnet(side: int, mib: float, less_64: float, less_32: float) -> None:
    network = load_network("alexnet-xnor")
    network = of_side_227(network) if side == 227 else network
    assert network.side == side
    bits = stored_bits(network, BitWidths.parse("1:1"), 64)
    assert bits / 8 / 2**20 == pytest.approx(mib, abs=0.005)
    for width, less in ((64, less_64), (32, less_32)):
        full = stored_bits(network, BitWidths(weight=1, activation=1), 64)
        assert full == bits
        whole = width * sum(
            shape.weights + shape.inputs[0] * shape.inputs[1] ** 2 for shape in network.shapes()
        )
        assert whole / bits == pytest.approx(less, abs=0.005)


def test_a_result_is_a_file_and_a_screen(tmp_path: Path) -> None:
    content = written(BASE)
    assert set(content["rows"][0]) == {
        "id", "item", "printed", "paper", "ours", "low", "high", "unit", "ratio", "verdict", "how", "why",
    }  # fmt: skip
    shown = str(BASE)
    assert "half of the paper's energy, svhn: 67.63 µJ" in shown
    assert max(map(len, shown.split("paper: ")[0].splitlines())) <= 100
    assert "544485" not in shown
    assert "544485" in BASE.every_row


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "low.toml"
    file.write_text("".join(f"{field.name} = {_toml(getattr(LOW, field.name))}\n" for field in fields(LOW)))
    with in_short(), patch.dict(NETWORKS, DIGITS):
        main(
            [
                "paper",
                "--machine",
                str(file),
                "--json",
                str(tmp_path / "paper.json"),
                "--html",
                str(tmp_path / "p.html"),
            ]
        )
    shown = capsys.readouterr().out
    read = spinplane.read_result(tmp_path / "paper.json")
    assert str(read) == shown.rstrip("\n")
    assert [row.ours for row in read.rows] == [row.ours for row in BASE.rows]
    assert (tmp_path / "p.html").read_text(encoding="utf-8").count("data:image/png;base64,") == 8
    assert {path.name for path in tmp_path.iterdir()} == {"low.toml", "paper.json", "p.html"}


def _toml(value: object) -> str:
    return json.dumps(value)


def test_a_wrong_request_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match="no-machine"):
        spinplane.paper(machine="no-machine")
    written(BASE)
    spinplane.write_result(BASE, tmp_path / "paper.json")
    with pytest.raises(SpinplaneError, match="a PaperReport, not a study of trainings"):
        spinplane.paper(study=tmp_path / "paper.json")
