# amaranth: UnusedElaboratable=no
"""Faults put into the text of the output stage: its bench passes without them and fails with each."""

import inspect
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from amaranth.lib import wiring
from output_stage_mutants import MUTANTS, Mutant

from spinplane.hdl.common.bank import BANK, bank_model
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.output.activation import Activation
from spinplane.hdl.output.batch_norm import BatchNorm
from spinplane.hdl.output.limiter import Limiter
from spinplane.hdl.output.output_stage import OutputStage
from spinplane.hdl.output.pooling import Pooling
from spinplane.hdl.output.quantizer import Quantizer
from spinplane.hdl.output.window_correction import WindowCorrection
from spinplane.machine import Machine
from spinplane.sim import BenchRun, run_bench

#: Two lanes that share a multiplier.
SIZES: dict[str, Any] = {
    "name": "mutant",
    "sub_arrays": 2,
    "rows": 16,
    "columns": 32,
    "segments": 1,
    "results_per_cycle": 2,
    "multipliers": 1,
    "image_words": 1024,
    "parameter_beats": 128,
    "threshold_beats": 164,
    "pool_beats": 40,
}
WORDS = {"words": 200}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit with a bench.

    Parameters
    ----------
    build : callable
    parameters : dict
        Of the bench.
    differs : str
        Pattern of what the bench says when the unit gives something else than the golden model.
    """

    build: Callable[[], wiring.Component]
    parameters: dict[str, Any]
    differs: str


#: Faults of other units are found by the bench of the output stage.
UNITS: dict[type[wiring.Component], Unit] = {
    Quantizer: Unit(build=Quantizer, parameters={}, differs=r"\({'value': "),
    BatchNorm: Unit(build=BatchNorm, parameters={}, differs=r"\({'float_scale': "),
    Limiter: Unit(build=Limiter, parameters={}, differs=r"\("),
    Activation: Unit(build=lambda: Activation(**WORDS), parameters=WORDS, differs=r"\(Lane\("),
    Pooling: Unit(build=lambda: Pooling(Machine(**SIZES)), parameters=SIZES, differs=r"\d+$"),
    WindowCorrection: Unit(
        build=lambda: WindowCorrection(Machine(**SIZES)),
        parameters=SIZES,
        differs=r"assert \[-?\d+, -?\d+\] == \[",
    ),
    OutputStage: Unit(build=lambda: OutputStage(Machine(**SIZES)), parameters=SIZES, differs=r"Pass\("),
}


def bench(component: type[wiring.Component], test: str | None) -> BenchRun:
    unit = UNITS[component]
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", component.__name__).lower()
    return run_bench(
        f"spinplane.sim.benches.output.bench_{name}",
        {BANK: bank_model(), **verilog_modules(unit.build(), name)},
        name,
        simulator="icarus",
        testcase=test,
        environment={"BENCH_PARAMETERS": json.dumps(unit.parameters), "BENCH_EVERY": "8"},
    )


@pytest.mark.thorough
@pytest.mark.parametrize("component", UNITS, ids=lambda component: component.__name__)
def test_the_bench_passes_without_a_fault(component: type[wiring.Component]) -> None:
    assert bench(component, None).check().tests >= 1


@pytest.mark.thorough
@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_bench_finds(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[mutant.component.__module__]
    path = Path(str(module.__file__))
    text = path.read_text(encoding="utf-8")
    assert text.count(mutant.sound) == 1
    names = dict(vars(module))
    exec(compile(text.replace(mutant.sound, mutant.faulty), path, "exec"), names)
    for name, method in vars(names[mutant.component.__name__]).items():
        # What makes a component is the same, and knows its class.
        if inspect.isfunction(method) and name != "__init__":
            monkeypatch.setattr(mutant.component, name, method)
    component = mutant.component if mutant.component in UNITS else OutputStage
    message = bench(component, mutant.test).message
    assert re.match(f"AssertionError: (?:{mutant.found or UNITS[component].differs})", message), message
