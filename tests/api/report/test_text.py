"""Text on terminals that have few characters, or few columns."""

import io
import sys

import pytest

from spinplane.report.text import folded, write_what_is_missing, written


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("12 µm², 3×3, −1 – 2", "12 um2, 3x3, -1 - 2"),
        ("┏━┳┓│┃└─┘", "+-++||+-+"),
        ("FF→FF, ⠋ working…", "FF>FF, * working..."),
        ("Σ, °C, ≤", "sum, degC, <="),
        ("café 漢", "cafe ?"),
        ("plain\n", "plain\n"),
    ],
)
def test_characters_have_a_written_form(text: str, plain: str) -> None:
    assert written(text) == plain


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("ascii", b"1 um2 ?"), ("latin-1", "1 µm² ?".encode("latin-1")), ("utf-8", "1 µm² ?".encode())],
)
def test_a_stream_takes_what_its_encoding_lacks(
    encoding: str, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    write_what_is_missing()
    print("1 µm² \udcff", end="", flush=True)
    assert stream.buffer.getvalue() == told  # type: ignore[attr-defined]


def test_a_long_line_is_parted_between_words() -> None:
    line = "steady  27,585 cycles, array efficiency 36.2%"
    assert folded(line, None) == line
    assert folded(f"{line}\nshort", 24) == "steady  27,585 cycles,\n  array efficiency 36.2%\nshort"
