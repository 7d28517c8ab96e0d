"""The page for those who bring a network: its programs write files, which compile and equal their executors."""

from pathlib import Path

import pytest

from tools.notebooks import execute, notebook_of, read_blocks

PAGE = Path(__file__).parents[2] / "docs" / "your-network.md"
BLOCKS = read_blocks(PAGE)


@pytest.mark.training
@pytest.mark.parametrize("at", range(0, len(BLOCKS), 2), ids=lambda at: BLOCKS[at + 1].text.split()[2])
def test_a_program_and_what_becomes_of_its_network(at: int, tmp_path: Path) -> None:
    program, commands = BLOCKS[at], BLOCKS[at + 1]
    assert (program.language, commands.language) == ("python", "sh")
    # Their warnings are not ours.
    notebook = notebook_of(PAGE, lambda block: block in (program, commands))
    _, printed = execute(PAGE, notebook, tmp_path, warnings=True)
    assert "steady" in printed
    assert "equal at every node" in printed
