# amaranth: UnusedElaboratable=no
"""Bench that plays a host's script on the bus of an `Accelerator` and writes down what it sees."""

import os
from pathlib import Path

import cocotb
from cocotb.handle import HierarchyObject

from spinplane.machine.files import write_file
from spinplane.machine.registers import IDENTITY, Register, machine_digest

from ..cocotb_host import CocotbHost
from ..host_script import PROGRESS_FILE, RECORD_FILE, SCRIPT_VARIABLE, load_script, save_record


def note_progress(descriptor: int) -> None:
    """Leave the number of the descriptor at work for who has started the simulation."""
    write_file(Path(PROGRESS_FILE), str(descriptor).encode())


@cocotb.test()
async def plays_a_script(dut: HierarchyObject) -> None:
    machine, steps, stall, seed = load_script(Path(os.environ[SCRIPT_VARIABLE]))
    host = await CocotbHost.begin(dut, stall, seed, note_progress)
    assert await host.get(Register.ID) == IDENTITY
    assert await host.get(Register.MACHINE) == machine_digest(machine)
    save_record(Path(RECORD_FILE), await host.play(steps))
