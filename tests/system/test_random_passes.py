"""Random passes are legal, draw all that an output stage does, and give codes that tell one value from another."""

from collections import Counter
from dataclasses import replace

import contract_interpreter
import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, random_pass
from contract_interpreter import Interpreter
from contract_output import code_of, cycles_to_last_write, least_interval, multiplier_cycles

from spinplane.machine import Rounding
from spinplane.machine.codec import decode, encode
from spinplane.machine.descriptor import Pool
from spinplane.machine.passes import Pass

PASSES = [random_pass(FEW, seed) for seed in range(300)]
FEATURES = (
    "multiplies",
    "float_scale",
    "residual",
    "own_code",
    "multiplies_total",
    "table",
    "level_shift",
    "raw",
)


@pytest.mark.parametrize("lanes_per_multiplier", [1, 4, 16])
def test_the_machine_takes_them_and_their_times_are_those_of_the_text(lanes_per_multiplier: int) -> None:
    machine = replace(FEW, sub_arrays=16, results_per_cycle=16, multipliers=16 // lanes_per_multiplier)
    passes = [random_pass(machine, seed, clusters=0) for seed in range(200)]
    for n in [*PASSES, *passes]:
        assert decode(encode(n), n.machine) == n
        assert n.interval >= n.least_interval == least_interval(n)
        assert n.multiplier_cycles == multiplier_cycles(n)
        assert n.last_write_cycles == cycles_to_last_write(n)


def test_all_features_are_drawn() -> None:
    for feature in FEATURES:
        assert {bool(getattr(n, feature)) for n in PASSES} == {False, True}, feature
    for name, options in {"rounding": Rounding, "own_rounding": Rounding, "pool": Pool}.items():
        assert {getattr(n, name) for n in PASSES} == set(options)
    added = {(n.residual, n.own_code, n.multiplies_total) for n in PASSES}
    assert added == {(r, o, t) for r in (False, True) for o in (False, True) for t in {False, o}}
    searched = {(n.search_reads, n.multiplies, n.table) for n in PASSES if not n.raw}
    assert searched == {(reads, m, t) for reads in range(5) for m in (False, True) for t in (False, True)}
    assert {n.out_planes for n in PASSES} == set(range(1, 9))
    assert any(n.residual and n.residual_base == n.out_base + n.out_first_bit for n in PASSES)


@pytest.mark.thorough
def test_their_codes_are_not_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []

    def seen(*arguments: object) -> int:
        found.append(code_of(*arguments))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(contract_interpreter, "code_of", seen)
    varied = Counter[str]()
    for seed, n in enumerate(PASSES[:200]):
        found.clear()
        Interpreter(FEW, **fill_banks(FEW, seed)).run_pass(n)
        stored = np.unique([code % (1 << n.out_planes) for code in found])
        varied.update({name: len(stored) > 2 for name in kinds(n)})
    assert min(varied.values()) >= 4, varied


def kinds(n: Pass) -> list[str]:
    """What a pass is of."""
    named = [name for name in FEATURES if getattr(n, name) and name != "raw"]
    return [] if n.raw else [*named, f"{n.search_reads} reads", n.pool.name]
