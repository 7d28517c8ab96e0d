"""Training, with its result kept beside the weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinplane.training.launch import launch

from ..report.provenance import provenance_of
from ..report.results import write_result

if TYPE_CHECKING:
    from spinplane.training.study import StudyResult
    from spinplane.training.train import TrainingResult

RESULT = "result.json"
STUDY = "study.json"


def train(
    network: str, bits: str, data: str | Path, *, output: str | Path, **options: Any
) -> "TrainingResult | StudyResult":
    """Train a network, see `spinplane.training.launch.launch`, and write what has come of it.

    Each training leaves a ``result.json`` beside its weights, a study of all configurations a ``study.json``.

    Parameters
    ----------
    network, bits : str
    data, output : str or Path
    **options
        As for `spinplane.training.train.train`.

    Raises
    ------
    SpinplaneError
        As `launch` does.
    """
    result = launch(network, bits, data, output=output, **options)
    from spinplane.training.study import StudyResult  # it needs PyTorch, which is there now

    trainings = result.results if isinstance(result, StudyResult) else (result,)
    for training in trainings:
        origin = provenance_of(training, seed=training.configuration.seed)
        write_result(training, Path(training.checkpoint).parent / RESULT, origin)
    if isinstance(result, StudyResult):
        write_result(
            result, Path(output) / STUDY, provenance_of(result, seed=trainings[0].configuration.seed)
        )
    return result
