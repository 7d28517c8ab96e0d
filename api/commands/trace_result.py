"""How one value of a network came about in the memory: windows, pairs of rows, counts, sums, code, cycles."""

from dataclasses import dataclass

from rich.table import Table

from ..report.report import Report
from ..report.text import table_text

_SHOWN_BITS = 40


@dataclass(frozen=True, kw_only=True)
class TracedStep:
    """One AND of an input row and a kernel row, and its contribution.

    Parameters
    ----------
    plane : int
        n, of the kernel.
    plane_group : int
        Of the input.
    row_i, row_w : int
        Of the array.
    bits : tuple of str
        What the sub-array senses in the columns of the slot, one text a sub-block, the first column left; columns
        beyond the row's elements are 0 and left out. Sub-block p holds plane p of the plane group.
    count : int
        Σ 2^p · ones of sub-block p.
    shift : int
    total : int
        Accumulator after this step.
    """

    plane: int
    plane_group: int
    row_i: int
    row_w: int
    bits: tuple[str, ...]
    count: int
    shift: int
    total: int


@dataclass(frozen=True, kw_only=True)
class TracedWindow:
    """A window of the pooling region.

    Parameters
    ----------
    y, x : int
        Among the windows of the layer, or of the map that its maxima are taken from.
    counts : bool
        Whether it exists in the map.
    accumulator, window_sum : int
    value : int
        (accumulator << accumulator shift) − window sum scale · window sum + bias.
    scaled : int
        value · multiplier.
    """

    y: int
    x: int
    counts: bool
    accumulator: int
    window_sum: int
    value: int
    scaled: int


@dataclass(frozen=True, kw_only=True)
class TracedCycles:
    """When it happens in a steady run, in cycles since the accelerator became busy.

    Parameters
    ----------
    start : int
        First cycle of the pass.
    issued : int
        The kernel tile's first burst of the window begins.
    result : int
        The output stage takes the beat with the window's result.
    written : int
        Last word of the value is written to the image bank.
    """

    start: int
    issued: int
    result: int
    written: int


