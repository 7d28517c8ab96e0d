"""Cells that vary, in the RTL's array and in the functional machine: the same wrong bits."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from test_hdl_sot_mram_array import MACHINE, wrapper
from test_sim_faults import _program

from spinplane.behavioral import Engine
from spinplane.behavioral.array import ArrayError, SotMramArray
from spinplane.device import draw_fault_map, load_technology
from spinplane.hdl.machine_verilog import array_model
from spinplane.machine import FaultMap, Machine, Op, Program, command_dtype, load_machine
from spinplane.sim.run import run_programs
from spinplane.sim.runner import BenchFailure, run_bench

TINY = load_machine("tiny")


def drawn(machine: Machine, seed: int) -> FaultMap:
    """Much of everything, so that every kind of wrong sense occurs."""
    return draw_fault_map(
        machine,
        load_technology("sot-mram"),
        seed,
        offset_sigma=0.02,
        weak_cells=0.02,
        sigma_ra=0.2,
        sigma_tmr=0.3,
    )


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_random_programs_give_the_same_wrong_bits(simulator: str) -> None:
    wrong = 0
    for seed in range(3):
        faults, program = drawn(TINY, seed), _program(TINY, seed)
        rtl = run_programs([program], simulator=simulator, faults=faults).runs[0]
        functional = Engine(TINY, faults).run(program)
        assert (rtl.results == functional.results).all()
        assert (rtl.rows == functional.rows).all()
        assert rtl.counters == functional.counters
        wrong += int((Engine(TINY).run(program).rows != functional.rows).sum())
    assert wrong


def _and_with_an_unknown_cell(column: int) -> Program:
    """Writes 0 to all of row 0 and to row 1 but for one column, then senses EN_AND of both."""
    commands = np.zeros(3, dtype=command_dtype(TINY))
    commands["op"] = Op.WRITE.value, Op.WRITE.value, Op.AND.value
    commands["row_d"] = 0, 1, 0
    commands["row_b"] = 1
    commands["length"] = TINY.columns - 1
    commands["emit"] = 1
    masks = np.ones((2, TINY.columns), dtype=np.uint8)
    masks[1, column] = 0
    return Program(machine=TINY, commands=commands, rows=np.zeros_like(masks), masks=masks)


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_an_unknown_cell_is_refused_where_its_conductance_would_decide(simulator: str) -> None:
    faults = draw_fault_map(TINY, load_technology("sot-mram"), 1, offset_sigma=0.025, weak_cells=0.0)
    assert faults.variation is not None
    of_1, of_0 = faults.variation.antiparallel[0].astype(int), faults.variation.parallel[0].astype(int)
    references = faults.variation.and_references[0]
    as_0, as_1 = of_0[0] + of_0[1] < references, of_0[0] + of_1[1] < references
    decides, passes = np.flatnonzero(as_1 & ~as_0), np.flatnonzero(~as_1)
    assert decides.size
    assert passes.size
    program = _and_with_an_unknown_cell(int(passes[0]))
    rtl = run_programs([program], simulator=simulator, faults=faults).runs[0]
    assert (rtl.rows == Engine(TINY, faults).run(program).rows).all()
    program = _and_with_an_unknown_cell(int(decides[0]))
    message = (
        f"EN_AND senses an unknown cell: sub-array 0, rows 0 and 1, column {decides[0]} was never written"
    )
    with pytest.raises(ArrayError, match=f"^{message}$"):
        Engine(TINY, faults).run(program)
    shown = f"senses an unknown cell in row 0 or 1, columns 0*{1 << int(decides[0]):x} "
    with pytest.raises(BenchFailure, match=shown):
        run_programs([program], simulator=simulator, faults=faults)


def test_each_sub_array_has_cells_of_its_own() -> None:
    faults = drawn(TINY, 4)
    array = SotMramArray(TINY, faults)
    bits, columns = np.ones(TINY.columns, dtype=np.uint8), np.ones((1, TINY.columns), dtype=np.uint8)
    for row in (3, 9):
        array.write(slice(0, 2), row, bits, columns[0])
    rows = np.array([3]), np.array([9])
    both = array.sense_and(slice(0, 2), *rows, columns)
    assert not np.array_equal(both[0], both[1])
    assert np.array_equal(array.sense_and(np.array([1]), *rows, columns)[0], both[1])


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_the_array_names_a_variation_that_is_not_there(simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.bench_sot_mram_array",
        {"sot_mram_array": array_model(), "array_bench": wrapper(MACHINE)},
        "array_bench",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(MACHINE)), "BENCH_REFUSAL": ""},
        plusargs=["+variation=nowhere-"],
    )
    assert run.message.endswith("the variation cannot be read")
