"""Names that were not found, with the one that was meant and all that there are."""

from collections.abc import Iterable
from difflib import get_close_matches
from textwrap import shorten

_LONGEST_NAME = _LONGEST_LIST = 160


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that one is most like, whatever its letters' case; None if it is like none."""
    by_case = {one.casefold(): one for one in known}
    alike = get_close_matches(name[:_LONGEST_NAME].casefold(), by_case, 1)
    return by_case[alike[0]] if alike else None


def listed(known: Iterable[str]) -> str:
    """Names for a message, cut where they are many."""
    return shorten(", ".join(known), _LONGEST_LIST, placeholder=" …")


def one_of(name: str, known: Iterable[str]) -> str:
    """What ends the message that there is no such name: ``one of tiny, wide; did you mean 'tiny'?``.

    Parameters
    ----------
    name : str
        That was asked for.
    known : iterable of str
        All that could have been.
    """
    known = list(known)
    meant = nearest(name, known)
    return f"one of {listed(known)}" + (f"; did you mean {meant!r}?" if meant else "")
