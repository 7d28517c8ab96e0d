"""Training of one network at one configuration, with checkpoints that continue it exactly."""

from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, ClassVar

import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from spinplane.compiler.frontend.networks import BitWidths, Network
from spinplane.machine import SpinplaneError
from spinplane.machine.errors import one_line
from spinplane.machine.files import write_whole
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import Shown

from .data import Images, load_dataset
from .export import export
from .model import LowBitNetwork
from .settle import settle
from .trainer import Configuration, Epoch, Trainer, evaluate

CHECKPOINT = "checkpoint.pt"
NETWORK = "network.onnx"


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingResult(Shown):
    """A finished training.

    Parameters
    ----------
    configuration : Configuration
    history : tuple of Epoch
    training_images, test_images : int
    weights : int
        Weights of the network, without biases and batch-norm.
    exported_error : float
        Test error of the exported network, whose offsets are moved off the thresholds (`settle`).
    checkpoint, exported : str
        Paths of the trained weights and of the QONNX model.
    device : str
        ``"cpu"``, or the GPU's name.
    threads : int
        Of the CPU.
    torch : str
        Version of PyTorch.
    seconds : float
        Wall time of all epochs.
    """

    derived: ClassVar[tuple[str, ...]] = ("lowest_error", "last_error")

    configuration: Configuration
    history: tuple[Epoch, ...]
    training_images: int
    test_images: int
    weights: int
    exported_error: float
    checkpoint: str
    exported: str
    device: str
    threads: int
    torch: str
    seconds: float

    @property
    def lowest_error(self) -> float:
        """Least test error over the epochs."""
        return min(epoch.test_error for epoch in self.history)

    @property
    def last_error(self) -> float:
        """Test error after the last epoch: that of the weights kept."""
        return self.history[-1].test_error

    @property
    def heading(self) -> str:
        """What was trained."""
        c = self.configuration
        return f"{c.network} at {c.bits} on {c.dataset}"

    @property
    def main_figure(self) -> str:
        """Its error."""
        return f"test error {100 * self.last_error:.2f} % after {self.configuration.epochs} epochs"

    def records(self) -> tuple[Record, ...]:
        """A record for each epoch; errors are parts of 1."""
        return tuple({"epoch": at} | record_of(one) for at, one in enumerate(self.history, 1))

    def __str__(self) -> str:
        return (
            f"{self.heading}: {self.main_figure}, lowest {100 * self.lowest_error:.2f} %; as exported to "
            f"{self.exported} {100 * self.exported_error:.2f} %"
        )


def train(
    network: str,
    bits: str,
    data: str | Path,
    *,
    dataset: str = "mnist",
    epochs: int = 30,
    seed: int = 0,
    output: str | Path,
    resume: bool = False,
    rate: float = 2e-3,
    batch: int = 128,
    edge_bits: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> TrainingResult:
    """Train a network, keeping a checkpoint after every epoch, and export it.

    Parameters
    ----------
    network : str
        See `spinplane.compiler.frontend.networks.load_network`.
    bits : str
        W:I or W:I:G.
    data : str or Path
        Directory of the data set's files.
    dataset : str
        See `load_dataset`.
    epochs, seed, batch : int
    output : str or Path
        Directory for ``checkpoint.pt`` and ``network.onnx``; made if it is not there.
    resume : bool
        Go on from the checkpoint in `output` where there is one. The weights at the end are those of a
        training that was not stopped, on the same machine with as many threads.
    rate : float
        Learning rate at the start.
    edge_bits : int, optional
        Bits of first and last layer, 8 or 32 for unquantized, if not the network's own.
    threads : int, optional
        Of the CPU; PyTorch's default if not given.
    progress : bool
        Show a bar with loss and error.

    Raises
    ------
    SpinplaneError
        For an unknown network or data set, missing or damaged files, a data set that does not fit the
        network, a checkpoint of another training, or one that would be overwritten.
    """
    widths = BitWidths.parse(bits)
    if epochs < 1 or batch < 2:
        raise SpinplaneError(f"epochs = {epochs}, batch = {batch}: must be at least 1 epoch and 2 images")
    configuration = Configuration(
        network=network,
        bits=f"{widths}:{widths.gradient}",
        dataset=dataset,
        epochs=epochs,
        seed=seed,
        batch=batch,
        rate=rate,
        edge_bits=edge_bits,
    )
    plan = configuration.plan()
    checkpoint = Path(output) / CHECKPOINT
    state = _read_checkpoint(checkpoint, configuration) if resume and checkpoint.exists() else None
    if not resume and checkpoint.exists():
        raise SpinplaneError(f"{checkpoint} exists: add --resume to go on, or choose another folder")
    training, test = load_dataset(dataset, data, plan.side)
    check_fit(plan, dataset, training)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    if threads is not None:
        torch.set_num_threads(threads)
    exactly = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.random.fork_rng(), exactly:
        trainer = Trainer(configuration, training, test)
        if state is not None:
            trainer.restore(state)
        _run(trainer, checkpoint, progress)
        return _finish(trainer, checkpoint)


def _run(trainer: Trainer, checkpoint: Path, progress: bool) -> None:
    """Train all epochs that are left, with a bar."""
    epochs = trainer.configuration.epochs
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        disable=not progress,
    ) as bar:
        done, total = len(trainer.history) * trainer.steps, epochs * trainer.steps
        task = bar.add_task(trainer.configuration.bits, total=total, completed=done, figures="")

        def show(epoch: int, step: int, loss: float, error: float) -> None:
            figures = f"epoch {epoch + 1}/{epochs}  loss {loss:.4f}  error {100 * error:.2f} %"
            bar.update(task, completed=epoch * trainer.steps + step, figures=figures)

        while len(trainer.history) < epochs:
            trainer.run_epoch(show)
            write_whole(checkpoint, trainer.state_bytes())


