"""What an image costs: totals of layers, technologies side by side, time, operations for a joule, storage."""

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from result_files import written
from small_networks import functional_rtl, pooled_graph, small_graph, small_images

import spinplane
from spinplane.cli import main
from spinplane.commands import rtl_runs
from spinplane.commands.estimate_result import Estimate, TechnologyEstimate
from spinplane.device import load_technology, machine_clock
from spinplane.device.biasing import write_overlap
from spinplane.device.technology import technology_names
from spinplane.evaluation import Interval, area_estimate
from spinplane.evaluation.run_energy import CATEGORIES, CORE
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.machine import machine_names

BOTH = spinplane.estimate(
    pooled_graph(), machine="tiny", technologies=("sot-mram", "stt-mram"), by_layer=True
)
SOT, STT = BOTH.technologies


def value(interval: Interval | None) -> float:
    assert interval is not None
    assert interval.value is not None
    return interval.value


def of_layers(one: TechnologyEstimate, categories: tuple[str, ...], *, quantized: bool = False) -> float:
    return sum(
        value(part.energy)
        for layer in one.layers
        if layer.quantized or not quantized
        for part in layer.categories
        if part.category in categories
    )


@pytest.mark.parametrize("one", [SOT, STT], ids=lambda one: one.technology)
def test_totals_are_those_of_layers_and_categories(one: TechnologyEstimate) -> None:
    assert [layer.layer for layer in one.layers] == [*layer_names(), ""]
    assert [layer.quantized for layer in one.layers] == [False, True, False, False]
    assert of_layers(one, CATEGORIES) == pytest.approx(value(one.energy))
    assert of_layers(one, CORE) == pytest.approx(value(one.core))
    assert of_layers(one, CATEGORIES, quantized=True) == pytest.approx(value(one.quantized))
    assert of_layers(one, CORE, quantized=True) == pytest.approx(value(one.quantized_core))
    for part in one.categories:
        assert of_layers(one, (part.category,)) == pytest.approx(value(part.energy))
    for name in BOTH.counters.as_dict():
        found = sum(getattr(layer.counters, name) for layer in one.layers)
        assert found == getattr(BOTH.counters, name)
    assert value(one.cold) > value(one.energy)
    assert value(one.held) > value(one.energy)
    assert value(one.core) < value(one.energy)


def layer_names() -> list[str]:
    return [layer.name for layer in pooled_graph().layers]


def test_time_and_operations_follow_the_clock() -> None:
    slow = spinplane.estimate(pooled_graph(), machine="tiny", clock="10MHz").technologies[0]
    assert slow.latency_s == pytest.approx(BOTH.counters.cycles / 1e7)
    assert slow.latency_cold_s == pytest.approx(BOTH.counters_cold.cycles / 1e7)
    assert slow.images_per_s * slow.latency_s == pytest.approx(1)
    assert value(slow.power_w) == pytest.approx(value(slow.energy) / slow.latency_s)
    assert value(slow.binary_operations_per_j) == pytest.approx(
        2 * BOTH.binary_operations / value(slow.energy)
    )
    assert value(slow.operations_per_j) == pytest.approx(2 * BOTH.macs / value(slow.energy))
    assert slow.operations_per_j.low == pytest.approx(2 * BOTH.macs / slow.energy.high)  # type: ignore[operator]
    assert SOT.clock == machine_clock(load_machine("tiny"), load_technology("sot-mram"))
    # A slower clock leaks for longer, wears more slowly, and holds currents for longer.
    assert value(slow.energy) > value(SOT.energy)
    assert slow.lifetime_s / SOT.lifetime_s == pytest.approx(slow.latency_s / SOT.latency_s)
    assert value(slow.held) - value(slow.energy) > value(SOT.held) - value(SOT.energy)


def test_of_a_batch_energies_are_those_of_an_image() -> None:
    batch = spinplane.estimate(
        pooled_graph(), machine="tiny", technologies=("sot-mram", "sram"), batch=3, baselines=True
    )
    alone = spinplane.estimate(
        pooled_graph(), machine="tiny", technologies=("sot-mram", "sram"), baselines=True
    )
    one, other = batch.technologies[0], alone.technologies[0]
    assert batch.counters.ands == 3 * alone.counters.ands
    assert one.images_per_s * one.latency_s == pytest.approx(3)
    assert 1 < one.images_per_s / other.images_per_s < 1.1
    # An image is spared parts of the header, of END and of loads.
    for name in ("energy", "core", "cold", "held", "power_w"):
        assert 0.9 < value(getattr(one, name)) / value(getattr(other, name)) < 1.05
    for part, own in zip(one.categories, other.categories, strict=True):
        if part.category in ("AND", "bit-count", "output stage", "host"):
            assert value(part.energy) == pytest.approx(value(own.energy))
    # The program's words are loaded once for all images, and there are more passes.
    assert value(other.load) < value(one.load) < 2 * value(other.load)
    static, own = (next(b for b in each.baselines if b.name == "sram") for each in (batch, alone))
    assert 0.9 < value(static.energy) / value(own.energy) < 1.05
    assert 2.8 < value(static.latency) / value(own.latency) < 3
    assert batch.port_bits == pytest.approx(alone.port_bits, rel=0.05)
    assert "batch: 3 images in a run of " in str(batch)


