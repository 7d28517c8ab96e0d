"""The network that an export tries its machine on."""

from pathlib import Path

import pytest

import spinplane
from spinplane.commands import export as machine_export
from spinplane.commands.export import bench_case
from spinplane.compiler.graph import Graph
from spinplane.machine import Machine, SpinplaneError, load_machine
from spinplane.machine.program import Program

#: The least of everything.
LEAST = Machine(
    name="least",
    sub_arrays=1,
    rows=8,
    columns=16,
    segments=1,
    accumulator_bits=16,
    image_words=16,
    kernel_words=16,
    parameter_beats=16,
    threshold_beats=16,
    pool_beats=4,
    descriptors=4,
)


@pytest.mark.parametrize(
    ("machine", "network"),
    [(load_machine("paper8"), "digits-1-4"), (load_machine("tiny"), "small 1:2"), (LEAST, "smallest 1:1")],
)
def test_the_largest_network_that_fits(machine: Machine, network: str) -> None:
    case = bench_case(machine)
    assert case.program.name == case.graph.name == network
    assert case.values.shape == case.codes.shape == case.graph.input_shape
    assert case.values.any()


def test_a_machine_that_no_network_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(graph: Graph, machine: Machine) -> Program:
        raise SpinplaneError(f"{graph.name} does not fit {machine.name}")

    monkeypatch.setattr(machine_export, "compile_graph", refuse)
    with pytest.raises(SpinplaneError) as error:
        bench_case(LEAST)
    assert str(error.value) == "smallest 1:1 does not fit least"


def test_the_python_face_exports_the_bench(tmp_path: Path) -> None:
    result = spinplane.export("tiny", tmp_path)
    assert result.top == "accelerator"
    assert (tmp_path / "bench" / "run.py").is_file()
    assert {"accelerator.h", "registers.md", "datasheet.md", "bench/program.npz"} < set(result.files)
