"""Speed of the functional machine against numpy's product of the same matrices and plain counting of packed bits.

Ratios of one run in one thread: ``python benchmarks/functional.py [--images 10000] [--maps 8]``.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph, InputCoding, Layer, StepFunction, unscaled_output
from spinplane.compiler.oracle import run_graph
from spinplane.device import draw_fault_map, load_technology
from spinplane.machine import Coding, Operand, load_machine
from spinplane.machine.program import Program
from spinplane.models import open_model

CHANNELS, SIDE, KERNEL, IMAGES = 128, 16, 3, 16
INPUTS = KERNEL**2 * CHANNELS
MACS = IMAGES * SIDE**2 * INPUTS * CHANNELS
REPEATS = 7

#: Weights and inputs, by name.
OPERANDS = {
    "1:1": (Operand(bits=1, coding=Coding.BIPOLAR), 1),
    "2:2": (Operand(bits=2, coding=Coding.TWOS_COMPLEMENT), 2),
    "8:8": (Operand(bits=8, coding=Coding.TWOS_COMPLEMENT), 8),
    "8:8, unsigned weights (split)": (Operand(bits=8), 8),
}


def convolution(w: Operand, i_bits: int) -> tuple[Graph, np.ndarray]:
    """A convolution of 3×3×128→128 with padding, as many codes behind it as before it, and its inputs."""
    rng = np.random.default_rng(0)
    levels = 1 << i_bits
    shape = (CHANNELS, CHANNELS, KERNEL, KERNEL)
    weights = (
        w.scale * rng.integers(0, 1 << w.bits, shape) + w.offset
        if w.bits == 1
        else rng.integers(w.smallest, w.largest + 1, shape)
    )
    inputs = rng.integers(0, levels, (IMAGES, CHANNELS, SIDE, SIDE))
    conv = Layer(
        name="conv",
        weights=weights,
        w=w,
        i=Operand(bits=i_bits),
        bias=np.zeros(CHANNELS, dtype=np.int64),
        padding=(1, 1, 1, 1),
    )
    # Steps of a power of two around the middle of the sums.
    middle, step = int(weights.mean() * INPUTS * (levels - 1) / 2), 1 << (w.bits + i_bits)
    steps = middle + step * (np.arange(1, levels) - levels // 2)
    conv = replace(
        conv,
        steps=StepFunction(
            thresholds=np.tile(steps, (CHANNELS, 1)),
            rising=np.ones(CHANNELS, dtype=bool),
            levels=np.arange(levels),
        ),
    )
    copy = replace(
        conv,
        name="copy",
        weights=np.eye(CHANNELS, dtype=np.int64)[:, :, np.newaxis, np.newaxis],
        w=Operand(bits=1),
        padding=(0, 0, 0, 0),
        steps=None,
    )
    graph = Graph(
        name="conv",
        input_shape=(CHANNELS, SIDE, SIDE),
        input_coding=InputCoding(low=0, high=levels - 1),
        layers=(conv, copy),
        outputs=(unscaled_output(1, (1, CHANNELS, SIDE, SIDE)),),
    )
    return graph, inputs


def first_layer(program: Program) -> Program:
    """The program up to the end of its first layer."""
    passes = program.layers[0].descriptors
    kept = [0, *passes, len(program.descriptors) - 1]
    return replace(program, descriptors=program.descriptors[kept], layers=program.layers[:1])


def best(run: Callable[[], object]) -> float:
    """Least CPU seconds of some runs."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def plain_counts(inputs: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Counts of ones of ANDs: of (planes, windows, words) and (planes, channels, words), some windows at a time."""
    sums = np.zeros((inputs.shape[1], kernels.shape[1]), dtype=np.int64)
    for first in range(0, len(sums), 256):
        part = slice(first, first + 256)
        for n, kernel in enumerate(kernels):
            for m, of_plane in enumerate(inputs):
                ones = np.bitwise_count(of_plane[part, np.newaxis] & kernel)
                sums[part] += ones.sum(axis=-1, dtype=np.int64) << (m + n)
    return sums


def convolutions() -> None:
    """GMAC per CPU second of the convolution, and ratios."""
    rng = np.random.default_rng(0)
    left = rng.integers(-8, 8, (MACS // INPUTS // CHANNELS, INPUTS)).astype(np.float32)
    right = rng.integers(-8, 8, (INPUTS, CHANNELS)).astype(np.float32)
    sgemm = MACS / best(lambda: left @ right) / 1e9
    packed = [
        rng.integers(0, 1 << 63, (2, rows, INPUTS // 64), dtype=np.uint64) for rows in (len(left), CHANNELS)
    ]
    plain = MACS / best(lambda: plain_counts(*packed)) / 1e9
    print(f"sgemm {sgemm:.1f} GMAC/s; plain AND and popcount of 2:2 {plain:.2f} GMAC/s")
    machine = load_machine("paper")
    for name, (w, i_bits) in OPERANDS.items():
        graph, inputs = convolution(w, i_bits)
        program = first_layer(compile_graph(graph, machine))
        wanted = run_graph(graph, inputs)[0]
        for mode in ("exact", "bit_plane"):
            accelerator = Accelerator(machine, mode=mode)
            accelerator.load(program)
            codes = inputs.astype(np.uint8)
            # Kernels are loaded, and then stay.
            accelerator.run_images(codes)
            assert (accelerator.run_images(codes).maps[0] == wanted).all()
            speed = MACS / best(partial(accelerator.run_images, codes)) / 1e9
            ratio = f"{speed / sgemm:.2f} of sgemm" if mode == "exact" else ""
            if mode == "bit_plane" and name == "2:2":
                ratio = f"{speed / plain:.2f} of plain counting"
            print(f"{name:30} {mode:9} {speed:6.2f} GMAC/s  {ratio}")


def digits(images: int, maps: int) -> None:
    """Seconds of many images, and of fault maps with cells that vary."""
    machine = load_machine("paper8")
    program = compile_graph(open_model("digits-1-4"), machine)
    codes = np.random.default_rng(0).integers(0, 256, (images, 1, 28, 28)).astype(np.uint8)
    accelerator = Accelerator(machine)
    accelerator.load(program)
    start = time.process_time()
    accelerator.run_images(codes)
    print(f"digits-1-4 on {machine.name}: {images} images in {time.process_time() - start:.2f} CPU s")
    start = time.process_time()
    for seed in range(maps):
        faults = draw_fault_map(machine, load_technology("sot-mram"), seed, sigma_ra=0.05, sigma_tmr=0.1)
        accelerator = Accelerator(machine, faults)
        accelerator.load(program)
        accelerator.run_images(codes)
    print(f"and {maps} fault maps with cells that vary: {time.process_time() - start:.2f} CPU s")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--maps", type=int, default=8)
    arguments = parser.parse_args()
    convolutions()
    digits(arguments.images, arguments.maps)


if __name__ == "__main__":
    main()
