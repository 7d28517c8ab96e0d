"""A file that does not quantize its input, whose coding the user gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from onnx_models import quant, save

import spinplane
from spinplane.cli import main
from spinplane.machine import SpinplaneError
from spinplane.models import ModelFile, open_network


def unquantized(folder: Path, *before: Any) -> Path:
    tensor = before[-1].output[0] if before else "x"
    nodes = [*before, quant("w", "wq", 3), helper.make_node("Conv", [tensor, "wq"], ["s"], name="conv")]
    constants = {"pixel": np.float32(255), "half": np.float32(0.5)}
    return save(folder / "made.onnx", [*nodes, quant("s", "y", 4)], constants)


@pytest.mark.parametrize("before", [[], [helper.make_node("Mul", ["x", "half"], ["m"])]])
@pytest.mark.parametrize(
    "given", [{"bits": 4}, {"bits": 8, "scale": 0.25, "zero_point": 3}, {"bits": 3, "signed": True}]
)
def test_codes_that_the_user_gives_are_taken(
    given: dict[str, Any], before: list[Any], tmp_path: Path
) -> None:
    """The import is checked by the file's own executor on numbers that are codes."""
    network = open_network(ModelFile(path=unquantized(tmp_path, *before), **given))
    assert "of 2 tensors are equal" in network.notes.check
    operand = network.graph.layers[0].i
    assert operand.largest - operand.smallest == 2 ** given["bits"] - 1


def test_options_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(unquantized(tmp_path))
    with pytest.raises(SystemExit) as end:
        main(["compile", path])
    assert end.value.code == 2
    assert "(--input-bits, --input-scale, --input-zero-point)" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["compile", path, "--input-scale", "2"])
    assert capsys.readouterr().err == (
        "spinplane: --input-scale, --input-zero-point and --input-signed need --input-bits\n"
    )
    main(["compare", path, "--input-bits", "4", "--input-scale", "0.5", "--input-signed"])
    assert "from -4 to 3.5 in steps of 0.5, 16 codes" in capsys.readouterr().out


def test_a_file_that_quantizes_its_input_keeps_its_coding() -> None:
    with pytest.raises(
        SpinplaneError, match=r": the file quantizes its input itself: leave out --input-bits$"
    ):
        spinplane.open_model(ModelFile(path=Path("digits-1-1"), bits=8))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bits": 9}, "input bits = 9: must be from 1 to 8"),
        ({"bits": 8, "scale": -1.0}, "input scale = -1.0: must be a positive number"),
        ({"bits": 8, "zero_point": 300}, "input zero point = 300: must be from −255 to 255"),
    ],
)
def test_codings_that_no_input_has_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpinplaneError) as error:
        ModelFile(path=Path("x.onnx"), **given)
    assert str(error.value) == message
