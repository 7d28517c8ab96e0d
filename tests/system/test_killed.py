"""Commands that are killed, interrupted or out of disk: a rerun gives the same bytes, and nothing is left behind."""

import fcntl
import os
import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from forked_commands import BROKEN, STARTED, Commands, Job, Outcome
from integer_models import image_of, integer_model

#: Commands by name, as they are typed; all that they write goes to a folder `out`.
COMMANDS = {
    "compile": "compile digits-1-4 --no-check -o out/n.npz --json out/c.json --html out/c.html --picture out/map.png",
    "run": "run digits-1-4 --no-check --input x.npy --simulator icarus --waves out/waves --json out/run.json",
    "trace": "trace digits-1-4 --no-check --input x.npy --layer conv1 --output 3,4,5 --html out/t.html",
    "export": "export --machine tiny -o out/rtl --json out/e.json",
    "synth": "synth --machine tiny --no-timing --json out/s.json --html out/s.html",
    "accuracy": "accuracy digits-1-4 --no-check --images 2 --seeds 1 --multiple 1 --weak-cells 0 -o out",
    "demo": "demo --simulator icarus -o out --json out/d.json",
    "device": "device --trials 1000 -o out --json out/d.json --html out/d.html",
}
#: At how many moments each is killed.
KILLS = {
    "compile": 10,
    "run": 8,
    "trace": 4,
    "export": 8,
    "synth": 6,
    "accuracy": 5,
    "demo": 5,
    "device": 4,
}
FAST = ("trace",)
BY_NAME = [name if name in FAST else pytest.param(name, marks=pytest.mark.thorough) for name in COMMANDS]
SIMULATION = (
    "run small.onnx --machine tiny --input small.npy --simulator icarus --waves out --json out/r.json"
)
#: What is small enough for the disk, and whole.
SMALL = {"run": {"out/waves", *(f"out/waves/waves.{suffix}" for suffix in ("vcd", "gtkw", "sucl"))}}
#: Bytes of a file after which the disk is full.
FULL = 600


@pytest.fixture(scope="module")
def commands():
    with Commands() as running:
        yield running


@pytest.fixture
def place(tmp_path):
    return new_place(tmp_path / "place")


def new_place(folder: Path) -> Path:
    """A folder with what the commands read."""
    folder.mkdir()
    np.save(folder / "x.npy", (np.arange(784) % 256).astype(np.uint8).reshape(1, 28, 28))
    model = integer_model(3, quantizers=True)
    onnx.save(model, folder / "small.onnx")
    np.save(folder / "small.npy", image_of(model, np.random.default_rng(3)))
    return folder


def job_of(name: str, place: Path) -> Job:
    return Job(arguments=COMMANDS[name].split(), folder=str(place))


def written(place: Path) -> dict[str, bytes]:
    """Every file of the folder `out`, hidden ones too; a folder is a name with nothing in it."""
    paths = sorted((place / "out").rglob("*"))
    return {str(path.relative_to(place)): path.read_bytes() if path.is_file() else b"" for path in paths}


def kept(place: Path) -> set[str]:
    """Every name in the cache."""
    return {str(path.relative_to(place)) for path in (place / "cache").rglob("*")}


def temporary(place: Path) -> list[Path]:
    """What lies among the temporary files, but the folder for those of this user."""
    return [path for path in (place / "tmp").rglob("*") if path.name != f"spinplane-{os.geteuid()}"]


def whole_run(commands: Commands, job: Job) -> Outcome:
    """How it ends where nothing disturbs it."""
    (outcome,) = commands.run([job])
    assert outcome.status == 0, outcome
    assert written(Path(job.folder))
    return outcome


@pytest.mark.parametrize("name", BY_NAME)
def test_a_rerun_after_a_kill_gives_the_same_bytes(name, commands, tmp_path):
    undisturbed = new_place(tmp_path / "undisturbed")
    events = whole_run(commands, job_of(name, undisturbed)).events
    for moment in random.Random(name).sample(range(len(events)), KILLS[name]):
        place = new_place(tmp_path / str(moment))
        job = job_of(name, place)
        killed, rerun = commands.run([replace(job, kill_at=moment), job])
        assert (killed.status, rerun.status) == (-9, 0), (moment, events[moment], killed, rerun)
        assert written(place) == written(undisturbed), (moment, events[moment])
        assert kept(place) == kept(undisturbed), (moment, events[moment])
        assert temporary(place) == [], (moment, events[moment])


