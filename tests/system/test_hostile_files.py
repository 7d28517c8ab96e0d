"""Files that strangers made to break things: each ends in one line, exit 2, and nothing is left or run."""

import os
from pathlib import Path

import pytest
from forked_commands import Commands, Job

from spinplane.machine import SpinplaneError
from spinplane.machine.program import Program

HOSTILE = Path(__file__).parents[3] / "shared" / "cases" / "hostile"
SECONDS, MEBIBYTES, CHARACTERS = 10, 1024, 300
#: What was made to break an importer and means something: it is taken, and equal to its executor.
TAKEN = {"onnx-batchnorm-of-codes.onnx"}

pytestmark = pytest.mark.skipif(
    not HOSTILE.is_dir(), reason="the cases are not beside the repository (shared/cases/hostile)"
)


def command_of(path: Path) -> list[str]:
    """The command that reads a file, by its name."""
    given = str(HOSTILE / "ok.npy")
    return {
        "fault": ["run", "digits-1-4", "--no-check", "--input", given, "--faults", str(path)],
        "liberty": ["synth", "--machine", "tiny", "--liberty", str(path)],
        "npy": ["run", "digits-1-4", "--no-check", "--input", str(path)],
        "onnx": ["compile", str(path)],
        "technology": ["device", "--technology", str(path)],
    }[path.name.partition("-")[0]]


@pytest.mark.thorough
def test_each_command_ends_in_one_line(tmp_path):
    paths = [path for path in sorted(HOSTILE.iterdir()) if not path.name.startswith(("ok", "program"))]
    jobs = [Job(arguments=command_of(path), folder=str(tmp_path), seconds=SECONDS) for path in paths]
    with Commands() as commands:
        outcomes = commands.run(jobs)
    for path, outcome in zip(paths, outcomes, strict=True):
        line = outcome.errors.replace(str(path), "FILE")
        if path.name in TAKEN:
            assert (outcome.status, outcome.errors) == (0, "")
            continue
        assert outcome.status == 2, (path.name, outcome)
        assert line.startswith("spinplane: "), (path.name, outcome)
        assert line.count("\n") == 1, (path.name, outcome)
        assert len(line) < CHARACTERS, (path.name, outcome)
        assert outcome.mebibytes < MEBIBYTES, (path.name, outcome)
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]
    assert [path for path in (tmp_path / "tmp").rglob("*") if path.name != f"spinplane-{os.geteuid()}"] == []


@pytest.mark.parametrize("name", ["program-159", "program-5", "program-889"])
def test_each_program_is_refused_in_one_line(name):
    with pytest.raises(SpinplaneError) as error:
        Program.load(HOSTILE / f"{name}.npz")
    assert "\n" not in str(error.value)
