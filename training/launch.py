"""The entry point of ``spinplane train``; imports PyTorch only when called."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinplane.machine.external.remedies import missing_package

if TYPE_CHECKING:
    from .study import StudyResult
    from .train import TrainingResult


def launch(
    network: str, bits: str, data: str | Path, *, output: str | Path, **options: Any
) -> "TrainingResult | StudyResult":
    """Train a network at W:I or W:I:G (`train.train`), or at the paper's six configurations (`study.study`).

    Parameters
    ----------
    network : str
    bits : str
        ``"all"`` for the six configurations.
    data, output : str or Path
    **options
        As for `train`.

    Raises
    ------
    SpinplaneError
        If a package of the extra ``train`` is missing, and as `train` does.
    """
    try:
        from .study import study
        from .train import train
    except ModuleNotFoundError as error:
        raise missing_package(error.name) or error from None
    if bits == "all":
        return study(network, data, output=output, **options)
    return train(network, bits, data, output=output, **options)
