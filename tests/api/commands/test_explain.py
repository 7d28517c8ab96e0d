"""Fig. 6 on the RTL."""

import json
from dataclasses import replace

import pytest

from spinplane.cli import main
from spinplane.commands.explain import FIG_6_INPUTS, FIG_6_WEIGHTS, Explanation, explain


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return explain(simulator="icarus")


def test_the_rtl_computes_the_dot_product(explanation: Explanation) -> None:
    expected = sum(i * w for i, w in zip(FIG_6_INPUTS, FIG_6_WEIGHTS, strict=True))
    assert explanation.result == explanation.steps[-1].total == expected


def test_every_pair_of_planes_is_a_step(explanation: Explanation) -> None:
    assert [(step.m, step.n) for step in explanation.steps] == [(m, n) for n in range(3) for m in range(3)]
    total = 0
    for step in explanation.steps:
        both = "".join(str(int(a) & int(b)) for a, b in zip(step.row_i, step.row_w, strict=True))
        assert step.sensed == both
        assert step.count == both.count("1")
        total += step.count << (step.m + step.n)
        assert step.total == total


def test_the_figure_s_own_bits(explanation: Explanation) -> None:
    assert explanation.steps[0].row_i == "0110"
    shifted = [step for step in explanation.steps if step.m + step.n == 3 and step.count]
    assert [f"{step.count << 3:04b}" for step in shifted] == ["1000"]


def test_planes_of_one_row_are_sensed_at_once(explanation: Explanation) -> None:
    """`tiny` has the three planes of the input side by side in one row, and a row for each plane of the weight."""
    assert {step.array_row_i for step in explanation.steps} == {0}
    assert [step.array_row_w - explanation.steps[0].array_row_w for step in explanation.steps] == [
        step.n for step in explanation.steps
    ]


@pytest.mark.thorough
def test_amaranths_simulator_will_do(explanation: Explanation) -> None:
    assert replace(explain(simulator="amaranth"), simulator="icarus") == explanation


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    path = tmp_path / "new" / "fig6.json"
    main(["demo", "--explain", "--simulator", "icarus", "--json", str(path)])
    printed = capsys.readouterr().out
    for bits in ("0110", "0001", "1000"):
        assert bits in printed
    steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
    assert len(steps) == 9
    assert steps[0]["row_i"] == "0110"
