"""The groups of a Liberty file and their attributes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from spinplane.machine import PinName, SpinplaneError
from spinplane.machine.errors import shown

# A comment without an end has the rest of the file.
_TOKEN = re.compile(r'/\*.*?(?:\*/|\Z)|//[^\n]*|\\\s*\n|"[^"]*"|[{}();:,]|[^\s{}();:,"]+', re.DOTALL)
_BRACE = re.compile(r'/\*.*?(?:\*/|\Z)|"[^"]*"|[{}]', re.DOTALL)
_MOST_STATEMENTS, _MOST_WORDS = 1 << 20, 1 << 12
#: Groups in one another, of those that are read: a library, its cells and their pins, and some more.
_MOST_DEPTH = 8


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group: what stands before its parentheses and in them, its attributes, and the groups in it.

    Parameters
    ----------
    kind : str
    name : str
        The first of its names; empty if it has none.
    names : tuple of str
    attributes : dict of str to str
        Of several with one name the first.
    groups : tuple of Group
    """

    kind: str
    name: str
    names: tuple[str, ...]
    attributes: Mapping[str, str]
    groups: "tuple[Group, ...]"


class Reader:
    """Reads groups of some kinds and their attributes; of `timing` that it is there; of others their end.

    Parameters
    ----------
    text : str
    kinds : mapping of str to type
        Of the groups, with the kind of their names.
    lists : bool
        Whether to read attributes that are lists, as tables are; else simple ones alone.

    Raises
    ------
    SpinplaneError
        By `library`, if the text is not Liberty, or larger or deeper than any library.
    """

    def __init__(self, text: str, kinds: "Mapping[str, type[PinName]]", *, lists: bool = False) -> None:
        self.text = text
        self.kinds = kinds
        self.lists = lists
        self.position = 0
        self.statements = 0
        self.depth = 0

    def library(self) -> Group:
        """The one group of the text."""
        for token in self._tokens():
            if token != "library":
                break
            statement = self._statement(token)
            if isinstance(statement, Group):
                return statement
            break
        raise SpinplaneError("not a Liberty file: it does not begin with 'library (NAME) {'")

    def _tokens(self) -> Iterator[str]:
        while match := _TOKEN.search(self.text, self.position):
            self.position = match.end()
            token = match[0]
            if not token.startswith(("/*", "//", "\\")):
                yield token

    def _statement(self, name: str) -> "Group | tuple[str, str] | None":
        """What begins with `name`: a group, an attribute, or None for what is of no interest here."""
        words: list[str] = []
        self.statements += 1
        if self.statements > _MOST_STATEMENTS:
            raise SpinplaneError(f"has more than {_MOST_STATEMENTS} groups and attributes")
        for token in self._tokens():
            if len(words) > _MOST_WORDS:
                raise SpinplaneError(f"{shown(name)} has more than {_MOST_WORDS} words")
            if token == "{":
                if self.depth == _MOST_DEPTH:
                    raise SpinplaneError(f"{shown(name)}: nested more than {_MOST_DEPTH} deep")
                self.depth += 1
                group = self._group(name, [word.strip('"') for word in words if word not in "(),:"])
                self.depth -= 1
                return group
            if token == ";":
                break
            if token == "}":  # of the group: the last semicolon is missing
                self.position -= 1
                break
            if token == ")" and self._ends_line():
                return self._list(name, words)
            words.append(token)
        if words[:1] == [":"]:
            return name, " ".join(words[1:]).strip('"')
        return self._list(name, words)

    def _list(self, name: str, words: list[str]) -> tuple[str, str] | None:
        """An attribute in parentheses, its parts joined; None where these are not read."""
        if not self.lists or words[:1] != ["("]:
            return None
        return name, ", ".join(word.strip('"') for word in words if word not in "(),")

    def _ends_line(self) -> bool:
        """Whether a complex attribute ends here without its semicolon, as some files have it."""
        rest = self.text[self.position : self.position + 200].lstrip(" \t")
        return rest.startswith(("\n", "\r")) and not rest.lstrip().startswith(("{", ";"))

    def _group(self, kind: str, names: list[str]) -> "Group | None":
        if kind not in self.kinds:
            self._skip(f"{kind} ({', '.join(names)})")
            return Group(kind=kind, name="", names=(), attributes={}, groups=()) if kind == "timing" else None
        for name in names:
            self.kinds[kind](name, kind)
        if kind == "cell" and len(names) != 1:
            raise SpinplaneError(f"cell ({', '.join(names):.60}): must have one name")
        name = names[0] if names else ""
        attributes: dict[str, str] = {}
        groups: list[Group] = []
        for token in self._tokens():
            if token == "}":
                return Group(
                    kind=kind, name=name, names=tuple(names), attributes=attributes, groups=tuple(groups)
                )
            if token == ";":
                continue
            statement = self._statement(token)
            if isinstance(statement, Group):
                groups.append(statement)
            elif statement is not None:
                attributes.setdefault(*statement)
        raise SpinplaneError(f"ends inside {kind} ({name})")

    def _skip(self, group: str) -> None:
        depth = 1
        while match := _BRACE.search(self.text, self.position):
            self.position = match.end()
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if not depth:
                return
        raise SpinplaneError(f"ends inside {shown(' '.join(group.split()))[1:-1]}")
