"""Boolean functions as Liberty writes them: their truth tables, and the same in Verilog."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from operator import and_, or_, xor
from typing import Generic, TypeVar

from spinplane.machine import PinName
from spinplane.machine.external.text import Text
from spinplane.machine.external.verilog import CONSTANTS, combined, inverted

#: Characters and parentheses in one another that a function may have; those of libraries have some hundred and five.
_LONGEST, _MOST_DEPTH = 10_000, 50
_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|[01]|[!'^&*|+()])")


_OPERATORS: dict[str, Callable[[int, int], int]] = {"^": xor, "&": and_, "|": or_}

Value = TypeVar("Value")


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
        If the function is not an expression over the inputs, is longer than 10 000 characters or nested more than 50
        deep.
    """
    indices = range(1 << len(inputs))
    ones = (1 << len(indices)) - 1
    columns = {name: sum(1 << i for i in indices if i >> bit & 1) for bit, name in enumerate(inputs)}
    return _Parser(function, columns | {"0": 0, "1": ones}, ones.__xor__, _OPERATORS).parse()


def verilog_expression(function: str, words: Mapping[PinName, Text]) -> Text:
    """A Liberty function as a Verilog expression, all of it in parentheses.

    Parameters
    ----------
    function : str
    words : mapping of PinName to Text
        What stands in Verilog for each name.

    Raises
    ------
    ValueError
        As `truth_table`.
    """
    values: dict[str, Text] = {str(name): text for name, text in words.items()} | CONSTANTS
    operators = {operator: partial(combined, operator) for operator in "^&|"}
    return _Parser(function, values, inverted, operators).parse()


def evaluator(function: str, inputs: Sequence[str]) -> Callable[[Sequence[int], int], int]:
    """A Liberty function of whole numbers, each bit of which is a case of its own.

    Parameters
    ----------
    function : str
    inputs : sequence of str
        Names of the inputs.

    Returns
    -------
    callable
        Of the inputs' numbers in their order, and of the number with a one in each bit that counts.

    Raises
    ------
    ValueError
        As `truth_table`.
    """
    return _evaluator(function, tuple(inputs))


@cache
def _evaluator(function: str, inputs: tuple[str, ...]) -> Callable[[Sequence[int], int], int]:
    names: dict[str, _Function] = {name: partial(_input, at) for at, name in enumerate(inputs)}
    constants: dict[str, _Function] = {"0": lambda values, ones: 0, "1": lambda values, ones: ones}
    operators = {symbol: partial(_joined, operator) for symbol, operator in _OPERATORS.items()}
    return _Parser(function, names | constants, lambda term: partial(_inverse, term), operators).parse()


_Function = Callable[[Sequence[int], int], int]


def _input(at: int, values: Sequence[int], ones: int) -> int:
    return values[at]


def _inverse(term: _Function, values: Sequence[int], ones: int) -> int:
    return ones ^ term(values, ones)


def _joined(operator: Callable[[int, int], int], left: _Function, right: _Function) -> _Function:
    return lambda values, ones: operator(left(values, ones), right(values, ones))


class _Parser(Generic[Value]):
    """Puts a function together of what stands for its names, an inversion and the operators ``^``, ``&`` and ``|``."""

    def __init__(
        self,
        function: str,
        values: Mapping[str, Value],
        invert: Callable[[Value], Value],
        operators: Mapping[str, Callable[[Value, Value], Value]],
    ) -> None:
        self.function = function
        self.values = values
        self.invert = invert
        self.operators = operators
        self.depth = 0
        if len(function) > _LONGEST:
            raise ValueError(f"function {function:.40}…: longer than {_LONGEST} characters")
        self.tokens: list[str] = []
        position = 0
        text = function.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"function {function!r}: unexpected {text[position:]!r}")
            self.tokens.append(match[1])
            position = match.end()

    def parse(self) -> Value:
        value = self._or()
        if self.tokens:
            raise ValueError(f"function {self.function!r}: unexpected {self.tokens[0]!r}")
        return value

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _or(self) -> Value:
        value = self._and()
        while self._next() in ("|", "+"):
            self.tokens.pop(0)
            value = self.operators["|"](value, self._and())
        return value

    def _and(self) -> Value:
        value = self._xor()
        while self._next() not in ("", "|", "+", ")"):
            if self._next() in ("&", "*"):
                self.tokens.pop(0)
            value = self.operators["&"](value, self._xor())
        return value

    def _xor(self) -> Value:
        value = self._term()
        while self._next() == "^":
            self.tokens.pop(0)
            value = self.operators["^"](value, self._term())
        return value

    def _term(self) -> Value:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise ValueError(f"function {self.function:.40}…: nested more than {_MOST_DEPTH} deep")
        value = self._inner()
        self.depth -= 1
        return value

    def _inner(self) -> Value:
        token = self.tokens.pop(0) if self.tokens else "its end"
        if token == "!":
            return self.invert(self._term())
        if token == "(":
            value = self._or()
            if self._next() != ")":
                raise ValueError(f"function {self.function!r}: missing ')'")
            self.tokens.pop(0)
        elif token in self.values:
            value = self.values[token]
        else:
            raise ValueError(f"function {self.function!r}: unexpected {token!r}")
        while self._next() == "'":
            self.tokens.pop(0)
            value = self.invert(value)
        return value
