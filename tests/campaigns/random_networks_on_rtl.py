# amaranth: UnusedElaboratable=no
"""Random networks as files of every form on the RTL of one build, equal to oracle, machine and prediction."""

from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import SpinplaneError, load_machine
from tests.campaigns.random_networks import form_of
from tests.networks_on_rtl import Case, compare, run_twice
from tests.random_networks.files import random_file
from tests.random_networks.forms import FORMS
from tests.random_networks.judging import imported, input_values, judge

TITLE = "Random networks on the RTL"
CASES, CHUNK = 200, 20

#: Rows for most kernels of random networks, whose dense layers have up to some hundred inputs of 8 bits.
MACHINE = replace(load_machine("tiny"), name="tall", rows=256)
#: Networks of a form, from those of the other campaign, among which the first that fits the machine is taken.
PACE = 1000


def run(seeds: range) -> Counter:
    """Run networks in one simulation, and count them by form."""
    seen, cases = Counter(), []
    for seed in seeds:
        form = form_of(seed)
        with TemporaryDirectory() as folder:
            cases.append(small_network(form, seed // len(FORMS), Path(folder), seen))
        seen[f"{form}: networks"] += 1
        seen[f"{form}: passes"] += len(cases[-1][1].descriptors)
    with TemporaryDirectory() as folder:
        record = run_twice(MACHINE, cases, "verilator", Path(folder))
    differences = list(compare(MACHINE, cases, record))
    assert not differences, (seeds, differences)
    seen["runs"] += 2 * len(cases)
    return seen


def small_network(form: str, seed: int, folder: Path, seen: Counter) -> Case:
    """The first network of a seed that is imported and fits the machine, with its first image."""
    for number in count():
        file = random_file(form, PACE * (1 + seed) + number, folder)
        network = imported(file.path)
        if isinstance(network, str):
            continue
        judge(network, file)
        try:
            program = compile_graph(network.graph, MACHINE)
        except SpinplaneError:
            seen["too large"] += 1
            continue
        return network.graph, program, input_values(network, file)[:1]
    raise AssertionError
