"""The output stage's numbers: their widths, and what lies where in the words of its banks.

``docs/accelerator.md`` has the arithmetic. Whoever reads or writes a word of these banks takes the layout from here.
"""

from dataclasses import dataclass

#: Codes of 9 bits hold both int8 and uint8.
CODE_BITS = 9
#: Bits of a sum before pooling, and of its bias.
VALUE_BITS = 32
#: Bits of a pooled sum.
POOLED_BITS = 36
#: Bits of a multiplier, of products and what is added to them, and of a channel's offset.
MULTIPLIER_BITS = 32
PRODUCT_BITS = 64
OFFSET_BITS = 48
#: A window sum is unsigned with 24 bits, or negative where the input is signed; its factor holds two codes.
WINDOW_SUM_BITS = 25
WINDOW_SCALE_BITS = 9
RAW_BITS = 32
#: Bits of the number of bits that a value is shifted by.
SHIFT_BITS = 6
#: Significant bits of a float32.
SIGNIFICAND_BITS = 24
#: Bits of a level: a code before its zero point is added, or the number of a table's entry.
LEVEL_BITS = 10

THRESHOLD_BITS = 32
THRESHOLDS_PER_WORD = 4
#: Words of a channel's thresholds that a search reads at most, each for a digit to base 5.
MOST_SEARCH_READS = 4
#: First word of each step of a search, counted from the channel's first.
SEARCH_NODES = (0, 1, 6, 31)
#: Of no sum: a search looks at no greater number than this one less 1.
UNUSED_THRESHOLD = 2 ** (THRESHOLD_BITS - 1) - 1
#: A table's word holds so many codes of 8 bits; it has 512 entries at most.
CODES_PER_WORD = 16
TABLE_CODES = 512


@dataclass(frozen=True)
class ChannelField:
    """A number of a channel in a word of 128 bits; fields follow one another from the lowest bit on."""

    name: str
    bits: int
    signed: bool = False

    @property
    def smallest(self) -> int:
        """Least number that it holds."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def largest(self) -> int:
        """Greatest number that it holds."""
        return (1 << (self.bits - self.signed)) - 1


#: What every beat reads of a channel.
PARAMETER_FIELDS: tuple[ChannelField, ...] = (
    ChannelField("bias", VALUE_BITS, signed=True),
    ChannelField("low", CODE_BITS, signed=True),
    ChannelField("high", CODE_BITS, signed=True),
    ChannelField("threshold_base", 16),
    ChannelField("least", 1),
    ChannelField("search", 1),
    ChannelField("falling", 1),
)
#: What an outer beat reads besides, where sums are multiplied.
SCALE_FIELDS: tuple[ChannelField, ...] = (
    ChannelField("multiplier", MULTIPLIER_BITS, signed=True),
    ChannelField("residual_multiplier", MULTIPLIER_BITS, signed=True),
    ChannelField("offset", OFFSET_BITS, signed=True),
    ChannelField("shift", SHIFT_BITS),
    ChannelField("high_shift", SHIFT_BITS),
)


def search_words(thresholds: int, reads: int) -> int:
    """Words that a channel's thresholds take where a search has so many reads.

    The search is one to base 5: a word of 4 thresholds gives a digit, and the digits so far number the word of the
    next read. Threshold t, counted from 1, lies in the last step where 5 does not divide t, in the one before it where
    5 does but 25 does not, and so on.
    """
    return SEARCH_NODES[reads - 1] + thresholds // 5 + 1 if reads else 0


def search_reads(thresholds: int) -> int:
    """Fewest reads of a search through so many thresholds."""
    return next(reads for reads in range(MOST_SEARCH_READS + 1) if thresholds < 5**reads)
