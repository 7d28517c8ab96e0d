"""How often a program writes each row of the array: what wears its cells."""

import numpy as np

from spinplane.behavioral.control.sequencer import KernelLoad
from spinplane.behavioral.input.input_address_generator import InputAddressGenerator
from spinplane.machine.descriptor import Load
from spinplane.machine.program import Program


def row_writes(program: Program, *, resident: bool = True) -> np.ndarray:
    """Writes of each row of sub-array 0, which takes part in every pass, in one run of a program.

    Parameters
    ----------
    program : Program
    resident : bool
        Whether the kernels that stay are in the array already.

    Returns
    -------
    ndarray of shape (machine.rows,), int64
    """
    rows = program.machine.rows
    writes = np.zeros(rows, dtype=np.int64)
    for layer_pass in program.passes:
        writes += np.bincount(InputAddressGenerator.of(layer_pass).row, minlength=rows)
        if layer_pass.load is Load.ALWAYS or (layer_pass.load is Load.UNLESS_RESIDENT and not resident):
            load = KernelLoad.of(layer_pass)
            writes += np.bincount(load.rows[load.sub_arrays == 0], minlength=rows)
    return writes