def timeless(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files without the date in a waveform and the seconds in a result."""
    times = re.compile(rb'\$date.*?\$end|"(?:build|run)_seconds": [\d.e-]+|"cached": \w+', re.DOTALL)
    return {name: times.sub(b"", content) for name, content in files.items()}


@pytest.mark.thorough
def test_a_rerun_after_a_kill_while_icarus_runs_gives_the_same_values(commands, tmp_path):
    undisturbed = new_place(tmp_path / "undisturbed")
    job = Job(arguments=SIMULATION.split(), folder=str(undisturbed), simulated=True)
    events = whole_run(commands, job).events
    *_, compiler, simulation = (number for number, event in enumerate(events) if event == STARTED)
    for moment in (compiler, simulation):
        place = new_place(tmp_path / str(moment))
        job = replace(job, folder=str(place))
        killed, rerun = commands.run([replace(job, kill_at=moment), job])
        assert (killed.status, rerun.status) == (-9, 0), (moment, killed, rerun)
        assert timeless(written(place)) == timeless(written(undisturbed))
        assert kept(place) == kept(undisturbed)
        assert temporary(place) == []


@pytest.mark.parametrize("name", BY_NAME)
def test_a_full_disk_is_named_and_nothing_is_left(name, commands, place):
    (outcome,) = commands.run([replace(job_of(name, place), most_bytes=FULL)])
    assert outcome.status == 2, outcome
    last = outcome.errors.splitlines()[-1]
    assert last.startswith("spinplane: "), outcome
    assert last.endswith(": File too large"), outcome
    assert Path(last.removeprefix("spinplane: ").removesuffix(": File too large")).name
    assert set(written(place)) == SMALL.get(name, set())


@pytest.mark.thorough
@pytest.mark.parametrize(("most_bytes", "name"), [(600, "script.npz"), (20_000, "text")])
def test_a_disk_that_is_full_of_a_simulation_is_named(most_bytes, name, commands, place):
    job = Job(arguments=SIMULATION.split(), folder=str(place), simulated=True)
    (outcome,) = commands.run([replace(job, most_bytes=most_bytes)])
    assert outcome.status == 2, outcome
    assert outcome.errors.splitlines()[-1].endswith(f"/{name}: File too large"), outcome
    assert written(place) == {}
    assert temporary(place) == []
    assert {Path(path).suffix for path in kept(place)} <= {"", ".lock", ".used"}
    assert not any(path.is_file() and path.stat().st_size for path in (place / "cache").rglob("*"))
    whole_run(commands, job)


def test_a_full_device_is_named(commands, place):
    job = Job(arguments=["compile", "digits-1-4", "--no-check", "--json", "/dev/full"], folder=str(place))
    (outcome,) = commands.run([job])
    assert (outcome.status, outcome.errors) == (2, "spinplane: /dev/full: No space left on device\n")


@pytest.mark.parametrize("name", BY_NAME)
def test_an_interrupted_command_ends_in_one_line(name, commands, tmp_path):
    events = whole_run(commands, job_of(name, new_place(tmp_path / "undisturbed"))).events
    for moment in random.Random(name).sample(range(len(events)), 4):
        place = new_place(tmp_path / str(moment))
        (outcome,) = commands.run([replace(job_of(name, place), kill_at=moment, signal=2)])
        assert outcome.status == 130, (moment, events[moment], outcome)
        assert outcome.errors.splitlines()[-1] == "spinplane: interrupted"
        assert not [path for path in written(place) if "/." in path]
        assert temporary(place) == []


def test_a_traceback_is_no_success(commands, tmp_path):
    (outcome,) = commands.run([Job(arguments=["cache"], folder=str(tmp_path / "missing"))])
    assert outcome.status == BROKEN
    assert outcome.errors.splitlines()[-1].startswith("FileNotFoundError: ")


def test_a_command_that_waits_for_ever_is_killed(commands, place):
    held = os.open(place, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    (outcome,) = commands.run(
        [Job(arguments=["compile", "digits-1-4", "-o", "n.npz"], folder=str(place), most_seconds=1)]
    )
    os.close(held)
    assert outcome.status == -9
