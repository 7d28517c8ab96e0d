"""Notebooks of the pages of docs/tutorial and docs/examples: made from a page, executed, compared with it.

``python -m tools.notebooks`` writes the executed notebooks to build/notebooks, and ends with 1 if one prints something
else than its page says. ``python -m tools.notebooks --fill PAGE …`` writes into pages what their blocks print.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = tuple(sorted(page for room in ("tutorial", "examples") for page in (DOCS / room).glob("[0-9]*.md")))
NOTEBOOKS = ROOT / "build" / "notebooks"
#: Of a whole cell; a page that takes longer is not one to read beside it.
_SECONDS = 600
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^]]*)\]\((?!https?:)([^)#]+)[^)]*\)")


class PageError(Exception):
    """A block of a page fails."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of Python or shell.

    Parameters
    ----------
    language : {"python", "sh"}
    text : str
    line : int
        Of its first line in the page.
    printed : str or None
        The block of `text` that follows it.
    start, end : int
        Where it and what it prints begin and end in the page.
    """

    language: str
    text: str
    line: int
    printed: str | None
    start: int
    end: int


def read_blocks(page: Path) -> list[Block]:
    """Blocks of Python and shell of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(text))
    blocks = []
    for at, match in enumerate(found):
        if match[1] not in ("python", "sh"):
            continue
        following = found[at + 1] if at + 1 < len(found) and found[at + 1][1] == "text" else None
        blocks.append(
            Block(
                language=match[1],
                text=match[2],
                line=text[: match.start(2)].count("\n") + 1,
                printed=None if following is None else following[2],
                start=match.start(),
                end=match.end() if following is None else following.end(),
            )
        )
    return blocks


def notebook_of(page: Path, wanted: Callable[[Block], bool] = lambda block: True) -> nbformat.NotebookNode:
    """Notebook of a page, without outputs.

    Parameters
    ----------
    page : Path
    wanted : callable
        Tells of a block whether it becomes a cell; all of them do by default.
    """
    text = page.read_text(encoding="utf-8")
    new, cells, done = nbformat.v4, [], 0
    for at, block in enumerate(filter(wanted, read_blocks(page))):
        cells.append(new.new_markdown_cell(_own_links(text[done : block.start]).strip(), id=f"text-{at}"))
        # A block of a page stops at its first failure, in a pipe, too.
        magic = "%%bash -e -o pipefail\n" if block.language == "sh" else ""
        cells.append(new.new_code_cell(magic + block.text.rstrip("\n"), id=f"code-{at}"))
        done = block.end
    cells.append(new.new_markdown_cell(_own_links(text[done:]).strip(), id="text-end"))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def execute(
    page: Path, notebook: nbformat.NotebookNode, folder: Path, *, warnings: bool = False
) -> list[str]:
    """Execute a notebook of a page in `folder`; what each of its code cells prints.

    Parameters
    ----------
    page : Path
    notebook : NotebookNode
        Gets the outputs.
    folder : Path
    warnings : bool
        Whether Python may warn.

    Raises
    ------
    PageError
        If a cell fails or warns; it names the line of the page.
    """
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": programs, "COLUMNS": "100"}
    with tempfile.TemporaryDirectory() as sockets:
        # Through sockets in a folder of this user's, not through ports that others could listen to.
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            resources={"metadata": {"path": str(folder)}},
            config=Config({"AsyncKernelManager": manager}),
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            failed = next(cell for cell in _code(notebook) if _failed(cell))
            raise PageError(f"{_place(page, failed)}: {error}") from None
    for cell in _code(notebook):
        complaint = "".join(out.text for out in cell.outputs if out.get("name") == "stderr")
        if complaint and not warnings and not cell.source.startswith("%%"):
            raise PageError(f"{_place(page, cell)}: {complaint}")
    return [_printed(cell) for cell in _code(notebook)]


def filled(page: Path, printed: list[str]) -> str:
    """Text of a page whose blocks print `printed`; a block that is not answered in the page stays so."""
    text, parts, done = page.read_text(encoding="utf-8"), [], 0
    for block, now in zip(read_blocks(page), printed, strict=True):
        if block.printed is not None:
            start = text.rindex(block.printed, block.start, block.end) if block.printed else block.end - 4
            parts += [text[done:start], now]
            done = start + len(block.printed)
    return "".join([*parts, text[done:]])


def _own_links(text: str) -> str:
    """Links between the notebooks lead to notebooks; what a notebook has not beside it is named only."""

    def own(link: re.Match[str]) -> str:
        page = link[2]
        return f"[{link[1]}]({page[:-3]}.ipynb)" if re.fullmatch(r"[0-9][\w-]*\.md", page) else link[1]

    return _LINK.sub(own, text)


def _code(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def _failed(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def _place(page: Path, cell: nbformat.NotebookNode) -> str:
    source = cell.source.split("\n", 1)[-1] if cell.source.startswith("%%") else cell.source
    line = next(block.line for block in read_blocks(page) if block.text.rstrip("\n") == source)
    return f"{page.name}, line {line}"


def _printed(cell: nbformat.NotebookNode) -> str:
    """What a reader of the notebook sees below a cell, as text."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            parts.append(output.text)
        elif output.output_type == "execute_result":
            parts.append(output.data["text/plain"] + "\n")
    return "".join(parts)


def main() -> None:
    """Execute pages; write their notebooks, or what their blocks print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("pages", nargs="*", type=Path, default=PAGES)
    arguments = parser.parse_args()
    os.environ.setdefault("SPINPLANE_BUILD", str(ROOT / "build"))
    others = []
    for page in (page.resolve() for page in arguments.pages):
        notebook = notebook_of(page)
        with tempfile.TemporaryDirectory() as folder:
            printed = execute(page, notebook, Path(folder))
        if arguments.fill:
            page.write_text(filled(page, printed), encoding="utf-8")
        elif printed != [block.printed or "" for block in read_blocks(page)]:
            others.append(page.name)
        target = NOTEBOOKS / page.relative_to(DOCS).with_suffix(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
        print(target.relative_to(ROOT))
    if others:
        sys.exit(f"{', '.join(others)}: prints something else than the page says; --fill writes it there")


if __name__ == "__main__":
    main()
