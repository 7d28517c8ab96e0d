"""The energy command: the table of the API's function, as text and in files."""

from pathlib import Path

import pytest

import spinplane
from spinplane.cli import main
from spinplane.device import load_technology


def test_the_command_shows_what_the_function_returns(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table, file = tmp_path / "energy.csv", tmp_path / "energy.json"
    main(["energy", "--machine", "tiny", "--clock", "5ns", "--csv", str(table), "--json", str(file)])
    result = spinplane.event_energies("tiny", load_technology("sot-mram"), clock="5ns")
    assert capsys.readouterr().out == f"{result}\n"
    assert table.read_bytes().decode() == result.csv()
    assert spinplane.read_result(file) == result
