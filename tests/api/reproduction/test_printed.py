"""What the paper prints: characters and their values, and nothing besides."""

import pytest

from spinplane.reproduction.printed import printed, printed_sections

ITEMS = [item for section in printed_sections() for item in section.items]
#: Characters that do not say their value: points and a digit are lost, a word is missing.
DOUBTFUL = {"544485": 5444.85, "27534": 2275.34, "919": 9.19, "80 FLOPs": 80.0}


def test_values_are_what_the_characters_say() -> None:
    for item in ITEMS:
        if item.printed in DOUBTFUL:
            assert item.value == DOUBTFUL[item.printed]
            assert item.why
        elif item.value is not None:
            assert item.printed is not None
            assert float(item.printed) == item.value
    assert {item.printed for item in ITEMS} >= set(DOUBTFUL)


def test_an_item_without_a_value_says_why() -> None:
    for item in ITEMS:
        assert item.value is not None or item.why, item.id
    assert not [item.id for item in ITEMS if item.id.startswith("fig") and item.value is not None]


def test_no_id_begins_another_one_or_is_there_twice() -> None:
    ids = [item.id for item in ITEMS]
    assert len(set(ids)) == len(ids)
    for one in ids:
        assert not [other for other in ids if other.startswith(f"{one}.")]


def test_an_item_that_prints_nothing_has_no_number() -> None:
    assert printed("area.add-on").number == 15.4
    with pytest.raises(ValueError, match=r"fig4b\.margin: no number is printed"):
        assert printed("fig4b.margin").number


def test_all_cells_of_the_table_are_there() -> None:
    cells = {item.id: item.value for item in ITEMS if item.id.startswith("table2.")}
    assert len(cells) == 18
    assert sum(value or 0.0 for value in cells.values()) == pytest.approx(9949.19 + 32.868)
