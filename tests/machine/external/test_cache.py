"""What is kept: made once, checked before use, made anew where it is damaged, removed where it is too much."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spinplane.machine import Name, SpinplaneError
from spinplane.machine.external.cache import DEFAULT_LIMIT_MB, MODELS, VERILOG, Cache

NAME = Name("buffer-1")


def make(folder: Path) -> None:
    (folder / "model").write_text("whole")
    (folder / "model").chmod(0o775)
    (folder / "empty").write_text("")


def never(folder: Path) -> None:
    raise AssertionError("made again")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_an_entry_is_made_once(cache: Cache) -> None:
    first = cache.entry(MODELS, NAME, make)
    again = cache.entry(MODELS, NAME, never)
    assert (first.cached, again.cached) == (False, True)
    assert first.folder == again.folder == cache.root / "models" / NAME
    assert sorted(path.name for path in first.folder.iterdir()) == ["empty", "model"]
    assert cache.text(VERILOG, NAME, lambda: "é") == cache.text(VERILOG, NAME, lambda: "other") == "é"


def test_only_its_owner_may_write_it(cache: Cache) -> None:
    folder = cache.entry(MODELS, NAME, make).folder
    for path in (cache.root, folder.parent, folder, *folder.iterdir(), *folder.parent.glob(".*")):
        assert not path.stat().st_mode & 0o022, path


def test_nobody_else_sees_what_grows(cache: Cache) -> None:
    modes = []
    cache.entry(MODELS, NAME, lambda folder: modes.append(folder.stat().st_mode & 0o777))
    assert modes == [0o700]


def truncate(folder: Path) -> None:
    (folder / "model").write_text("who")


def change(folder: Path) -> None:
    (folder / "model").write_text("wholf")


def empty(folder: Path) -> None:
    (folder / "model").write_text("")


def lose(folder: Path) -> None:
    (folder / "empty").unlink()


def add(folder: Path) -> None:
    (folder / "more").write_text("")


def link(folder: Path) -> None:
    (folder / "model").rename(folder.parent / "elsewhere")
    (folder / "model").symlink_to(folder.parent / "elsewhere")


def forget(folder: Path) -> None:
    (folder.with_name(f".{folder.name}.lock")).write_text("")


def fill_with_folder(folder: Path) -> None:
    (folder / "model").unlink()
    (folder / "model").mkdir()


def replace_by_file(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("")


@pytest.mark.parametrize(
    "damage", [truncate, change, empty, lose, add, link, forget, fill_with_folder, replace_by_file]
)
def test_a_damaged_entry_heals(damage, cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    folder = cache.entry(MODELS, NAME, make).folder
    damage(folder)
    assert not cache.entry(MODELS, NAME, make).cached
    assert caplog.messages == [f"cache: {folder} is damaged: it is made anew"]
    assert (folder / "model").read_text() == "whole"
    assert cache.entry(MODELS, NAME, never).cached


@pytest.mark.parametrize("part", ["", "model"])
@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_what_others_could_have_written_is_made_anew(
    part: str, mode: int, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    folder = cache.entry(MODELS, NAME, make).folder
    (folder / part).chmod(mode)
    assert not cache.entry(MODELS, NAME, make).cached
    assert caplog.messages == [f"cache: {folder} may be written by other users (chmod go-w): it is made anew"]
    assert cache.entry(MODELS, NAME, never).cached


def test_what_others_own_is_not_used(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.entry(MODELS, NAME, make)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(SpinplaneError, match=r"^cache folder .*models belongs to another user$"):
        cache.entry(MODELS, NAME, never)


def test_a_folder_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    root = tmp_path / "shared"
    root.mkdir()
    root.chmod(0o777)
    assert Cache(root).root != root
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/spinplane"])
def test_where_nothing_can_be_kept_a_temporary_folder_serves(
    place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / place)
    entry = cache.entry(MODELS, NAME, make)
    assert (entry.folder / "model").read_text() == "whole"
    assert Cache(tmp_path / place).root == cache.root
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"cache folder {(tmp_path / place).resolve()}: ")


def test_a_temporary_folder_is_gone_with_its_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code = (
        f"from spinplane.machine.external.cache import *; print(Cache(Path({str(tmp_path / 'file')!r})).root)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not Path(run.stdout.strip()).exists()
    assert run.stderr.startswith(f"cache folder {tmp_path / 'file'}: ")


def test_what_fails_leaves_nothing(cache: Cache) -> None:
    def fail(folder: Path) -> None:
        make(folder)
        raise OSError(28, "No space left on device", str(folder / "more"))

    with pytest.raises(OSError, match="No space left"):
        cache.entry(MODELS, NAME, fail)
    assert [path.name for path in (cache.root / "models").iterdir() if not path.name.startswith(".")] == []
    assert not (cache.root / "models" / f".{NAME}").exists()
    assert not cache.entry(MODELS, NAME, make).cached


def _sized(megabytes: int):
    def make_sized(folder: Path) -> None:
        with (folder / "data").open("wb") as file:
            file.truncate(megabytes * 1_000_000)

    return make_sized


def test_the_entry_used_longest_ago_makes_room(cache: Cache) -> None:
    assert cache.limit_mb == DEFAULT_LIMIT_MB
    cache.set_limit(5)
    for age, name in enumerate(("a", "b", "c")):
        cache.entry(MODELS, Name(name), _sized(2))
        os.utime(cache.root / "models" / f".{name}.used", (1000 + age, 1000 + age))
        if name == "b":
            used = cache.entry(MODELS, Name("a"), never)  # now `b` was used longest ago
            os.utime(cache.root / "models" / ".a.used", (2000, 2000))
            del used
    assert {entry.name for entry in cache.entries()} == {"a", "c"}
    cache.set_limit(2)
    assert len(cache.entries()) == 1
    assert sorted(path.name for path in (cache.root / "models").glob(".*.used")) == [
        f".{cache.entries()[0].name}.used"
    ]
    with pytest.raises(SpinplaneError, match=r"^limit = -1: must be a whole number of MB from 0$"):
        cache.set_limit(-1)


def test_what_is_in_use_stays(cache: Cache) -> None:
    entry = cache.entry(MODELS, NAME, make)
    assert cache.clear() == 0
    cache.set_limit(0)
    assert (entry.folder / "model").read_text() == "whole"
    del entry
    assert cache.clear() == 1
    assert cache.entries() == []
    assert list((cache.root / "models").iterdir()) == []


HOLD = """
import sys
from pathlib import Path
from spinplane.machine import Name
from spinplane.machine.external.cache import MODELS, Cache
def make(folder):
    with (Path(sys.argv[1]) / "made").open("a") as file:
        file.write("x")
    (folder / "model").write_text("whole")
