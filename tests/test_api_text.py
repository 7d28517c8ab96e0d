import pytest
from rich.table import Table

from spinplane.text import table_text


def test_a_table_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    table = Table(title="areas")
    table.add_column("block")
    table.add_row("a block with a long name that is not broken into two lines")
    text = table_text(table)
    assert "a block with a long name that is not broken into two lines" in text
    assert "\x1b" not in text
