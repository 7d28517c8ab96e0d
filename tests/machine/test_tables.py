import pytest
from rich.table import Table

from spinplane.machine.tables import fitting, table_text


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


def wide_table() -> Table:
    table = Table(title="a title", caption="a caption")
    table.add_column("layer")
    for number in range(8):
        table.add_column(f"figure {number}", justify="right", no_wrap=True)
    table.add_column("why")
    table.add_row("conv0", *(f"{number}23,456.789" for number in range(8)), "a text of many words that folds")
    return table


@pytest.mark.parametrize("columns", [30, 60, 80, 100, 140, 200])
def test_a_table_that_fits_keeps_every_number_whole(columns: int) -> None:
    with fitting(columns):
        text = table_text(wide_table())
    assert max(map(len, text.splitlines())) <= columns
    for number in range(8):
        assert f"{number}23,456.789" in text
    assert not set("…") & set(text)
    assert {"a", "text", "of", "many", "words", "that", "folds"} <= set(text.replace("│", " ").split())
    assert [text.count(line) for line in ("a title", "a caption")] == [1, 1]


def test_the_parts_of_a_table_all_have_its_first_column() -> None:
    with fitting(40):
        text = table_text(wide_table())
    assert text.count("conv0") == text.count("layer") > 1
    assert text.index("a title") < text.index("conv0") < text.rindex("conv0") < text.index("a caption")


def test_a_table_has_its_own_width_where_nothing_is_to_be_fitted() -> None:
    with fitting(None):
        assert table_text(wide_table(), 200) == table_text(wide_table(), 200)
    with fitting(200):
        fitted = table_text(wide_table())
    assert table_text(wide_table(), 200) == fitted


def test_a_word_longer_than_any_number_is_parted() -> None:
    table = Table("file", "size")
    table.add_row("a_name_without_any_space_in_it_at_all.onnx", "123,456")
    with fitting(36):
        lines = table_text(table).splitlines()
    assert max(map(len, lines)) <= 36
    assert "".join(line.strip("│┃ ").split(" ")[0] for line in lines[3:-1]) == (
        "a_name_without_any_space_in_it_at_all.onnx"
    )
