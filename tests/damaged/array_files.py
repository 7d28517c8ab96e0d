"""Damage to files of arrays: inputs, programs, fault maps and data sets."""

import random
import warnings
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from small_networks import small_graph, small_images

from spinplane.arguments import load_array
from spinplane.commands.data_set import check_labels, load_images
from spinplane.compiler.codegen.program import compile_graph
from spinplane.device.faults import draw_fault_map
from spinplane.device.technology import load_technology
from spinplane.machine import FaultMap, load_machine
from spinplane.machine.array_files import open_archive
from spinplane.machine.program import Program
from spinplane.models import open_network

from .harness import Kind, Step, damage_bytes, damage_bytes_often

_TYPES = ("<f4", "<f8", "<i8", "|u1", "<U3", "|O", "|b1", "<c8", ">i4", "<u4", "<f2", "|V8", "<M8[s]")
_SIDES = (
    "",
    "0,",
    "1,",
    "-1,",
    "3, 3",
    "2, 1, 6, 6",
    "99999999999,",
    "2147483647, 2147483647, 0",
    "1, " * 40,
    "1" * 3000,
)
_NAMES = ("x", "y", "images", "../../evil", "/etc/passwd", "stuck", "a\nb", "ü", "", "con.txt", "descriptors")


def _npy(array: np.ndarray) -> bytes:
    content = BytesIO()
    np.save(content, array)
    return content.getvalue()


def _damage_array(draw: random.Random, array: np.ndarray) -> bytes:
    """Another type, shape or number, or a header that lies."""
    kind = draw.randrange(6)
    if kind == 0 and array.dtype.kind != "U":
        return _npy(array.astype(draw.choice(["f4", "f8", "i1", "i8", "u2", "U2", "?"])))
    if kind == 1:
        return _npy(draw.choice([array.reshape(-1), array[np.newaxis], np.zeros(0), array.reshape(-1)[:1]]))
    if kind == 2 and array.size and array.dtype.kind in "iuf":
        changed = array.copy()
        number = draw.choice([0, 1, 255, -1, 2**31, 2**40, np.nan, np.inf])
        with np.errstate(all="ignore"):
            changed.reshape(-1)[draw.randrange(array.size)] = np.array(number).astype(array.dtype)
        return _npy(changed)
    data = _npy(array)
    if kind == 3:
        return data.replace(repr(array.dtype.str).encode(), repr(draw.choice(_TYPES)).encode(), 1)
    if kind == 4:
        return data.replace(repr(array.shape).encode(), f"({draw.choice(_SIDES)})".encode(), 1)
    return damage_bytes(draw, data)


def _archive(members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members of one name
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return content.getvalue()


def _damaged_archive(whole: Callable[[int, Path], bytes]) -> Callable[[int, Path], bytes]:
    def damaged(seed: int, folder: Path) -> bytes:
        draw = random.Random(f"damage {seed}")
        data = whole(seed, folder)
        if seed % 4 == 0:
            return damage_bytes_often(draw, data)
        with np.load(BytesIO(data)) as arrays:
            held = dict(arrays)
        members = {name: _npy(array) for name, array in held.items()}
        for _ in range(draw.randint(1, 2)):
            name = draw.choice(list(held))
            if seed % 4 == 1 and draw.random() < 0.5:
                members[draw.choice(_NAMES)] = members.pop(name, b"")
            elif seed % 4 == 2 and held[name].dtype.kind == "U":
                members[name] = _npy(np.array(_damage_text(draw, str(held[name]))))
            else:
                members[name] = _damage_array(draw, held[name])
        listed = [(f"{name}.npy", data) for name, data in members.items()]
        if draw.random() < 0.05:
            listed.append(draw.choice([listed[0], ("readme", b"text"), *[("more.npy", b"")] * 2]))
        method = draw.choice([zipfile.ZIP_DEFLATED] * 8 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
        return _archive(listed, method)

    return damaged


def _damage_text(draw: random.Random, text: str) -> str:
    at = draw.randrange(max(len(text), 1))
    new = draw.choice(
        ["0", "-1", '"', "null", "[]", "{}", "1e999", "[" * 3000, "9" * 5000, "\ud800", "x" * 9]
    )
    return text[:at] + new + text[at + draw.choice([0, 1, 5]) :]


@cache
def _program(number: int) -> bytes:
    return _saved(compile_graph(small_graph(), load_machine(("tiny", "paper8")[number])))


@cache
def _fault_map(number: int) -> bytes:
    technology, machine = load_technology("sot-mram"), load_machine("tiny")
    sigma = (None, 0.0)[number]
    drawn = draw_fault_map(machine, technology, 1, weak_cells=0.001, sigma_ra=sigma, sigma_tmr=sigma)
    return _saved(drawn)


def _saved(object: Program | FaultMap) -> bytes:
    with TemporaryDirectory() as folder:
        object.save(Path(folder) / "saved")
        return (Path(folder) / "saved").read_bytes()


@cache
def _data_set(number: int) -> bytes:
    names = (("x", "y"), ("images", "labels"))[number]
    content = BytesIO()
    np.savez(content, **dict(zip(names, (small_images(20), np.arange(20) % 3), strict=True)))
    return content.getvalue()


@cache
def _input(number: int) -> bytes:
    return _npy(small_images(2).astype(("f4", "u1")[number]))


def _damaged_input(seed: int, folder: Path) -> bytes:
    draw = random.Random(f"damage {seed}")
    data = _input(seed // 4 % 2)
    if seed % 4:
        return _damage_array(draw, np.load(BytesIO(data)))
    return damage_bytes_often(draw, data)


def _directory(path: Path) -> None:
    with open_archive(path, "file", "not an archive"):
        pass


def _forms(*names: str) -> Step:
    """The header of each of these arrays that is there, which some kinds may lack."""

    def read(path: Path) -> None:
        with open_archive(path, "file", "not an archive") as file:
            for name in names:
                if name in file.names:
                    file.form(name, "biufU")

    return "header", read


def _run(images: np.ndarray) -> None:
    open_network(small_graph()).encode(images)


def _classified(path: Path) -> None:
    images, labels = load_images(path)
    check_labels(small_graph(), labels)
    _run(images)


def _of_two(whole: Callable[[int], bytes]) -> Callable[[int, Path], bytes]:
    return lambda seed, folder: whole(seed // 4 % 2)


_BANKS = ("header", "descriptors", "kernel_rows", "parameters", "scales", "thresholds")
_KEYS = (
    "sub_arrays",
    "rows",
    "columns",
    "stuck",
    "read_thresholds",
    "and_thresholds",
    "or_thresholds",
    "origin",
)

INPUT = Kind(
    name="damaged.npy",
    whole=_of_two(_input),
    damaged=_damaged_input,
    steps=[("header", load_array), ("values", lambda path: _run(load_array(path)))],
)
PROGRAM = Kind(
    whole=_of_two(_program),
    damaged=_damaged_archive(_of_two(_program)),
    steps=[("container", _directory), _forms(*_BANKS), ("values", Program.load)],
)
FAULT_MAP = Kind(
    whole=_of_two(_fault_map),
    damaged=_damaged_archive(_of_two(_fault_map)),
    steps=[
        ("container", _directory),
        _forms(*_KEYS),
        ("values", lambda path: FaultMap.load(path).check(load_machine("tiny"))),
    ],
)
DATA_SET = Kind(
    whole=_of_two(_data_set),
    damaged=_damaged_archive(_of_two(_data_set)),
    steps=[("container", _directory), _forms("x", "y", "images", "labels"), ("values", _classified)],
)
