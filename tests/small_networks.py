"""A network that fits the machine `tiny`, and a stand-in for the RTL: the functional machine behind its interface."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.graph import Graph, InputCoding, Layer, Pooling, StepFunction, unscaled_output
from spinplane.machine import Coding, Operand
from spinplane.machine.faults import FaultMap
from spinplane.machine.program import Program
from spinplane.machine.registers import Error
from spinplane.sim.accelerator import ImageRun, RtlAcceleratorRun
from spinplane.sim.host_script import RunRecord

W, I = Operand(bits=1, coding=Coding.BIPOLAR), Operand(bits=2)  # noqa: E741


def small_graph() -> Graph:
    """A convolution of 4 kernels with pooling, and a dense layer of 3 classes on its 4×3×3 codes."""
    rng = np.random.default_rng(0)
    conv = Layer(
        name="conv",
        weights=rng.choice([-1, 1], (4, 1, 3, 3)),
        w=W,
        i=I,
        bias=np.zeros(4, dtype=np.int64),
        padding=(1, 1, 1, 1),
        pool=Pooling(kind="max_codes", size=(2, 2), stride=(2, 2)),
        steps=StepFunction(
            thresholds=np.sort(rng.integers(-6, 6, (4, 3)), axis=1),
            rising=np.ones(4, dtype=bool),
            levels=np.arange(4),
        ),
    )
    dense = Layer(
        name="dense",
        weights=rng.choice([-1, 1], (3, 36, 1, 1)),
        w=W,
        i=I,
        bias=np.array([1, -2, 3]),
        flatten=True,
    )
    return Graph(
        name="small",
        input_shape=(1, 6, 6),
        input_coding=InputCoding(low=0, high=3),
        layers=(conv, dense),
        outputs=(replace(unscaled_output(1, (1, 3)), scale=np.full(3, 0.5)),),
    )


def small_images(count: int) -> np.ndarray:
    """Inputs of `small_graph`."""
    return np.random.default_rng(1).integers(0, 4, (count, 1, 6, 6))


def functional_rtl(
    program: Program,
    images: Sequence[np.ndarray],
    *,
    simulator: str,
    waves: bool = False,
    run_folder: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[int], None] = lambda descriptor: None,
    **_options: object,
) -> RtlAcceleratorRun:
    """What `spinplane.sim.accelerator.run_accelerator` returns, from the functional machine."""
    accelerator = Accelerator(program.machine, faults)
    accelerator.load(program)
    runs = []
    for begin in range(0, len(images), program.batch):
        for given, codes in zip(program.inputs, images[begin:], strict=False):
            accelerator.write_map(given, codes)
        run = accelerator.run()
        for number in range(len(program.descriptors)):
            tell(number)
        record = RunRecord(
            counters=run.counters,
            layers=run.layers,
            error=Error.NONE,
            descriptor=run.error_descriptor,
            word=0,
        )
        for image in range(program.batch):
            maps = tuple(
                accelerator.read_map(layer.output.of_image(image)) if layer.kept else None
                for layer in program.layers
            )
            runs.append(ImageRun(record=record, maps=maps))
    vcd = None
    if waves and run_folder is not None:
        run_folder.mkdir()
        vcd = run_folder / "dump.vcd"
        vcd.write_text("$date")
    return RtlAcceleratorRun(
        images=tuple(runs), simulator=simulator, cached=True, build_seconds=0.0, run_seconds=0.1, waves=vcd
    )


def grouped_graph(
    channels: int, kernels: int, groups: int = 3, *, stride: int = 2, side: int = 8, pools: bool = True
) -> Graph:
    """A convolution of groups with averages, and a dense layer of 2 classes on each of its pixels.

    Parameters
    ----------
    channels, kernels : int
        Of a group.
    groups, stride, side : int
    pools : bool
        Whether it averages 2×2 windows.
    """
    rng = np.random.default_rng(0)
    count = groups * kernels
    grouped = Layer(
        name="grouped",
        weights=rng.integers(-7, 8, (count, channels, 3, 3)),
        w=Operand(bits=4, coding=Coding.TWOS_COMPLEMENT),
        i=Operand(bits=4),
        bias=np.arange(count),
        padding=(1, 1, 1, 1),
        stride=(stride, stride),
        groups=groups,
        pool=Pooling(kind="sum", size=(2, 2), stride=(2, 2)) if pools else None,
        steps=StepFunction(
            thresholds=np.sort(rng.integers(-400, 400, (count, 3)), axis=1),
            rising=np.ones(count, dtype=bool),
            levels=np.arange(4),
        ),
    )
    dense = Layer(
        name="dense",
        weights=rng.integers(-1, 2, (2, count, 1, 1)),
        w=Operand(bits=2, coding=Coding.TWOS_COMPLEMENT),
        i=I,
        bias=np.zeros(2, dtype=np.int64),
    )
    left = side // stride // (2 if pools else 1)
    return Graph(
        name="grouped",
        input_shape=(groups * channels, side, side),
        input_coding=InputCoding(low=0, high=15),
        layers=(grouped, dense),
        outputs=(unscaled_output(1, (1, 2, left, left)),),
    )


def pooled_graph() -> Graph:
    """A convolution with overlapping maxima, one with averages, both of many bits, and a dense layer of 3 classes."""
    rng = np.random.default_rng(0)
    signed, codes = Operand(bits=6, coding=Coding.TWOS_COMPLEMENT), Operand(bits=4)

    def steps(kernels: int, greatest: int) -> StepFunction:
        return StepFunction(
            thresholds=np.sort(rng.integers(-greatest, greatest, (kernels, 3)), axis=1),
            rising=np.ones(kernels, dtype=bool),
            levels=np.arange(4),
        )

    maxima = Layer(
        name="maxima",
        weights=rng.integers(-31, 32, (4, 1, 3, 3)),
        w=signed,
        i=codes,
        bias=np.zeros(4, dtype=np.int64),
        padding=(1, 1, 1, 1),
        pool=Pooling(kind="max_codes", size=(3, 3), stride=(2, 2), padding=(0, 0, 1, 1)),
        steps=steps(4, 400),
    )
    averages = Layer(
        name="averages",
        weights=rng.integers(-4, 5, (4, 4, 1, 1)),
        w=signed,
        i=I,
        bias=np.arange(4),
        pool=Pooling(kind="sum", size=(2, 2), stride=(2, 2)),
        steps=steps(4, 60),
    )
    dense = Layer(
        name="dense",
        weights=rng.choice([-1, 1], (3, 16, 1, 1)),
        w=W,
        i=I,
        bias=np.array([1, -2, 3]),
        flatten=True,
    )
    return Graph(
        name="pooled",
        input_shape=(1, 8, 8),
        input_coding=InputCoding(low=0, high=15),
        layers=(maxima, averages, dense),
        outputs=(unscaled_output(2, (1, 3)),),
    )


def pooled_images(count: int) -> np.ndarray:
    """Inputs of `pooled_graph`."""
    return np.random.default_rng(1).integers(0, 16, (count, 1, 8, 8))
