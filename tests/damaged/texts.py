"""Damage to texts: machines and technologies in TOML, libraries in Liberty."""

import random
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from spinplane.device.electrical import electrical
from spinplane.device.technology import load_technology
from spinplane.machine import load_machine
from spinplane.machine.files import read_unpacked
from spinplane.machine.toml_files import read_toml
from spinplane.physical.liberty import library_text
from spinplane.physical.liberty_groups import Reader
from spinplane.physical.library import GROUPS, read_library

from .harness import Kind, damage_bytes_often

_HOSTILE = (
    *(
        "0",
        "-1",
        "1",
        "3",
        "64",
        "1e400",
        "nan",
        "-inf",
        "1e-300",
        "99999999999999999999",
        "0x" + "f" * 40,
        "1.5",
    ),
    *(
        "true",
        '""',
        '"x"',
        '"a\\nb"',
        '"\\u0000"',
        '"' + "w" * 500 + '"',
        "'/bin/sh'",
        '"none"',
        '"read"',
        "[]",
        "{}",
    ),
    *("[[[[[[[[[[1]]]]]]]]]]", "[1, 2]", '["a", "b"]', "{ a = 1 }", "1979-05-27", "\t", "\ufeff", "[" * 2000),
)
_WORD = re.compile(r'"[^"\n]*"|[\w.+-]+')


def _damaged(whole: Callable[[int, Path], bytes]) -> Callable[[int, Path], bytes]:
    def damaged(seed: int, folder: Path) -> bytes:
        draw = random.Random(f"damage {seed}")
        data = whole(seed, folder)
        if seed % 4 == 0:
            return damage_bytes_often(draw, data)
        text = data.decode()
        for _ in range(draw.randint(1, 3 if seed % 4 == 1 else 1)):
            text = (_damage_lines if seed % 4 == 1 else _damage_word)(draw, text)
        return text.encode("utf-8", errors="surrogatepass")

    return damaged


def _damage_lines(draw: random.Random, text: str) -> str:
    lines = text.split("\n")
    at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    kind = draw.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[other])
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = lines[at] * 2
    return "\n".join(lines)


def _damage_word(draw: random.Random, text: str) -> str:
    words = list(_WORD.finditer(text))
    word, other = draw.choice(words), draw.choice(words)
    new = draw.choice([other[0], draw.choice(_HOSTILE), draw.choice(_HOSTILE), word[0][:-1], word[0] + "x"])
    return text[: word.start()] + new + text[word.end() :]


def _shipped(package: str, names: tuple[str, ...]) -> Callable[[int, Path], bytes]:
    def whole(seed: int, folder: Path) -> bytes:
        return (files(package) / f"{names[seed // 4 % len(names)]}.toml").read_bytes()

    return whole


def _liberty(seed: int, folder: Path) -> bytes:
    """Without the rows of numbers, of which there are so many that damage would seldom meet anything else."""
    lines = library_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith(("values", "index_"))).encode()


def _table(path: Path) -> object:
    return read_toml(path, "file")


def _groups(path: Path) -> object:
    return Reader(read_unpacked(path, "file", 1 << 27).decode("utf-8", errors="replace"), GROUPS).library()


_MACHINES = _shipped("spinplane.machine", ("tiny", "paper8", "paper", "paper-overlap", "wide"))
_TECHNOLOGIES = _shipped("spinplane.device", ("sot-mram", "stt-mram", "stt-aggressive"))

MACHINE = Kind(
    whole=_MACHINES,
    damaged=_damaged(_MACHINES),
    steps=[("container", _table), ("values", load_machine)],
)
TECHNOLOGY = Kind(
    whole=_TECHNOLOGIES,
    damaged=_damaged(_TECHNOLOGIES),
    steps=[
        ("container", _table),
        ("header", load_technology),
        ("values", lambda path: electrical(load_technology(path))),
    ],
)
LIBERTY = Kind(
    whole=_liberty,
    damaged=_damaged(_liberty),
    steps=[("container", _groups), ("values", read_library)],
)
