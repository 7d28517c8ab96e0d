"""Text for other programs takes names, numbers and quoted paths, and no other text."""

import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spinplane.machine import DottedName, Name, PinName, SpinplaneError
from spinplane.machine.external.text import Text, fill, inline, joined, matching, number, quoted_path


def test_words_stand_in_their_places() -> None:
    assert fill("a @b@ @c@@b@ @(*) @", b=Name("x"), c=3) == "a x 3x @(*) @"
    assert joined([fill("a"), fill("b")], " ") == "a b"
    assert fill("@a@", a=fill("; @")) == "; @"
    assert isinstance(fill("@a@", a=PinName("a[0]")), Text)


@pytest.mark.parametrize("word", ["x", "x; y", 1.5, True, None, b"x", Decimal(1), ["x"]])
def test_other_words_are_refused(word: Any) -> None:
    with pytest.raises(TypeError, match=r"^a = .*: must be a Text, a name or a whole number$"):
        fill("@a@", a=word)
    with pytest.raises(TypeError, match=r"^all parts must be Text$"):
        joined([fill("a"), word])


def test_a_place_without_a_word_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("@a@")


def test_words_are_not_templates() -> None:
    assert fill("@a@", a=fill("@b@", b=DottedName("c.d"))) == "c.d"


def test_text_is_not_made_of_text() -> None:
    with pytest.raises(TypeError):
        Text("x; y")


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1e-300, "1e-300"), (3, "3"), (-2.5e8, "-250000000")]
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(SpinplaneError, match=r"^-?(inf|nan): must be a finite number$"):
        number(value)


def test_paths_are_whole_and_quoted(tmp_path: Path) -> None:
    assert quoted_path(tmp_path / "a b", "file") == f'"{tmp_path / "a b"}"'
    for name in ('a"b', "a\nb", "a\rb", "a\x1bb"):
        with pytest.raises(
            SpinplaneError, match=r"^file '[^\n]*': must be a path without quotes and line breaks$"
        ):
            quoted_path(tmp_path / name, "file")


def test_what_is_inline_has_no_end_of_its_own() -> None:
    end = fill("END")
    assert inline("a\nb", end) == "a\nb\nEND"
    with pytest.raises(ValueError, match=r"^has the line 'END' that ends it$"):
        inline("a\nEND\n! touch canary", end)


def test_only_all_of_what_is_allowed() -> None:
    assert matching("ab\n", re.compile(r"[a-z\n]*")) == "ab\n"
    with pytest.raises(SpinplaneError):
        matching("ab;", re.compile(r"[a-z]*"))
