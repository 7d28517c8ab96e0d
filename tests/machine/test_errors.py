"""What messages show of the values of files and users."""

import pytest

from spinplane.machine.errors import one_line, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", r"'a\nb'"),
        ([1, 2, 3, 4], "[1, 2, 3, 4]"),
        ([1, 2, 3, 4, 5], "[1, 2, 3, 4, ...]"),
        ((1, 2, 3, 4), "(1, 2, 3, 4)"),
        ((1, 2, 3, 4, 5), "(1, 2, 3, 4, ...)"),
        ({"a": 1, "b": 2, "c": 3}, "{'a': 1, 'b': 2, 'c': 3}"),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, "{'a': 1, 'b': 2, 'c': 3, ...}"),
        ([[1]], "[[1]]"),
        ([[[1]]], "[[[...]]]"),
        ("x" * 58, repr("x" * 58)),
        ("x" * 59, "'" + "x" * 58 + "…"),
        (10**59, str(10**59)),
        (10**60, str(10**60)[:59] + "…"),
    ],
)
def test_values_are_cut_where_they_are_long_or_deep(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(" a\n  b "), "a b"),
        (KeyError(), "KeyError"),
        (ValueError("a\x1bb"), r"a\x1bb"),
        (ValueError("x" * 120), "x" * 120),
        (ValueError("x" * 121), "x" * 120),
    ],
)
def test_what_a_library_says_is_one_line(error: Exception, text: str) -> None:
    assert one_line(error) == text


def test_a_line_is_as_long_as_it_may_be() -> None:
    assert one_line("abcdef", most=4) == "abcd"
