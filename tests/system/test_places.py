"""Places that cannot be written: a file where a folder should be is named in one line, and nothing is left."""

from pathlib import Path

import numpy as np
import pytest
from forked_commands import Commands, Job

#: Commands with an option that names a folder, or a file in one; the last word is the option.
PLACES = {
    "compile-output": "compile digits-1-4 --no-check --output",
    "compile-picture": "compile digits-1-4 --no-check --picture",
    "compile-json": "compile digits-1-4 --no-check --json",
    "compile-html": "compile digits-1-4 --no-check --html",
    "run": "run digits-1-4 --no-check --input x.npy --simulator icarus --waves",
    "run-json": "run digits-1-4 --no-check --input x.npy --simulator icarus --json",
    "trace-html": "trace digits-1-4 --no-check --input x.npy --layer conv1 --output 3,4,5 --html",
    "compare-json": "compare digits-1-4 --json",
    "accuracy": "accuracy digits-1-4 --no-check --images 2 --output",
    "accuracy-json": "accuracy digits-1-4 --no-check --images 2 --json",
    "device": "device --output",
    "device-html": "device --html",
    "export": "export --machine tiny --output",
    "export-json": "export --machine tiny --output out --json",
    "synth-json": "synth --machine tiny --json",
    "demo": "demo --simulator icarus --output",
    "demo-conv": "demo --conv --simulator icarus --output",
    "demo-json": "demo --simulator icarus --json",
    "cache-json": "cache --json",
}
#: The same as an environment variable: a command that keeps something, or runs a program.
VARIABLES = {
    "SPINPLANE_BUILD": (
        "cache",
        "cache --clear",
        "cache --limit 5",
        "demo --simulator icarus",
    ),
    "TMPDIR": ("synth --machine tiny", "run digits-1-4 --no-check --input x.npy --simulator icarus"),
}


@pytest.fixture(scope="module")
def commands():
    with Commands() as running:
        yield running


@pytest.fixture
def place(tmp_path):
    np.save(tmp_path / "x.npy", (np.arange(784) % 256).astype(np.uint8).reshape(1, 28, 28))
    (tmp_path / "file").write_bytes(b"kept")
    return tmp_path


def refused(commands: Commands, place: Path, words: list[str], variables: dict[str, str]) -> str:
    """The line with which a command ends that writes nothing, after those of its steps."""
    (outcome,) = commands.run([Job(arguments=words, folder=str(place), variables=variables)])
    assert outcome.status == 2, (words, outcome)
    *steps, told = outcome.errors.splitlines()
    assert all(step.startswith("- ") for step in steps), (words, outcome)
    assert told.startswith("spinplane: "), (words, outcome)
    assert (place / "file").read_bytes() == b"kept"
    return told


@pytest.mark.parametrize("where", ["file", "file/below", "file/below/further"])
@pytest.mark.parametrize("name", PLACES)
def test_a_file_where_a_folder_should_be(name, where, commands, place):
    if where == "file" and "-" in name and name != "demo-conv":
        where = "file/one"  # these name a file, which may be there
    told = refused(commands, place, [*PLACES[name].split(), where], {})
    assert "file" in told
    assert not (place / "out").exists()


@pytest.mark.parametrize("where", ["file", "file/below"])
@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_names_a_file(variable, where, commands, place):
    for line in VARIABLES[variable]:
        told = refused(commands, place, line.split(), {variable: str(place / where)})
        assert str(place / "file") in told


@pytest.mark.parametrize("kind", ["models", "verilog", "synthesis", "runs", "logs", "limit"])
def test_a_file_or_folder_in_the_place_of_a_part_of_the_cache(kind, commands, place):
    part = place / "cache" / kind
    part.parent.mkdir(mode=0o700)
    part.mkdir() if kind == "limit" else part.write_bytes(b"")
    lines = ["cache", "cache --limit 5", "cache --clear", "demo --simulator icarus -o out"]
    for outcome in commands.run([Job(arguments=line.split(), folder=str(place)) for line in lines]):
        assert outcome.status in (0, 2), outcome
        assert outcome.status == 0 or outcome.errors.splitlines()[-1].startswith("spinplane: "), outcome
