# amaranth: UnusedElaboratable=no
"""The accelerator in Amaranth's own simulator, behind the interface of the others."""

from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral import convolve
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import layer_graph
from spinplane.compiler.graph import Layer
from spinplane.compiler.predict import predict
from spinplane.machine import FaultMap, Operand, SpinplaneError, load_machine
from spinplane.machine.registers import Error
from spinplane.sim import BenchFailure
from spinplane.sim.accelerator import run_accelerator

TWO_BITS = Operand(bits=2)
RNG = np.random.default_rng(0)
WEIGHTS, IMAGES = RNG.integers(0, 4, (3, 1, 2, 2)), RNG.integers(0, 4, (2, 1, 3, 4))
LAYER = Layer(name="conv", weights=WEIGHTS, w=TWO_BITS, i=TWO_BITS, bias=np.zeros(3, dtype=np.int64))
PROGRAM = compile_graph(layer_graph(LAYER, (1, 3, 4)), load_machine("tiny"))


@pytest.mark.thorough
def test_values_and_counters_with_a_bus_that_rests(tmp_path: Path) -> None:
    rtl = run_accelerator(
        PROGRAM, list(IMAGES), simulator="amaranth", limit=500, stall=0.2, waves=True, run_folder=tmp_path
    )
    expected = convolve(IMAGES, WEIGHTS, w=TWO_BITS, i=TWO_BITS)
    for number, image in enumerate(rtl.images):
        predicted = predict(PROGRAM, resident=number > 0)
        assert image.record.error is Error.NONE
        assert (image.record.counters, image.record.layers) == (predicted.total, predicted.passes)
        assert np.array_equal(image.maps[0], expected[number])
    assert rtl.waves is not None
    assert rtl.waves.read_text(encoding="utf-8").count("\n#") > 500


@pytest.mark.thorough
def test_a_program_that_does_not_end_in_time_is_a_failure() -> None:
    with pytest.raises(BenchFailure, match="accelerator on amaranth: no interrupt within 0 cycles"):
        run_accelerator(PROGRAM, list(IMAGES), simulator="amaranth", limit=-10_000)


def test_faults_are_refused() -> None:
    faults = FaultMap.none(PROGRAM.machine)
    with pytest.raises(SpinplaneError, match="'amaranth' has no faults"):
        run_accelerator(PROGRAM, list(IMAGES), simulator="amaranth", limit=500, faults=faults)
