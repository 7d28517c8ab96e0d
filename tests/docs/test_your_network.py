"""The page for those who bring a network: its programs write files, which compile and equal their executors."""

import subprocess
import sys
from pathlib import Path

import pytest
from markdown_blocks import read_blocks, run_block

PAGE = Path(__file__).parents[2] / "docs" / "your-network.md"
BLOCKS = read_blocks(PAGE)


@pytest.mark.training
@pytest.mark.parametrize("at", range(0, len(BLOCKS), 2), ids=lambda at: BLOCKS[at + 1].text.split()[2])
def test_a_program_and_what_becomes_of_its_network(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, commands = BLOCKS[at], BLOCKS[at + 1]
    assert (program.language, commands.language) == ("python", "sh")
    monkeypatch.chdir(tmp_path)
    # Their warnings are not ours.
    written = subprocess.run(
        [sys.executable, "-c", program.text], capture_output=True, text=True, check=False
    )
    assert written.returncode == 0, f"{PAGE.name}, line {program.line}: {written.stderr[-2_000:]}"
    printed = run_block(commands, PAGE, {})
    assert "steady" in printed
    assert "equal at every node" in printed