def test_storage_and_currents() -> None:
    result = spinplane.estimate(small_graph(), machine="tiny")
    assert result.weight_bits == 4 * 9 + 3 * 36
    assert result.macs == 4 * 9 * 36 + 3 * 36
    assert result.binary_operations == 2 * result.macs
    # 2 bits an input and a code; sums of 32 bits.
    assert result.map_bits >= 2 * 36 + 2 * 36 + 32 * 3
    assert result.port_bits > 0
    machine, sot = load_machine("tiny"), load_technology("sot-mram")
    current = machine.sub_arrays * machine.columns * sot["write.current_1"]
    assert result.technologies[0].write_current_a == pytest.approx(current)
    assert 0 < result.technologies[0].sense_current_a < current
    assert result.technologies[0].lifetime_s < result.technologies[0].levelled_lifetime_s
    # Without a layer between the first and the last one.
    assert result.technologies[0].quantized is None
    assert "quantized layers" not in str(result).split("an image:")[0]


def test_area_of_the_chip_and_of_each_layer() -> None:
    for one in (SOT, STT):
        assert one.area == area_estimate(load_machine("tiny"), load_technology(one.technology))
        for layer in one.layers[:-1]:
            assert layer.area is not None
            share = layer.area.rows / load_machine("tiny").rows
            assert 0 < share <= 1
            assert value(layer.area.of_rows) == pytest.approx(share * value(one.area.arrays))
            part = layer.counters.cycles / BOTH.counters.cycles
            assert value(layer.area.of_cycles) == pytest.approx(part * value(one.area.total))
        assert one.layers[-1].area is None
    assert value(SOT.area.arrays) > value(STT.area.arrays)
    assert SOT.area.banks == STT.area.banks


def test_storage_of_a_network_whose_ends_are_wide() -> None:
    own, ends, _, everything, twice = BOTH.storage
    assert own.bits < ends.bits < everything.bits
    assert twice.bits == 2 * everything.bits
    weights = sum(layer.weights.size for layer in pooled_graph().layers)
    assert everything.bits > 32 * weights


@pytest.mark.parametrize("names", [("sram",), ("rram-crossbar", "sram", "rram-binary")])
def test_other_hardware_stands_among_technologies(names: tuple[str, ...]) -> None:
    result = spinplane.estimate(pooled_graph(), machine="tiny", technologies=("sot-mram", *names))
    assert [one.technology for one in result.technologies] == ["sot-mram"]
    assert result.technologies[0].energy == SOT.energy
    assert [one.name for one in result.baselines] == list(names)
    for one in result.baselines:
        assert value(one.energy) == pytest.approx(sum(value(part.energy) for part in one.parts))
        assert value(one.energy) == pytest.approx(sum(value(layer.energy) for layer in one.layers))
        assert [layer.layer for layer in one.layers if layer.layer] == layer_names()
        assert set(one.reasons) == {"cold", "current", "lifetime"}
        assert one.name in str(result)
    assert (result.von_neumann, result.silicon) == (None, ())


def test_static_cells_have_the_same_counters() -> None:
    sram = spinplane.estimate(pooled_graph(), machine="tiny", technologies=("sram",)).baselines[0]
    ours = {part.category: part.energy for part in SOT.categories}
    for part in sram.parts:
        same = part.name not in ("row write and read", "AND", "leakage")
        assert (part.energy == ours[part.name]) == same, part.name
    slow = spinplane.estimate(pooled_graph(), machine="tiny", technologies=("sram",), clock="10MHz")
    assert value(slow.baselines[0].latency) == pytest.approx(BOTH.counters.cycles / 1e7)


def test_baselines_beside_the_machine() -> None:
    result = spinplane.estimate(pooled_graph(), machine="tiny", baselines=True, by_layer=True)
    array = result.baselines[0]
    assert [one.name for one in result.baselines] == ["mac-array"]
    assert value(array.area) == pytest.approx(value(SOT.area.without_banks))
    fetched = result.von_neumann
    assert fetched is not None
    assert fetched.port_bits == result.port_bits
    banks = next(part.energy for part in SOT.categories if part.category == "banks")
    assert fetched.energy_ports == banks
    assert fetched.fetched_bits > fetched.reused_bits
    shown = str(result)
    for text in ("mac-array: layers", "operands of an image", "published, of other", *layer_names()):
        assert text in shown
    written(result)
    # All figures with bounds are in the table, once.
    rows = list(csv.DictReader(io.StringIO(result.csv())))
    keys = [tuple(row[key] for key in ("hardware", "layer", "figure", "part")) for row in rows]
    assert len(set(keys)) == len(keys)
    found = {key: float(row["value"]) for key, row in zip(keys, rows, strict=True)}
    assert found["sot-mram", "", "energy", ""] == value(SOT.energy)
    assert found["mac-array", "dense", "energy", "multiply"] == value(array.layers[2].parts[0].energy)
    assert {row["unit"] for row in rows} == {"J", "s", "m²", "1/J"}


