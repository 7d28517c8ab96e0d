"""Damaged TFLite files are refused in one line, within seconds and a gibibyte, or mean something and compile."""

import json
import os
import subprocess
import sys
from pathlib import Path

import damaged_tflite
import pytest
from tflite_networks import random_network


def test_the_files_that_are_damaged_compile(tmp_path: Path) -> None:
    for seed in range(50):
        path = random_network(seed).save(tmp_path / "whole.tflite")
        assert damaged_tflite.read(path) == ("compiled", "")


@pytest.mark.parametrize(
    ("count", "first"), [(1_000, 0), pytest.param(10_000, 1_000, marks=pytest.mark.thorough)]
)
def test_damaged_files_are_refused_in_one_line(count: int, first: int) -> None:
    command = [sys.executable, str(Path(damaged_tflite.__file__)), str(count), str(first)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr[-1_000:]
    depths = json.loads(run.stdout)
    print(depths)
    assert sum(depths.values()) == count
    # Each kind of check is reached by a twentieth of them at least.
    assert min(depths[depth] for depth in ("bytes", "file", "graph", "compiled")) > count // 20
