"""Tables from TOML files: what is refused before any reader sees it."""

import re
from pathlib import Path

import pytest

from spinplane.machine import SpinplaneError
from spinplane.machine.toml_files import check_keys, read_toml


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a = ", "not TOML: Invalid value (at end of document)"),
        (
            b"a = \xff",
            "cannot be read: 'utf-8' codec can't decode byte 0xff in position 4: invalid start byte",
        ),
        (b"a = " + b"[" * 5000, "not TOML: nested too deep"),
        (b"a = " + b"[" * 9 + b"]" * 9, "nested more than 8 deep"),
        (b"a = 9223372036854775808", "a whole number has more than 64 bits"),
        (b"a = 0x" + b"f" * 9999, "a whole number has more than 64 bits"),
        (b"#" * (1 << 20) + b"\n", "larger than 1048576 bytes"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(SpinplaneError, match=f"^file x: {re.escape(fault)}$"):
        read_toml(path, "file x")


def test_marks_and_tabs_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfa\t=\t1\r\n")
    assert read_toml(path, "file x") == {"a": 1}


def test_unknown_keys_are_told_with_the_one_that_was_meant() -> None:
    check_keys({"rows": 1}, ["rows", "columns"])
    with pytest.raises(SpinplaneError, match=r"^unknown key 'a\.colums': did you mean 'a\.columns'\?$"):
        check_keys({"colums": 1}, ["rows", "columns"], "a.")
    with pytest.raises(SpinplaneError, match=r"^unknown key 'size': must be one of rows, columns$"):
        check_keys({"size": 1}, ["rows", "columns"])
