"""Signals of a waveform in the Value Change Dump format, cycle by cycle."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np

from spinplane.machine import SpinplaneError

#: A signal: the names of the instances down to it, and its own.
Signal = tuple[tuple[str, ...], str]
#: Bits that a simulator does not know, before a reset and in memory that nobody wrote, are read as 0.
_UNKNOWN = str.maketrans("xz", "00")


class Waveform:
    """Values that signals have settled to at each rising edge of a clock.

    Parameters
    ----------
    path : Path
        The dump.
    top : str
        Instance to which the names of signals are relative.
    clock : str
        Signal of the top.
    signals : collection of Signal
        Those that are wanted.

    Raises
    ------
    SpinplaneError
        If the dump has no such clock or signal.
    """

    def __init__(self, path: Path, top: str, clock: str, signals: Collection[Signal]) -> None:
        self.cycles = 0
        self._changes: dict[str, list[tuple[int, int, bool]]] = {}
        self._codes: dict[Signal, str] = {}
        wanted = set(signals) | {((), clock)}
        with path.open(encoding="ascii", errors="replace") as lines:
            scopes: list[str] = []
            for line in lines:
                words = line.split()
                if words[:1] == ["$scope"]:
                    scopes.append(words[2])
                elif words[:1] == ["$upscope"]:
                    scopes.pop()
                elif words[:1] == ["$var"] and top in scopes:
                    # Icarus writes escaped names with their escape.
                    signal = (tuple(scopes[scopes.index(top) + 1 :]), words[4].removeprefix("\\"))
                    if signal in wanted:
                        self._codes.setdefault(signal, words[3])
                elif words[:1] == ["$enddefinitions"]:
                    break
            for signal in wanted:
                if signal not in self._codes:
                    raise SpinplaneError(
                        f"waveform {path}: has no signal {'.'.join((*signal[0], signal[1]))}"
                    )
            self._changes = {code: [] for code in self._codes.values()}
            self._read(lines, self._codes[((), clock)])

    def _read(self, lines: Iterable[str], clock: str) -> None:
        """Note each change with the first cycle that sees it; those at an edge itself are seen by the next one."""
        changes = self._changes
        now: dict[str, tuple[int, bool]] = {}
        was = 1

        def settle() -> None:
            nonlocal was
            level = now.get(clock, (was, True))[0]
            if level and not was:
                self.cycles += 1
            was = level
            for code, (value, known) in now.items():
                of = changes[code]
                if of and of[-1][0] == self.cycles:
                    of.pop()
                of.append((self.cycles, value, known))
            now.clear()

        for line in lines:
            kind = line[0]
            if kind == "#":
                settle()
            elif kind == "b":
                value, code = line[1:].split()
                if code in changes:
                    plain = value.translate(_UNKNOWN)
                    now[code] = int(plain, 2), plain == value
            elif kind in "01xz":
                code = line[1:].strip()
                if code in changes:
                    now[code] = int(kind == "1"), kind in "01"
        settle()

    def bits(self, signal: Signal, width: int, cycles: range) -> list[int]:
        """Each bit of a signal, as a number whose bit k is its value in the k-th of some neighbouring cycles."""
        times = np.zeros((len(cycles), -(-width // 8)), dtype=np.uint8)
        changes = self._changes[self._codes[signal]]
        mask = (1 << width) - 1
        ends = [*(cycle for cycle, _, _ in changes[1:]), cycles.stop]
        for (cycle, value, _), until in zip(changes, ends, strict=True):
            first, last = max(cycle - cycles.start, 0), until - cycles.start
            if last > first:
                word = (value & mask).to_bytes(times.shape[1], "little")
                times[first:last] = np.frombuffer(word, dtype=np.uint8)
        of_bits = np.unpackbits(times, axis=1, bitorder="little")[:, :width].T
        packed = np.packbits(of_bits, axis=1, bitorder="little")
        return [int.from_bytes(row.tobytes(), "little") for row in packed]

    def is_known(self, signal: Signal, cycles: range) -> bool:
        """Whether the simulator knew all bits of a signal in all of some neighbouring cycles."""
        known = True
        for cycle, _, known_then in self._changes[self._codes[signal]]:
            if cycle >= cycles.stop:
                break
            known = known_then and (known or cycle <= cycles.start)
        return known

    def longest_run(self, signal: Signal) -> range:
        """The last of the longest stretches of cycles in which a signal of one bit is 1."""
        (ones,) = self.bits(signal, 1, range(self.cycles))
        stretches: list[range] = []
        start = None
        for cycle in range(self.cycles + 1):
            one = cycle < self.cycles and ones >> cycle & 1
            if one and start is None:
                start = cycle
            elif not one and start is not None:
                stretches.append(range(start, cycle))
                start = None
        return max(reversed(stretches), key=len, default=range(0))


def widths(bits: Collection[tuple[tuple[str, ...], str, int]]) -> Mapping[Signal, int]:
    """How many bits of each signal are named at least."""
    found: dict[Signal, int] = {}
    for path, name, bit in bits:
        found[path, name] = max(found.get((path, name), 0), bit + 1)
    return found
