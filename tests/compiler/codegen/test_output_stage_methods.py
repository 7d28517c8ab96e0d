"""Every method of the output stage in programs of small networks: on the functional machine and through the loops."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from checked_networks import check, check_loops

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import CodeAddition, DoublingAddition, FloatScale, Pooling, StepFunction
from spinplane.machine import Rounding, SpinplaneError, load_machine
from tests.compiler.codegen.test_program import SMALL, inputs_of, layer_of, network

PAPER8 = load_machine("paper8")
KERNELS = 7
MAXIMA = Pooling(kind="max_codes", size=(2, 2), stride=(2, 2))


def bent(count: int) -> StepFunction:
    """Rising and falling steps of two slopes, as a LeakyRelu has them: no line goes through them."""
    below, above = np.arange(-40 * (count // 2), 0, 40), np.arange(0, 7 * (count - count // 2), 7)
    limits = np.concatenate([below, above]) + np.arange(KERNELS)[:, np.newaxis] * 3
    rising = np.arange(KERNELS) % 3 > 0
    thresholds = np.where(rising[:, np.newaxis], limits, -limits)
    return StepFunction(thresholds=thresholds, rising=rising, levels=np.arange(count + 1))


def pieces(count: int, bits: int) -> StepFunction:
    """Levels in no order, those of each channel its own."""
    rng = np.random.default_rng(3)
    return StepFunction(
        thresholds=np.sort(rng.integers(-600, 600, (KERNELS, count)), axis=1),
        rising=np.ones(KERNELS, dtype=bool),
        levels=rng.integers(0, 2**bits, (KERNELS, count + 1)),
    )


def float_scale(low: int = 0, high: int = 255) -> FloatScale:
    scales = 2.0 ** np.random.default_rng(5).uniform(-4, 0, KERNELS) * np.array([1, -1, 1, 1, 1, -1, 1])
    return FloatScale(scale=scales.astype(np.float32), low=low, high=high)


def added(source: int | None, **more: object) -> CodeAddition:
    numbers = {"own_scale": Fraction(3, 7), "residual_scale": Fraction(1, 3), "low": 0, "high": 63, **more}
    return CodeAddition(source=source, **numbers)  # type: ignore[arg-type]


def graph_of(*, steps, bits=8, before=(), **more):
    """Layers before, one with the steps, and one that takes its codes."""
    first = layer_of((KERNELS, 3, 3, 3), w=4, i=4, padding=(1, 1, 1, 1), steps=steps, name="first", **more)
    last = layer_of((2, KERNELS, 1, 1), i=bits, name="last")
    return network((3, 6, 6), *before, first, last)


STEM = layer_of((KERNELS, 3, 1, 1), w=4, i=4, name="stem", steps=bent(15))
BESIDE = {"inputs": (-1,), "before": (STEM,)}
CASES = {
    "1 bit": ({"steps": bent(1), "bits": 1}, ("searched", KERNELS)),
    "5 bits": ({"steps": bent(31), "bits": 5}, ("searched", KERNELS)),
    "8 bits": ({"steps": bent(255)}, ("searched", KERNELS)),
    "8 bits, greatest": ({"steps": bent(255), "pool": MAXIMA}, ("searched", KERNELS)),
    "pieces": ({"steps": pieces(20, 6), "bits": 6}, ("table", KERNELS)),
    "pieces of 9 bits": ({"steps": pieces(500, 8)}, ("table", KERNELS)),
    "pieces, greatest": ({"steps": pieces(20, 6), "bits": 6, "pool": MAXIMA}, ("searched", KERNELS)),
    "float": ({"steps": float_scale()}, ("native", KERNELS)),
    "float, greatest": ({"steps": float_scale(), "pool": MAXIMA}, ("native", KERNELS)),
    "float, 3 bits": ({"steps": float_scale(0, 7), "bits": 3}, ("searched", KERNELS)),
    "float, then codes": ({"steps": float_scale(), "addition": added(None), "bits": 6}, ("searched", KERNELS)),
    "float, then as many": (
        {"steps": float_scale(), "addition": added(None, own_scale=Fraction(2), high=255)},
        ("table", KERNELS),
    ),
    "float, then fewer": (
        {"steps": float_scale(), "addition": added(None, own_scale=-Fraction(1, 4), offset=Fraction(64)), "bits": 6},
        ("searched", KERNELS),
    ),
    "steps, then codes": ({"steps": bent(255), "addition": added(None), "bits": 6}, ("searched", KERNELS)),
    "float and codes": ({"steps": float_scale(), "addition": added(0), "bits": 6, **BESIDE}, ("native", KERNELS)),
    "ties": (
        {
            "steps": float_scale(),
            "addition": added(0, own_scale=Fraction(1, 6), residual_scale=Fraction(1, 3)),
            "bits": 6,
            **BESIDE,
        },
        ("searched", KERNELS),
    ),
    "searched and codes": (
        {"steps": bent(255), "addition": added(0, rounding=Rounding.HALF_AWAY), "bits": 6, **BESIDE},
        ("line", KERNELS),
    ),
    "pieces and codes": (
        {"steps": pieces(20, 6), "addition": added(0), "bits": 6, **BESIDE},
        ("line", KERNELS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_method_gives_the_codes_of_the_oracle(name: str) -> None:
    arguments, (method, channels) = CASES[name]
    graph = graph_of(**arguments)
    program = check(graph, PAPER8, inputs_of(graph))
    own = [placed for placed in program.stages if placed.stage.name == "first"][-1]
    assert own.steps.methods()[method] == channels
    check_loops(graph, replace(SMALL, rows=256, threshold_beats=2048), inputs_of(graph, count=1))


@pytest.mark.parametrize(("left_shift", "phases"), [(20, 2), (2, 3)])
def test_tflite_adds_by_a_line_where_its_own_roundings_decide_nothing(left_shift: int, phases: int) -> None:
    addition = DoublingAddition(
        source=0,
        left_shift=left_shift,
        own_multiplier=1_413_526_871,
        own_shift=-1,
        residual_multiplier=1_999_888_777,
        residual_shift=0,
        output_multiplier=1_273_127_712,
        output_shift=-left_shift,
        low=0,
        high=255,
    )
    graph = graph_of(steps=float_scale(), addition=addition, **BESIDE)
    program = check(graph, PAPER8, inputs_of(graph))
    assert len(program.passes[1].multiplications) == phases
    check_loops(graph, replace(SMALL, rows=256), inputs_of(graph, count=1))


def test_lists_that_do_not_fit_are_multiplied_where_lines_do() -> None:
    even = StepFunction(
        thresholds=np.arange(-70, 70, 20) + np.arange(KERNELS)[:, np.newaxis],
        rising=np.ones(KERNELS, dtype=bool),
        levels=np.arange(8),
    )
    first = layer_of((KERNELS, 3, 3, 3), w=4, i=4, steps=even, name="even")
    second = layer_of((KERNELS, KERNELS, 3, 3), w=4, i=3, steps=bent(31), name="bent")
    graph = network((3, 6, 6), first, second, layer_of((2, KERNELS, 2, 2), i=5))
    for beats, multiplied in ((64, 0), (30, KERNELS)):
        program = check(graph, replace(SMALL, threshold_beats=beats), inputs_of(graph))
        assert len(program.thresholds) <= beats
        assert program.stages[0].steps.methods()["line"] == multiplied
        assert program.stages[1].steps.methods()["searched"] == KERNELS
        assert not program.stages[1].passes[0].multiplies
    with pytest.raises(
        SpinplaneError,
        match=r"^layer bent: exceeds threshold_beats = 20 of machine small: the network needs \d+$",
    ) as error:
        compile_graph(graph, replace(SMALL, threshold_beats=20))
    needed = int(str(error.value).split()[-1])
    check(graph, replace(SMALL, threshold_beats=needed), inputs_of(graph))


def test_equal_lists_of_a_lane_are_held_once() -> None:
    same = StepFunction(
        thresholds=np.tile(np.arange(-7, 8) ** 3, (16, 1)),
        rising=np.ones(16, dtype=bool),
        levels=np.arange(16),
    )
    first = layer_of((16, 3, 5, 5), w=4, i=4, steps=same)
    graph = network((3, 5, 5), first, layer_of((2, 16, 1, 1), i=4))
    program = check(graph, PAPER8, inputs_of(graph))
    assert len(program.thresholds) == program.stages[0].steps.search_words
