"""Damaged files: each is refused in one line, within seconds and a gibibyte, or means something and is taken."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.damaged.kinds import KINDS

TITLE = "Damaged files"
FILES = 5_000
CASES, CHUNK = FILES * len(KINDS), 500

ROOT = Path(__file__).parents[2]
#: Seconds after which a process that waits for something is given up.
PATIENCE = 1_800
#: Of how far a file came.
NAMES = {
    "bytes": "refused for bytes",
    "container": "refused for structure",
    "header": "refused for names, types, shapes",
    "values": "refused for values",
    "whole": "taken",
}
#: Least share of each kind's files that gets beyond its bytes and its structure, and that is taken.
LEAST_SHARE = 1 / 50


def run(seeds: range) -> Counter:
    """Read damaged files of one kind in a process of their own, and count how far they came."""
    kind = list(KINDS)[seeds.start // FILES]
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.damaged",
        kind,
        str(len(seeds)),
        str(seeds.start % FILES),
    ]
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    read = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        timeout=PATIENCE,
        check=False,
    )
    assert read.returncode == 0, (kind, read.stderr[-1_000:])
    depths = json.loads(read.stdout)
    assert sum(depths.values()) == len(seeds)
    return Counter({f"{kind}: {NAMES[depth]}": number for depth, number in depths.items()})


def check_shares(seen: Counter) -> None:
    """The damage goes deeper than the surface: of each kind files are refused for what they mean, and others taken."""
    for kind in sorted({what.partition(": ")[0] for what in seen}):
        of_kind = {depth: seen[f"{kind}: {name}"] for depth, name in NAMES.items()}
        least = LEAST_SHARE * sum(of_kind.values())
        deep = of_kind["header"] + of_kind["values"]
        assert deep >= least, (kind, of_kind)
        assert of_kind["whole"] >= least, (kind, of_kind)
