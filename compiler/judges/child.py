"""The child process in which an executor runs: ``python -m spinplane.compiler.judges.child FOLDER``.

The folder holds the request (a package, a file, names of tensors, bytes of memory, the order of the input's axes) and
the images. The answer is written there: tensors by their position in the request and the images as the file takes them,
or one line that says what is wrong.
"""

import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from spinplane.machine.array_files import OWN, archive_bytes, read_array
from spinplane.machine.files import write_file

from .file_image import from_file, to_file
from .session import Session

REQUEST, IMAGES, ANSWER, FAULT = "request.json", "images.npy", "answer.npz", "fault.txt"
#: Key of the images in the answer.
TAKEN = "taken"


def main(folder: Path) -> int:
    """Answer the request in a folder; the exit status."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    if sys.platform == "linux":
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        memory = request["memory"] if most == resource.RLIM_INFINITY else min(request["memory"], most)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = _answer(request, read_array(folder / IMAGES, IMAGES, "not images", limits=OWN))
    except MemoryError:
        return _fail(folder, "it takes too much memory")
    except Exception as error:  # executors raise anything, and the user gets one line of it
        return _fail(folder, str(error) or type(error).__name__)
    write_file(folder / ANSWER, archive_bytes(answer, compressed=False))
    return 0


def _answer(request: dict[str, Any], images: np.ndarray) -> dict[str, np.ndarray]:
    session = _open(request["package"], Path(request["path"]), request["tensors"])
    order = request["order"]
    given = [to_file(image, session.shape, session.dtype, order) for image in images]
    results = [session.run(image) for image in given]
    by_tensor = {str(at): np.stack(arrays) for at, arrays in enumerate(zip(*results, strict=True))}
    taken = [from_file(image, images.shape[1:], order) for image in given]
    return by_tensor | {TAKEN: np.stack(taken)}


def _open(package: str, path: Path, tensors: list[str]) -> Session:
    """Open a file in an executor; the others are not imported."""
    if package == "ai-edge-litert":
        from .litert_session import LitertSession

        return LitertSession(path, tensors)
    from .onnx_sessions import OnnxruntimeSession, QonnxSession

    return OnnxruntimeSession(path, tensors) if package == "onnxruntime" else QonnxSession(path, tensors)


def _fail(folder: Path, fault: str) -> int:
    write_file(folder / FAULT, fault.encode())
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
