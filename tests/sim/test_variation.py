"""Cells that vary, in the RTL's array and in the functional machine: the same wrong bits."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from spinplane.behavioral.array.sot_mram_array import ArrayError, SotMramArray
from spinplane.device import draw_fault_map, load_technology
from spinplane.hdl.export.machine_verilog import array_model
from spinplane.machine import FaultMap, Machine, load_machine
from spinplane.sim.array_lines import Lines
from spinplane.sim.packing import pack_bits
from spinplane.sim.runner import run_bench
from tests.hdl.array.test_sot_mram_array import MACHINE, OVERLAP, run, wrapper
from tests.sim.test_faults import check_wrong_bits

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
def test_random_networks_give_the_same_wrong_bits(simulator: str) -> None:
    assert check_wrong_bits(drawn, simulator)


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("testcase", ["random_row_operations", "senses_during_writes"])
def test_every_sense_of_an_array_whose_cells_vary(testcase: str, simulator: str) -> None:
    machine = OVERLAP if testcase == "senses_during_writes" else MACHINE
    for seed in range(3):
        run(simulator, testcase, machine, faults=drawn(machine, seed)).check()


def _and_with_an_unknown_cell(column: int, sensed: int | None) -> list[tuple[Lines, int | None]]:
    """Writes 0 to all of row 0 and to row 1 but for one column, then senses EN_AND of both."""
    everything = (1 << MACHINE.columns) - 1
    written: list[Lines] = [
        {"wwl": 0b01, "wbl_enable": everything},
        {"wwl": 0b10, "wbl_enable": everything ^ 1 << column},
    ]
    both = {"rwl": 0b11, "rbl_enable": everything, "en_and": 1}
    edges: list[tuple[Lines, int | None]] = [
        (lines, 0) for lines in written for _ in range(MACHINE.write_cycles)
    ]
    return [*edges, *[(both, 0)] * (MACHINE.sense_cycles - 1), (both, sensed)]


def _and_in_the_golden_model(column: int, faults: FaultMap) -> int:
    """What the same lines show there."""
    array, where = SotMramArray(MACHINE, faults), slice(0, 1)
    nothing, columns = np.zeros(MACHINE.columns, dtype=np.uint8), np.ones(MACHINE.columns, dtype=np.uint8)
    array.write(where, 0, nothing, columns)
    columns[column] = 0
    array.write(where, 1, nothing, columns)
    sensed = array.sense_and(
        where, np.array([0]), np.array([1]), np.ones((1, MACHINE.columns), dtype=np.uint8)
    )
    return pack_bits(sensed[0, 0])


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_an_unknown_cell_is_refused_where_its_conductance_would_decide(simulator: str) -> None:
    faults = draw_fault_map(MACHINE, load_technology("sot-mram"), 1, offset_sigma=0.025, weak_cells=0.0)
    assert faults.variation is not None
    of_1, of_0 = faults.variation.antiparallel[0].astype(int), faults.variation.parallel[0].astype(int)
    references = faults.variation.and_references[0]
    as_0, as_1 = of_0[0] + of_0[1] < references, of_0[0] + of_1[1] < references
    decides, passes = np.flatnonzero(as_1 & ~as_0), np.flatnonzero(~as_1)
    assert decides.size
    assert passes.size
    lines = _and_with_an_unknown_cell(int(passes[0]), _and_in_the_golden_model(int(passes[0]), faults))
    run(simulator, "given_lines", lines=lines, faults=faults).check()
    message = (
        f"EN_AND senses an unknown cell: sub-array 0, rows 0 and 1, column {decides[0]} was never written"
    )
    with pytest.raises(ArrayError, match=f"^{message}$"):
        _and_in_the_golden_model(int(decides[0]), faults)
    lines = _and_with_an_unknown_cell(int(decides[0]), None)
    refused = run(simulator, "given_lines", lines=lines, faults=faults)
    assert f"senses an unknown cell in row 0 or 1, columns {1 << int(decides[0]):04x}" in refused.message


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
    outcome = run_bench(
        "spinplane.sim.benches.array.bench_sot_mram_array",
        {"sot_mram_array": array_model(), "array_bench": wrapper(MACHINE)},
        "array_bench",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(MACHINE)), "BENCH_LINES": "[]"},
        plusargs=["+variation=nowhere-"],
    )
    assert outcome.message.endswith("the variation cannot be read")
