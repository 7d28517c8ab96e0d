"""A sweep: figures of designs as `estimate` has them, reasons where there are none, and fronts."""

import csv
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from onnx_models import BEGIN, CONV, save

import spinplane
from spinplane.cli import main
from spinplane.exploration.figures import Figures, LayerCycles
from spinplane.exploration.point import Point, front, kept_to, ranked
from spinplane.exploration.space import Constraint, Objective
from spinplane.machine import SpinplaneError

SPACE = """
base = "tiny"
networks = ["made.onnx"]
technologies = ["sot-mram", "stt-mram"]
clocks = ["fastest", "100MHz", "10GHz"]
{more}
[space]
rows = [64, 8]
columns = [64, 48]
[constraints]
energy_uj = ">= 0"
"""
SOUGHT = (Objective(figure="energy_uj", largest=False), Objective(figure="images_per_s", largest=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space with its network beside it."""
    folder = tmp_path_factory.mktemp("sweep")
    save(folder / "made.onnx", [*BEGIN, CONV], {}, output="s")
    (folder / "space.toml").write_text(SPACE.format(more=""))
    (folder / "sought.toml").write_text(SPACE.format(more='search = "optuna"\npoints = 12\nseed = 3'))
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> spinplane.SweepReport:
    return spinplane.sweep(folder / "space.toml", folder=folder / "one", jobs=1, top=2)


def files(folder: Path) -> dict[str, bytes]:
    """What a sweep leaves behind."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_figures_are_those_of_an_estimate(folder: Path, found: spinplane.SweepReport) -> None:
    point = next(one for one in found.points if one.figures and one.values["technology"] == "stt-mram")
    estimate = spinplane.estimate(folder / "made.onnx", machine="tiny", technologies=["stt-mram"])
    (of,), figures = estimate.technologies, point.figures
    assert figures is not None
    assert point.values["clock"] == "fastest"
    assert figures.cycles == estimate.counters.cycles
    assert figures.energy_uj == pytest.approx(1e6 * (of.energy.value or 0))
    assert figures.energy_high_uj == pytest.approx(1e6 * (of.energy.high or 0))
    assert figures.area_mm2 == pytest.approx(1e6 * (of.area.total.value or 0))
    assert figures.power_mw == pytest.approx(1e3 * (of.power_w.value or 0))
    assert figures.lifetime_years * 365 * 86400 == pytest.approx(of.lifetime_s, rel=1e-3)
    assert sum(layer.cycles for layer in point.layers) == figures.cycles


def test_a_batch_is_what_an_estimate_says_of_it(folder: Path) -> None:
    (folder / "batches.toml").write_text('base = "tiny"\nnetworks = ["made.onnx"]\nbatch = [1, 3, 100000]')
    single, three, too_many = spinplane.sweep(
        folder / "batches.toml", folder=folder / "batches", jobs=1
    ).points
    estimate = spinplane.estimate(folder / "made.onnx", machine="tiny", batch=3)
    assert (single.values["batch"], three.values["batch"]) == ("1", "3")
    assert single.figures is not None
    assert three.figures is not None
    (of,) = estimate.technologies
    assert three.figures.cycles == estimate.counters.cycles
    assert three.figures.energy_uj == pytest.approx(1e6 * (of.energy.value or 0))
    assert three.figures.power_mw == pytest.approx(1e3 * (of.power_w.value or 0))
    assert three.figures.latency_us == pytest.approx(1e6 * of.latency_s)
    assert three.figures.images_per_s == pytest.approx(3e6 / three.figures.latency_us)
    assert three.figures.array_efficiency > single.figures.array_efficiency
    for own, of_three in zip(single.layers[:-1], three.layers[:-1], strict=True):
        assert of_three.needed == 3 * own.needed
    assert too_many.figures is None
    assert "the largest batch that fits is" in too_many.reason


def test_a_design_that_cannot_be_is_a_row_with_its_reason(found: spinplane.SweepReport) -> None:
    assert len(found.points) == found.space.size == 24
    for point in found.points:
        values = point.values
        if values["columns"] == "48":
            assert point.reason == "columns = 48: must be a power of two from 16 to 2048"
        elif values["rows"] == "8":
            assert "rows" in point.reason
        elif values["clock"] == "10GHz":
            assert "hold up to" in point.reason
        else:
            assert point.figures is not None
            assert not point.reason
    assert found.kept_to == 4


def test_the_csv_has_all_designs(folder: Path, found: spinplane.SweepReport) -> None:
    rows = list(csv.DictReader((folder / "one" / "points.csv").read_text().splitlines()))
    assert [row["key"] for row in rows] == [point.key for point in found.points]
    on_front = list(csv.DictReader((folder / "one" / "front.csv").read_text().splitlines()))
    assert tuple(row["key"] for row in on_front) == found.front
    assert float(on_front[0]["energy_uj"]) == min(float(row["energy_uj"]) for row in rows if row["energy_uj"])


def test_what_was_kept_gives_the_same_files(folder: Path, found: spinplane.SweepReport) -> None:
    before = files(folder / "one")
    kept = sorted((folder / "one" / "kept").iterdir())
    kept[0].unlink()
    again = spinplane.sweep(folder / "space.toml", folder=folder / "one", jobs=1, top=2)
    assert again == found
    assert files(folder / "one") == before


def test_a_sweep_is_told_as_text_page_and_file(
    folder: Path, found: spinplane.SweepReport, capsys: pytest.CaptureFixture[str]
) -> None:
    page, result = folder / "sweep.html", folder / "sweep.json"
    space = str(folder / "space.toml")
    asked = ["sweep", space, "--output", str(folder / "one"), "--jobs", "1", "--top", "2"]
    main([*asked, "--html", str(page), "--json", str(result)])
    text = capsys.readouterr().out
    assert "4 of 24 designs can be" in text
    assert "12 cannot: columns = 48" in text
    assert "Where the cycles of the best design go" in text
    assert spinplane.read_result(result) == found
    assert "data:image/png" in page.read_text()


@pytest.mark.thorough
def test_an_optimiser_finds_designs_of_the_grid_with_any_number_of_processes(
    folder: Path, found: spinplane.SweepReport
) -> None:
    sought = spinplane.sweep(folder / "sought.toml", folder=folder / "sought", jobs=1)
    figures = {tuple(point.values.items()): point.figures for point in found.points}
    assert 0 < len(sought.points) <= 12
    assert all(figures[tuple(point.values.items())] == point.figures for point in sought.points)
    spinplane.sweep(folder / "sought.toml", folder=folder / "of two", jobs=2)
    assert files(folder / "of two") == files(folder / "sought")


def test_a_random_search_draws_each_design_once(folder: Path) -> None:
    (folder / "drawn.toml").write_text(SPACE.format(more='search = "random"\npoints = 20\nseed = 1'))
    drawn = spinplane.sweep(folder / "drawn.toml", folder=folder / "one", jobs=1)
    assert len({tuple(point.values.items()) for point in drawn.points}) == 20


def point(energy: float, images: float, network: str = "a") -> Point:
    """A point with two figures of its own."""
    figures = Figures(
        cycles=1, clock_mhz=1, latency_us=1, images_per_s=images, energy_uj=energy, energy_low_uj=0, energy_high_uj=9,
        power_mw=1, area_mm2=1, area_low_mm2=1, area_high_mm2=1, lifetime_years=1, array_efficiency=1,
    )  # fmt: skip
    return Point(key=f"{energy} {images}", values={"network": network}, figures=figures, reason="", layers=())


def test_nothing_on_a_front_is_beaten() -> None:
    points = [point(energy, images) for energy, images in product((1, 2, 3), repeat=2)]
    points += [point(3, 3, "b")]

    def keys(chosen: Sequence[Point]) -> list[str]:
        return [one.key for one in chosen]

    assert keys(front(points, SOUGHT)) == ["1 3", "3 3"]
    assert keys(ranked(points, SOUGHT)[:2]) == ["1 3", "1 2"]
    assert keys(kept_to(points, [Constraint(figure="images_per_s", relation="<=", bound=1)])) == [
        "1 1",
        "2 1",
        "3 1",
    ]
    # Designs that are equal do not beat each other.
    assert len(front([point(1, 1), point(1, 1)], SOUGHT)) == 2


def test_the_cycles_of_a_layer_add_up() -> None:
    layer = LayerCycles(layer="conv", cycles=100, needed=40.0, empty_columns=30.0, row_writes=20.0)
    assert layer.other == 10


def test_a_wrong_request_is_refused(folder: Path) -> None:
    with pytest.raises(SpinplaneError, match="top = 0: must be at least 1"):
        spinplane.sweep(folder / "space.toml", top=0)
