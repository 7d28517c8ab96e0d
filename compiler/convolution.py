"""A convolution as a program: what every row holds, and the commands of every window.

A window's planes are written to all sub-arrays that hold kernels; each of them takes the dot product with its own.
What is no product of stored planes is constant for a kernel, stands in a row beside it and is loaded into the
accumulators: the bias, and what the offsets of coded operands add (`spinplane.behavioral.bitplane_dot`). At a
border, a mask of the padded positions takes their share of the constants back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spinplane.behavioral import bit_planes, encode, windows
from spinplane.behavioral.bitplane import integers
from spinplane.behavioral.convolution import Padding, Pair
from spinplane.machine import Counters, Machine, Op, Operand, Program, SpinplaneError, command_dtype

from .layout import choose_layout


@dataclass(frozen=True, kw_only=True)
class Term:
    """One ``DOT`` or ``COUNT`` of a window: ±2^shift times it goes into the accumulators.

    Parameters
    ----------
    op : Op
    outside : bool
        Of the mask of padded positions, in place of the window's planes.
    shift : int
    negate : bool
    """

    op: Op
    outside: bool
    shift: int
    negate: bool


@dataclass(frozen=True, kw_only=True)
class KernelPlace:
    """Where a kernel lies.

    Parameters
    ----------
    pass_number, sub_array, segment : int
        ``segment`` is 0 where a kernel has the row for itself.
    row : int
        First row of its planes.
    constant : int
        Loaded into its accumulator before a window.
    """

    pass_number: int
    sub_array: int
    segment: int
    row: int
    constant: int


class Convolution:
    """A convolution mapped onto a machine.

    Parameters
    ----------
    machine : Machine
    weights : array_like of int, shape (kernels, channels / groups, kernel height, kernel width)
        Values, not codes.
    input_shape : tuple of int
        (channels, height, width).
    w, i : Operand
        Width and coding of the weights and of the inputs.
    stride, padding, dilation, groups
        As in `spinplane.behavioral.convolve`.
    bias : array_like of int, shape (kernels,), optional
    name : str
        Of the layer, for messages.

    Attributes
    ----------
    layout : Layout
    output_shape : tuple of int
        (kernels, height, width).
    accumulator_bits : int
        Width that the results need, proven from the weights and the range of the inputs.
    terms : list of Term
        What a window adds to the constants; those with ``outside`` at borders only.
    geometry : tuple
        Kernel size, stride, padding and dilation, as `spinplane.behavioral.windows` takes them.
    outside : ndarray of shape (groups, windows, window length), int64
        1 where a window's position is padding.
    masks : bool
        Whether windows at a border have a mask of it in the array.

    Raises
    ------
    SpinplaneError
        If shapes do not fit together, a value does not fit its operand, a kernel and a window do not fit in a
        sub-array, or a result does not fit in an accumulator.
    """

    def __init__(
        self,
        machine: Machine,
        weights: ArrayLike,
        input_shape: tuple[int, int, int],
        *,
        w: Operand,
        i: Operand,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: ArrayLike | None = None,
        name: str = "convolution",
    ) -> None:
        values = integers(weights, "weights")
        if values.ndim != 4 or len(input_shape) != 3:
            raise SpinplaneError(
                f"layer {name}: weights of shape {values.shape} and inputs of shape {tuple(input_shape)}: expected "
                f"(kernels, channels / groups, height, width) and (channels, height, width)"
            )
        kernels = len(values)
        if groups < 1 or kernels % groups or input_shape[0] != groups * values.shape[1]:
            raise SpinplaneError(
                f"layer {name}: {kernels} kernels of {values.shape[1]} channels in {groups} groups do not fit an "
                f"input of {input_shape[0]} channels"
            )
        self.machine, self.name, self.w, self.i, self.groups = machine, name, w, i, groups
        self._input_shape = tuple(input_shape)
        self.geometry = (values.shape[2:], stride, padding, dilation)
        self._weights = values.reshape(groups, kernels // groups, -1)
        self._biases = integers(np.zeros(kernels, int) if bias is None else bias, "bias").reshape(groups, -1)
        inside = windows(np.ones((1, *input_shape), dtype=np.int64), *self.geometry)
        self.output_shape = (kernels, *inside.shape[1:3])
        self._constants = self._biases + self._weights.sum(axis=-1) * i.offset
        self.outside = 1 - self.by_group(inside)
        self.masks = bool(i.offset and self.outside.any())
        self.accumulator_bits = self._prove_width()
        self.terms = self._choose_terms()
        self.layout = choose_layout(
            machine,
            name,
            length=self._weights.shape[-1],
            kernels=kernels // groups,
            groups=groups,
            planes_w=w.bits,
            planes_i=i.bits,
            masks_outside=self.masks,
            loads_constants=bool(self._constants.any()),
        )

    def program(self, inputs: ArrayLike) -> Program:
        """Commands and rows that load the kernels and convolve `inputs`.

        Parameters
        ----------
        inputs : array_like of int, shape (batch, channels, height, width)
            Values, not codes.

        Raises
        ------
        SpinplaneError
            If the shape is another than the layer's, or the operand cannot hold a value.
        """
        values = integers(inputs, "inputs")
        if values.shape[1:] != self._input_shape:
            raise SpinplaneError(
                f"layer {self.name}: inputs of shape {values.shape}: expected "
                f"(batch, {', '.join(map(str, self._input_shape))})"
            )
        seen = windows(encode(values, self.i).astype(np.int64), *self.geometry)
        window_rows = self._window_rows(self.by_group(seen), len(values))
        at_border = np.tile(self.outside.any(axis=-1), (1, len(values))) & self.masks
        commands: list[np.ndarray] = []
        rows: list[np.ndarray] = []
        for resident in self.passes():
            for _, batches in resident:
                for batch in batches:
                    self.load_kernels(batch, commands, rows)
            for group, mine in resident:
                of_window = [self.window_commands(mine, masked) for masked in (False, True)]
                commands += [of_window[masked] for masked in at_border[group].astype(int)]
                without_mask = self.i.bits * self.layout.tiles
                rows += [
                    window if masked else window[:without_mask]
                    for window, masked in zip(window_rows[group], at_border[group], strict=True)
                ]
        bits = np.concatenate(rows)
        return Program(
            machine=self.machine, commands=np.concatenate(commands), rows=bits, masks=np.ones_like(bits)
        )

    def outputs(self, results: np.ndarray) -> np.ndarray:
        """The engine's results as feature maps of shape (batch, kernels, height, width), int64."""
        layout, (kernels, height, width) = self.layout, self.output_shape
        positions = height * width
        images = len(results) // (layout.batches * layout.batch_kernels * positions)
        maps = np.empty((layout.batches, layout.batch_kernels, images * positions), dtype=np.int64)
        at = 0
        for resident in self.passes():
            for _, mine in resident:
                shape = (images * positions, len(mine), layout.batch_kernels)
                maps[mine] = results[at : at + np.prod(shape)].reshape(shape).transpose(1, 2, 0)
                at += int(np.prod(shape))
        of_group = self._batches_of_group * layout.batch_kernels
        by_group = maps.reshape(self.groups, of_group, images, height, width)
        of_kernels = by_group[:, : kernels // self.groups].reshape(kernels, images, height, width)
        return of_kernels.transpose(1, 0, 2, 3)

    def kernel_place(self, kernel: int) -> KernelPlace:
        """Where a kernel lies, counted from 0 over all groups."""
        layout, of_group = self.layout, self._weights.shape[1]
        group, at = divmod(kernel, of_group)
        in_group, lane = divmod(at, layout.batch_kernels)
        batch = group * self._batches_of_group + in_group
        sub_array, segment = divmod(lane, layout.slots)
        return KernelPlace(
            pass_number=batch // layout.batches_resident,
            sub_array=sub_array,
            segment=segment,
            row=layout.batch_row(batch),
            constant=int(self._constants[group, at]),
        )

    def predicted(self, images: int = 1) -> Counters:
        """Events of `program` for so many images, from shapes and machine alone; cycles and stalls are left 0."""
        layout = self.layout
        writings = sum(len(resident) for resident in self.passes())
        windows_seen = images * self.outside.shape[-2]
        borders = images * int(self.outside[0].any(axis=-1).sum()) if self.masks else 0
        steps = {Op.DOT: 0, Op.COUNT: 0}
        for term in self.terms:
            planes_i = 1 if term.outside else self.i.bits
            planes = planes_i * (self.w.bits if term.op is Op.DOT else 1)
            steps[term.op] += planes * layout.tiles * (borders if term.outside else windows_seen)
        loads = layout.batches * windows_seen if self._constants.any() else 0
        tiles_and_batches = layout.sub_arrays * layout.batches
        counted = tiles_and_batches * (steps[Op.DOT] + steps[Op.COUNT])
        added = counted * layout.slots
        window_rows = layout.tiles * (self.i.bits * windows_seen + borders)
        return Counters(
            row_writes=layout.batch_rows * tiles_and_batches + layout.sub_arrays * writings * window_rows,
            row_reads=tiles_and_batches * steps[Op.COUNT] + layout.sub_arrays * loads,
            ands=tiles_and_batches * steps[Op.DOT],
            bit_counts=counted,
            shifts=added,
            additions=added,
        )

    @property
    def window_length(self) -> int:
        """Positions of a window of one group."""
        return self._weights.shape[-1]

    @property
    def _batches_of_group(self) -> int:
        return self.layout.batches // self.groups

    def passes(self) -> list[list[tuple[int, range]]]:
        """For each pass over the windows, the groups that it writes and the batches of each that it holds."""
        layout, of_group = self.layout, self._batches_of_group
        passes = []
        for start in range(0, layout.batches, layout.batches_resident):
            stop = min(start + layout.batches_resident, layout.batches)
            groups = range(start // of_group, -(-stop // of_group))
            passes.append(
                [(g, range(max(start, g * of_group), min(stop, (g + 1) * of_group))) for g in groups]
            )
        return passes

    def by_group(self, seen: np.ndarray) -> np.ndarray:
        """(batch, height, width, channels, kh, kw) as (groups, batch · windows, window length)."""
        batch, height, width, channels, *kernel = seen.shape
        length = channels // self.groups * kernel[0] * kernel[1]
        return seen.reshape(batch * height * width, self.groups, length).transpose(1, 0, 2)

    def _prove_width(self) -> int:
        """Bits of the widest result over all inputs, and of the constants, which start the accumulators."""
        ends = np.stack([self._weights * self.i.smallest, self._weights * self.i.largest])
        # A padded position contributes 0, which an operand's range need not hold.
        low = (np.minimum(ends.min(axis=0), 0).sum(axis=-1) + self._biases).min()
        high = (np.maximum(ends.max(axis=0), 0).sum(axis=-1) + self._biases).max()
        extremes = [int(v) for v in (low, high, self._constants.min(), self._constants.max())]
        bits = 1 + max((value if value >= 0 else ~value).bit_length() for value in extremes)
        if bits > self.machine.accumulator_bits:
            raise SpinplaneError(
                f"layer {self.name}: results from {low} to {high} need accumulators of {bits} bits, machine "
                f"{self.machine.name} has {self.machine.accumulator_bits} (accumulator_bits)"
            )
        return bits

    def _choose_terms(self) -> list[Term]:
        """The sums of `bitplane_dot` that are not constant, with their factors as powers of two."""
        w, i = self.w, self.i
        sums = [(Op.DOT, False, w.scale * i.scale), (Op.COUNT, False, w.offset * i.scale)]
        if self.masks:
            sums += [(Op.DOT, True, -w.scale * i.offset), (Op.COUNT, True, -w.offset * i.offset)]
        return [
            Term(op=op, outside=outside, shift=shift, negate=negate)
            for op, outside, factor in sums
            for shift, negate in _signed_digits(factor)
        ]

    def _spread(self, bits: np.ndarray) -> np.ndarray:
        """Rows of a plane: (…, window length) to (…, tiles, columns), repeated in each slot."""
        layout = self.layout
        width = self.machine.columns // layout.slots
        padding = [(0, 0)] * (bits.ndim - 1) + [(0, layout.tiles * width - bits.shape[-1])]
        tiles = np.pad(bits.astype(np.uint8), padding).reshape(*bits.shape[:-1], layout.tiles, width)
        return np.tile(tiles, layout.slots)

    def _window_rows(self, codes: np.ndarray, images: int) -> np.ndarray:
        """Rows of every window, shape (groups, windows, rows, columns): planes, then the mask of the outside."""
        planes = np.moveaxis(bit_planes(codes, self.i.bits), 0, 2)
        if self.masks:
            outside = np.tile(self.outside, (1, images, 1))[:, :, np.newaxis]
            planes = np.concatenate([planes, outside], axis=2)
        spread = self._spread(planes)
        groups, positions, operands, tiles, columns = spread.shape
        return spread.reshape(groups, positions, operands * tiles, columns)

    def load_kernels(self, batch: int, commands: list[np.ndarray], rows: list[np.ndarray]) -> None:
        """Planes and constants of a batch; where a sub-array or a slot has no kernel, zeros."""
        layout, machine = self.layout, self.machine
        group, at = divmod(batch, self._batches_of_group)
        at *= layout.batch_kernels
        codes = encode(self._weights[group, at : at + layout.batch_kernels], self.w).astype(np.int64)
        constants = self._constants[group, at : at + layout.batch_kernels]
        missing = layout.batch_kernels - len(codes)
        width = machine.columns // layout.slots
        codes = np.pad(codes, ((0, missing), (0, layout.tiles * width - codes.shape[1])))
        planes = bit_planes(codes, self.w.bits).reshape(
            self.w.bits, layout.sub_arrays, layout.slots, layout.tiles, width
        )
        bits = planes.transpose(1, 0, 3, 2, 4).reshape(layout.sub_arrays, -1, machine.columns)
        if self._constants.any():
            row = self._constant_rows(
                np.pad(constants, (0, missing)).reshape(layout.sub_arrays, layout.slots)
            )
            bits = np.concatenate([bits, row[:, np.newaxis]], axis=1)
        first = layout.batch_row(batch)
        for sub_array in range(layout.sub_arrays):
            for row_d in range(first, first + layout.batch_rows):
                commands.append(self._command(Op.WRITE, first=sub_array, last=sub_array, row_d=row_d))
            rows.append(bits[sub_array])

    def _constant_rows(self, constants: np.ndarray) -> np.ndarray:
        """Two's complement of (sub-arrays, slots) constants, at the first columns of each slot."""
        machine, slots = self.machine, self.layout.slots
        bits = np.zeros((len(constants), slots, machine.columns // slots), dtype=np.uint8)
        spelled = constants[..., np.newaxis] >> np.arange(machine.accumulator_bits) & 1
        bits[..., : machine.accumulator_bits] = spelled
        return bits.reshape(len(constants), machine.columns)

    def window_commands(self, batches: range, masked: bool) -> np.ndarray:
        """Commands of one window: its rows, then the terms of each batch of kernels."""
        layout = self.layout
        last = layout.sub_arrays - 1
        length = (self._weights.shape[-1] - 1) % (self.machine.columns // layout.slots)
        log_slots = layout.slots.bit_length() - 1
        rows = layout.outside_row + (layout.tiles if masked else 0)
        commands = [self._command(Op.WRITE, last=last, row_d=row) for row in range(rows)]
        terms = [term for term in self.terms if masked or not term.outside]
        for batch in batches:
            kernels = layout.batch_row(batch)
            loads = bool(self._constants.any())
            if loads:
                constants = kernels + layout.batch_rows - 1
                commands.append(
                    self._command(
                        Op.LOAD,
                        last=last,
                        row_a=constants,
                        length=self.machine.columns - 1,
                        log_slots=log_slots,
                    )
                )
            for number, term in enumerate(terms):
                commands.append(
                    self._command(
                        term.op,
                        last=last,
                        row_a=layout.outside_row if term.outside else 0,
                        row_b=kernels if term.op is Op.DOT else 0,
                        planes_a=0 if term.outside else self.i.bits - 1,
                        planes_b=self.w.bits - 1 if term.op is Op.DOT else 0,
                        tiles=layout.tiles - 1,
                        length=length,
                        log_slots=log_slots,
                        signed_a=self.i.signed and not term.outside,
                        signed_b=self.w.signed and term.op is Op.DOT,
                        shift=term.shift,
                        negate=term.negate,
                        clear=number == 0 and not loads,
                        emit=number == len(terms) - 1,
                    )
                )
        return np.concatenate(commands)

    def _command(self, op: Op, **values: int) -> np.ndarray:
        command = np.zeros(1, dtype=command_dtype(self.machine))
        command["op"] = op.value
        for field, value in values.items():
            command[field] = value
        return command


def _signed_digits(factor: int) -> list[tuple[int, bool]]:
    """`factor` as few terms ±2^shift: (shift, negative) of each, in the non-adjacent form."""
    digits, shift = [], 0
    while factor:
        if factor & 1:
            digit = 2 - (factor & 3)
            digits.append((shift, digit < 0))
            factor -= digit
        factor >>= 1
        shift += 1
    return digits
