"""Averages whose windows at the border are of fewer numbers, against the executors of their files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.machine import load_machine
from tests.networks_on_rtl import input_codes, values_of
from tests.random_networks.description import INPUT, Layer, Network, Pool, Quantizer, Window
from tests.random_networks.files import write
from tests.random_networks.judging import imported, input_values, judge

MACHINE = replace(load_machine("tiny"), name="tall", rows=256)
CODES = Quantizer(bits=8, signed=True, scale=np.float32(0.05), zero_point=-3)
#: Of scales in no simple ratio, for which no mean is in the middle of two codes.
OTHER = Quantizer(bits=8, signed=True, scale=np.float32(0.0371), zero_point=-3)
NARROW = Quantizer(bits=4, signed=True, scale=np.float32(0.4871), zero_point=1)


def network(
    quantizer: Quantizer, *, opset: int = 13, count_padding: bool = False, **window: object
) -> Network:
    """An average over maps of 7×6."""
    given = {"kernel": (3, 3), "stride": (1, 1), "dilation": (1, 1), "pads": (0, 0, 0, 0), **window}
    pool = Pool(kind="average", window=Window(**given), count_padding=count_padding)
    shape = (2, *pool.window.output((7, 6)))
    layer = Layer(sources=(INPUT,), core=pool, shape=shape, quantizer=quantizer)
    return Network(
        shape=(2, 7, 6),
        preparation=(),
        quantizer=CODES,
        layers=(layer,),
        outputs=(0,),
        opset=opset,
        low=-8.0,
        high=8.0,
    )


@pytest.mark.parametrize(
    ("form", "made"),
    [
        ("tflite", network(CODES, auto_pad="SAME_UPPER")),
        ("tflite", network(CODES, auto_pad="SAME_UPPER", stride=(2, 2))),
        ("qdq", network(OTHER, pads=(1, 2, 0, 1))),
        ("qdq", network(NARROW, pads=(1, 1, 1, 1), ceil_mode=True, stride=(3, 2))),
        ("qdq", network(NARROW, opset=19, pads=(1, 1, 1, 1), ceil_mode=True, stride=(2, 2), count_padding=True)),
        ("qdq", network(NARROW, opset=13, pads=(1, 1, 1, 1), ceil_mode=True, stride=(2, 2), count_padding=True)),
        ("qonnx", network(NARROW, pads=(2, 0, 2, 0))),
        ("integer", network(OTHER, pads=(1, 1, 1, 1))),
    ],
)  # fmt: skip
def test_each_window_is_divided_by_its_own_number(form: str, made: Network, tmp_path: Path) -> None:
    file = write(form, made, 0, tmp_path, count=3)
    found = imported(file.path)
    assert not isinstance(found, str), found
    assert judge(found, file)["differing"] == 0
    program = compile_graph(found.graph, MACHINE)
    accelerator = Accelerator(MACHINE)
    accelerator.load(program)
    values = input_values(found, file)[:1]
    accelerator.write_map(program.input, input_codes(program, values))
    accelerator.run()
    for layer, wanted in zip(program.layers, run_graph(found.graph, values), strict=True):
        if layer.kept:
            assert (values_of(layer.output, accelerator.read_map(layer.output)) == wanted[0]).all()
