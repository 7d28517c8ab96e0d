"""Arrays from .npy and .npz files: names, types, shapes and sizes are checked before anything is unpacked.

Nothing is ever unpickled. A header of numpy is matched with a pattern, not evaluated, and an array is made only when
the bytes that its header promises are those that the file declares.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from .array_header import NUMBERS, ArrayFault, ArrayForm, read_form
from .errors import SpinplaneError, one_line
from .names import ArrayName

_CHUNK = 1 << 20
#: Deflate makes at most so many bytes of one.
_MOST_RATIO = 1032
_END = struct.Struct("<4s4H2LH")
#: Of an entry in a directory: its fixed part, its name and what numpy adds.
_LONGEST_ENTRY = 512
#: What zipfile, zlib and the system raise for damaged files.
_DAMAGED = (
    *(OSError, ValueError, EOFError, NotImplementedError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may hold at most.

    Parameters
    ----------
    members : int
        Arrays of an .npz file.
    bytes, numbers : int
        Of all arrays that are read from it, unpacked.
    characters : int
        Of a text.
    """

    members: int = 64
    bytes: int = 1 << 28
    numbers: int = 1 << 28
    characters: int = 1 << 20

    def check(self, form: ArrayForm) -> None:
        """Raise an `ArrayFault` for an array that is larger."""
        # A side of 0 hides none of the others, with which numpy has to count.
        elements = prod(max(side, 1) for side in form.shape)
        if elements > self.numbers or elements * form.dtype.itemsize > self.bytes:
            raise ArrayFault(f"shape {form.shape} of {form.dtype} is too large: at most {self}")
        if form.dtype.kind == "U" and form.dtype.itemsize > 4 * self.characters:
            raise ArrayFault(f"it has more than {self.characters} characters")

    def without(self, form: ArrayForm) -> "Limits":
        """What is left for others beside an array."""
        return replace(self, bytes=self.bytes - form.bytes, numbers=self.numbers - prod(form.shape))

    def __str__(self) -> str:
        return f"{self.numbers} numbers in {self.bytes} bytes"


#: For files that anybody may have made, and for those that this package passes from one process to another.
ANYBODYS, OWN = Limits(), Limits(members=1 << 15, bytes=1 << 40, numbers=1 << 40, characters=1 << 28)
#: For images, of which each number becomes one of eight bytes.
IMAGES = Limits(numbers=1 << 25)


class ArrayArchive:
    """An .npz file whose directory has been checked: its arrays are unpacked one by one, when they are asked for.

    `open_archive` makes it. Every method raises a `SpinplaneError` that names the file, the array and the fault.
    """

    def __init__(self, archive: zipfile.ZipFile, refusal: str, limits: Limits) -> None:
        self._archive, self._refusal, self._left = archive, refusal, limits
        self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}

    @property
    def names(self) -> tuple[str, ...]:
        """Of the arrays."""
        return tuple(self._members)

    def form(self, name: str, kinds: str = NUMBERS) -> ArrayForm:
        """Type and shape of an array, of which only the first bytes are unpacked.

        Parameters
        ----------
        name : str
        kinds : str
            Allowed kinds of its type.
        """
        with self._telling(name), self._archive.open(self._member(name)) as file:
            return self._form(name, file, kinds)

    def read(self, name: str, kinds: str = NUMBERS, shape: Sequence[int | None] | None = None) -> np.ndarray:
        """An array.

        Parameters
        ----------
        name : str
        kinds : str
            Allowed kinds of its type, as letters of numpy's `dtype.kind`.
        shape : sequence of int or None, optional
            Of which None stands for any number.
        """
        with self._telling(name), self._archive.open(self._member(name)) as file:
            form = self._form(name, file, kinds)
            _check_shape(form, shape)
            self._left = self._left.without(form)
            return _unpack(file, form)

    def number(self, name: str) -> int:
        """A whole number."""
        return int(self.read(name, "iu", ()))

    def text(self, name: str) -> str:
        """A text."""
        array = self.read(name, "U", ())
        with self._telling(name):
            text = str(array)
            text.encode()  # what is no character cannot be printed either
            return text

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise ArrayFault(f"it has no such array but {', '.join(self.names[:8]) or 'none'}")
        member = self._members[name]
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArrayFault("packed or locked in a way that numpy does not use")
        if member.file_size > _MOST_RATIO * (member.compress_size + 1):
            raise ArrayFault(f"{member.compress_size} bytes cannot unpack to {member.file_size}")
        return member

    def _form(self, name: str, file: IO[bytes], kinds: str) -> ArrayForm:
        form = read_form(file, kinds)
        self._left.check(form)
        _check_size(form, self._members[name].file_size)
        return form

    @contextmanager
    def _telling(self, name: str) -> Iterator[None]:
        with _in_one_line(f"{self._refusal}: {name}"):
            yield


