"""TFLite files in the reference kernels of ai-edge-litert, which keep all their tensors."""

from pathlib import Path

import numpy as np


class LitertSession:
    """A file in LiteRT's interpreter, without its optimized kernels, which round in another way.

    Parameters
    ----------
    path : Path
    tensors : list of str
        Names that one tensor each has.
    """

    def __init__(self, path: Path, tensors: list[str]) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._interpreter = Interpreter(
            model_path=str(path),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        numbers: dict[str, list[int]] = {}
        for tensor in self._interpreter.get_tensor_details():
            numbers.setdefault(tensor["name"], []).append(tensor["index"])
        if doubled := next((name for name in tensors if len(numbers[name]) > 1), None):
            raise ValueError(f"several tensors have the name {doubled}")
        self._numbers = [numbers[name][0] for name in tensors]
        self.shape = tuple(int(side) for side in self._input["shape"])
        self.dtype = np.dtype(self._input["dtype"])

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The requested tensors."""
        self._interpreter.set_tensor(self._input["index"], given)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(number) for number in self._numbers]
