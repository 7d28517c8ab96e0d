"""The file's own executor, in a child process."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import BEGIN, CONV, execute_untouched, quant, save

from spinplane.compiler.judges import executor as module
from spinplane.compiler.judges.executor import ExecutionError, Executor

IMAGES = np.random.default_rng(0).normal(2, 3, (3, 2, 6, 6)).astype(np.float32)


@pytest.fixture
def network(tmp_path):
    return save(tmp_path / "made.onnx", [*BEGIN, CONV, quant("s", "y", 4)], {})


def standard(path, nodes, constants=(), *, shape=(1, 2, 3, 4), kind=TensorProto.FLOAT):
    """A file without operators of QONNX."""
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_a_file_has_the_executor_of_its_operators(tmp_path, network):
    assert Executor.of_file(network).package == "qonnx"
    relu = standard(tmp_path / "relu.onnx", [helper.make_node("Relu", ["x"], ["y"])])
    assert str(Executor.of_file(relu)).startswith("onnxruntime 1.")
    assert str(Executor.of_file(relu)).endswith(", ORT_DISABLE_ALL")
    (tmp_path / "made.bin").write_bytes(b"\x1c\0\0\0TFL3\0\0\0\0")
    assert str(Executor.of_file(tmp_path / "made.bin")).endswith(", OpResolverType.BUILTIN_REF")


def test_all_tensors_of_qonnx(network):
    run = Executor.of_file(network).run(network, IMAGES, ["x", "s", "y", "xq"])
    assert (run.images == IMAGES).all()
    assert (run.tensors["x"][:, 0] == IMAGES).all()
    assert run.tensors["s"].shape == (3, 1, 4, 6, 6)
    for image, given in zip(IMAGES, run.tensors["y"], strict=True):
        assert (given == execute_untouched(network, image)).all()
    assert (run.tensors["xq"] == np.clip(np.rint(IMAGES), 0, 15)[:, np.newaxis]).all()


@pytest.mark.parametrize("batch", ["n", 4])
def test_an_image_fills_any_batch(tmp_path, network, batch):
    model = onnx.load(network)
    side = model.graph.input[0].type.tensor_type.shape.dim[0]
    side.Clear()
    setattr(side, "dim_param" if batch == "n" else "dim_value", batch)
    onnx.save(model, tmp_path / "batch.onnx")
    run = Executor.of_file(network).run(tmp_path / "batch.onnx", IMAGES, ["y"])
    assert run.tensors["y"].shape == (3, 4 if batch == 4 else 1, 4, 6, 6)
    for image, given in zip(IMAGES, run.tensors["y"], strict=True):
        assert (given == execute_untouched(network, image)).all()


def test_onnxruntime_gives_tensors_that_are_no_outputs(tmp_path):
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("Add", ["positive", "one"], ["y"]),
    ]
    path = standard(tmp_path / "made.onnx", nodes, [("one", np.float32(1))])
    images = np.arange(-12, 12, dtype=np.float32).reshape(1, 2, 3, 4)
    run = Executor.of_file(path).run(path, images, ["positive", "x"])
    assert set(run.tensors) == {"positive", "x"}
    assert (run.tensors["positive"][0] == np.maximum(images, 0)).all()


def test_whole_numbers_are_given_as_the_file_takes_them(tmp_path):
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    path = standard(tmp_path / "made.onnx", nodes, kind=TensorProto.UINT8)
    images = np.linspace(-3, 300, 24, dtype=np.float32).reshape(1, 2, 3, 4)
    run = Executor.of_file(path).run(path, images, ["y"])
    assert (run.images == np.clip(np.rint(images), 0, 255)).all()
    assert (run.tensors["y"][0] == run.images).all()


def test_external_data_are_read(tmp_path, network):
    model = onnx.load(network)
    onnx.save(model, tmp_path / "outside.onnx", save_as_external_data=True, size_threshold=0, location="data")
    assert (tmp_path / "data").exists()
    runs = [
        Executor.of_file(network).run(path, IMAGES, ["y"]) for path in (network, tmp_path / "outside.onnx")
    ]
    assert (runs[0].tensors["y"] == runs[1].tensors["y"]).all()


def test_what_an_executor_does_not_run_is_one_line(tmp_path):
    path = standard(tmp_path / "made.onnx", [helper.make_node("Gemm", ["x", "x"], ["y"])])
    with pytest.raises(
        ExecutionError, match=r"onnxruntime .*, ORT_DISABLE_ALL does not run the file: "
    ) as error:
        Executor.of_file(path).run(path, IMAGES[:, :, :3, :4], ["y"])
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


def test_a_hang_is_one_line(network):
    with pytest.raises(ExecutionError, match=r"qonnx [\d.]+, node by node does not end within 0 s"):
        Executor.of_file(network).run(network, IMAGES, ["y"], seconds=0.01)


def test_memory_is_bounded(tmp_path, monkeypatch):
    big = helper.make_node("Expand", ["x", "shape"], ["y"])
    shape = np.array([1 << 12, 1 << 10, 3, 4], dtype=np.int64)
    path = standard(tmp_path / "made.onnx", [big], [("shape", shape)], shape=(1, 1, 3, 4))
    monkeypatch.setattr(module, "MEMORY", 300 << 20)
    with pytest.raises(ExecutionError, match=r"does not run the file|takes too much memory|crashes"):
        Executor.of_file(path).run(path, IMAGES[:1, :1, :3, :4], ["y"])


def test_a_crash_is_one_line(network, monkeypatch, tmp_path):
    # The child imports a package of this name first, which ends the process as a fault of native code does.
    package = tmp_path / "modules" / "qonnx"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(
        ExecutionError, match=r"qonnx [\d.]+, node by node crashes on the file, with status -6"
    ):
        Executor.of_file(network).run(network, IMAGES, ["y"])


def test_modules_of_the_current_folder_are_not_run(network, monkeypatch, tmp_path):
    (tmp_path / "qonnx.py").write_text("open('sprung', 'w')\n")
    monkeypatch.chdir(tmp_path)
    Executor.of_file(network).run(network, IMAGES, ["y"])
    assert not (tmp_path / "sprung").exists()


def test_an_executor_that_is_not_installed_is_told(monkeypatch, network):
    def missing(package):
        raise module.PackageNotFoundError(package)

    monkeypatch.setattr(module, "version", missing)
    assert Executor.of_file(network) == Executor(package="qonnx", version=None)
    assert str(Executor.of_file(network)) == "qonnx (not installed), node by node"


def test_nothing_is_left_behind(network, monkeypatch, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    Executor.of_file(network).run(network, IMAGES, ["y"])
    (of_this_user,) = folder.iterdir()
    assert list(of_this_user.iterdir()) == []
