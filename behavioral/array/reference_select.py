"""Reference select: the reference that the sense amplifiers compare with."""

#: Enables (EN_M, EN_AND, EN_OR) by the code of a sense operation: none, a single row, AND, OR.
REFERENCE_ENABLES = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
_AND = 2


def select_reference(sense: int, exclusive: bool = False) -> tuple[int, int, int]:
    """Reference enables of a sense operation.

    Parameters
    ----------
    sense : int
        0 none, 1 a single row, 2 AND, 3 OR.
    exclusive : bool
        With AND, the reference of OR too: an XOR.

    Returns
    -------
    en_m, en_and, en_or : int
    """
    en_m, en_and, en_or = REFERENCE_ENABLES[sense]
    return en_m, en_and, int(en_or or (exclusive and sense == _AND))
