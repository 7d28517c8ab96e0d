"""Training, with its result kept beside the weights."""

from pathlib import Path
from typing import TYPE_CHECKING

from spinplane.machine.arguments import as_path
from spinplane.training.defaults import BATCH, DATA_SET, EPOCHS, RATE
from spinplane.training.launch import launch

from ..defaults import SEED, TRAINING_FOLDER
from ..report.provenance import provenance_of
from ..report.results import write_result

if TYPE_CHECKING:
    from spinplane.training.study import StudyResult
    from spinplane.training.train import TrainingResult

RESULT = "result.json"
STUDY = "study.json"


def train(
    network: str,
    bits: str,
    data: str | Path,
    *,
    dataset: str = DATA_SET,
    epochs: int = EPOCHS,
    seed: int = SEED,
    output: str | Path = TRAINING_FOLDER,
    resume: bool = False,
    rate: float = RATE,
    batch: int = BATCH,
    edge_bits: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> "TrainingResult | StudyResult":
    """Train a network, see `spinplane.training.launch.launch`, and write what has come of it.

    Each training leaves a ``result.json`` beside its weights, a study of all configurations a ``study.json``.

    Parameters
    ----------
    network, bits : str
    data, output : str or Path
    dataset, epochs, seed, resume, rate, batch, edge_bits, threads, progress
        See `spinplane.training.train.train`.

    Raises
    ------
    SpinplaneError
        As `launch` does.
    """
    output = as_path("output", output)
    result = launch(
        network,
        bits,
        as_path("data", data),
        dataset=dataset,
        epochs=epochs,
        seed=seed,
        output=output,
        resume=resume,
        rate=rate,
        batch=batch,
        edge_bits=edge_bits,
        threads=threads,
        progress=progress,
    )
    from spinplane.training.study import StudyResult  # it needs PyTorch, which is there now

    trainings = result.results if isinstance(result, StudyResult) else (result,)
    for training in trainings:
        origin = provenance_of(training, seed=training.configuration.seed)
        write_result(training, Path(training.checkpoint).parent / RESULT, origin)
    if isinstance(result, StudyResult):
        write_result(result, output / STUDY, provenance_of(result, seed=trainings[0].configuration.seed))
    return result
