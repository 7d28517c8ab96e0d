"""Files that are there whole, or as they were before."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.machine.files import scratch_folder, temporary_folder, write_whole


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_whole(path, b"text")
    assert path.read_bytes() == b"text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("former", encoding="utf-8")

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as raised:
        write_whole(path, b"new")
    assert raised.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", b"text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"text"


def test_a_device_is_not_replaced() -> None:
    write_whole(Path(os.devnull), b"text")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the system's temporary ones lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_temporary_folder_is_this_user_s_and_goes(temporary: Path) -> None:
    with temporary_folder() as one, temporary_folder() as other:
        (one / "file").write_text("")
        own = temporary / f"spinplane-{os.geteuid()}"
        assert one.parent.parent == other.parent.parent == own
        assert stat.S_IMODE(own.stat().st_mode) == stat.S_IMODE(one.parent.stat().st_mode) == 0o700
    assert list(own.iterdir()) == []


def test_a_file_is_written_whole_in_a_folder_that_goes_with_the_process(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        write_whole(folder / "file", b"whole")
        with scratch_folder(folder) as inner:
            write_whole(inner / "file", b"too")
        assert [path.name for path in folder.iterdir()] == ["file"]
        assert (folder / "file").read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_goes_with_the_next(temporary: Path) -> None:
    code = (
        "import os, tempfile; from spinplane.machine.files import *\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "with temporary_folder() as folder:\n    (folder / 'file').touch(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    own = temporary / f"spinplane-{os.geteuid()}"
    assert [path.name for path in own.rglob("file")] == ["file"]
    with temporary_folder() as folder:
        assert list(own.iterdir()) == [folder.parent]


@pytest.mark.parametrize("place", ["open", "link", "file"])
def test_a_temporary_folder_that_others_could_have_made_is_refused(place: str, temporary: Path) -> None:
    own = temporary / f"spinplane-{os.geteuid()}"
    if place == "open":
        own.mkdir()
        own.chmod(0o755)
    elif place == "link":
        (temporary / "elsewhere").mkdir(mode=0o700)
        own.symlink_to(temporary / "elsewhere")
    else:
        own.write_text("")
    with pytest.raises((SpinplaneError, FileExistsError)) as error, temporary_folder():
        pass
    assert str(own) in str(error.value)


def test_an_interrupt_while_a_scratch_folder_goes_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, left = shutil.rmtree, [1]

    def interrupted(*arguments: object, **options: object) -> None:
        if left:
            left.pop()
            raise KeyboardInterrupt
        remove(*arguments, **options)  # type: ignore[arg-type]

    def use() -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "file").write_text("")
            monkeypatch.setattr(shutil, "rmtree", interrupted)

    with pytest.raises(KeyboardInterrupt):
        use()
    assert list(tmp_path.iterdir()) == []
