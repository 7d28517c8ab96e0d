"""Clock edges that gate cells let through, at most, from the passes of a program."""

from small_networks import small_graph

from spinplane.compiler.codegen.program import compile_graph
from spinplane.evaluation import clock_ticks
from spinplane.evaluation.clock_ticks import STOPPED, TICKS, unit_flip_flops
from spinplane.machine import load_machine
from spinplane.machine.external.cache_folder import default_build_root

TINY = load_machine("tiny")
ROOT = default_build_root()


def test_an_idle_machine_stops_all_units_that_can() -> None:
    flip_flops = unit_flip_flops(TINY, ROOT)
    ticks = clock_ticks(TINY, 10**6, (), 0, ROOT)
    assert ticks[TICKS] + ticks[STOPPED] == 10**6 * flip_flops[""]
    assert ticks[STOPPED] == 10**6 * (sum(flip_flops.values()) - flip_flops[""])


def test_no_unit_stops_for_less_than_no_time() -> None:
    program = compile_graph(small_graph(), TINY)
    flip_flops = unit_flip_flops(TINY, ROOT)
    # It adds no residuals.
    idle = flip_flops["residual_loader"]
    assert clock_ticks(TINY, 1, program.passes, len(program.descriptors), ROOT) == {
        TICKS: flip_flops[""] - idle,
        STOPPED: idle,
    }
