# amaranth: UnusedElaboratable=no
"""Stages that few networks have between sums and their quantizer: random networks, and some on the RTL."""

import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import StepFunction
from spinplane.machine import SpinplaneError
from tests.campaigns.random_networks import REFUSED
from tests.campaigns.random_networks_on_rtl import MACHINE
from tests.networks_on_rtl import Case, compare, run_twice
from tests.random_networks.drawing import random_network
from tests.random_networks.files import NetworkFile, write
from tests.random_networks.forms import QDQ, QONNX
from tests.random_networks.judging import MOST_NEAR_TIES, imported, input_values, judge
from tests.random_networks.unusual_stages import with_unusual_stages

#: Seeds of networks that no other test takes.
FIRST = 200_000
ALSO_REFUSED = (
    "two sums that are padded by different values",
    "more than 3 functions that fall and rise in a row",
)
MOST_REFUSED = 0.06


def network_file(number: int, folder: Path) -> NetworkFile:
    form, seed = (QONNX, QDQ)[number % 2], FIRST + number
    return write(form.name, with_unusual_stages(random_network(form, seed), form, seed), seed, folder)


def judged(numbers: range) -> Counter:
    """Networks against their executors; what was compared and refused."""
    seen = Counter()
    for number in numbers:
        with TemporaryDirectory() as folder:
            file = network_file(number, Path(folder))
            network = imported(file.path)
            if isinstance(network, str):
                assert any(re.search(limit, network) for limit in (*REFUSED, *ALSO_REFUSED)), (
                    number,
                    network,
                )
                seen["refused"] += 1
                continue
            steps = [layer.steps for layer in network.graph.layers]
            turn = any(isinstance(one, StepFunction) and not one.monotone for one in steps)
            seen += Counter(networks=1, turning=turn) + judge(network, file)
    return seen


def check_shares(seen: Counter) -> None:
    assert seen["refused"] <= MOST_REFUSED * seen["networks"]
    assert seen["turning"] > seen["networks"] / 2
    assert seen["differing"] <= MOST_NEAR_TIES * seen["elements"]


def test_random_networks_equal_their_executors() -> None:
    check_shares(judged(range(24)))


@pytest.mark.thorough
def test_more_random_networks_equal_their_executors() -> None:
    check_shares(judged(range(24, 100)))


def test_random_networks_on_the_rtl(tmp_path: Path) -> None:
    """The first of them that fit a small machine and have a function that falls and rises."""
    cases, number = list[Case](), 0
    while len(cases) < 4:
        file = network_file(number, tmp_path)
        number += 1
        network = imported(file.path)
        if isinstance(network, str):
            continue
        steps = [layer.steps for layer in network.graph.layers]
        if all(not isinstance(one, StepFunction) or one.monotone for one in steps):
            continue
        try:
            program = compile_graph(network.graph, MACHINE)
        except SpinplaneError:
            continue
        cases.append((network.graph, program, input_values(network, file)[:1]))
    record = run_twice(MACHINE, cases, "verilator", tmp_path)
    assert not list(compare(MACHINE, cases, record))