@contextmanager
def open_archive(
    path: str | Path, source: str, kind: str, limits: Limits = ANYBODYS
) -> Iterator[ArrayArchive]:
    """Open an .npz file.

    Parameters
    ----------
    path : str or Path
    source : str
        The file as messages name it.
    kind : str
        What it should be, for the message that it is not.
    limits : Limits

    Raises
    ------
    SpinplaneError
        If it cannot be read, is not a zip archive, or its directory has other members than arrays, two of one name, or
        more than the limits allow.
    """
    refusal = f"{source}: {kind}"
    with _opened(path, source) as file:
        with _in_one_line(refusal):
            _check_end(file, limits)
            archive = zipfile.ZipFile(file)
            _check_members(archive.infolist(), limits)
        with archive:
            yield ArrayArchive(archive, refusal, limits)


def read_array(
    path: str | Path, source: str, kind: str, *, kinds: str = NUMBERS, limits: Limits = ANYBODYS
) -> np.ndarray:
    """The array of an .npy file.

    Parameters
    ----------
    path : str or Path
    source, kind : str
        As of `open_archive`.
    kinds : str
        Allowed kinds of its type.
    limits : Limits

    Returns
    -------
    ndarray

    Raises
    ------
    SpinplaneError
        If it cannot be read, is not an array of such a type, is longer or shorter than its header says, or too large.
    """
    with _opened(path, source) as file, _in_one_line(f"{source}: {kind}"):
        if file.read(2) == b"PK":
            raise ArrayFault("an .npz holds several arrays; save one with numpy.save")
        size = file.seek(0, 2)
        file.seek(0)
        form = read_form(file, kinds)
        limits.check(form)
        _check_size(form, size)
        return _unpack(file, form)


def archive_bytes(arrays: Mapping[str, np.ndarray], *, compressed: bool = True) -> bytes:
    """Content of an .npz file, of which `open_archive` reads every array of numbers and every text."""
    content = BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def array_bytes(array: np.ndarray) -> bytes:
    """Content of an .npy file."""
    content = BytesIO()
    np.save(content, array)
    return content.getvalue()


@contextmanager
def _opened(path: str | Path, source: str) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        try:
            # A pipe would be waited for, and a device never ends.
            if Path(path).exists() and not Path(path).is_file():
                raise SpinplaneError(f"{source}: cannot be read: not a file")
            file = stack.enter_context(open(path, "rb"))
        except OSError as error:
            raise SpinplaneError(f"{source}: cannot be read: {error.strerror or error}") from None
        yield file


@contextmanager
def _in_one_line(refusal: str) -> Iterator[None]:
    try:
        yield
    except (ArrayFault, *_DAMAGED) as fault:
        raise SpinplaneError(f"{refusal}: {one_line(fault)}") from None


def _check_end(file: BinaryIO, limits: Limits) -> None:
    """Check how long a directory is before zipfile reads it; it must be the last thing, as numpy writes it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 20 - _END.size))
    tail = file.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\5\6"):
        raise ArrayFault("not a zip archive, or cut short")
    _, _, _, _, members, directory_bytes, _, comment_bytes = _END.unpack(end)
    if comment_bytes or tail[: -_END.size].startswith(b"PK\6\7"):
        raise ArrayFault("its directory does not end as numpy writes it")
    if members > limits.members or directory_bytes > members * _LONGEST_ENTRY:
        raise ArrayFault(f"its directory has {members} members in {directory_bytes} bytes, too many")


def _check_members(members: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    names = [member.filename for member in members]
    if len(names) > limits.members:
        raise ArrayFault(f"its directory has {len(names)} members, more than {limits.members}")
    for name in names:
        if not name.endswith(".npy"):
            raise ArrayFault(f"its member {name!r:.60} is not an array")
        ArrayName(name.removesuffix(".npy"), "name of an array")
    twice = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice:
        raise ArrayFault(f"it has two arrays {twice}")


def _check_size(form: ArrayForm, size: int) -> None:
    if size != form.header_bytes + form.bytes:
        raise ArrayFault(
            f"shape {form.shape} of {form.dtype} takes {form.header_bytes + form.bytes} bytes, the file has {size}"
        )


def _check_shape(form: ArrayForm, shape: Sequence[int | None] | None) -> None:
    if shape is None:
        return
    if len(shape) != len(form.shape) or any(
        side not in (None, found) for side, found in zip(shape, form.shape, strict=True)
    ):
        wanted = ", ".join("any" if side is None else str(side) for side in shape)
        raise ArrayFault(f"shape {form.shape}: must be ({wanted})")


def _unpack(file: IO[bytes], form: ArrayForm) -> np.ndarray:
    array = np.empty(prod(form.shape), form.dtype)
    content = array.view(np.uint8)
    for start in range(0, content.size, _CHUNK):
        part = file.read(min(_CHUNK, content.size - start))
        if len(part) < min(_CHUNK, content.size - start):
            raise ArrayFault("it is cut short")
        content[start : start + len(part)] = np.frombuffer(part, np.uint8)
    # At its end the checksum of a member is compared.
    if file.read(1):
        raise ArrayFault("it is longer than its header says")
    if not array.dtype.isnative:
        array = array.byteswap().view(array.dtype.newbyteorder())
    return array.reshape(form.shape[::-1]).T if form.fortran else array.reshape(form.shape)
