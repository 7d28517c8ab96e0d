"""Whole rows of an array with their wires: what a mesh of source lines is for, and ngspice's second opinion."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.full_row import row_levels, row_shape, sense_row, write_row
from spinplane.device.row_deck import row_deck, run_row_deck
from spinplane.device.sensing import Decision, contents, decisions, margin
from spinplane.device.technology import Technology
from spinplane.device.wires import mesh_rise

READ, AND, OR = decisions()


def with_row_lines(ohms: float) -> Technology:
    """sot-mram with the paper's source lines, one a row and no straps, of so many Ω a cell."""
    sot = load_technology("sot-mram").with_values({"word_line.resistance_per_cell": ohms})
    operations = {
        name: replace(operation, other_rows={**operation.other_rows, "SL": "float"})
        for name, operation in sot.operations.items()
    }
    parameters = {key: value for key, value in sot.parameters.items() if not key.startswith("mesh.")}
    return replace(sot, lines={**sot.lines, "SL": "row"}, operations=operations, parameters=parameters)


def spice_levels(
    technology: Technology, rows: tuple[int, ...], ones: int, shape: tuple[int, int]
) -> tuple[np.ndarray, float]:
    """As `row_levels`, from ngspice."""
    cells = np.zeros(shape, dtype=bool)
    cells[list(rows)] = contents(len(rows), ones)[:, np.newaxis]
    found = run_row_deck(technology, row_deck(technology, "read", rows, cells))
    line = "RBL" if technology.name == "sot-mram" else "BL"
    return found[f"head {line}"], float(found["SL"].max())


def least_margin(levels: dict[str, np.ndarray]) -> float:
    """Of lowest 1s in the nearest rows and highest 0s in the farthest, to midway in the middle."""
    reference = (np.median(levels["middle 1"]) + np.median(levels["middle 0"])) / 2
    return min(float(np.min(levels["near 1"])) - reference, reference - float(np.max(levels["far 0"])))


@pytest.mark.thorough
@pytest.mark.parametrize(("decision", "least"), [(READ, 72.3e-3), (AND, 24.9e-3), (OR, 9.8e-3)])
def test_a_row_of_sot_mram_keeps_its_margins_in_our_solver_and_in_ngspice(
    decision: Decision, least: float
) -> None:
    sot = load_technology("sot-mram")
    assert row_shape(sot) == (512, 256)
    ours = sense_row(sot, decision)
    assert ours.margin_v > least
    count, high = decision.cells, decision.threshold
    first = {"near": 0, "middle": (512 - count) // 2, "far": 512 - count}
    levels = {
        f"{place} {bit}": spice_levels(sot, tuple(range(row, row + count)), high - 1 + bit, row_shape(sot))[0]
        for place, row in first.items()
        for bit in (0, 1)
    }
    assert least_margin(levels) == pytest.approx(ours.margin_v, rel=0.02)


@pytest.mark.parametrize(("name", "bit"), [("sot-mram", 0), ("sot-mram", 1), ("stt-mram", 0)])
def test_a_row_is_written_all_alike_in_our_solver_and_in_ngspice(name: str, bit: int) -> None:
    technology = load_technology(name)
    shape, wanted = row_shape(technology), technology[f"write.current_{bit}"]
    ours = write_row(technology, bit, 511)
    assert wanted * (1 - 2e-4) < ours.least_a <= ours.most_a < 1.02 * wanted
    found = run_row_deck(technology, row_deck(technology, f"write_{bit}", (511,), np.full(shape, bit == 0)))
    line = "WBL" if name == "sot-mram" else "BL"
    ohms = 511.5 * technology["bit_line.resistance_per_cell"]
    currents = np.abs(found[f"head {line}"] - found[line][0]) / ohms
    if name == "sot-mram":
        assert float(currents.min()) == pytest.approx(ours.least_a, rel=0.001)
        assert float(currents.max()) == pytest.approx(ours.most_a, rel=0.001)
        assert float(np.abs(found["SL"]).max()) == pytest.approx(ours.rise_v, rel=0.001)
    else:
        assert float(currents.max()) == pytest.approx(ours.most_a, rel=0.001)


def test_a_row_anded_after_all_ones_were_written_has_its_levels() -> None:
    """AP∥AP in the nearest rows, the lowest 1 there is, and the mesh's rise, in both solvers."""
    sot = load_technology("sot-mram")
    ours, rise = row_levels(sot, (0, 1), 2)
    spice, spice_rise = spice_levels(sot, (0, 1), 2, row_shape(sot))
    # ngspice's deck leaves out the leakage of the other 510 rows.
    assert ours == pytest.approx(spice, rel=0.01)
    assert rise == pytest.approx(spice_rise, rel=0.01)
    assert float(ours.min()) - margin(sot, AND).reference_v > 25e-3


def test_source_lines_along_the_rows_cannot_be_sensed() -> None:
    """The paper's: 15 µA of each of 256 cells in a wire of 0.3 Ω a cell are I·R·n²/2 = 147 mV, of 26 mV margin."""
    rows = with_row_lines(0.3)
    levels, rise = row_levels(rows, (255, 256), 2)
    assert rise == pytest.approx(15e-6 * 0.3 * 256**2 / 2, rel=0.01)
    assert float(np.ptp(levels)) > 5 * margin(rows, AND).margin_v
    ours = sense_row(rows, AND, (16, 256))
    assert ours.margin_v < 0


def test_straps_hold_the_ground_as_an_earlier_solution_of_the_mesh_did() -> None:
    """All wires 0.3 Ω a cell, vias none, straps every 8 columns: an AND of the middle rows had 9.2 mV."""
    all_alike = {"resistance_per_cell": 0.3, "strap_resistance_per_cell": 0.3, "via_resistance": 0}
    sot = load_technology("sot-mram").with_values({f"mesh.{k}": v for k, v in all_alike.items()})
    found = row_levels(sot, (255, 256), 2)[1]
    assert found == pytest.approx(9.2e-3, rel=0.03)
    assert found < mesh_rise(sot, 30e-6) < 1.2 * found


def test_more_straps_wider_ones_and_fewer_vias_hold_the_ground() -> None:
    sot = load_technology("sot-mram")

    def rise(**values: float) -> float:
        mesh = sot.with_values({f"mesh.{key}": value for key, value in values.items()})
        return write_row(mesh, 1, 32, (64, 64)).rise_v

    nominal = rise()
    assert rise(strap_columns=16) > 1.5 * nominal > 1.5 * rise(strap_columns=4)
    assert rise(strap_resistance_per_cell=0.04) > nominal
    assert rise(via_resistance=14) > nominal > rise(via_resistance=3.5)
    assert rise(resistance_per_cell=1) > nominal


def test_word_lines_at_ground_leak_into_a_write_bit_line_below_it() -> None:
    """511 transistors of 0.3 µA a column, more than half of what it writes with; at the line's level nearly none."""
    sot, shape = load_technology("sot-mram"), (512, 4)
    write = sot.operations["write_0"]
    at_ground = replace(
        sot,
        operations={
            **sot.operations,
            "write_0": replace(write, other_rows={**write.other_rows, "WWL": "0"}),
        },
    )
    held, open_ = (write_row(technology, 0, 511, shape) for technology in (sot, at_ground))
    assert held.leakage_a / 4 < 0.3e-6
    assert 80e-6 < open_.leakage_a / 4 < 200e-6
    # The farthest cell loses what falls off over the wire.
    assert open_.least_a < 0.97 * held.least_a
