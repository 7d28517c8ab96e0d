"""Groups that are no powers of two: widened where that takes fewer cycles, with the same maps and counters."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from checked_networks import check

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import (
    CodeAddition,
    DoublingMultiply,
    FloatScale,
    Graph,
    InputCoding,
    Layer,
    Pooling,
    Residual,
    StepFunction,
    unscaled_output,
)
from spinplane.compiler.mapping.group_splitting import split_groups
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import Coding, Operand, load_machine

PAPER8 = load_machine("paper8")


def network(channels, kernels, groups, *, side=6, **changes):
    """A layer of groups 3×3 at 8:8, and one image."""
    rng = np.random.default_rng(channels + kernels + groups)
    count = groups * kernels
    layer = Layer(
        name="groups",
        weights=rng.integers(-128, 128, (count, channels, 3, 3)),
        w=Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
        i=Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
        bias=rng.integers(-999, 999, count),
        padding=(1, 1, 1, 1),
        groups=groups,
        **changes,
    )
    values = rng.integers(-128, 128, (1, groups * channels, side, side))
    values[0, :, 0] = -128
    graph = Graph(
        name="groups",
        input_shape=values.shape[1:],
        input_coding=InputCoding(low=-128, high=127),
        layers=(layer,),
        outputs=(unscaled_output(0, (1, count, side, side)),),
    )
    shape = run_graph(graph, values)[0].shape
    return replace(graph, outputs=(unscaled_output(0, shape),)), values


def float_scale(count):
    return FloatScale(scale=np.linspace(1e-3, 2e-3, count).astype(np.float32), low=-128, high=127)


def thresholds(count):
    rng = np.random.default_rng(count)
    steps = np.sort(rng.integers(-40_000, 40_000, (count, 15)), axis=1)
    return StepFunction(thresholds=steps, rising=np.ones(count, dtype=bool), levels=np.arange(-8, 8))


def doubling(count):
    rng = np.random.default_rng(count)
    return DoublingMultiply(
        multiplier=rng.integers(1 << 30, 1 << 31, count).astype(np.int32),
        shift=rng.integers(-10, -7, count),
        low=-100,
        high=100,
    )


@pytest.mark.parametrize("steps", [None, float_scale, thresholds, doubling])
@pytest.mark.parametrize(("channels", "kernels", "groups"), [(3, 3, 16), (5, 5, 12), (6, 3, 8), (12, 12, 5)])
def test_maps_are_the_same_in_fewer_cycles(steps, channels, kernels, groups):
    given = {"steps": steps(groups * kernels)} if steps else {}
    graph, values = network(channels, kernels, groups, **given)
    programs = [check(graph, PAPER8, values)]
    programs.append(compile_graph(graph, PAPER8, widen_groups=False))
    widened, whole = (predict(program, resident=True).total.cycles for program in programs)
    spread = any(one.spread for one in programs[0].passes)
    assert widened < whole if spread else widened == whole
    assert spread or steps is None
    assert [layer.name for layer in programs[0].layers] == ["groups"]


@pytest.mark.parametrize("kind", ["sum", "max_sums", "max_codes"])
def test_groups_that_pool(kind):
    pool = Pooling(
        kind=kind, size=(2, 2), stride=(2, 2), least=(True, False, False) * 16 if kind == "max_sums" else ()
    )
    graph, values = network(3, 3, 16, pool=pool, steps=thresholds(48))
    assert any(one.spread for one in check(graph, PAPER8, values).passes)


@pytest.mark.parametrize("kind", ["residual", "addition"])
def test_groups_to_which_something_is_added(kind):
    changes = {"steps": thresholds(48), "residual": Residual(source=-1, scale=1, residual_scale=7)}
    if kind == "addition":
        addition = CodeAddition(
            source=-1, own_scale=Fraction(1), residual_scale=Fraction(1), low=-20, high=90
        )
        changes = {"steps": float_scale(48), "addition": addition}
    graph, values = network(3, 3, 16, **changes)
    assert any(one.spread for one in check(graph, PAPER8, values).passes)


def test_powers_of_two_are_left_as_they_are():
    for channels, kernels, groups in [(1, 1, 32), (4, 4, 8), (4, 2, 8), (3, 3, 1)]:
        graph, _ = network(channels, kernels, groups)
        assert split_groups(graph.layers[0]) == []
