"""The study: its table, curves and files."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import spinplane
from spinplane.compiler.frontend.networks import BitWidths
from spinplane.training import study
from spinplane.training.study import StudyResult, draw_curves
from spinplane.training.train import TrainingResult
from spinplane.training.trainer import Configuration, Epoch

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def result(bits: str, errors: list[float]) -> TrainingResult:
    configuration = Configuration(
        network="digits", bits=bits, dataset="mnist", epochs=len(errors), seed=0, batch=128, rate=2e-3
    )
    return TrainingResult(
        configuration=configuration,
        history=tuple(Epoch(loss=1, training_error=0.5, test_error=error) for error in errors),
        training_images=10,
        test_images=10,
        weights=1,
        exported_error=errors[-1],
        checkpoint="c",
        exported="e",
        device="cpu",
        threads=1,
        torch="2",
        seconds=1,
    )


def test_the_table_is_that_of_fig_7() -> None:
    table = StudyResult(results=(result("32:32:32", [0.02, 0.01]), result("1:4:8", [0.015, 0.0175])))
    assert str(table) == (
        "| W:I | W×I | W×I+W×G | lowest test error % | last test error % |\n"
        "|---|---|---|---|---|\n"
        "| 32:32 | 1024 | 2048 | 1.00 | 1.00 |\n"
        "| 1:4 | 4 | 12 | 1.50 | 1.75 |"
    )


def test_curves_are_a_png(tmp_path: Path) -> None:
    draw_curves(tmp_path / "curves.png", [result("1:1:8", [0.2, 0.1])])
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_study_trains_each_configuration_and_takes_over_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rng = np.random.default_rng(9)
    for part in ("train", "t10k"):
        for name, array in (
            (f"{part}-images-idx3-ubyte", rng.integers(0, 256, (40, 28, 28), np.uint8)),
            (f"{part}-labels-idx1-ubyte", rng.integers(0, 10, 40, np.uint8)),
        ):
            sizes = np.array(array.shape, ">u4").tobytes()
            (data / name).write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    output = tmp_path / "study"
    configurations = [BitWidths.parse("1:1"), BitWidths.parse("32:32")]
    monkeypatch.setattr(study, "study", partial(study.study, configurations=configurations))
    options = {"output": output, "epochs": 1, "progress": False}
    first = spinplane.train("digits", "all", data, **options)
    stamp = (output / "1-1" / "checkpoint.pt").stat().st_mtime_ns
    again = spinplane.train("digits", "all", data, resume=True, **options)
    assert again == first
    assert (output / "1-1" / "checkpoint.pt").stat().st_mtime_ns == stamp
    assert sorted(path.name for path in output.iterdir()) == ["1-1", "32-32", "curves.png", "study.json"]
    stored = json.loads((output / "study.json").read_text())
    assert [row["bits"] for row in stored["table"]] == ["1:1", "32:32"]
    assert spinplane.read_result(output / "study.json") == first
    assert spinplane.read_result(output / "1-1" / "result.json") == first.results[0]
