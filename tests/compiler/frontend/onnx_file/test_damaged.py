"""Damaged files are refused in one line, within seconds and a gibibyte, or mean something and compile."""

import damaged_models

from tests.campaigns import damaged_files as campaign


def test_the_models_that_are_damaged_compile(tmp_path):
    for seed in range(50):
        damaged_models.whole_model(seed, tmp_path)
        assert damaged_models.read(tmp_path / "whole.onnx") == ("compiled", "")


def test_damaged_models_are_refused_in_one_line():
    seen = campaign.run(range(campaign.CHUNK))
    print(seen)
    assert sum(seen.values()) == campaign.CASES // 10
    # Each kind of check is reached by a thirtieth of them at least.
    depths = ("bytes", "file", "graph", "compiled")
    assert min(seen[campaign.NAMES[depth]] for depth in depths) > campaign.CHUNK // 30