entry = Cache(Path(sys.argv[1])).entry(MODELS, Name("buffer-1"), make)
print(int(entry.cached), flush=True)
sys.stdin.read()
"""


def test_processes_make_an_entry_once_and_keep_it_from_removal(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert sorted(process.stdout.readline() for process in processes if process.stdout) == ["0\n", "1\n"]
    assert (tmp_path / "made").read_text() == "x"
    assert Cache(tmp_path).clear() == 0
    processes[0].communicate()
    assert Cache(tmp_path).clear() == 0
    processes[1].communicate()
    assert Cache(tmp_path).clear() == 1


def test_a_process_that_is_killed_while_it_makes_an_entry_leaves_it_to_the_next(tmp_path: Path) -> None:
    code = HOLD.replace(
        '(folder / "model")', '(folder / "half").write_text(""); sys.stdin.read(); (folder / "model")'
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE)
    while not (tmp_path / "models" / f".{NAME}" / "half").exists():
        time.sleep(0.01)
    process.kill()
    process.communicate()
    entry = Cache(tmp_path).entry(MODELS, NAME, make)
    assert not entry.cached
    assert sorted(path.name for path in entry.folder.iterdir()) == ["empty", "model"]


def test_logs_are_kept_for_a_week(cache: Cache, tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("said\n")
    old = cache.keep_log(log, Name("a"))
    log.unlink()
    assert old.read_text() == "said\n"
    os.utime(old, (0, 0))
    log.write_text("again\n")
    assert cache.keep_log(log, Name("a")).read_text() == "again\n"
    assert not old.exists()


def test_a_log_that_is_gone_in_the_meantime_is_left_alone(cache: Cache, tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("said\n")
    logs = cache.keep_log(log, Name("a")).parent
    (logs / "gone").symlink_to("nothing")
    assert cache.keep_log(log, Name("a")).read_text() == "said\n"


def test_checksums_are_those_of_the_files(cache: Cache) -> None:
    folder = cache.entry(MODELS, NAME, make).folder
    sums = json.loads(folder.with_name(f".{NAME}.lock").read_text())
    assert sums["empty"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
