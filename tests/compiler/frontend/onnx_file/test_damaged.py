"""Damaged files are refused in one line, within seconds and a gibibyte, or mean something and compile."""

import json
import os
import subprocess
import sys
from pathlib import Path

import damaged_models
import pytest


def test_the_models_that_are_damaged_compile(tmp_path):
    for seed in range(50):
        damaged_models.whole_model(seed, tmp_path)
        assert damaged_models.read(tmp_path / "whole.onnx") == ("compiled", "")


@pytest.mark.parametrize(
    ("count", "first"), [(1_500, 0), pytest.param(20_000, 1_500, marks=pytest.mark.thorough)]
)
def test_damaged_models_are_refused_in_one_line(count, first):
    command = [sys.executable, str(Path(damaged_models.__file__)), str(count), str(first)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr[-1_000:]
    depths = json.loads(run.stdout)
    print(depths)
    assert sum(depths.values()) == count
    # Each kind of check is reached by a twentieth of them at least.
    assert min(depths[depth] for depth in ("bytes", "file", "graph", "compiled")) > count // 20
