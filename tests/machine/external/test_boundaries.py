"""Other programs start in one place, without a shell; what they read is made of constants and checked words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHIPPED = ("api", "behavioral", "compiler", "device", "hdl", "machine", "physical", "sim", "training")
#: Modules that start processes, or load code of a file.
STARTING = {
    "subprocess",
    "pty",
    "popen2",
    "commands",
    "multiprocessing",
    "ctypes",
    "cffi",
    "runpy",
    "shelve",
    "marshal",
}
CALLS = re.compile(
    r"(os\.(system|popen|exec\w+|spawn\w+|posix_spawn\w*|fork\w*|startfile)|\w*\.create_subprocess_\w+|eval|exec|compile)$"
)
MODES = {f"{way}{more}" for way in "rwax" for more in ("", "b", "t", "+", "b+", "+b")}
#: What is exempt, with the reason.
EXEMPT = {
    ("api/tasks/cores.py", "multiprocessing"): "functions of the package, on values of its own",
    ("machine/external/process.py", "subprocess"): "the one place",
    ("training/train.py", "pickle"): "for its error alone",
}


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_one_module_starts_processes() -> None:
    found = {
        (path, name)
        for path, tree in sources(*SHIPPED)
        for name in imported(tree) & (STARTING | {"pickle"})
        if (path, name) not in EXEMPT
    }
    assert found == set()


def test_temporary_folders_are_made_in_one_place() -> None:
    """What `tempfile` makes stays behind when the process is killed, or interrupted while it removes it."""
    found = {path for path, tree in sources(*SHIPPED) if "tempfile" in imported(tree)}
    # Two probe or replace the cache's folder; a bench's run stays for a day; what a user asked for stays for good.
    assert found == {
        *("machine/files.py", "machine/external/cache_folder.py", "sim/runner.py"),
        "api/command_line/options.py",
    }


def test_one_function_writes_files() -> None:
    """It names the file that a full disk cuts. A log, to which programs write, is opened beside it.

    A bench within a simulator writes what another process waits for.
    """
    found = {
        (path, name.rpartition(".")[2])
        for path, tree in sources(*SHIPPED)
        for name, call in calls(tree)
        if name.endswith((".write_text", ".write_bytes", ".open", ".fdopen")) or name == "open"
        if not name.endswith("open") or {"w", "a", "x", "+"}.intersection(mode_of(call))
    }
    assert found == {
        ("machine/files.py", "write_bytes"),
        ("machine/external/process.py", "open"),
        ("sim/benches/host/bench_hostile_programs.py", "write_text"),
    }


def mode_of(call: ast.Call) -> str:
    """The first word of a call that could be the mode in which it opens a file."""
    words = [
        node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return next((word for word in words if word in MODES), "")


def test_nothing_else_runs_text() -> None:
    found = [
        (path, name) for path, tree in sources(*SHIPPED) for name, _ in calls(tree) if CALLS.fullmatch(name)
    ]
    assert found == []


def keywords(*folders: str) -> Iterator[tuple[str, str, str]]:
    for path, tree in sources(*folders):
        for _, call in calls(tree):
            for keyword in call.keywords:
                yield path, str(keyword.arg), ast.unparse(keyword.value)


def test_nothing_calls_a_shell() -> None:
    found = [path for path, key, _ in keywords(*SHIPPED, "benchmarks", "tools", "tests") if key == "shell"]
    # Which shell it completes for.
    assert found == ["api/command_line/names.py"]


def test_arrays_are_not_unpickled() -> None:
    found = [path for path, key, value in keywords(*SHIPPED) if key == "allow_pickle" and value != "False"]
    assert found == []


def is_constant(node: ast.expr, constants: set[str]) -> bool:
    """Whether a template is text of the program alone: literals and the module's constants."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.Name):
        return node.id in constants
    if isinstance(node, ast.Subscript):
        return is_constant(node.value, constants)
    if isinstance(node, ast.IfExp):
        return is_constant(node.body, constants) and is_constant(node.orelse, constants)
    if isinstance(node, ast.JoinedStr):
        return all(
            isinstance(part, ast.Constant)
            or (isinstance(part, ast.FormattedValue) and not calls_of(part, constants))
            for part in node.values
        )
    return False


def calls_of(part: ast.FormattedValue, constants: set[str]) -> set[str]:
    """Names in a part of a formatted template that are not constants of the module."""
    value = part.value.value if isinstance(part.value, ast.Subscript) else part.value
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} - constants


def constants_of(tree: ast.Module) -> set[str]:
    """Module-level names in capitals, assigned once."""
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return {name for name in names if name.isupper() and names.count(name) == 1}


def test_templates_are_constants() -> None:
    checked = 0
    for path, tree in sources(*SHIPPED):
        for name, call in calls(tree):
            if name == "fill":
                assert is_constant(call.args[0], constants_of(tree)), f"{path}: {ast.unparse(call)}"
                checked += 1
    assert checked > 30


@pytest.mark.parametrize(
    "call",
    [
        "fill(text)",
        "fill(f'{name}')",
        "fill('a' + b)",
        "fill(read())",
        "fill(f'{T}{x}')",
        "fill(f'{T.format(y)}')",
    ],
)
def test_a_template_that_is_read_is_found(call: str) -> None:
    tree = ast.parse(f"T = 'x'\n{call}")
    (_, found) = next(calls(tree))
    assert not is_constant(found.args[0], constants_of(tree))


def test_text_is_made_in_its_module_alone() -> None:
    for path, tree in sources(*SHIPPED):
        if path != "machine/external/text.py":
            assert "str.__new__" not in {name for name, _ in calls(tree)} or path == "machine/names.py", path
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    assert "_text" not in {alias.name for alias in node.names}, path
