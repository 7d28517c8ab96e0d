"""Figures of docs/device.md are those that follow from the technologies."""

from pathlib import Path

import pytest
from device_tables import BITS, array_table, at, cell_table, clock_table, designs_table, equal_table, needed
from scipy.constants import Boltzmann, day, year

from spinplane.device import decisions, load_technology, machine_clock, margin, read_path
from spinplane.device.comparison import with_stability
from spinplane.device.free_layer import free_layer, wall_energy
from spinplane.device.mtj import heavy_metal_resistance, junction, tmr, voltage_at
from spinplane.device.read_path import read_torques
from spinplane.device.references import reference_errors
from spinplane.device.retention import array_retention_s, needed_stability, sense_disturb, stability
from spinplane.device.sensing import contents, sense_voltage
from spinplane.device.write import critical_current, mean_error_rate, write_path_voltage
from spinplane.machine import SpinplaneError, load_machine

DEVICE, DESIGNS = (Path(__file__).parents[2] / "docs" / name for name in ("device.md", "designs.md"))
TEXT = " ".join(DEVICE.read_text(encoding="utf-8").split())
SOT, STT = load_technology("sot-mram"), load_technology("stt-mram")
_, AND, _ = decisions()


def says(*parts: str) -> bool:
    return all(part in TEXT for part in parts)


@pytest.mark.thorough
def test_cells_and_designs() -> None:
    assert says(" ".join(cell_table().split()))
    assert designs_table() in DESIGNS.read_text(encoding="utf-8")


def test_a_sweep_of_temperature() -> None:
    cold, hot = at(SOT, 250), at(SOT, 400)
    margins = [margin(t, AND) for t in (cold, hot)]
    assert says(
        "falls from {:.1f} to {:.1f} mV and its error rate".format(*(m.margin_v * 1e3 for m in margins))
    )
    rates = [max(reference_errors(t, AND, m.reference_v)) for t, m in zip((cold, hot), margins, strict=True)]
    assert says("rises from {} to {}".format(*(f"{rate:.1e}".replace("e-0", "e-") for rate in rates)))
    lost = [array_retention_s(t, BITS) for t in (cold, hot)]
    assert says(f"after {lost[0] / day:.1f} days at 250 K and after {lost[1] * 1e6:.1f} µs at 400 K")
    assert says(f"below {write_path_voltage(STT, True, STT['write.current_0']):.2f} V it does not drive")


def test_an_array() -> None:
    assert says(" ".join(array_table().split()))
    alike, differ = needed()
    assert says(f"Δ = {alike:.1f}", f"Δ = {differ:.1f}")
    spread = SOT.with_values({"variation.stability": 9.4})
    assert needed_stability(spread, BITS, 10 * year) > 90
    assert says("With 9.5 % or more no barrier is enough")


def test_one_clock() -> None:
    assert says(" ".join(clock_table().split()))
    paper = load_machine("paper")
    with pytest.raises(SpinplaneError) as refused:
        machine_clock(paper, SOT, 5e8)
    assert says(f"spinplane: {refused.value}")
    assert says(f"46 882 cycles on `paper`, takes {machine_clock(paper, SOT).time_us(46882):.1f} µs")


@pytest.mark.thorough
def test_designs_at_equal_terms() -> None:
    assert says(" ".join(equal_table().split()))
    heights = [stability(at(with_stability(at(t, 358), needed()[1]), 300)) for t in (SOT, STT)]
    assert says("Δ = {:.0f} and {:.0f} at 300 K".format(*heights))
    assert says(
        f"{with_stability(at(SOT, 358), needed()[1])['free_layer.thickness'] * 1e9:.2f} nm in `sot-mram`"
    )


def test_temperature() -> None:
    hot = at(SOT, 358)
    before, after = (float(tmr(junction(t))) * 100 for t in (SOT, hot))
    assert says(f"TMR falls from {before:.0f} to {after:.0f} %")
    margins = [margin(t, AND).margin_v * 1e3 for t in (SOT, hot)]
    assert says("`sot-mram` from {:.1f} to {:.1f} mV".format(*margins))
    assert says(f"from {stability(SOT):.1f} to {stability(hot):.1f}, where 1/T alone would leave 33.5")
    assert stability(SOT) * 300 / 358 == pytest.approx(33.5, abs=0.05)


