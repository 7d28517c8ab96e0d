"""Where a layer's windows and kernels lie: rows of the sub-arrays, packed by slots or one kernel a row."""

from dataclasses import dataclass

from spinplane.machine import MOST_SLOTS, Machine, SpinplaneError


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Rows of a sub-array that a layer uses.

    A *batch* is the set of kernels that one command serves, one for each accumulator that takes part.

    Parameters
    ----------
    packed : bool
        Whether a row holds a kernel in each of its slots, with the window repeated in them.
    slots : int
        Of a row: as many as the machine has segments and a command can ask for, if packed, else 1.
    tiles : int
        Rows that one plane of a window takes.
    sub_arrays : int
        Sub-arrays that hold kernels, counted from the first.
    batch_kernels : int
        Kernels of a batch.
    batches : int
        Batches of all groups of the convolution.
    batches_resident : int
        Batches whose rows fit beside a window's; the rest follow in further passes over the windows.
    outside_row, kernel_row : int
        First row of the mask of padded positions and of the first batch; the window's planes begin in row 0.
    batch_rows : int
        Rows of one batch.
    """

    packed: bool
    slots: int
    tiles: int
    sub_arrays: int
    batch_kernels: int
    batches: int
    batches_resident: int
    outside_row: int
    kernel_row: int
    batch_rows: int

    @property
    def passes(self) -> int:
        """Times that the windows are written."""
        return -(-self.batches // self.batches_resident)

    def batch_row(self, batch: int) -> int:
        """First row of a batch: its planes, then the row of its constants if it has one."""
        return self.kernel_row + batch % self.batches_resident * self.batch_rows


def choose_layout(
    machine: Machine,
    name: str,
    *,
    length: int,
    kernels: int,
    groups: int,
    planes_w: int,
    planes_i: int,
    masks_outside: bool,
    loads_constants: bool,
) -> Layout:
    """Choose between packed and plain rows: fewest cycles for a window, then fewest sub-arrays at work.

    Parameters
    ----------
    name : str
        Of the layer, for messages.
    length : int
        Positions of a window.
    kernels : int
        Kernels of one group of the convolution.
    groups : int
    planes_w, planes_i : int
    masks_outside : bool
        Whether padded positions need a mask beside the window.
    loads_constants : bool
        Whether a batch has a row of constants.

    Raises
    ------
    SpinplaneError
        If one window and one batch of kernels do not fit in a sub-array, with the rows that would be needed.
    """
    candidates: list[tuple[float, int, int, Layout | None]] = []
    for packed in (False, True):
        slots = min(machine.segments, MOST_SLOTS) if packed else 1
        tiles = -(-length // (machine.columns // slots))
        sub_arrays = min(machine.sub_arrays, -(-kernels // slots))
        batch_kernels = sub_arrays * slots
        batches = groups * -(-kernels // batch_kernels)
        outside_row = planes_i * tiles
        kernel_row = outside_row + (tiles if masks_outside else 0)
        batch_rows = planes_w * tiles + loads_constants
        resident = min(batches, (machine.rows - kernel_row) // batch_rows)
        needed = kernel_row + batch_rows
        if resident < 1:
            candidates.append((float("inf"), 0, needed, None))
            continue
        layout = Layout(
            packed=packed,
            slots=slots,
            tiles=tiles,
            sub_arrays=sub_arrays,
            batch_kernels=batch_kernels,
            batches=batches,
            batches_resident=resident,
            outside_row=outside_row,
            kernel_row=kernel_row,
            batch_rows=batch_rows,
        )
        written = max(groups, layout.passes) * kernel_row * machine.write_cycles
        sensed = batches * (planes_w * planes_i * tiles + loads_constants) * machine.sense_cycles
        cycles = max(written + sensed, batches * -(-batch_kernels // machine.results_per_cycle))
        candidates.append((cycles, batches * sub_arrays, needed, layout))
    _, _, needed, chosen = min(candidates, key=lambda candidate: candidate[:3])
    if chosen is None:
        raise SpinplaneError(
            f"layer {name}: a window of {length} positions at {planes_w}:{planes_i} bits (W:I) and its kernels need "
            f"{needed} rows, machine {machine.name} has {machine.rows} (rows)"
        )
    return chosen