def _finish(trainer: Trainer, checkpoint: Path) -> TrainingResult:
    """Export the network; what has come of the training."""
    on_gpu, model = trainer.device.type == "cuda", trainer.model.cpu()
    exported = checkpoint.parent / NETWORK
    write_whole(exported, export(model).SerializeToString())
    return TrainingResult(
        configuration=trainer.configuration,
        history=tuple(trainer.history),
        training_images=len(trainer.training.labels),
        test_images=len(trainer.test.labels),
        weights=model.network.weights,
        exported_error=evaluate(settle(model).to(trainer.device), trainer.test),
        checkpoint=str(checkpoint),
        exported=str(exported),
        device=torch.cuda.get_device_name() if on_gpu else "cpu",
        threads=torch.get_num_threads(),
        torch=str(torch.__version__),
        seconds=round(trainer.seconds, 1),
    )


def load_trained(checkpoint: str | Path) -> LowBitNetwork:
    """The trained network of a checkpoint, in evaluation mode.

    Raises
    ------
    SpinplaneError
        If the file is missing or no checkpoint.
    """
    state = _read_checkpoint(Path(checkpoint), None)
    model = Configuration(**state["configuration"]).model()
    model.load_state_dict(state["model"])
    return model.eval()


def check_fit(network: Network, dataset: str, images: Images) -> None:
    """Raise a `SpinplaneError` unless channels and classes of images are those of a network."""
    channels = images.batch(np.arange(1)).shape[1]
    if channels != network.channels:
        raise SpinplaneError(
            f"data set {dataset} has {channels} channels, network {network.name} takes {network.channels}"
        )
    classes = int(images.labels.max()) + 1
    if classes > network.classes:
        raise SpinplaneError(
            f"data set {dataset} has {classes} classes, network {network.name} has {network.classes}"
        )


#: What torch raises for a damaged file, of which it takes nothing but tensors and plain data.
_DAMAGED = (
    *(OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError),
    *(EOFError, UnpicklingError),
)


def _read_checkpoint(path: Path, expected: Configuration | None) -> dict[str, Any]:
    if not path.is_file():
        raise SpinplaneError(f"no checkpoint {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = Configuration(**state["configuration"])
    except _DAMAGED as error:
        raise SpinplaneError(f"{path}: not a checkpoint: {one_line(error)}") from None
    if expected is not None:
        for key, value in asdict(expected).items():
            if (other := getattr(found, key)) != value:
                raise SpinplaneError(f"{path}: belongs to a training with {key} = {other!r}, not {value!r}")
    return state
