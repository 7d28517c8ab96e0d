# amaranth: UnusedElaboratable=no
"""Random layers on the RTL of one build, on both simulators: equal to fractions, functional machine and prediction."""

from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph, InputCoding, Layer, StepFunction, unscaled_output
from spinplane.compiler.meaning.reach import reachable_sums
from spinplane.compiler.oracle import linear, run_graph
from spinplane.compiler.requantization.values import Addend
from spinplane.machine import Coding, Operand, load_machine
from tests.networks_on_rtl import compare, run_twice
from tests.random_requantizations import Case, random_case

TITLE = "Random layers on the RTL"
CASES, CHUNK = 500, 25

TINY = load_machine("tiny")
#: Inputs of a kernel, whose rows the machine holds beside those of a second layer.
MOST_INPUTS = 64


def run(seeds: range) -> Counter:
    """Run random layers in one simulation on each simulator, and count their kinds and methods."""
    seen, cases = Counter(), []
    for seed in seeds:
        case = small_case(seed)
        graph = graph_of(case, seed)
        inputs = np.random.default_rng(seed).integers(0, 2**case.layer.i.bits, (1, *graph.input_shape))
        check_oracle(case, graph, inputs)
        program = compile_graph(graph, TINY)
        cases.append((graph, program, inputs))
        seen[f"{case.kind}: layers"] += 1
        for stage in program.stages:
            for method, channels in stage.steps.methods().items():
                seen[f"channels {method}"] += channels
    for simulator in ("verilator", "icarus"):
        with TemporaryDirectory() as folder:
            record = run_twice(TINY, cases, simulator, Path(folder))
        differences = list(compare(TINY, cases, record))
        assert not differences, (seeds, simulator, differences)
        seen[f"runs on {simulator}"] += 2 * len(cases)
    return seen


def small_case(seed: int) -> Case:
    """The first case of a seed that fits the machine."""
    drawn = (random_case(1000 * seed + number) for number in count())
    return next(case for case in drawn if case.layer.weights.shape[1] <= MOST_INPUTS)


def graph_of(case: Case, seed: int) -> Graph:
    """The layer over four pixels, behind one that gives what it adds where it adds something."""
    layer = replace(case.layer, inputs=(-1,))
    layers = [layer] if case.addend is None else [source_of(layer, case.addend, seed), layer]
    regions = (1, 1) if layer.pool else (2, 2)
    return Graph(
        name="random",
        input_shape=(layer.weights.shape[1], 2, 2),
        input_coding=InputCoding(low=0, high=2**layer.i.bits - 1),
        layers=tuple(layers),
        outputs=(unscaled_output(len(layers) - 1, (1, len(layer.weights), *regions)),),
    )


def source_of(layer: Layer, addend: Addend, seed: int) -> Layer:
    """A layer of the same shape whose values are those that the case adds."""
    rng = np.random.default_rng(seed)
    source = replace(
        layer,
        name="source",
        weights=rng.integers(-1, 2, layer.weights.shape),
        w=Operand(bits=2, coding=Coding.TWOS_COMPLEMENT),
        pool=layer.pool and replace(layer.pool, kind="max_codes", least=None),
        residual=None,
        addition=None,
    )
    levels = np.arange(addend.smallest, addend.largest + 1)
    low, high = reachable_sums(source)
    places = np.arange(1, len(levels)) / len(levels)
    thresholds = np.ceil(low[:, np.newaxis] + (high - low)[:, np.newaxis] * places).astype(np.int64)
    return replace(
        source,
        steps=StepFunction(thresholds=thresholds, rising=np.ones(len(low), dtype=bool), levels=levels),
    )


def check_oracle(case: Case, graph: Graph, inputs: np.ndarray) -> None:
    """The oracle's values are those of the case's fractions; the greatest or the sum of four pixels where it pools."""
    *added, found = run_graph(graph, inputs)
    sums = linear(graph.layers[-1], inputs)[0].reshape(len(found[0]), -1)
    codes = added[0][0].reshape(len(sums), -1) - case.addend.smallest if case.addend else 0 * sums[:, :1]
    kind = case.layer.pool.kind if case.layer.pool else None
    for channel, of_channel in enumerate(found[0].reshape(len(sums), -1).tolist()):
        seen = [int(sums[channel].sum())] if kind == "sum" else sums[channel].tolist()
        beside = codes[channel].tolist() * (len(seen) // codes.shape[1])
        values = [code + case.output.offset for code in case.exact(channel, seen, beside)]
        wanted = [max(values)] if kind == "max_codes" else values
        assert of_channel == wanted, (case.kind, channel)
