"""What `make mutants` draws: mutations that a program can have, always the same, with tests for each."""

import importlib
import json
from pathlib import Path
from textwrap import dedent

import pytest

from tools.mutants.changes import Change, place_of
from tools.mutants.footprints import Footprints
from tools.mutants.operators import AMARANTH, OPERATORS, mutate, mutations
from tools.mutants.page import page
from tools.mutants.plan import ROOT, Mutant, PlaceNames, Plan, is_a_program
from tools.mutants.trees import Verdict

HARDWARE = """\
with m.If(self.start & ~busy):
    m.d.sync += [a.eq(Mux(c, f(1, 2), 3)), b.eq(0)]
"""


@pytest.mark.parametrize(
    ("operator", "occurrence", "line"),
    [
        ("DropAssignment", 0, "    m.d.sync += [[], b.eq(0)]"),
        ("DropAssignment", 1, "    m.d.sync += [a.eq(Mux(c, f(1, 2), 3)), []]"),
        ("NegateCondition", 0, "with m.If((self.start & ~busy) == 0):"),
        ("SwapArms", 0, "    m.d.sync += [a.eq(Mux(c, 3, f(1, 2))), b.eq(0)]"),
    ],
)
def test_operators_of_amaranth(operator: str, occurrence: int, line: str) -> None:
    changed = mutate(HARDWARE, operator, occurrence).splitlines()
    assert [new for new, old in zip(changed, HARDWARE.splitlines(), strict=True) if new != old] == [line]


def test_every_place_is_found_once_for_each_operator() -> None:
    found = [(name, occurrence) for _, name, occurrence in mutations(HARDWARE, AMARANTH)]
    assert found == [
        ("DropAssignment", 0),
        ("DropAssignment", 1),
        ("NegateCondition", 0),
        ("SwapArms", 0),
    ]


def test_annotations_stay() -> None:
    code = dedent(
        """\
        width: int | None = 3
        def f(a: int | None, *, b: "x - y" = 4 - 1) -> int | str:
            return a + b
        """
    )
    for (line, column), name, occurrence in (
        (start, name, occurrence) for (start, _), name, occurrence in mutations(code, OPERATORS)
    ):
        assert code.splitlines()[line - 1][column] in "34-1+*", (line, column, name)
        changed = mutate(code, name, occurrence)
        assert changed != code
    assert is_a_program(code)
    assert not is_a_program("def f(a, /, /): pass")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan()


def test_named_faults_are_of_text_that_is_there(plan: Plan) -> None:
    named = plan.named()
    assert len({mutant.key for mutant in named}) == len(named) >= 20
    assert all(is_a_program(mutant.text) for mutant in named)


def test_every_file_of_rtl_has_tests(plan: Plan) -> None:
    for sample in plan.samples:
        assert len(plan.files(sample)) > 50
        for file in plan.files(sample):
            stages = plan.stages(file)
            paths = [Path(ROOT / word) for stage in stages for word in stage if word.startswith("tests/")]
            assert paths or sample == "python"
            assert all(path.exists() for path in paths), file


def places_of(text: str) -> set[str]:
    names = PlaceNames("f.py", text)
    return {names.of(position) for position, *_ in mutations(text, OPERATORS)}


def test_a_place_keeps_its_name_while_its_line_stays() -> None:
    own = places_of("x = a + b + 1\n")
    assert len(own) == 3
    moved = places_of("if a:\n    y = 2\n    x = a + b + 1\n    x = a + b + 1\n")
    assert own < moved
    assert len(moved) == 2 * len(own) + 2
    assert own.isdisjoint(places_of("x = a - b + 1\n"))


def test_a_unit_is_met_by_its_own_bench_first(plan: Plan) -> None:
    assert plan.stages("hdl/array/shifter.py")[0] == [
        "tests/hdl/array/test_shifter.py",
        "-k",
        "not verilator",
    ]


def test_tests_that_run_the_function_of_a_line(tmp_path: Path) -> None:
    text = dedent(
        """\
        TOP = 1

        class A:
            @property
            def a(self):
                def inner():
                    return 1
                return inner

        def b():
            return 2
        """
    )
    path = tmp_path / "footprints.json"
    tests = {"slow": (2.0, [0]), "fast": (1.0, [0, 1]), "other": (0.5, [2]), "too slow": (500.0, [0, 1])}
    path.write_text(json.dumps({"functions": ["m.py:A.a", "m.py:b", "n.py:A.a"], "tests": tests}))
    footprints = Footprints(path)
    assert footprints.tests("m.py", text, 7) == ["fast", "slow"]
    assert footprints.tests("m.py", text, 11) == ["fast"]
    assert footprints.tests("m.py", text, 1) == ["fast", "slow"]


def test_the_page_counts_what_lives(plan: Plan) -> None:
    def mutant(text: str) -> Mutant:
        return Mutant(
            sample="python", file="machine/x.py", line=3, operator="", before="a | b", after=text, text=text
        )

    dead, alive, waiting = (mutant(text) for text in ("a & b", "a ^ b", "a + b"))
    outcomes = {
        dead.key: Verdict(killed_by="tests/t.py::test", message="", stage=1),
        alive.key: Verdict(killed_by="", message="", stage=2),
    }
    text = page(plan, {"named": [], "python": [dead, alive, waiting]}, outcomes)
    assert "| python | 3 | 2 | 1 | 50.0 % |" in text
    assert r"| machine/x.py:3 | `` a \| b `` | `` a ^ b `` | ? |" in text
    assert "| tests/t.py | 1 |" in text


SOUND = """\
from functools import cache

LIMIT = 2

class A:
    @property
    def a(self):
        return [n + 1 for n in range(2)]

    def b(self, most=3):
        return most

@cache
def c():
    return 1
"""


@pytest.mark.parametrize(
    ("before", "after", "functions"),
    [
        ("n + 1", "n - 1", {"A.a"}),
        ("return most", "return -most", {"A.b"}),
        ("return 1", "return True", {"c"}),
        ("LIMIT = 2", "LIMIT = 3", None),
        ("most=3", "most=4", None),
        ("@property", "", None),
    ],
)
def test_what_differs(tmp_path: Path, before: str, after: str, functions: set[str] | None) -> None:
    change = Change.of(tmp_path / "m.py", SOUND, SOUND.replace(before, after))
    found = None if change.functions is None else {name for _, name, _ in change.functions}
    assert found == functions


def test_functions_are_changed_in_a_program_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mutated_module.py"
    path.write_text(SOUND)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("mutated_module")
    change = Change.of(path, SOUND, SOUND.replace("return 1", "return 5").replace("n + 1", "n"))
    assert change.fits([])
    assert not change.fits([place_of(module.c.__wrapped__.__code__)])
    change.make()
    assert module.c() == 5
    assert module.A().a == [0, 1]
    # Nothing has the place of a function that the module has lost.
    del module.c
    assert not Change.of(path, SOUND, SOUND.replace("return 1", "return 5")).fits([])
