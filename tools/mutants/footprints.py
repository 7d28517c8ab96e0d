"""What each test runs, function by function: a plugin of pytest, and the tests that a line of a file concerns.

`python -m tools.mutants --footprints` writes those of the fast tests without RTL to `build/mutants`. A mutant of a
function meets them before the stages of the plan.
"""

import ast
import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from types import CodeType, FrameType

import pytest

#: Where the plugin writes, and what it counts as the tree.
FILE_VARIABLE, TREE_VARIABLE = "SPINPLANE_FOOTPRINTS", "SPINPLANE_FOOTPRINT_TREE"
#: Tests whose modules are all of one language, and need no simulator.
TESTS = ["tests/machine", "tests/behavioral", "tests/compiler", "tests/api/commands", "tests/api/report"]
#: Processor time that the chosen tests of a mutant may take.
_MOST_SECONDS = 60.0
_NEARER = 20
#: Some tests are named by all the bytes of a file.
_LONGEST_NAME = 1000


class Recorder:
    """Notes the functions of a tree that each test calls."""

    def __init__(self, path: Path, tree: Path) -> None:
        self._path, self._tree = path, tree
        self._codes: dict[int, CodeType] = {}
        self._functions: dict[str, int] = {}
        self._tests: dict[str, tuple[float, list[int]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        # By their places in memory: code takes long to hash.
        codes = self._codes = {}

        def called(frame: FrameType, event: str, argument: object) -> None:
            if event == "call":
                codes[id(frame.f_code)] = frame.f_code

        start = time.process_time()
        sys.setprofile(called)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            names = {name for code in self._codes.values() if (name := self._name(code))}
            numbers = sorted(self._functions.setdefault(name, len(self._functions)) for name in names)
            if len(item.nodeid) <= _LONGEST_NAME:
                self._tests[item.nodeid] = (time.process_time() - start, numbers)

    def _name(self, code: CodeType) -> str:
        path = os.path.realpath(code.co_filename)
        if not path.startswith(f"{self._tree}/"):
            return ""
        file = path.removeprefix(f"{self._tree}/")
        outermost = code.co_qualname.partition(".<locals>")[0]
        return "" if file.startswith(("tests/", "build/")) else f"{file}:{outermost}"

    def pytest_sessionfinish(self) -> None:
        found = {"functions": list(self._functions), "tests": self._tests}
        self._path.write_text(json.dumps(found), encoding="utf-8")


class Chooser:
    """Runs the tests that are listed, in their order."""

    def __init__(self, listed: list[str]) -> None:
        self._listed = {name: number for number, name in enumerate(listed)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._listed),
            key=lambda item: self._listed[item.nodeid],
        )


def pytest_configure(config: pytest.Config) -> None:
    """Record, as the environment says where to."""
    if FILE_VARIABLE in os.environ:
        config.pluginmanager.register(
            Recorder(Path(os.environ[FILE_VARIABLE]), Path(os.environ[TREE_VARIABLE]))
        )


class Footprints:
    """Which tests run which function.

    Parameters
    ----------
    path : Path
        That a `Recorder` has written.
    """

    def __init__(self, path: Path) -> None:
        found = json.loads(path.read_text(encoding="utf-8"))
        self._functions: dict[str, int] = {name: number for number, name in enumerate(found["functions"])}
        self._tests: dict[str, tuple[float, list[int]]] = found["tests"]

    def tests(self, file: str, text: str, line: int) -> list[str]:
        """Tests that run the function of a line, as many as take `_MOST_SECONDS` together.

        Those that run anything of the file, if the line is of no function. Fast ones come first; those of the
        folder's own tests pass for `_NEARER` times as fast.
        """
        function = _function_of(text, line)
        wanted = {
            number
            for name, number in self._functions.items()
            if name == f"{file}:{function}" or (not function and name.startswith(f"{file}:"))
        }
        found = [(seconds, name) for name, (seconds, of) in self._tests.items() if not wanted.isdisjoint(of)]
        own = f"tests/{os.path.dirname(file)}/"
        found.sort(key=lambda test: (test[0] / _NEARER if test[1].startswith(own) else test[0], test[1]))
        ends = accumulate(seconds for seconds, _ in found)
        return [name for end, (_, name) in zip(ends, found, strict=True) if end <= _MOST_SECONDS]


def _function_of(text: str, line: int) -> str:
    """Qualified name of the outermost function around a line; "" if there is none."""

    def find(node: ast.AST, around: str) -> str:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                if first <= line <= (child.end_lineno or first):
                    name = f"{around}{child.name}"
                    return find(child, f"{name}.") if isinstance(child, ast.ClassDef) else name
        return ""

    return find(ast.parse(text), "")
