"""ONNX files on the functional accelerator, compared with onnxruntime, oracle and prediction."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from checked_networks import check

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.oracle import run_graph
from spinplane.machine import load_machine


def check_model(model: onnx.ModelProto, images: np.ndarray, folder: Path) -> None:
    """Every output of every image, one at a time, of a model whose input is `x`."""
    path = folder / "model.onnx"
    onnx.save(model, path)
    graph = import_model(path).graph
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    values = graph.encode_input(images)
    check(graph, load_machine("paper8"), values)
    expected = [session.run(None, {"x": image[np.newaxis]}) for image in images]
    for found, wanted in zip(
        graph.decode_outputs(run_graph(graph, values)), zip(*expected, strict=True), strict=True
    ):
        assert np.array_equal(found, np.concatenate(wanted))
