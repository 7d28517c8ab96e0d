"""The executor of a file, which says what its network computes, in a child process of bounded time and memory.

A file with operators of QONNX is executed by qonnx, node by node; any other ONNX file by onnxruntime, whose
optimizations are off, so that each tensor of the file is computed as the file says; a TFLite file by the reference
kernels of ai-edge-litert. All run on one thread. A file comes here after the reader of `frontend` has accepted it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnx

from spinplane.machine import SpinplaneError
from spinplane.machine.array_files import OWN, array_bytes, open_archive
from spinplane.machine.external.process import python_command, run, tool_environment
from spinplane.machine.files import temporary_folder, write_file

from ..frontend.onnx_file.names import shown
from ..frontend.tflite_file.model import is_tflite
from .child import ANSWER, FAULT, IMAGES, REQUEST, TAKEN

#: Address space of a child beside what the file takes, which it may hold several times.
MEMORY, TIMES_THE_FILE = 1 << 30, 8
#: Seconds that a child has, if its work is nothing: most of them for a busy machine.
SECONDS = 20.0

_QONNX_DOMAINS = ("qonnx.", "finn.", "onnx.brevitas")
_SETTINGS = {
    "onnxruntime": "ORT_DISABLE_ALL",
    "qonnx": "node by node",
    "ai-edge-litert": "OpResolverType.BUILTIN_REF",
}


class ExecutionError(SpinplaneError):
    """The executor refused the file, crashed or did not end in time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Execution:
    """What an executor has computed.

    Parameters
    ----------
    images : ndarray of shape (images, channels, height, width), float32
        As the executor has taken them: rounded where the file's input has whole numbers.
    tensors : dict of name to ndarray of shape (images, *shape of the tensor)
        The batch of the file included, through which an image is repeated.
    """

    images: np.ndarray
    tensors: dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Executor:
    """What executes a file.

    Parameters
    ----------
    package : {"onnxruntime", "qonnx", "ai-edge-litert"}
    version : str or None
        None if it is not installed.
    """

    package: str
    version: str | None

    @classmethod
    def of_file(cls, path: Path) -> "Executor":
        """The executor of a file, by its content."""
        if is_tflite(path):
            package = "ai-edge-litert"
        else:
            nodes = onnx.ModelProto.FromString(path.read_bytes()).graph.node
            qonnx = any(node.domain.startswith(_QONNX_DOMAINS) for node in nodes)
            package = "qonnx" if qonnx else "onnxruntime"
        try:
            return cls(package=package, version=version(package))
        except PackageNotFoundError:
            return cls(package=package, version=None)

    def __str__(self) -> str:
        return f"{self.package} {self.version or '(not installed)'}, {_SETTINGS[self.package]}"

    def run(
        self,
        path: Path,
        images: np.ndarray,
        tensors: Sequence[str],
        *,
        order: Sequence[int] | None = None,
        seconds: float = SECONDS,
    ) -> "Execution":
        """Tensors of a file, for images one by one.

        Parameters
        ----------
        path : Path
        images : ndarray of shape (images, channels, height, width), float32
        tensors : sequence of str
            Names of tensors that the file computes, or of its input.
        order : sequence of int, optional
            Axes (batch, channels, height, width) in the order of the file's input, where that is known.
        seconds : float
            After which the child is stopped.

        Raises
        ------
        ExecutionError
            If the executor refuses the file, crashes, or exceeds its time or memory.
        """
        with temporary_folder() as folder:
            request = {
                "package": self.package,
                "path": str(path.resolve()),
                "tensors": list(tensors),
                "order": None if order is None else list(order),
                "memory": MEMORY + TIMES_THE_FILE * path.stat().st_size,
            }
            write_file(folder / REQUEST, json.dumps(request).encode())
            write_file(folder / IMAGES, array_bytes(images))
            self._run_child(folder, seconds)
            with open_archive(folder / ANSWER, str(self), "gave no answer", OWN) as answer:
                found = {tensor: answer.read(str(number)) for number, tensor in enumerate(tensors)}
                return Execution(images=answer.read(TAKEN), tensors=found)

    def _run_child(self, folder: Path, seconds: float) -> None:
        command = python_command("-m", "spinplane.compiler.judges.child", str(folder))
        status = run(
            command,
            environment=tool_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"),
            seconds=seconds,
        ).status
        if status is None:
            raise ExecutionError(f"{self} does not end within {seconds:.0f} s")
        if (folder / FAULT).exists():
            fault = " ".join((folder / FAULT).read_text(encoding="utf-8").split())
            raise ExecutionError(f"{self} does not run the file: {_short(fault)}")
        if status:
            raise ExecutionError(f"{self} crashes on the file, with status {status}")


def _short(fault: str) -> str:
    text = "".join(shown(character) for character in fault)
    return text if len(text) <= 120 else f"{text[:119]}…"