def test_technologies_differ_in_the_array_alone() -> None:
    for ours, others in zip(SOT.categories, STT.categories, strict=True):
        same = ours.category not in ("row write and read", "AND", "leakage")
        assert (ours.energy == others.energy) == same, ours.category
    assert SOT.digest != STT.digest


@pytest.mark.parametrize("technology", technology_names())
@pytest.mark.parametrize("machine", machine_names())
def test_all_machines_have_estimates_with_all_technologies(machine: str, technology: str) -> None:
    of = load_machine(machine)
    if of.overlaps_writes and write_overlap(load_technology(technology)) == "none":
        with pytest.raises(SpinplaneError, match=f"^machine {machine}: write_overlap = "):
            spinplane.estimate(small_graph(), machine=machine, technologies=(technology,))
        return
    one = spinplane.estimate(small_graph(), machine=machine, technologies=(technology,)).technologies[0]
    for part in (one.energy, one.core, one.cold, one.held, *(part.energy for part in one.categories)):
        assert part.low is not None
        assert part.high is not None
        assert 0 <= part.low <= value(part) <= part.high
    assert value(one.energy) == pytest.approx(sum(value(part.energy) for part in one.categories))
    assert one.latency_s > 0


def test_a_result_is_a_file_and_a_screen() -> None:
    figures = written(BOTH)
    assert [one["technology"] for one in figures["technologies"]] == ["sot-mram", "stt-mram"]
    shown = str(BOTH)
    assert max(map(len, shown.split("an image:")[0].splitlines())) <= 100
    for category in CATEGORIES:
        assert category in shown
    assert "energy by layer" not in str(replace(BOTH, by_layer=False))


def test_a_null_names_what_is_missing() -> None:
    null = Interval(value=None, low=None, high=None, missing="write.pulse")
    shown = str(replace(BOTH, technologies=(replace(SOT, energy=null),)))
    assert "no write.pulse" in shown


def test_a_run_tells_the_energy_of_its_own_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtl_runs, "run_accelerator", functional_rtl)
    graph = small_graph()
    run = spinplane.run_network(graph, small_images(1), machine="tiny", simulator="icarus")
    estimate = spinplane.estimate(graph, machine="tiny")
    assert run.energy == estimate.technologies[0].energy
    assert "µJ an image, steady" in str(run)

    def spoilt(*arguments: Any, **options: Any) -> Any:
        result = functional_rtl(*arguments, **options)
        images = [
            replace(image, record=replace(image.record, counters=replace(image.record.counters, ands=10**6)))
            for image in result.images
        ]
        return replace(result, images=tuple(images))

    monkeypatch.setattr(rtl_runs, "run_accelerator", spoilt)
    more = spinplane.run_network(graph, small_images(1), machine="tiny", simulator="icarus")
    assert value(more.energy) > value(run.energy)


@pytest.mark.thorough
@pytest.mark.parametrize(("model", "shape"), [("digits-1-1", (1, 28, 28)), ("svhn:1:1", (3, 40, 40))])
def test_the_rtl_takes_what_is_estimated(model: str, shape: tuple[int, int, int]) -> None:
    run = spinplane.run_network(model, np.zeros((1, *shape)), machine="paper8")
    estimate = spinplane.estimate(model, machine="paper8")
    assert run.mismatches == 0
    assert run.counters.rtl == estimate.counters
    assert run.energy == estimate.technologies[0].energy


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    file = tmp_path / "estimate.json"
    arguments = ["estimate", "digits-1-1", "--no-check", "--technology", "sot-mram,stt-mram", "--layers"]
    main([*arguments, "--json", str(file), "--csv", str(tmp_path / "estimate.csv")])
    shown = capsys.readouterr().out
    assert "sot-mram: energy by layer" in shown
    assert "stt-mram: energy by layer" in shown
    read = spinplane.read_result(file)
    assert isinstance(read, Estimate)
    assert str(read) == shown.rstrip("\n")
    assert (tmp_path / "estimate.csv").read_bytes().decode() == read.csv()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"technologies": ()}, "no technology is named"),
        ({"technologies": ("no-mram",)}, "no-mram"),
        ({"clock": "100GHz"}, "GHz"),
        ({"clock": "100GHz", "technologies": ("sram",)}, "GHz: its arrays of static cells"),
        ({"clock": "fast"}, "must be a frequency"),
    ],
)
def test_a_wrong_request_is_one_line(options: Any, told: str) -> None:
    with pytest.raises(SpinplaneError, match=told) as refused:
        spinplane.estimate(small_graph(), machine="tiny", **options)
    assert "\n" not in str(refused.value)
