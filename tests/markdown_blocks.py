"""Fenced blocks of a Markdown page: run one after the other, with what they are said to print.

``python tests/markdown_blocks.py PAGE …`` writes into pages what their blocks print.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Parameters
    ----------
    language, text : str
    line : int
        Of its first line in the page.
    printed : str or None
        The block of `text` that follows it.
    """

    language: str
    text: str
    line: int
    printed: str | None


def read_blocks(page: Path) -> list[Block]:
    """Blocks of Python and shell of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(text))
    blocks = []
    for at, match in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        answered = following is not None and following[1] == "text"
        blocks.append(
            Block(
                language=match[1],
                text=match[2],
                line=text[: match.start(2)].count("\n") + 1,
                printed=following[2] if answered and following is not None else None,
            )
        )
    return [block for block in blocks if block.language in ("python", "sh")]


def run_block(block: Block, page: Path, names: dict[str, Any]) -> str:
    """Run a block in the current folder; what it prints.

    Parameters
    ----------
    block : Block
    page : Path
        For the messages of errors.
    names : dict
        Namespace of Python, kept from block to block.
    """
    if block.language == "sh":
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": programs, "COLUMNS": "100"}
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block.text],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{page.name}, line {block.line}: {done.stderr}"
        return done.stdout
    printed = io.StringIO()
    # Lines of the page in tracebacks.
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def rewritten(page: Path) -> str:
    """Text of a page with what its blocks print; they run in the current folder."""
    text, names, done = page.read_text(encoding="utf-8"), {"__name__": page.stem}, 0
    parts = []
    for block in read_blocks(page):
        printed = run_block(block, page, names)
        if block.printed is not None:
            start = text.index("```text\n" + block.printed, text.index(block.text, done)) + len("```text\n")
            parts += [text[done:start], printed]
            done = start + len(block.printed)
    return "".join([*parts, text[done:]])


if __name__ == "__main__":
    os.environ.setdefault("SPINPLANE_BUILD", str(Path("build").resolve()))
    for name in map(Path, sys.argv[1:]):
        absolute = name.resolve()
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            filled = rewritten(absolute)
        absolute.write_text(filled, encoding="utf-8")
