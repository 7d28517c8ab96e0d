# amaranth: UnusedElaboratable=no
"""Hostile programs through the bus on the RTL of a small machine: no hang, no illegal operation, no trace."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import load_machine
from spinplane.machine.registers import Error
from spinplane.sim.benches.host.bus_cases import CASES_VARIABLE, NetworkCase, save_cases
from spinplane.sim.benches.host.hostile_cases import HOSTILE_VARIABLE, SEEN_FILE, save_programs
from tests.accelerator_benches import run_accelerator_bench
from tests.hostile_programs import hostile_program
from tests.small_networks import small_graph, small_images

TITLE = "Hostile programs on the RTL"
CASES, CHUNK = 20_000, 250

TINY = load_machine("tiny")


@cache
def good_case() -> NetworkCase:
    """The network that runs after each of them."""
    return NetworkCase.of(compile_graph(small_graph(), TINY), small_images(1)[0])


def run(seeds: range, simulator: str = "verilator") -> Counter:
    """Run programs in one simulation, and count how they end."""
    good = good_case()
    programs = [hostile_program(TINY, good.program, seed) for seed in seeds]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cases").mkdir()
        save_cases(folder / "cases", [good])
        save_programs(folder / "programs.npz", programs)
        environment = {
            CASES_VARIABLE: str(folder / "cases"),
            HOSTILE_VARIABLE: str(folder / "programs.npz"),
        }
        outcome = run_accelerator_bench("host.bench_hostile_programs", TINY, simulator, folder, environment)
        assert outcome.tests == 1
        seen = Counter(json.loads((outcome.folder / SEEN_FILE).read_text(encoding="utf-8")))
    refused = Counter(Error(program.judgement.error).name for program in programs)
    return seen + Counter({f"judged {name}": number for name, number in refused.items()})
