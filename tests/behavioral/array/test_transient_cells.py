"""Transient faults in the array's golden model, and in passes of the functional machine."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.behavioral import Accelerator, SotMramArray
from spinplane.behavioral.probe import Probe
from spinplane.behavioral.transient_events import TransientEvents
from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import Cause, FaultMap, Machine, SpinplaneError, TransientFaults, load_machine
from spinplane.models import open_model
from spinplane.samples import sample_digit

MACHINE = Machine(name="m", sub_arrays=2, rows=8, columns=16, segments=1, accumulator_bits=16)
ALL = slice(0, 2)
EVERYTHING = np.ones((1, 16), dtype=np.uint8)
ONES, ZEROS = EVERYTHING[0], np.zeros(16, dtype=np.uint8)


def array(*, stuck: list | None = None, **rates: object) -> SotMramArray:
    faults = replace(FaultMap.none(MACHINE), stuck=stuck or [], transient=TransientFaults(**rates))
    return SotMramArray(MACHINE, faults)


def read(cells: SotMramArray, row: int) -> np.ndarray:
    return cells.read(ALL, np.array([row]), EVERYTHING)[:, 0]


def test_a_write_that_fails_leaves_cells_as_they_were() -> None:
    cells = array(write=(1.0, 0.0), stuck=[[1, 3, 5, 0]])
    cells.write(ALL, 3, ONES, ONES)
    cells.write(ALL, 3, ZEROS, ONES)
    assert read(cells, 3).sum(axis=1).tolist() == [16, 15]
    assert cells.transient is not None
    assert cells.transient.counts == {Cause.WRITE: 31, Cause.DISTURB: 0, Cause.DECAY: 0}
    assert cells.transient.writes.tolist() == [2, 2]


def test_rows_written_twice_in_one_call_are_written_in_turn() -> None:
    cells = array(write=(1.0, 0.0))
    cells.write_rows(ALL, np.array([2, 2]), np.stack([ONES, ZEROS]))
    assert read(cells, 2).all()


def test_a_sense_shows_cells_before_it_disturbs_them() -> None:
    one_beside_one = (0.0,) * 7 + (1.0,) + (0.0,) * 4
    cells = array(disturb=one_beside_one, stuck=[[0, 1, 7, 1]])
    for row in (1, 2):
        cells.write(ALL, row, ONES, ONES)
    rows = np.array([1]), np.array([2])
    enabled = EVERYTHING.copy()
    enabled[0, 0] = 0
    assert cells.sense_and(ALL, *rows, enabled).sum() == 30
    assert read(cells, 1).sum(axis=1).tolist() == [2, 1]
    assert read(cells, 2).sum(axis=1).tolist() == [1, 1]
    assert cells.transient is not None
    assert cells.transient.counts[Cause.DISTURB] == 59


def test_decay_shows_at_the_next_sense_of_its_row_even_if_that_was_written() -> None:
    cells = array(decay=1 / 8)  # in each column, one row at every sense
    for row in range(8):
        cells.write(ALL, row, ZEROS, ONES)
    first = read(cells, 0)
    assert cells.transient is not None
    assert cells.transient.counts[Cause.DECAY] == first.sum()
    cells.write(ALL, 1, ZEROS, ONES)
    assert read(cells, 1).any()
    assert cells.transient.senses.tolist() == [2, 2]


@pytest.mark.parametrize("seed", range(3))
def test_senses_together_find_what_senses_in_turn_find(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rates = {"seed": seed, "disturb": tuple(0.1 * rng.random(12)), "decay": 0.002}
    together, in_turn = array(**rates), array(**rates)
    bits = rng.integers(0, 2, (2, 8, 16), dtype=np.uint8)
    for cells in (together, in_turn):
        cells.write_rows(ALL, np.arange(8), bits)
    rows_a, rows_b = rng.integers(0, 4, 50), rng.integers(4, 8, 50)
    columns = rng.integers(0, 2, (50, 16), dtype=np.uint8)
    found = together.sense_and(ALL, rows_a, rows_b, columns)
    turn = [
        in_turn.sense_and(ALL, rows_a[i : i + 1], rows_b[i : i + 1], columns[i : i + 1]) for i in range(50)
    ]
    assert np.array_equal(found, np.concatenate(turn, axis=1))
    assert np.array_equal(together.cells, in_turn.cells)
    assert together.transient is not None
    assert min(together.transient.counts[cause] for cause in (Cause.DISTURB, Cause.DECAY)) > 0


class EveryWindow(TransientEvents):
    """All windows in the array, whether a fault reaches them or not."""

    @classmethod
    def of(cls, schedule, cells):
        return cls(
            schedule, cells, np.ones(schedule.layer_pass.regions * schedule.layer_pass.windows), *[None] * 2
        )


@pytest.mark.parametrize("rate", [1e-7, 1e-5])
def test_windows_that_no_fault_reaches_are_right(monkeypatch, rate):
    """Three images, of which each finds the cells that the one before it has left."""
    machine, graph = load_machine("paper8"), open_model("digits-1-4")
    program = compile_graph(graph, machine)
    transient = TransientFaults(write=(rate, rate), disturb=(rate / 10,) * 12, decay=rate / 1e3)
    faults = replace(FaultMap.none(machine), transient=transient)
    inputs = np.concatenate([graph.encode_input(sample_digit(digit)) for digit in (5, 3, 8)])
    codes = (inputs - program.input.offset) // program.input.scale
    found = []
    for _ in range(2):
        accelerator = Accelerator(machine, faults)
        accelerator.load(program)
        maps = accelerator.run_images(codes, layers=range(len(program.layers))).maps
        state = accelerator.state
        found.append((*maps.values(), state.array.cells, state.transient.senses, state.transient.writes))
        assert sum(state.wrong_bits.values()) > 0
        monkeypatch.setattr("spinplane.behavioral.prepared_pass.TransientEvents", EveryWindow)
    for some, all_of_them in zip(*found, strict=True):
        assert np.array_equal(some, all_of_them)


def test_a_pass_with_transient_faults_cannot_be_probed():
    machine, graph = load_machine("paper8"), open_model("digits-1-4")
    program = compile_graph(graph, machine)
    accelerator = Accelerator(machine, replace(FaultMap.none(machine), transient=TransientFaults()))
    accelerator.load(program)
    probe = Probe(program.layers[0].descriptors[0], channel=0, y=0, x=0)
    with pytest.raises(SpinplaneError, match="cannot be probed: transient faults change cells while it runs"):
        accelerator.run(probe=probe)