@dataclass(frozen=True, kw_only=True)
class Trace(Report):
    """One value followed back.

    Parameters
    ----------
    network, machine, layer : str
    output : (k, y, x)
    value : int
        What leaves the layer there, in the layer's units.
    code : int
        What is written to the image bank.
    greatest : int or None
        Class that the network gives, where the layer is the last one.
    descriptor : int
        Number of the pass in the program.
    cluster, sub_array, slot, kernel_tile : int
        Where and when the kernel is at work; sub-arrays are counted over all clusters.
    region : (row, column)
        Of the cluster.
    windows : tuple of TracedWindow
    window : int
        Number of the one whose steps are shown: the only one, the greatest, or the first of a sum.
    folded : bool
        Whether average pooling is folded into the kernels, so that a window is what was a region.
    steps : tuple of TracedStep
    parameters : dict of str to int
        That made the code of the sums: those of the descriptor and of the channel.
    pool, requantize : str
    thresholds : tuple of int
        Of the channel, where the code is made by thresholds.
    pooled : int
    residual : int or None
        Code that is added, times the channel's residual multiplier, where the layer has a residual.
    cycles : TracedCycles
    before : Trace or None
        Where overlapping maxima are taken in passes of their own: of the greatest value, in the passes before.
    """

    network: str
    machine: str
    layer: str
    output: tuple[int, int, int]
    value: int
    code: int
    greatest: int | None
    descriptor: int
    cluster: int
    sub_array: int
    slot: int
    kernel_tile: int
    region: tuple[int, int]
    windows: tuple[TracedWindow, ...]
    window: int
    folded: bool
    steps: tuple[TracedStep, ...]
    parameters: dict[str, int]
    pool: str
    requantize: str
    thresholds: tuple[int, ...]
    pooled: int
    residual: int | None
    cycles: TracedCycles
    before: "Trace | None"

    @property
    def heading(self) -> str:
        """One line that says which value it is."""
        k, y, x = self.output
        return (
            f"{self.network} on {self.machine}: layer {self.layer}, kernel {k}, y {y}, x {x} is {self.value}"
        )

    def tables(self) -> tuple[Table, ...]:
        """The steps of the window that decides; after them those of the passes before, if there are any."""
        return (self._steps_table(), *(self.before.tables() if self.before else ()))

    def notes(self) -> tuple[str, ...]:
        """Where and when it happens, and how the sums become a code."""
        lines = [] if self.greatest is None else [f"the greatest output is class {self.greatest}"]
        lines += [*self._places_told(), *self._sums_told()]
        lines += [self._before_told(), *self.before.notes()] if self.before else []
        return tuple(lines)

    def __str__(self) -> str:
        lines = [self.heading]
        lines += [] if self.greatest is None else [f"the greatest output is class {self.greatest}"]
        lines += self._steps_told()
        if self.before is not None:
            lines += ["", self._before_told(), *self.before._steps_told()]
        return "\n".join(lines)

    @property
    def y(self) -> int:
        """The value that becomes a code: pooled, with the offset and the residual."""
        added = (self.residual or 0) * self.parameters["residual_multiplier"]
        return self.pooled + self.parameters["offset"] + added

    def _before_told(self) -> str:
        assert self.before is not None
        k, y, x = self.before.output
        return f"before the maxima are taken, kernel {k}, y {y}, x {x} is {self.before.value}"

    def _steps_told(self) -> list[str]:
        return [*self._places_told(), "", table_text(self._steps_table()), *self._sums_told()]

    def _places_told(self) -> list[str]:
        at = self.cycles
        return [
            f"descriptor {self.descriptor}: cluster {self.cluster}, its region {self.region}; the "
            "kernel lies in sub-array "
            f"{self.sub_array}, slot {self.slot}, and runs in kernel tile {self.kernel_tile}",
            f"steady run, cycles from the start: pass {at.start:,}, window {at.issued:,}, its result at "
            f"the output stage {at.result:,}, last write {at.written:,}",
            *(
                ["averages are folded into the kernels: a window spans a whole pooling region"]
                if self.folded
                else []
            ),
        ]

    def _steps_table(self) -> Table:
        window = self.windows[self.window]
        title = f"window ({window.y}, {window.x}): AND of row I and row W"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for heading in ("plane", "plane group", "row I", "row W", "count", "shift", "sum"):
            table.add_column(heading, justify="right")
        table.add_column("bits", no_wrap=True)
        for s in self.steps:
            bits = "|".join(s.bits)
            bits = bits if len(bits) <= _SHOWN_BITS else f"{bits[:_SHOWN_BITS]}…"
            figures = (s.plane, s.plane_group, s.row_i, s.row_w, s.count, s.shift, s.total)
            table.add_row(*map(str, figures), bits)
        return table

    def _sums_told(self) -> list[str]:
        p, lines = self.parameters, []
        for w in self.windows:
            value = (
                f"({w.accumulator} << {p['accumulator_shift']}) − {p['window_sum_scale']} · {w.window_sum}"
            )
            terms = f"{value} + {p['bias']} = {w.value}, · {p['multiplier']} = {w.scaled}"
            lines.append(f"window ({w.y}, {w.x}): {terms if w.counts else 'does not exist'}")
        pooled = "" if self.pool == "NONE" else f"pooled ({self.pool}): {self.pooled}; "
        added = "" if self.residual is None else f" + {self.residual} · {p['residual_multiplier']}"
        lines.append(f"{pooled}y = {self.pooled} + {p['offset']}{added} = {self.y}")
        lines.append(f"code {self.code}{self._made_by()}; value {self.value}")
        return lines

    def _made_by(self) -> str:
        p = self.parameters
        if self.requantize == "RAW":
            return ", y itself"
        stored = f", << {p['code_shift']}" if p["code_shift"] else ""
        if self.requantize == "THRESHOLDS":
            return f" = {p['low']} + thresholds reached of {', '.join(map(str, self.thresholds))}{stored}"
        return f" = y >> {p['shift']} within {p['low']} to {p['high']}{stored}"
