"""Words of thresholds and tables beyond their bank: a pass is refused where a value leads to one."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of, random_pass

from spinplane.behavioral import Accelerator
from spinplane.machine import SpinplaneError
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, Program, ProgramLayer
from spinplane.machine.registers import Error

#: Of the machine, a bank that is as short as they come.
SHORT = replace(FEW, threshold_beats=16)
CHOICES = {"raw": 0, "clusters": 0, "residual": 0, "own_code": 0}


def short_pass(**choices: int) -> Pass:
    return replace(random_pass(FEW, 7, **CHOICES | choices), machine=SHORT, table_offset=0)


def loaded(*passes: Pass, threshold: int) -> Accelerator:
    """An accelerator all of whose thresholds are the same, and all of whose channels begin at word 0."""
    accelerator = Accelerator(SHORT)
    banks = fill_banks(FEW, 7)
    for name in ("image", "kernel", "scales"):
        getattr(accelerator.state, name)[:] = banks[name]
    accelerator.state.parameters[:] = 0
    accelerator.state.thresholds[:] = np.full((16, FEW.results_per_cycle * 4), threshold, "<i4").view(
        np.uint8
    )
    words = program_of(SHORT, *passes)
    accelerator.program[: len(words)] = words
    return accelerator


@pytest.mark.parametrize("reads", [3, 4])
def test_a_search_that_leaves_the_bank_ends_the_program(reads: int) -> None:
    searching = short_pass(multiplies=0, search_reads=reads, table=0)
    # No value reaches the thresholds: the search reads words 0, 1, 6 and, with four reads, 31.
    run = loaded(searching, threshold=2**31 - 1).run()
    assert run.error is (Error.NONE if reads == 3 else Error.PARAMETER_BANK)
    # Every value does: it leads to word 5 in step 2, and to word 30 in step 3.
    run = loaded(searching, threshold=-(2**31)).run()
    assert (run.error, run.error_descriptor, run.error_word) == (Error.PARAMETER_BANK, 1, 0)


def test_channels_that_do_not_search_read_no_thresholds() -> None:
    rounding = short_pass(multiplies=1, search_reads=4, table=0)
    assert loaded(rounding, threshold=0).run().error is Error.NONE


def test_a_table_that_leaves_the_bank_ends_the_program() -> None:
    entries = replace(short_pass(multiplies=1, search_reads=0, table=1), table_offset=15)
    assert loaded(entries, threshold=0).run().error is Error.NONE
    beyond = replace(entries, table_offset=16)
    assert loaded(beyond, threshold=0).run().error is Error.PARAMETER_BANK


def test_what_ran_before_has_been_counted_and_kernels_are_forgotten() -> None:
    fine = short_pass(multiplies=1, search_reads=0, table=0)
    wrong = short_pass(multiplies=0, search_reads=3, table=0)
    accelerator = loaded(fine, wrong, fine, threshold=-(2**31))
    alone = loaded(fine, threshold=-(2**31))
    run, whole = accelerator.run(), alone.run()
    assert (run.error, run.error_descriptor) == (Error.PARAMETER_BANK, 2)
    assert run.layers == whole.layers[:2]
    assert (accelerator.resident, alone.resident) == (0, 7)
    np.testing.assert_array_equal(accelerator.state.image, alone.state.image)


def test_images_name_the_descriptor() -> None:
    searching = short_pass(multiplies=0, search_reads=3, table=0)
    accelerator = loaded(searching, threshold=-(2**31))
    whole = FeatureMap(
        layout="bytes",
        base=0,
        line_bits=1024,
        pixel_bits=8,
        plane_bits=0,
        planes=8,
        channels=1,
        height=2,
        width=128,
    )
    state = accelerator.state
    program = Program(
        machine=SHORT,
        name="short",
        descriptors=program_of(SHORT, searching),
        kernel_rows=state.kernel.copy(),
        parameters=state.parameters.copy(),
        scales=state.scales.copy(),
        thresholds=state.thresholds.copy(),
        input=whole,
        layers=(ProgramLayer(name="one", descriptors=(1,), output=whole, kept=True),),
    )
    accelerator.load(program)
    with pytest.raises(SpinplaneError, match=r"^the program ends with PARAMETER_BANK at descriptor 1$"):
        accelerator.run_images(np.zeros((3, 1, 2, 128), dtype=np.uint8))
