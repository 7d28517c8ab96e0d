"""The coefficients of the logic are what a measurement on the machine `tiny` finds, within their bounds."""

import tomllib
from pathlib import Path

import pytest

from spinplane.evaluation.logic_measurement import SLEWS, measure_logic
from spinplane.machine import load_machine
from tools.logic_energies import TARGET, network

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"


@pytest.mark.thorough
@pytest.mark.skipif(not GSCL45NM.is_file(), reason="gscl45nm.lib is not beside the repository (shared/pdk)")
def test_the_file_is_what_a_measurement_finds() -> None:
    # One of the four runs of tools/logic_energies.py: the bounds hold another library and a machine of twice the sizes.
    machine = load_machine("tiny")
    measured = measure_logic(machine, *network(), liberty=GSCL45NM, simulator="icarus")
    assert measured.cycles >= 2000
    found = {**measured.parameters(machine), "flip_flop": {"clock": measured.clock_fj()}}
    file = tomllib.loads(TARGET.read_text(encoding="utf-8"))
    assert set(file) == {*found, "measured"}
    assert file["measured"]["cells"]["value"] == machine.rows * machine.columns * machine.sub_arrays
    for event, parts in found.items():
        assert set(file[event]) - {"doubled"} == set(parts)
        for part, values in parts.items():
            entry, rounded = file[event][part], [float(f"{value:.5g}") for value in values]
            assert entry["value"] == rounded[len(SLEWS) // 2 if len(values) > 1 else 0], (event, part)
            low, high = entry.get("bounds", [entry["value"]] * 2)
            assert low <= min(rounded) <= max(rounded) <= high, (event, part)
            assert (
                event == "flip_flop" or f" {measured.cycles} cycles of {network()[0].name}" in entry["source"]
            )
