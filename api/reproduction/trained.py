"""Test errors of trainings, from the file of a study."""

from collections.abc import Mapping
from pathlib import Path

from spinplane.compiler.frontend.networks import BitWidths
from spinplane.machine import SpinplaneError

from ..report.results import read_result
from .evidence import TrainedErrors


def trained_errors(study: str | Path) -> Mapping[str, Mapping[str, TrainedErrors]]:
    """Errors by data set and bits.

    Parameters
    ----------
    study : str or Path
        As ``spinplane train --bits all --json`` writes it.

    Raises
    ------
    SpinplaneError
        If the file holds no study, or cannot be read.
    """
    result = read_result(study)
    if type(result).__name__ != "StudyResult":
        raise SpinplaneError(f"{study}: a {type(result).__name__}, not a study of trainings")
    found: dict[str, dict[str, TrainedErrors]] = {}
    for training in result.results:
        made = training.configuration
        # SVHN is trained with or without its extra images.
        data_set = made.dataset.removesuffix("-train")
        found.setdefault(data_set, {})[str(BitWidths.parse(made.bits))] = TrainedErrors(
            lowest=training.lowest_error,
            last=training.last_error,
            how=f"{made.network}, {len(training.history)} epochs, {training.test_images:,} test images",
        )
    return found
