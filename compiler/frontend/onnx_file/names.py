"""Names from a file as messages and tables show them: on one line, short, and different from one another."""

from collections.abc import Iterable

_MOST_CHARACTERS = 60


def shown(name: str) -> str:
    """A name as it is, if it can be printed; long ones are cut, other characters escaped."""
    text = name if name.isprintable() else repr(name)[1:-1]
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def quoted(name: str) -> str:
    """The same in quotation marks."""
    return f"'{shown(name)}'"


def labels(nodes: Iterable[tuple[str, str, str]]) -> list[str]:
    """A label for each node, given its name, the type of its operator and its first output.

    That is its name. A node without one, or whose name others have, is told by its output: ``Conv (output 'x12')``.
    """
    given = list(nodes)
    often: dict[str, int] = {}
    for name, _, _ in given:
        often[shown(name)] = often.get(shown(name), 0) + 1
    found: dict[str, None] = {}
    for number, (name, operator, output) in enumerate(given):
        label = shown(name)
        if not name or often[label] > 1:
            label = f"{label or shown(operator)} (output {quoted(output)})"
        if label in found:
            label = f"{label} #{number}"
        found[label] = None
    return list(found)
