"""Golden model of the banks behind an AXI4 port: what a burst reads or writes, and its responses."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.memory_map import REGION_BYTES, REGIONS, Burst, MemoryMap, Response, region_address


class Address(NamedTuple):
    """An address of AXI4: beats less one, log2 of the bytes of a beat, kind of burst."""

    address: int
    length: int
    size: int
    burst: int = Burst.INCR


class AxiBanks:
    """Banks behind an AXI4 port.

    A beat is answered with SLVERR unless its burst has full beats at increasing addresses, else with DECERR if
    no bank has its address, else with SLVERR if it meets ``busy``; it has no effect then, and reads as 0. A write is
    answered with the worst answer of its beats. It ends with WLAST: beats beyond its length have no effect, and a
    number of beats that is not its length is answered with SLVERR at least.

    Parameters
    ----------
    memory : MemoryMap

    Attributes
    ----------
    banks : dict of str to ndarray of shape (bytes,), uint8
        Contents, by the name of the bank; 0 at first.
    """

    def __init__(self, memory: MemoryMap) -> None:
        self.memory = memory
        self.banks = {name: np.zeros(bank.size, dtype=np.uint8) for name, bank in memory.banks.items()}
        self._beat_bytes = memory.bus_bits // 8

    def write(
        self,
        where: Address,
        beats: NDArray[np.uint8],
        strobes: NDArray[np.bool_],
        busy: Sequence[bool] | None = None,
    ) -> Response:
        """Write a burst.

        Parameters
        ----------
        where : Address
        beats : ndarray of shape (n, bus_bits / 8), uint8
            Up to the one with WLAST.
        strobes : ndarray of shape (n, bus_bits / 8), bool
        busy : sequence of bool, optional
            Whether each beat meets ``busy``; none does if not given.
        """
        expected = where.length + 1
        answers = [Response.OKAY if len(beats) == expected else Response.SLVERR]
        for beat, (data, strobe) in enumerate(zip(beats[:expected], strobes[:expected], strict=True)):
            answer, held = self._beat(where, beat, busy is not None and busy[beat])
            held[strobe] = data[strobe]
            answers.append(answer)
        return max(answers)

    def read(
        self, where: Address, busy: Sequence[bool] | None = None
    ) -> list[tuple[NDArray[np.uint8], Response]]:
        """Read a burst: data and answer of each beat."""
        beats = []
        for beat in range(where.length + 1):
            answer, held = self._beat(where, beat, busy is not None and busy[beat])
            beats.append((held.copy(), answer))
        return beats

    def _beat(self, where: Address, beat: int, busy: bool) -> tuple[Response, NDArray[np.uint8]]:
        """How a beat is answered, and the bytes that it reaches: none of a bank if it is refused."""
        nothing = np.zeros(self._beat_bytes, dtype=np.uint8)
        if where.burst != Burst.INCR or 1 << where.size != self._beat_bytes:
            return Response.SLVERR, nothing
        for region in REGIONS:
            first = where.address - region_address(region)
            begin = first - first % self._beat_bytes + beat * self._beat_bytes
            # A burst that begins in a region stays in it: it does not run on into the next bank.
            if 0 <= first < REGION_BYTES and begin < len(self.banks[region]):
                held = self.banks[region][begin : begin + self._beat_bytes]
                return (Response.SLVERR, nothing) if busy else (Response.OKAY, held)
        return Response.DECERR, nothing
