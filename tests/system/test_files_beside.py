"""Files with steps that one shift for all channels cannot make: compiled, and run on the functional machine."""

from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.import_model import import_model
from spinplane.machine import load_machine
from tests.networks_on_rtl import input_codes, values_of

FILES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.mark.skipif(not FILES.is_dir(), reason="the files are not beside the repository (shared/cases)")
@pytest.mark.parametrize("name", ["pow2_half_even_5bit", "dense_8bit_per_channel", "relu_signed_5bit"])
def test_a_file_gives_what_its_executor_gives(name: str) -> None:
    graph = import_model(FILES / f"{name}.onnx").graph
    program = compile_graph(graph, load_machine("paper8"))
    accelerator = Accelerator(program.machine)
    accelerator.load(program)
    output = program.layers[-1].output
    with np.load(FILES / f"{name}.npz") as executed:
        inputs, expected = executed["x"], executed["executor"]
    for values, want in zip(graph.encode_input(inputs), expected, strict=True):
        accelerator.write_map(program.input, input_codes(program, values[np.newaxis]))
        accelerator.run()
        last = values_of(output, accelerator.read_map(output))[np.newaxis]
        (found,) = graph.decode_outputs([*[None] * (len(graph.layers) - 1), last])
        assert found.astype(np.float32).tolist() == [want.tolist()]
