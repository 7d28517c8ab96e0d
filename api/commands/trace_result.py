"""How one value of a network came about in the memory: windows, pairs of rows, counts, sums, code, cycles."""

from dataclasses import dataclass

from rich.table import Table

from spinplane.machine import MachineClock
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.tables import table_text

from ..report.model_notes import ModelNotes
from ..report.report import Report
from .clock import clock_line

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
    sign : {1, -1}
        Of what is added to the accumulator: sign · count · 2^shift.
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
    sign: int
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
    """

    y: int
    x: int
    counts: bool
    accumulator: int
    window_sum: int
    value: int


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


@dataclass(frozen=True, kw_only=True, repr=False)
class Trace(Report):
    """One value followed back.

    Parameters
    ----------
    network, machine, layer : str
    output : (k, y, x)
        Kernel of the layer, line and column of what the passes write.
    value : int
        What they write there, in the layer's units.
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
    pool : str
    pooled : int
        The sum of the region.
    scaled : int or None
        The same, multiplied and with its offset, where the layer multiplies.
    float_scale : bool
        Whether it is multiplied as float32 does it.
    own_code : int or None
        Code that it is rounded to where a residual is added to codes.
    residual, scaled_residual : int or None
        Code of the residual, and what is added for it.
    y : int
        The value that becomes a level.
    multiplies_total : bool
        Whether it has been multiplied once more.
    level : int or None
        None where y itself is stored.
    rounding : str or None
        How y becomes a level; None where it is searched.
    thresholds : tuple of int
        Values from which on a search finds one more.
    table : bool
        Whether the code is the entry of the level in a table.
    cycles : TracedCycles
    before : Trace or None
        Where what becomes of the sums' codes has passes of its own: of the value that they take, in the passes that
        have the layer's sums.
    model : ModelNotes or None
        None of a trace that is `before` another one.
    clock : MachineClock or None
        None of a trace that is `before` another one, and where nothing is said of the technology and the default one
        cannot be the machine's.
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
    pooled: int
    scaled: int | None
    float_scale: bool
    own_code: int | None
    residual: int | None
    scaled_residual: int | None
    y: int
    multiplies_total: bool
    level: int | None
    rounding: str | None
    thresholds: tuple[int, ...]
    table: bool
    cycles: TracedCycles
    before: "Trace | None"
    model: ModelNotes | None = None
    clock: MachineClock | None = None

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

    @property
    def main_figure(self) -> str:
        """The code that is stored, and the steps to it."""
        return f"code {self.code}, {len(self.windows)} windows, {len(self.steps)} steps shown"

    def records(self) -> tuple[Record, ...]:
        """A record for each step of the window that is shown."""
        window = self.windows[self.window]
        place = {"layer": self.layer, "window_y": window.y, "window_x": window.x}
        own = tuple(place | record_of(step) for step in self.steps)
        return (*own, *(self.before.records() if self.before else ()))

    def notes(self) -> tuple[str, ...]:
        """Where and when it happens, and how the sums become a code."""
        lines = [] if self.greatest is None else [f"the greatest output is class {self.greatest}"]
        lines += [*self._places_told(), *self._sums_told()]
        lines += [self._before_told(), *self.before.notes()] if self.before else []
        lines += self._model_told()
        return tuple(lines)

    def __str__(self) -> str:
        lines = [self.heading]
        lines += [] if self.greatest is None else [f"the greatest output is class {self.greatest}"]
        lines += self._steps_told()
        if self.before is not None:
            lines += ["", self._before_told(), *self.before._steps_told()]
        lines += self._model_told()
        return "\n".join(lines)

    def _model_told(self) -> list[str]:
        """The clock, and what there is to know of the network; nothing of a trace `before` another one."""
        if self.model is None:
            return []
        return [clock_line(self.clock, **{"last write after": self.cycles.written}), *self.model.lines()]

    def _before_told(self) -> str:
        assert self.before is not None
        k, y, x = self.before.output
        if self.pool != "NONE":
            then = "the maxima are taken"
        elif self.residual is not None:
            then = "the residual is added"
        else:
            then = "the kernels are taken out of widened groups"
        return f"before {then}, kernel {k}, y {y}, x {x} is {self.before.value}"

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
            count = f"{'−' if s.sign < 0 else ''}{s.count}"
            figures = (s.plane, s.plane_group, s.row_i, s.row_w, count, s.shift, s.total)
            table.add_row(*map(str, figures), bits)
        return table

    def _sums_told(self) -> list[str]:
        p, lines = self.parameters, []
        for w in self.windows:
            terms = (
                f"({w.accumulator} << {p['accumulator_shift']}) − {p['window_sum_scale']} · {w.window_sum}"
            )
            told = f"{terms} + {p['bias']} = {w.value}" if w.counts else "does not exist"
            lines.append(f"window ({w.y}, {w.x}): {told}")
        if self.pool != "NONE":
            lines.append(f"pooled ({self.pool}): {self.pooled}")
        return [*lines, *self._scaling_told(), f"code {self.code}{self._made_by()}; value {self.value}"]

    def _scaling_told(self) -> list[str]:
        """How the pooled sum becomes y."""
        p = self.parameters
        if self.scaled is None:
            return [f"y = {self.y}"]
        how = "as float32" if self.float_scale else f">> {p['high_shift']}"
        own = f"{self.pooled} · {p['multiplier']} {how} + {p['offset']} = {self.scaled}"
        added = "" if self.scaled_residual is None else f" + {self.scaled_residual}"
        lines = []
        if self.residual is not None:
            shifts = f">> {p['residual_high_shift']} >> {p['residual_shift']}"
            centred = f"({self.residual} − {p['residual_zero']})"
            lines.append(
                f"residual: {centred} · {p['residual_multiplier']} {shifts} = {self.scaled_residual}"
            )
        if self.own_code is None:
            return [*lines, f"y = {own}{added}{f' = {self.y}' if added else ''}"]
        lines.append(
            f"own code: {own}, >> {p['own_step']} within {p['own_low']} to {p['own_high']} = {self.own_code}"
        )
        shifts = f">> {p['own_high_shift']} >> {p['own_shift']}"
        total = f"{self.own_code} · {p['own_multiplier']} {shifts} + {p['total_offset']}{added}"
        if self.multiplies_total:
            total = f"({total}) · {p['total_multiplier']} >> {p['total_high_shift']}"
        return [*lines, f"y = {total} = {self.y}"]

    def _made_by(self) -> str:
        p = self.parameters
        if self.level is None:
            return ", y itself"
        if self.rounding is not None:
            made = f"y >> {p['shift']} ({self.rounding}) within {p['low']} to {p['high']}"
        else:
            bound = f"{p['high']} −" if p["falling"] else f"{p['low']} +"
            made = f"{bound} thresholds reached of {', '.join(map(str, self.thresholds)) or 'none'}"
        if self.table:
            return f", the entry of level {self.level} = {made}"
        stored = f" << {p['level_shift']}" if p["level_shift"] else ""
        zero = f" + {p['out_zero']}" if p["out_zero"] else ""
        return f" = {self.level}{stored}{zero}, level {self.level} = {made}"
