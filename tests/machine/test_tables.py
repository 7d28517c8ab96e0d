import pytest
from rich.table import Table

from spinplane.machine.tables import table_text


def test_a_table_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    table = Table(title="areas")
    table.add_column("block")
    table.add_row("a block with a long name that is not broken into two lines")
    text = table_text(table)
    assert "a block with a long name that is not broken into two lines" in text
    assert "\x1b" not in text


def test_texts_of_a_table_are_shown_as_they_are() -> None:
    table = Table("[/red] :cat:", title="[/] :cat:")
    table.add_row("[/bold] [red]x[0]")
    for text in ("[/red] :cat:", "[/] :cat:", "[/bold] [red]x[0]"):
        assert text in table_text(table)
