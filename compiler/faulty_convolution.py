"""A convolution in a faulty memory as one product of matrices: the values of `spinplane.behavioral.Engine`, sooner.

What a sense shows of a window's bit a and a kernel's bit b is one of four given values, and b lies in its cell as long
as the windows pass. Each sense is therefore f0 + a·f1 with numbers f0 and f1 of its pair of cells, and an accumulator
is a weighted sum of them: linear in the bits of the window, whatever is wrong with cells and amplifiers.
"""

import numpy as np

from spinplane.behavioral import bit_planes, encode, windows
from spinplane.machine import Op
from spinplane.machine.faults import FaultMap

from .convolution import Convolution

# A product of whole numbers is exact as long as no sum passes what the float type counts in ones.
_EXACT = {np.float32: 1 << 24, np.float64: 1 << 53}
#: Windows whose bits are spread at once.
_WINDOWS = 8192


class FaultyConvolution:
    """A mapped convolution with the faults of one memory.

    Parameters
    ----------
    convolution : Convolution
    faults : FaultMap
        Of the convolution's machine.
    """

    def __init__(self, convolution: Convolution, faults: FaultMap) -> None:
        faults.check(convolution.machine)
        self._convolution, self._faults = convolution, faults
        layout, machine = convolution.layout, convolution.machine
        shape = (machine.sub_arrays, machine.rows, machine.columns)
        nothing, everything = (faults.stick(np.full(shape, bit, dtype=np.uint8)) for bit in (0, 1))
        self._ends = nothing[: layout.sub_arrays], everything[: layout.sub_arrays]
        masked = (False, True) if convolution.masks else (False,)
        self._maps = []
        for resident in convolution.passes():
            stored = self._stored([batch for _, batches in resident for batch in batches])
            self._maps.append(
                [(group, [self._linear(stored, mine, m) for m in masked]) for group, mine in resident]
            )

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Feature maps of shape (batch, kernels, height, width), int64.

        Parameters
        ----------
        inputs : ndarray of int, shape (batch, channels, height, width)
            Values, not codes.
        """
        convolution = self._convolution
        codes = convolution.by_group(
            windows(encode(inputs, convolution.i).astype(np.int64), *convolution.geometry)
        )
        of_images = np.tile(convolution.outside, (1, len(inputs), 1))
        at_border = np.asarray(of_images.any(axis=-1) & convolution.masks)
        results = []
        for resident in self._maps:
            for group, maps in resident:
                sums = self._apply(maps[0], codes[group], of_images[group], np.flatnonzero(~at_border[group]))
                if at_border[group].any():
                    border = np.flatnonzero(at_border[group])
                    sums[border] = self._apply(maps[1], codes[group], of_images[group], border)[border]
                results.append(sums.ravel())
        limit = 1 << (convolution.machine.accumulator_bits - 1)
        return convolution.outputs((np.concatenate(results) + limit) % (2 * limit) - limit)

    def _apply(
        self,
        linear: tuple[np.ndarray, np.ndarray],
        codes: np.ndarray,
        outside: np.ndarray,
        chosen: np.ndarray,
    ) -> np.ndarray:
        """Sums of the `chosen` windows, shape (windows, results); 0 in the other rows."""
        matrix, constants = linear
        sums = np.zeros((len(codes), matrix.shape[1]), dtype=np.int64)
        planes = self._convolution.i.bits
        for start in range(0, len(chosen), _WINDOWS):
            at = chosen[start : start + _WINDOWS]
            bits = np.concatenate([bit_planes(codes[at], planes), outside[np.newaxis, at].astype(np.uint8)])
            operands = bits[: len(matrix) // codes.shape[1]].transpose(1, 0, 2).reshape(len(at), -1)
            sums[at] = (operands.astype(matrix.dtype) @ matrix).astype(np.int64) + constants
        return sums

    def _stored(self, batches: list[int]) -> np.ndarray:
        """Cells with the kernels of a pass, shape (sub-arrays, rows, columns); the windows' rows hold anything."""
        commands: list[np.ndarray] = []
        rows: list[np.ndarray] = []
        cells = np.zeros_like(self._ends[0])
        for batch in batches:
            self._convolution.load_kernels(batch, commands, rows)
        for command, bits in zip(np.concatenate(commands), np.concatenate(rows), strict=True):
            cells[int(command["first"]) : int(command["last"]) + 1, int(command["row_d"])] = bits
        nothing, everything = self._ends
        return np.where(nothing == everything, nothing, cells)

    def _linear(self, stored: np.ndarray, batches: range, masked: bool) -> tuple[np.ndarray, np.ndarray]:
        """Matrix of shape (planes · window length, results) and constants, one column for each result of a window."""
        layout, columns = self._convolution.layout, self._convolution.machine.columns
        width, slots = columns // layout.slots, layout.slots
        operands = self._convolution.i.bits + masked
        matrices, constants = [], []
        for command in self._convolution.window_commands(batches, masked):
            op = Op(int(command["op"]))
            if op is Op.WRITE:
                continue
            if op is Op.LOAD:
                constant = self._loaded(stored, command)
                slopes = np.zeros((layout.sub_arrays, operands * layout.tiles, columns), dtype=np.int64)
                continue
            if command["clear"]:
                constant = np.zeros((layout.sub_arrays, slots), dtype=np.int64)
                slopes = np.zeros((layout.sub_arrays, operands * layout.tiles, columns), dtype=np.int64)
            constant = constant + self._accumulate(stored, command, op, slopes)
            if command["emit"]:
                of_slots = slopes.reshape(layout.sub_arrays, operands, layout.tiles, slots, width)
                of_results = of_slots.transpose(1, 2, 4, 0, 3).reshape(
                    operands, layout.tiles * width, layout.sub_arrays * slots
                )
                matrices.append(of_results[:, : self._convolution.window_length])
                constants.append(constant.ravel())
        matrix = np.concatenate(matrices, axis=-1)
        matrix = matrix.reshape(-1, matrix.shape[-1])
        largest = int(np.abs(matrix).sum(axis=0).max())
        exact = next(kind for kind, limit in _EXACT.items() if largest < limit)
        return matrix.astype(exact), np.concatenate(constants)

    def _loaded(self, stored: np.ndarray, command: np.void) -> np.ndarray:
        """Constants that ``LOAD`` finds, shape (sub-arrays, slots)."""
        machine, slots = self._convolution.machine, self._convolution.layout.slots
        rows = command["row_a"].reshape(1)
        where = slice(0, len(stored))
        bits = self._faults.sense("read", stored[:, rows], where=where, rows=[rows])
        bits = bits.reshape(len(stored), slots, machine.columns // slots)[..., : machine.accumulator_bits]
        weights = 1 << np.arange(machine.accumulator_bits, dtype=np.int64)
        weights[-1] *= -1
        return bits.astype(np.int64) @ weights

    def _accumulate(self, stored: np.ndarray, command: np.void, op: Op, slopes: np.ndarray) -> np.ndarray:
        """Add what a window's bits weigh in ``DOT`` or ``COUNT`` to `slopes`; returns what it adds in any case.

        Parameters
        ----------
        slopes : ndarray of shape (sub-arrays, rows of a window, columns), int64

        Returns
        -------
        ndarray of shape (sub-arrays, slots), int64
        """
        slots, columns = self._convolution.layout.slots, stored.shape[-1]
        tiles, planes_a = int(command["tiles"]) + 1, int(command["planes_a"]) + 1
        planes_b = int(command["planes_b"]) + 1 if op is Op.DOT else 1
        where, enabled = slice(0, len(stored)), np.ones((tiles, columns), dtype=np.int64)
        width = columns // slots
        enabled[-1] = np.arange(columns) % width <= int(command["length"]) % width
        constant = np.zeros((len(stored), slots), dtype=np.int64)
        for m in range(planes_a):
            rows_a = int(command["row_a"]) + m * tiles + np.arange(tiles)
            for n in range(planes_b):
                rows, fixed = [rows_a], []
                if op is Op.DOT:
                    rows.append(int(command["row_b"]) + n * tiles + np.arange(tiles))
                    fixed = [stored[:, rows[1]]]
                operation = "and" if op is Op.DOT else "read"
                at_0, at_1 = (
                    self._faults.sense(operation, end[:, rows_a], *fixed, where=where, rows=rows).astype(
                        np.int64
                    )
                    for end in self._ends
                )
                negative = bool(command["negate"]) ^ bool(command["signed_a"] and m == planes_a - 1)
                negative ^= bool(op is Op.DOT and command["signed_b"] and n == planes_b - 1)
                weight = (-1 if negative else 1) << (m + n + int(command["shift"]))
                slopes[:, rows_a] += weight * (at_1 - at_0) * enabled
                constant += weight * (at_0 * enabled).sum(axis=1).reshape(len(stored), slots, width).sum(
                    axis=-1
                )
        return constant
