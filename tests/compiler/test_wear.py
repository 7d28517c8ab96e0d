"""How often each row of the array is written."""

import numpy as np
import pytest

from spinplane.behavioral.schedule import Schedule
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.predict import predict
from spinplane.compiler.wear import row_writes
from spinplane.machine import load_machine
from spinplane.models import open_network


@pytest.fixture(scope="module")
def program() -> CompiledProgram:
    return compile_graph(open_network("svhn:1:1").graph, load_machine("paper"))


def test_svhn_writes_one_row_far_more_often_than_the_others(program: CompiledProgram) -> None:
    writes = row_writes(program)
    assert writes.shape == (512,)
    assert (writes.max(), writes.sum(), np.count_nonzero(writes)) == (28, 999, 60)
    # A sub-array has 991 on average: not all take part in every pass.
    assert predict(program, resident=True).total.row_writes / 32 == 991


def test_a_cold_run_writes_the_kernels_too(program: CompiledProgram) -> None:
    cold, steady = row_writes(program, resident=False), row_writes(program)
    assert cold.sum() > steady.sum()
    assert np.all(cold >= steady)


def test_sums_over_sub_arrays_are_the_events_of_the_schedule(program: CompiledProgram) -> None:
    """Where a pass loads nothing, each of its sub-arrays has the writes of the first."""
    expected = 0
    for layer_pass in program.passes:
        schedule = Schedule(layer_pass)
        expected += schedule.counters(loads=False).row_writes // (layer_pass.clusters * layer_pass.sub_arrays)
    assert row_writes(program).sum() == expected
