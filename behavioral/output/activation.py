"""Golden model of the activation: a search through the thresholds of a channel, and a table from levels to codes.

A search gives any monotone function of up to 8 bits in one go, such as sign or (tanh x + 1)/2; a table gives any other
one behind the quantizer, such as the magnitude.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.output_stage import (
    CODE_BITS,
    CODES_PER_WORD,
    PRODUCT_BITS,
    SEARCH_NODES,
    TABLE_CODES,
    THRESHOLD_BITS,
    UNUSED_THRESHOLD,
)

from ..fixed_point import signed_integers
from .output_packer import OutputStageError

Integers = NDArray[np.int64]

#: What a search looks at: no greater number than this one, and none less than the other.
_GREATEST = np.int64(UNUSED_THRESHOLD - 1)
_LEAST = np.int64(-(1 << (THRESHOLD_BITS - 1)))
#: Steps up to which comparing with all of them is faster than halving.
_FEW = 15


def search_thresholds(values: ArrayLike, words: ArrayLike, *, base: int = 0, reads: int) -> Integers:
    """Number of a channel's thresholds that are at most a value, found digit by digit to base 5.

    Parameters
    ----------
    values : array_like of int, any shape
        64 bits.
    words : array_like of int, shape (n, 4)
        The threshold bank of a lane, 32 bits each.
    base : int
        First word of the channel.
    reads : int
        Steps of the search, 0 to 4.

    Returns
    -------
    ndarray of int64
        0 to 5^reads − 1.

    Raises
    ------
    OutputStageError
        If a value leads to a word that there is not.
    OverflowError
        If a threshold does not fit in 32 bits.

    Examples
    --------
    >>> sign = [[0, 2**31 - 1, 2**31 - 1, 2**31 - 1]]
    >>> search_thresholds([-5, -1, 0, 7], sign, reads=1)
    array([0, 0, 1, 1])
    """
    y = np.clip(signed_integers(values, PRODUCT_BITS, "values"), _LEAST, _GREATEST)
    bank = signed_integers(words, THRESHOLD_BITS, "thresholds")
    found = np.zeros(y.shape, dtype=np.int64)
    for node in SEARCH_NODES[:reads]:
        address = base + node + found
        check_address(int(address.max(initial=0)), len(bank))
        found = 5 * found + (bank[address] <= y[..., np.newaxis]).sum(axis=-1)
    return found


def look_up(levels: ArrayLike, words: ArrayLike, *, base: int = 0) -> Integers:
    """Codes of levels, from a table.

    Parameters
    ----------
    levels : array_like of int, any shape
        Modulo 512 the numbers of their entries.
    words : array_like of int, shape (n, 16)
        The threshold bank of a lane as codes of 8 bits.
    base : int
        First word of the table.

    Returns
    -------
    ndarray of int64
        0 to 255.

    Raises
    ------
    OutputStageError
        If an entry lies in a word that there is not.

    Examples
    --------
    >>> squares = [[0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225]]
    >>> look_up([3, 15], squares)
    array([  9, 225])
    """
    bank = signed_integers(words, CODE_BITS, "words")
    word, entry = np.divmod(signed_integers(levels, PRODUCT_BITS, "levels") % TABLE_CODES, CODES_PER_WORD)
    check_address(base + int(word.max(initial=0)), len(bank))
    return np.asarray(bank[base + word, entry], dtype=np.int64)


def check_address(address: int, words: int) -> None:
    """Refuse a word beyond a bank of thresholds and tables.

    Raises
    ------
    OutputStageError
    """
    if address >= words:
        raise OutputStageError("parameters", f"thresholds: word {address} is beyond the bank of {words}")


class MissingWords(NamedTuple):
    """Words beyond a bank that values lead to.

    Parameters
    ----------
    channel, word : ndarray of shape (n,), int64
    first, after : ndarray of shape (n,), int64
        The least value that leads to it, and the one after the greatest.
    """

    channel: Integers
    word: Integers
    first: Integers
    after: Integers


class Searches(NamedTuple):
    """The searches of many channels as lists of steps.

    Parameters
    ----------
    steps : ndarray of shape (channels, n), int64
        Ascending: a search finds as many as are at most the value.
    missing : MissingWords
    end : int
        Of the words that there are, the one after the last that a value leads to.
    bank_words : int
        That the bank has.
    """

    steps: Integers
    missing: MissingWords
    end: int
    bank_words: int

    @classmethod
    def of(cls, bank: Integers, bases: Integers, reads: int) -> "Searches":
        """What `search_thresholds` does with the words of a bank, whatever they hold.

        A digit rises with the value, so that the number does, too: each word cuts the values that lead to it in five.

        Parameters
        ----------
        bank : ndarray of shape (words, lanes, 4), int64
        bases : ndarray of shape (channels,), int64
            First words of the channels, beat by beat.
        reads : int
        """
        channels, (words, lanes) = len(bases), bank.shape[:2]
        lane = np.arange(channels)[:, np.newaxis] % lanes
        first = np.full((channels, 1), _LEAST)
        after = np.full((channels, 1), _GREATEST + 1)
        missing = [MissingWords(*(np.zeros(0, dtype=np.int64),) * 4)]
        last = -1
        for step, node in enumerate(SEARCH_NODES[:reads]):
            word = bases[:, np.newaxis] + node + np.arange(5**step)
            exists, leads = word < words, first < after
            at = (leads & ~exists).nonzero()
            missing.append(MissingWords(at[0], word[at], first[at], after[at]))
            last = max(last, int(word[leads & exists].max(initial=-1)))
            held = np.where(exists[..., np.newaxis], bank[np.minimum(word, words - 1), lane], _GREATEST + 1)
            cuts = np.clip(np.sort(held, axis=-1), first[..., np.newaxis], after[..., np.newaxis])
            after = np.concatenate([cuts, after[..., np.newaxis]], axis=-1).reshape(channels, -1)
            first = np.concatenate([first[..., np.newaxis], cuts], axis=-1).reshape(channels, -1)
        reached = np.flatnonzero((after <= _GREATEST).any(axis=0))
        steps = np.ascontiguousarray(after[:, : reached[-1] + 1 if reached.size else 0])
        together = MissingWords(*(np.concatenate(parts) for parts in zip(*missing, strict=True)))
        return cls(steps, together, last + 1, words)

    def among(self, channels: NDArray[np.bool_], exist: NDArray[np.bool_]) -> "Searches":
        """The same, but channels that do not search find nothing, and those of beats that do not exist miss nothing."""
        steps = np.where(channels[:, np.newaxis], self.steps, _GREATEST + 1)
        return self._replace(steps=steps, missing=self._missing((channels & exist)[self.missing.channel]))

    def only(self, channel: int) -> "Searches":
        """Those of one channel."""
        missing = self._missing(self.missing.channel == channel)
        missing = missing._replace(channel=np.zeros_like(missing.channel))
        return self._replace(steps=self.steps[channel : channel + 1], missing=missing)

    def _missing(self, where: NDArray[np.bool_]) -> MissingWords:
        return MissingWords(*(part[where] for part in self.missing))

    def numbers(self, values: Integers) -> Integers:
        """What searches find.

        Parameters
        ----------
        values : ndarray of shape (..., channels), int64

        Returns
        -------
        ndarray of shape (..., channels), int64

        Raises
        ------
        OutputStageError
            If a value leads to a word that there is not.
        """
        y = np.clip(values, _LEAST, _GREATEST)
        self._refuse_missing(y)
        count = self.steps.shape[1]
        found = np.zeros(y.shape, dtype=np.int64)
        if count <= _FEW:
            for step in self.steps.T:
                found += step <= y
            return found
        # Halving, for all at once: among 2^k − 1 steps of each channel.
        width = 1 << count.bit_length()
        padded = np.full((len(self.steps), width), _GREATEST + 1, dtype=np.int64)
        padded[:, 1 : count + 1] = self.steps
        steps, channels = padded.ravel(), np.arange(len(self.steps)) * width
        half = width // 2
        while half:
            further = found + half
            np.copyto(found, further, where=steps.take(further + channels) <= y)
            half //= 2
        return found

    def _refuse_missing(self, y: Integers) -> None:
        missing = self.missing
        if not missing.channel.size:
            return
        of_missing = y[..., missing.channel]
        leads = (of_missing >= missing.first) & (of_missing < missing.after)
        if leads.any():
            check_address(int(missing.word[leads.nonzero()[-1][0]]), self.bank_words)
