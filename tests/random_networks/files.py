"""Networks as files of each form, with the images that they take."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .description import Network
from .drawing import random_network
from .float_forms import QdqWriter, QonnxWriter
from .forms import FORMS
from .images import images
from .integer_form import IntegerWriter
from .tflite_form import TfliteWriter

WRITERS = {"qonnx": QonnxWriter, "qdq": QdqWriter, "integer": IntegerWriter, "tflite": TfliteWriter}


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkFile:
    """A network written to a file.

    Parameters
    ----------
    path : Path
    form : str
    network : Network
    images : list of ndarray
        Each of shape (1, channels, *sides) or (1, features), in the type that the file takes.
    """

    path: Path
    form: str
    network: Network
    images: list[np.ndarray]

    def given(self) -> list[np.ndarray]:
        """The images with the axes and the batch of the file."""
        batch = self.network.batch if isinstance(self.network.batch, int) else 1
        if self.form == "tflite":
            return [TfliteWriter.image(image) for image in self.images]
        arranged = [np.repeat(image, batch, axis=0) for image in self.images]
        return [np.moveaxis(image, 1, -1) for image in arranged] if self.network.channels_last else arranged


def write(form: str, network: Network, seed: int, folder: Path, *, count: int = 1) -> NetworkFile:
    """Write a network; the seed decides what its meaning does not depend on, and the images."""
    rng = np.random.default_rng(seed)
    content = WRITERS[form](network, rng).model()
    path = folder / f"{form}-{seed}.{'tflite' if form == 'tflite' else 'onnx'}"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return NetworkFile(path=path, form=form, network=network, images=images(network, rng, count))


def random_file(form: str, seed: int, folder: Path) -> NetworkFile:
    """The network of a seed in a form."""
    return write(form, random_network(FORMS[form], seed), seed, folder)
