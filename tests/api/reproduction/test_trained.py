"""Fig. 7 from trainings that were run: the file of a study fills its rows."""

from pathlib import Path
from typing import Any

import pytest
from paper_rows import DIGITS, LOW

import spinplane
from spinplane.device import load_technology
from spinplane.reproduction.accuracy_rows import accuracy_rows
from spinplane.reproduction.evidence import Evidence
from spinplane.reproduction.trained import trained_errors

pytestmark = pytest.mark.training


def training(data_set: str, bits: str, errors: list[float]) -> Any:
    from spinplane.training.train import TrainingResult
    from spinplane.training.trainer import Configuration, Epoch

    return TrainingResult(
        configuration=Configuration(
            network="svhn", bits=bits, dataset=data_set, epochs=len(errors), seed=0, batch=128, rate=0.001
        ),
        history=tuple(Epoch(loss=1.0, training_error=error, test_error=error) for error in errors),
        training_images=100,
        test_images=26032,
        weights=1000,
        exported_error=errors[-1],
        checkpoint="checkpoint.pt",
        exported="network.onnx",
        device="cpu",
        threads=1,
        torch="2",
        seconds=1.0,
    )


@pytest.mark.parametrize("data_set", ["svhn", "svhn-train"])
def test_a_study_fills_its_rows_and_no_others(data_set: str, tmp_path: Path) -> None:
    from spinplane.training.study import StudyResult

    study = StudyResult(results=(training(data_set, "1:1:8", [0.05, 0.03, 0.04]),))
    spinplane.write_result(study, tmp_path / "study.json")
    evidence = Evidence(
        LOW, load_technology("sot-mram"), networks=DIGITS, errors=trained_errors(tmp_path / "study.json")
    )
    rows = {row.id: row for row in accuracy_rows(evidence)}
    assert rows["fig7a.svhn.1-1"].ours == pytest.approx(3)
    assert rows["fig7b.svhn.1-1"].ours == pytest.approx(4)
    assert rows["fig7b.svhn.1-1"].how == "svhn, 3 epochs, 26,032 test images"
    assert rows["fig7a.svhn.1-2"].ours is None
    assert rows["fig7b-mnist.1-1"].ours == pytest.approx(1.17)
