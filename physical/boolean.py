"""Boolean functions as Liberty writes them, by truth table."""

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|[01]|[!'^&*|+()])")


def truth_table(function: str, inputs: Sequence[str]) -> int:
    """Truth table of a Liberty function.

    Operators from the tightest: ``!`` before and ``'`` after a term, ``^``, AND as ``&``, ``*`` or nothing,
    OR as ``|`` or ``+`` (Liberty User Guide, "function attribute").

    Parameters
    ----------
    function : str
        For example ``"!(A & B)"`` or ``"(A B)'"``.
    inputs : sequence of str
        Names of the inputs; the first one is bit 0 of the table's index.

    Returns
    -------
    int
        Bit i is the function's value where input k is bit k of i.

    Raises
    ------
    ValueError
        If the function is not an expression over the inputs.
    """
    return _Parser(function, inputs).parse()


class _Parser:
    def __init__(self, function: str, inputs: Sequence[str]) -> None:
        self.function = function
        self.tokens: list[str] = []
        position = 0
        text = function.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"function {function!r}: unexpected {text[position:]!r}")
            self.tokens.append(match[1])
            position = match.end()
        indices = range(1 << len(inputs))
        self.ones = (1 << len(indices)) - 1
        self.columns = {
            name: sum(1 << i for i in indices if i >> bit & 1) for bit, name in enumerate(inputs)
        } | {"0": 0, "1": self.ones}

    def parse(self) -> int:
        value = self._or()
        if self.tokens:
            raise ValueError(f"function {self.function!r}: unexpected {self.tokens[0]!r}")
        return value

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _or(self) -> int:
        value = self._and()
        while self._next() in ("|", "+"):
            self.tokens.pop(0)
            value |= self._and()
        return value

    def _and(self) -> int:
        value = self._xor()
        while self._next() not in ("", "|", "+", ")"):
            if self._next() in ("&", "*"):
                self.tokens.pop(0)
            value &= self._xor()
        return value

    def _xor(self) -> int:
        value = self._term()
        while self._next() == "^":
            self.tokens.pop(0)
            value ^= self._term()
        return value

    def _term(self) -> int:
        token = self.tokens.pop(0) if self.tokens else "its end"
        if token == "!":
            return self.ones ^ self._term()
        if token == "(":
            value = self._or()
            if self._next() != ")":
                raise ValueError(f"function {self.function!r}: missing ')'")
            self.tokens.pop(0)
        elif token in self.columns:
            value = self.columns[token]
        else:
            raise ValueError(f"function {self.function!r}: unexpected {token!r}")
        while self._next() == "'":
            self.tokens.pop(0)
            value ^= self.ones
        return value
