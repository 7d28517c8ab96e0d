"""Text for the terminal that is there: within its width, and in the characters of its encoding."""

import codecs
import shutil
import sys
import textwrap
import unicodedata

#: What stands for characters that an encoding lacks, each one character where tables have them, or their lines would
#: not meet.
_WRITTEN = {
    **dict.fromkeys("─━╌╍┄┅═╴╶╸╺", "-"),
    **dict.fromkeys("│┃╎╏┆┇║╷╵╹╻", "|"),
    **dict.fromkeys("µμ", "u"),
    **dict.fromkeys("–−‑—", "-"),
    **dict.fromkeys("·•", "."),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("‘’", "'"),
    "×": "x",
    "÷": "/",
    "→": ">",
    "←": "<",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "≠": "!=",
    "±": "+-",
    "∞": "inf",
    "√": "sqrt",
    "…": "...",
    "°": "deg",
    "²": "2",
    "³": "3",
    "½": "1/2",
    "¼": "1/4",
    "Σ": "sum",
    "Ω": "Ohm",
    "Δ": "d",
    "σ": "sigma",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "λ": "lambda",
    "τ": "tau",
    "∧": "&",
    "¬": "not ",
    "↻": "@",
    "✓": "v",
    "✗": "x",
}
_CORNERS, _DOTS = range(0x250C, 0x2580), range(0x2800, 0x2900)
_HANDLER = "spinplane.written"


def written(text: str) -> str:
    """A text in plain ASCII: other characters in a written form, as ``?`` where they have none."""
    return "".join(map(_written, text))


def _written(character: str) -> str:
    if character.isascii():
        return character
    if known := _WRITTEN.get(character):
        return known
    if ord(character) in _CORNERS:
        return "+"
    if ord(character) in _DOTS:
        return "*"
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Handle an error of encoding."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return written(error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _replace)


def write_what_is_missing() -> None:
    """Let stdout and stderr take every character from now on, whatever their encoding has."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors=_HANDLER)


def terminal_columns() -> int | None:
    """Columns of the terminal, or of ``$COLUMNS``, that the output goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def folded(text: str, columns: int | None) -> str:
    """A text whose lines are parted between words where they are longer than this."""
    if columns is None:
        return text
    return "\n".join(_folded_line(line, columns) for line in text.split("\n"))


def _folded_line(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    parts = textwrap.wrap(
        line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(parts)
