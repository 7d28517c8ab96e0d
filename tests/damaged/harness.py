"""Read damaged files one after the other, in bounded time and memory, and count how far they come."""

import random
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import SpinplaneError

#: How far a file comes: where it is refused, or that it is not.
DEPTHS = ("bytes", "container", "header", "values", "whole")
SECONDS, BYTES, CHARACTERS = 10, 1 << 30, 300

#: What reads a file up to a depth; it raises a SpinplaneError where it refuses it.
Step = tuple[str, Callable[[Path], object]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    name : str
        Of a damaged file, where a reader asks for one.
    whole : callable
        A valid file from a number, given a folder for scratch files.
    damaged : callable
        The same, damaged.
    steps : sequence of (str, callable)
        Depths, and what has to succeed to get beyond each of them; the last one is the reader itself.
    """

    name: str = "damaged"
    whole: Callable[[int, Path], bytes]
    damaged: Callable[[int, Path], bytes]
    steps: Sequence[Step]

    def read(self, path: Path) -> tuple[str, str]:
        """How far a file comes, and the message that refuses it; what else is raised is a fault."""
        for depth, step in self.steps:
            try:
                step(path)
            except SpinplaneError as error:
                return depth, str(error)
        return "whole", ""


def count_depths(kind: Kind, seeds: range) -> Counter:
    """Read damaged files, each within `SECONDS` of this processor, all within `BYTES` more memory than now.

    Raises
    ------
    SystemExit
        If a message is long, or not one line.
    """
    limit = _bytes_now() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    depths: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / kind.name
        for seed in seeds:
            path.write_bytes(kind.damaged(seed, Path(name)))
            print(f"damaged file {seed}", file=sys.stderr, flush=True)
            # The default action of this signal ends the process: nothing in it can hide a file that hangs.
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            depth, message = kind.read(path)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            message = message.replace(str(path), "damaged")
            if len(message) >= CHARACTERS or not message.isprintable():
                raise SystemExit(f"a message of {len(message)} characters, or of several lines: {message!r}")
            depths[depth] += 1
    return depths


def _bytes_now() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def damage_bytes(draw: random.Random, data: bytes) -> bytes:
    """Flip a bit, or set, cut, repeat or end bytes."""
    if not data:
        return data
    at, length = draw.randrange(len(data)), draw.choice([1, 1, 2, 8, 64])
    kind = draw.choice(["flip", "flip", "set", "cut", "copy", "end"])
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    if kind == "set":
        return data[:at] + draw.randbytes(length) + data[at + length :]
    if kind == "cut":
        return data[:at] + data[at + length :]
    if kind == "copy":
        return data[:at] + data[at : at + length] * draw.choice([2, 100]) + data[at + length :]
    return data[:at]


def damage_bytes_often(draw: random.Random, data: bytes) -> bytes:
    """Damage bytes once to four times."""
    for _ in range(draw.randint(1, 4)):
        data = damage_bytes(draw, data)
    return data
