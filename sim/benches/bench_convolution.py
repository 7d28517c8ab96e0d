# amaranth: UnusedElaboratable=no
"""Bench of whole convolutions on the RTL of an accelerator, compared bit for bit with Eq. 3 of the paper.

Nothing is driven but the two buses, as software would: the program goes into the banks over AXI4, the start register
is written over AXI4-Lite, the interrupt says that it is done, and the sums are read back. What they must be is
counted by `spinplane.behavioral.bitplane`: I*W = Σm Σn 2^(m+n) · bitcount(and(Cn(W), Cm(I))).

``tests/system/test_convolution.py`` draws the convolutions from a seed and runs this bench on both simulators.
"""

import os
from pathlib import Path

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject

from spinplane.machine.program import Program
from spinplane.machine.registers import Register, Status

from ..accelerator import input_step, output_codes, output_step, program_steps
from ..cocotb_host import CocotbHost
from .convolution_cases import CASES_VARIABLE, load_cases

#: Far beyond the longest of the convolutions.
MOST_CYCLES = 200_000


@cocotb.test()
async def convolutions_equal_equation_3(dut: HierarchyObject) -> None:
    host = await CocotbHost.begin(dut)
    for number, case in enumerate(load_cases(Path(os.environ[CASES_VARIABLE]))):
        await load(host, case.program)
        for codes, expected in zip(case.codes, case.expected(), strict=True):
            sums = await convolve_on_the_rtl(host, case.program, codes)
            wrong = (sums != expected).sum()
            assert not wrong, f"convolution {number}: {case}: {wrong} of {sums.size} sums are wrong"
        dut._log.info("convolution %d is as Eq. 3 says: %s", number, case)


async def load(host: CocotbHost, program: Program) -> None:
    """Write descriptors, kernels and parameters into their banks."""
    for step in program_steps(program):
        await host.write(step.address, step.data)


async def convolve_on_the_rtl(host: CocotbHost, program: Program, codes: np.ndarray) -> np.ndarray:
    """Sums of one image of shape (channels, height, width)."""
    image = input_step(program, codes)
    await host.write(image.address, image.data)

    await host.start(program=0)
    await host.wait(MOST_CYCLES)
    assert await host.get(Register.STATUS) == Status.DONE
    await host.put(Register.STATUS, Status.DONE)

    output = program.layers[0].output
    where = output_step(output, program.machine)
    return output_codes(output, program.machine, await host.read(where.address, where.size))
