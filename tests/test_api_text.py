import errno
import json
import os
import stat
from pathlib import Path

import pytest
from rich.table import Table

from spinplane.text import table_text, write_json, write_whole


def test_a_table_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    table = Table(title="areas")
    table.add_column("block")
    table.add_row("a block with a long name that is not broken into two lines")
    text = table_text(table)
    assert "a block with a long name that is not broken into two lines" in text
    assert "\x1b" not in text


def test_texts_of_a_table_are_shown_as_they_are() -> None:
    table = Table("[/red] :cat:", title="[/] :cat:")
    table.add_row("[/bold] [red]x[0]")
    for text in ("[/red] :cat:", "[/] :cat:", "[/bold] [red]x[0]"):
        assert text in table_text(table)


def test_json_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_json(path, {"b": [1, 2]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"b": [1, 2]}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("former", encoding="utf-8")

    def full(handle: int, *args: object) -> None:
        os.close(handle)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_whole(path, b"new")
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
