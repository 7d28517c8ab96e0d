"""Rules that the shipped code keeps when it reads and writes files."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Runs beside an export, without spinplane, and reads the file beside it.
ALONE = {"sim/exported/test_accelerator.py"}
#: A child process that runs what others wrote, and tells of any fault in one line.
CATCHES_ALL = {"compiler/judges/child.py"}


def shipped() -> Iterator[tuple[str, ast.Module]]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for folder in table["tool"]["setuptools"]["package-dir"].values():
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def places(found: type[ast.AST], wrong) -> set[str]:
    return {
        name for name, tree in shipped() for node in ast.walk(tree) if isinstance(node, found) and wrong(node)
    }


def test_arrays_are_read_by_one_reader():
    loads = {"load", "loads", "Unpickler", "loadmat", "fromfile", "memmap"}
    modules = {"np", "numpy", "pickle", "scipy"}

    def is_load(node: ast.Attribute) -> bool:
        return node.attr in loads and isinstance(node.value, ast.Name) and node.value.id in modules

    assert places(ast.Attribute, is_load) == ALONE


def test_no_fault_is_hidden():
    def is_broad(node: ast.ExceptHandler) -> bool:
        names = (
            {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else set()
        )
        return node.type is None or bool(names & {"Exception", "BaseException"})

    assert places(ast.ExceptHandler, is_broad) == CATCHES_ALL


def test_tables_are_read_by_one_reader():
    def is_read(node: ast.Attribute) -> bool:
        return (
            node.attr in ("load", "loads") and isinstance(node.value, ast.Name) and node.value.id == "tomllib"
        )

    assert places(ast.Attribute, is_read) <= {"machine/toml_files.py", "physical/liberty.py"}
