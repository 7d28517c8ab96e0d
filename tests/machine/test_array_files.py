"""The one reader of .npy and .npz files: what it takes, and what it refuses before it unpacks."""

import re
import struct
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from spinplane.machine import SpinplaneError
from spinplane.machine.array_files import IMAGES, Limits, archive_bytes, array_bytes, open_archive, read_array

HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"


def npy(header: str = HEADER, content: bytes = bytes(48), version: int = 1) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + content


def read(tmp_path: Path, content: bytes, **options: object) -> np.ndarray:
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    return read_array(path, "input x", "no numbers", **options)  # type: ignore[arg-type]


def archive(tmp_path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return tmp_path / "x.npz"


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "<i2", ">u4", "<i8", ">u8", "<f2", ">f4", "<f8"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_come_back(tmp_path: Path, dtype: str, shape: tuple[int, ...], order: str) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype, order=order)
    found = read(tmp_path, array_bytes(array))
    assert np.array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype.newbyteorder("="), shape)
    (tmp_path / "x.npz").write_bytes(archive_bytes({"a": array, "t": np.array("hé")}))
    with open_archive(tmp_path / "x.npz", "x", "no archive") as file:
        assert file.names == ("a", "t")
        assert np.array_equal(file.read("a"), array)
        assert file.text("t") == "hé"


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }    \n",
        '{"shape": (3,4), "fortran_order": False, "descr": "<f4"}',
    ],
)
def test_headers_of_other_writers(tmp_path: Path, header: str, version: int) -> None:
    assert read(tmp_path, npy(header, version=version)).shape == (3, 4)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not an array of numpy"),
        (b"hello world", "not an array of numpy"),
        (b"PK\3\4", "an .npz holds several arrays; save one with numpy.save"),
        (npy(version=1)[:20], "it ends inside its header"),
        (npy(HEADER + " " * 5000), "its header has 5059 bytes, more than 4096"),
        (npy(content=bytes(47)), "shape (3, 4) of float32 takes 117 bytes, the file has 116"),
        (npy(content=bytes(49)), "shape (3, 4) of float32 takes 117 bytes, the file has 118"),
        (npy(HEADER.replace("<f4", "|O")), "it holds Python objects, which are never loaded"),
        (npy(HEADER.replace("<f4", "<c8")), "its type c8 is not one of numbers or text"),
        (npy(HEADER.replace("<f4", "<U3")), "it holds <U3, not numbers"),
        (
            npy(HEADER.replace("'<f4'", "[('a', '<f4')]")),
            "its header is not that of an array of numbers or text",
        ),
        (
            npy(HEADER.replace("False", "__import__('os')")),
            "its header is not that of an array of numbers or text",
        ),
        (npy(HEADER.replace("3, 4", "-3, 4")), "its header is not that of an array of numbers or text"),
        (npy(HEADER.replace("3, 4", "1," * 9)), "it has 9 axes, more than 8"),
        (
            npy(HEADER.replace("3, 4", "99999999, 0")),
            "shape (99999999, 0) of float32 is too large: at most 33554432 numbers in 268435456 bytes",
        ),
    ],
)
def test_what_is_no_array_of_numbers(tmp_path: Path, content: bytes, fault: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^input x: no numbers: {re.escape(fault)}$"):
        read(tmp_path, content, limits=IMAGES)


@pytest.mark.parametrize(
    ("members", "method", "fault"),
    [
        ({"a.npy": npy(), "readme": b""}, 8, "its member 'readme' is not an array"),
        (
            {"../a.npy": npy()},
            8,
            "name of an array = '../a': must consist of letters, digits, ' ', '.', '-' and '_'",
        ),
        ({f"{n}.npy": b"" for n in range(5)}, 8, "its directory has 5 members in 255 bytes, too many"),
        ({"b.npy": npy()}, 8, "a: it has no such array but b"),
        ({"a.npy": npy()}, 12, "a: packed or locked in a way that numpy does not use"),
        ({"a.npy": b""}, 8, "a: not an array of numpy"),
        ({"a.npy": npy()[:-1]}, 8, "a: shape (3, 4) of float32 takes 117 bytes, the file has 116"),
        ({"a.npy": npy(HEADER.replace("3, 4", "12,"))}, 8, "a: shape (12,): must be (any, 4)"),
    ],
)
def test_what_is_no_archive_of_arrays(
    tmp_path: Path, members: dict[str, bytes], method: int, fault: str
) -> None:
    path = archive(tmp_path, members, method)
    with (
        pytest.raises(SpinplaneError, match=f"^x: no archive: {re.escape(fault)}"),
        open_archive(path, "x", "no archive", Limits(members=4)) as file,
    ):
        file.read("a", shape=(None, 4))


def test_two_arrays_of_one_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("a.npy", npy())
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.npy", npy())
    with (
        pytest.raises(SpinplaneError, match=r"^x: no archive: it has two arrays a\.npy$"),
        open_archive(tmp_path / "x.npz", "x", "no archive"),
    ):
        pass


def test_a_wrong_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.npy": npy(content=bytes(range(48)))}, zipfile.ZIP_STORED)
    content = path.read_bytes()
    path.write_bytes(content.replace(bytes(range(40, 48)), bytes(range(41, 49))))
    with (
        pytest.raises(SpinplaneError, match=r"^x: no archive: a: Bad CRC-32"),
        open_archive(path, "x", "no archive") as file,
    ):
        file.read("a")


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    shape = (1 << 10, 1 << 19)
    header = HEADER.replace("(3, 4)", str(shape)).replace("<f4", "|u1")
    with (
        zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a.npy", "w") as member,
    ):
        member.write(npy(header, b""))
        for _ in range(1 << 9):
            member.write(bytes(1 << 20))
    assert (tmp_path / "x.npz").stat().st_size < 1 << 22
    tracemalloc.start()
    with (
        pytest.raises(SpinplaneError, match=r"is too large: at most 268435456 numbers in 268435456 bytes$"),
        open_archive(tmp_path / "x.npz", "x", "no archive") as file,
    ):
        file.read("a")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 22


def test_all_arrays_of_a_file_count(tmp_path: Path) -> None:
    content = BytesIO(archive_bytes({"a": np.zeros(6, np.uint8), "b": np.zeros(6, np.uint8)}))
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    with open_archive(tmp_path / "x.npz", "x", "no archive", Limits(bytes=10)) as file:
        file.read("a")
        with pytest.raises(SpinplaneError, match=r"too large: at most 268435450 numbers in 4 bytes$"):
            file.read("b")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match=r"^x: cannot be read: No such file or directory$"):
        read_array(tmp_path / "none", "x", "no numbers")
    for path in (tmp_path, Path("/dev/zero")):
        with pytest.raises(SpinplaneError, match=r"^x: cannot be read: not a file$"):
            read_array(path, "x", "no numbers")
