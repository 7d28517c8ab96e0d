"""An object in one line, as an interpreter and a notebook show it."""

#: Most characters of what is told of it.
_LONGEST = 160


def brief(thing: object, text: str) -> str:
    """A ``repr`` of one line: the class, and a text, without what cannot be printed, and cut where it is long.

    Parameters
    ----------
    thing : object
    text : str
        What to tell of it; names in it may be from a file, and hold anything.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    told = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    return f"<{type(thing).__name__} {told}>"
