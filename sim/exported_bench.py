# amaranth: UnusedElaboratable=no
"""The bench beside an exported accelerator: a program, its input and its expected results, for plain cocotb."""

from importlib.resources import files
from math import ceil

import numpy as np

from spinplane.behavioral.accelerator import Accelerator
from spinplane.behavioral.feature_map import map_addresses
from spinplane.hdl.accelerator import Accelerator as AcceleratorComponent
from spinplane.hdl.export.machine_verilog import ACCELERATOR
from spinplane.machine import Machine, Name, SpinplaneError
from spinplane.machine.array_files import archive_bytes
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.external.verilog import visible_ports
from spinplane.machine.memory_map import region_address
from spinplane.machine.program import Program
from spinplane.machine.registers import Error

from .accelerator import input_step, output_step

#: Files that are the same for every machine and program.
BENCH_FILES = ("README.md", "run.py", "test_accelerator.py")
PROGRAM_FILE = "program.npz"
_PORTS_FILE = "ports.vlt"
#: Period of a bench of which nothing is said, in ps.
_PERIOD_PS = 10_000


def exported_bench(program: Program, codes: np.ndarray, clock_hz: float | None = None) -> dict[str, bytes]:
    """Files of a bench that runs a program for one image.

    Parameters
    ----------
    program : Program
    codes : ndarray of shape (channels, height, width)
        Codes of the program's input map.
    clock_hz : float, optional
        By default 100 MHz; the period is an even number of ps, for two halves.

    Returns
    -------
    dict of str to bytes
        By their name in the bench's folder.

    Raises
    ------
    SpinplaneError
        If the functional accelerator refuses the program, or it takes a batch of images.
    """
    folder = files(__package__) / "exported"
    contents = {name: (folder / name).read_bytes() for name in BENCH_FILES}
    contents[PROGRAM_FILE] = archive_bytes(bench_arrays(program, codes, clock_hz), compressed=False)
    contents[_PORTS_FILE] = visible_ports(ACCELERATOR, _ports(program.machine)).encode()
    return contents


def bench_arrays(program: Program, codes: np.ndarray, clock_hz: float | None = None) -> dict[str, np.ndarray]:
    """What ``program.npz`` holds; the bench's README names the arrays."""
    program.check_images(1)
    accelerator = Accelerator(program.machine)
    accelerator.load(program)
    accelerator.write_map(program.input, codes)
    run = accelerator.run()
    if run.error is not Error.NONE:
        raise SpinplaneError(
            f"program {program.name}: refused with {run.error.name} at descriptor {run.error_descriptor}"
        )
    given, outputs = input_step(program, codes), [program.layers[n].output for n in program.output_layers]
    taken = [output_step(output, program.machine) for output in outputs]
    first, end = min(step.address for step in taken), max(step.address + step.size for step in taken)
    offset = first - region_address("image")
    mask = np.zeros_like(accelerator.state.image)
    for output in outputs:
        mask[map_addresses(output)] = 1
    expected, of_maps = (
        np.packbits(bits, bitorder="little")[offset : offset + end - first]
        for bits in (accelerator.state.image, mask)
    )
    counted = np.array([list(layer.as_dict().values()) for layer in run.layers], dtype=np.int64)
    return {
        "network": np.array(program.name),
        "kernel": program.kernel_rows.reshape(-1),
        "parameters": program.parameters.reshape(-1),
        "scales": program.scales.reshape(-1),
        "thresholds": program.thresholds.reshape(-1),
        "program": program.descriptors.astype("<u4").view(np.uint8).reshape(-1),
        "input": given.data,
        "input_offset": np.array(given.address - region_address("image")),
        "output": expected,
        "output_mask": of_maps,
        "output_offset": np.array(offset),
        "counter_names": np.array([name.upper() for name in ACCELERATOR_COUNTER_NAMES]),
        "counters": counted.sum(axis=0),
        "log": counted.cumsum(axis=0),
        "cycles": np.array(run.counters.cycles),
        "period_ps": np.array(_period_ps(clock_hz)),
    }


def _period_ps(clock_hz: float | None) -> int:
    """The shortest even number that is not below the period, for which a bit of rounding does not count."""
    return _PERIOD_PS if clock_hz is None else max(2, 2 * ceil(5e11 / clock_hz * (1 - 1e-9)))


def _ports(machine: Machine) -> list[Name]:
    """Names of the top's ports, all of which a bench sees."""
    top = AcceleratorComponent(machine)
    paths = (path for path, _, _ in top.signature.flatten(top))
    return [Name("clk"), Name("rst"), *(Name("__".join(map(str, path))) for path in paths)]
