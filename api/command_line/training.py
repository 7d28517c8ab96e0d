"""The command that trains networks."""

from pathlib import Path
from typing import Literal

import spinplane
from spinplane.defaults import SEED, TRAINING_FOLDER
from spinplane.training.defaults import BATCH, DATA_SET, EPOCHS, RATE

from .answer import Answer
from .options import REPORT, ReportOptions, ResultFolder, Switch, folder_for


def train(
    *,
    network: str,
    bits: str,
    data: Path,
    dataset: str = DATA_SET,
    epochs: int = EPOCHS,
    seed: int = SEED,
    output: ResultFolder = TRAINING_FOLDER,
    resume: Switch = False,
    rate: float = RATE,
    batch: int = BATCH,
    edge_bits: Literal[8, 32] | None = None,
    threads: int | None = None,
    files: ReportOptions = REPORT,
) -> Answer:
    """Train a low bit-width network and export it in QONNX form; needs the extra `train`.

    Parameters
    ----------
    network
        alexnet-dorefa, alexnet-xnor, digits, lenet, svhn or svhn-dorefa.
    bits
        W:I or W:I:G: bits of weights, inputs and gradients; `all` for the paper's six configurations.
    data
        Folder with the data set's files.
    dataset
        mnist, fashion-mnist, svhn (with extra), svhn-train, cifar10 or imagenet.
    epochs
        Passes over the training images.
    seed
        Seed of everything random.
    output
        Folder for the checkpoint, the network and the result.
    resume
        Continue from the checkpoint in the folder; the weights equal those of an uninterrupted training.
    rate
        Initial learning rate.
    batch
        Images per step.
    edge_bits
        Bits of the first and last layer, by default the network's own; 32 is unquantized.
    threads
        CPU threads.
    """
    result = spinplane.train(
        network,
        bits,
        data,
        dataset=dataset,
        epochs=epochs,
        seed=seed,
        output=folder_for(output),
        resume=resume,
        rate=rate,
        batch=batch,
        edge_bits=edge_bits,
        threads=threads,
    )
    return Answer(result=result, files=files, seed=seed)
