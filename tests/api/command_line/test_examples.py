"""Every command's help ends with examples that the command takes."""

import re
import shlex

import pytest

from spinplane.cli import app, main
from spinplane.command_line.examples import EXAMPLES

COMMANDS = [name for name in app.resolved_commands() if not name.startswith("-")]
LINES = [(command, line) for command, examples in EXAMPLES.items() for line in examples]


def test_every_command_has_examples() -> None:
    assert set(EXAMPLES) == set(COMMANDS), "a new command needs examples in api/command_line/examples.py"
    assert all(EXAMPLES.values())


@pytest.mark.parametrize(("command", "line"), LINES)
def test_an_example_is_taken(command: str, line: str) -> None:
    inner = re.fullmatch(r'eval "\$\((.*)\)"', line)
    typed = (inner[1] if inner else line).partition(" > ")[0]
    program, name, *arguments = shlex.split(typed)
    assert (program, name) == ("spinplane", command)
    app.parse_args([name, *arguments], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_and_no_options_to_empty_a_list(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([command, "--help"])
    shown = capsys.readouterr().out
    for line, meaning in EXAMPLES[command].items():
        assert f" {line}" in shown
        assert f"# {meaning}" in shown
    assert "--empty" not in shown


def test_examples_fit_a_screen_of_80_columns() -> None:
    for command, line in LINES:
        assert len(line) <= 78, line
        assert len(f"# {EXAMPLES[command][line]}") <= 78, line
