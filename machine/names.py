"""Names that a file gives to things: only those harmless in a file name, a script and a netlist."""

from string import ascii_letters, digits

from .errors import SpinplaneError

_PLAIN = frozenset(ascii_letters + digits + "-_")


def check_name(what: str, name: object, also: str = "") -> str:
    """Let a plain name pass.

    Names reach other programs: as parts of files, of scripts and of netlists. Any character but letters, digits,
    ``-`` and ``_`` could end a word or a line there and begin a command.

    Parameters
    ----------
    what : str
        What has the name, for the message.
    name : object
        As it was read.
    also : str
        Further characters that this name may have.

    Returns
    -------
    str
        The name.

    Raises
    ------
    SpinplaneError
        If it is not text, is empty, or has any other character.
    """
    if not isinstance(name, str) or not name or not _PLAIN.union(also).issuperset(name):
        allowed = ["letters", "digits", *(f"'{character}'" for character in f"{also}-")]
        raise SpinplaneError(f"{what} = {name!r:.80}: must consist of {', '.join(allowed)} and '_'")
    return name