def test_the_two_torques_of_a_read() -> None:
    fields = read_torques(SOT, SOT["read.current"], antiparallel=False)
    shares = {name: field / free_layer(SOT).onset_field for name, field in fields.items()}
    assert says(
        f"That is {shares['spin Hall']:.2f} of the onset, spin transfer is {shares['spin transfer']:.2f}"
    )


def test_how_large_what_is_not_modelled_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = free_layer(SOT)
    for technology in (SOT, STT):
        assert free_layer(technology).barrier_j / wall_energy(
            technology, free_layer(technology)
        ) == pytest.approx(0.64, abs=0.005)
    assert says("0.64 of a wall", "1.13 times in `sot-mram`, 2 times in `stt-mram`")
    means = [mean_error_rate(t, 1, 1e-30, t["write.pulse"]) / 1e-30 for t in (SOT, STT)]
    assert means == pytest.approx([1.13, 2.0], rel=0.02)
    pull = layer.onset_field * SOT["write.current_1"] / critical_current(SOT, 1)
    assert says(f"r·{pull / 1e3:.0f} kA/m", f"against {layer.stiffness[0] / 1e3:.0f} kA/m")
    lower = [100 * (1 - (1 - 4e3 / min(free_layer(t).stiffness)) ** 2) for t in (STT, SOT)]
    assert says("{:.0f} % lower in `stt-mram`, {:.0f} % in `sot-mram`".format(*lower))
    heat = SOT["write.current_1"] ** 2 * heavy_metal_resistance(SOT) * SOT["write.pulse"]
    assert says(f"{heat * 1e15:.0f} fJ in the metal")
    spreads = [array_retention_s(SOT.with_values({"variation.stability": s}), BITS) for s in (0, 10)]
    assert says(f"after {spreads[0]:.0f} s to {spreads[1] * 1e3:.0f} ms")
    rates = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(read_path, "UNDER_JUNCTION", share)
        rates.append(f"{sense_disturb(SOT, AND, 1):.0e}".replace("e-0", "e-"))
    assert says("disturbs in {} to {} of the cases".format(*rates))


def test_corners_of_transistors() -> None:
    nominal = margin(SOT, AND)
    found = []
    for percent in (80, 120):
        changed = SOT["access.read_resistance"] * percent / 100
        found.append(margin(SOT.with_values({"access.read_resistance": changed}), AND))
    assert max(abs(f.margin_v - nominal.margin_v) for f in found) == pytest.approx(0.2e-3, abs=0.05e-3)
    assert says(f"{100 * (found[1].time_s / nominal.time_s - 1):.1f} % of its time in `sot-mram`")
    transistor = SOT["access.write_resistance"]
    share = 0.2 * transistor / (transistor + heavy_metal_resistance(SOT))
    assert says(f"{100 * share:.0f} % of the write energy in the cell")


def test_what_all_cells_of_a_chip_share() -> None:
    texts = {
        SOT.name: "`sot-mram` keep {:.1f} and {:.1f} mV of {:.1f} and {:.1f}",
        STT.name: "`stt-mram` {:.1f} and {:.1f} of {:.1f} and {:.1f}",
    }
    for technology in (SOT, STT):
        nominal = [margin(technology, decision) for decision in decisions()[1:]]
        kept = []
        for levels in nominal:
            cells = contents(levels.decision.cells, levels.decision.threshold)
            nearest = float(sense_voltage(technology, cells, resistance_factor=0.95, position=0.0))
            kept.append(nearest - levels.reference_v)
        millivolts = [volts * 1e3 for volts in (*kept, *(levels.margin_v for levels in nominal))]
        assert says(texts[technology.name].format(*millivolts))


def test_voltage_controlled_anisotropy() -> None:
    area = free_layer(STT).volume_m3 / STT["free_layer.thickness"]
    moved = []
    for state, current in ((False, STT["read.current"]), (True, STT["write.current_0"])):
        field = voltage_at(junction(STT), state, current) / STT["oxide.thickness"]
        moved.append(60e-15 * field * area / (Boltzmann * STT["process.temperature"]))
    read, write = moved
    assert says(f"a read moves Δ by {read:.1f} of {stability(STT):.0f}, a write by up to {write:.0f}")
