"""Maximum of 1-bit features in the memory: OR of two rows, written back, row by row."""

import numpy as np
import pytest

import spinplane


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_four_rows_become_their_maximum(simulator: str) -> None:
    """Rows of 2×2 regions, a feature a column: those of window w of 12 regions from row 12·w on."""
    regions, machine = 12, spinplane.load_machine("tiny")
    windows = (np.random.default_rng(0).random((4, regions, machine.columns)) < 0.3).astype(np.uint8)
    run = spinplane.compute_in_memory(
        machine,
        [
            *(spinplane.write_rows(regions * window, windows[window]) for window in range(4)),
            spinplane.or_rows(0, regions, rows=regions, to=4 * regions, read=False),
            spinplane.or_rows(2 * regions, 3 * regions, rows=regions, to=0, read=False),
            spinplane.or_rows(4 * regions, 0, rows=regions, sub_arrays=range(1)),
        ],
        simulator=simulator,
    )
    pooled = run.rows[-1]
    assert pooled is not None
    np.testing.assert_array_equal(pooled[:, 0], windows.max(axis=0))
    # Two ORs of all sub-arrays and one of the first; two of the results are written back.
    assert run.counters.ors == regions * (2 * machine.sub_arrays + 1)
    assert run.counters.row_writes == regions * 6 * machine.sub_arrays
