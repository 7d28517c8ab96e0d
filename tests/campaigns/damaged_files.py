"""Damaged files: each is refused in one line, within seconds and a gibibyte, or means something and compiles."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

TITLE = "Damaged files"
CASES, CHUNK = 20_000, 2_000

READER = Path(__file__).parents[1] / "damaged_models.py"
#: Of how far a file came.
NAMES = {
    "bytes": "refused for their bytes",
    "file": "refused for their structure",
    "graph": "refused for what they mean",
    "machine": "refused by the compiler",
    "compiled": "compiled",
}


def run(seeds: range) -> Counter:
    """Read damaged files in a process of their own, and count how far they came."""
    command = [sys.executable, str(READER), str(len(seeds)), str(seeds.start)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    read = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert read.returncode == 0, read.stderr[-1_000:]
    depths = json.loads(read.stdout)
    assert sum(depths.values()) == len(seeds)
    return Counter({NAMES[depth]: number for depth, number in depths.items()})
