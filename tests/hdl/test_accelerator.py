# amaranth: UnusedElaboratable=no
"""The accelerator as a block of a hostile chip: whatever happens to it, the next run is as ever."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral import accelerator as functional
from spinplane.behavioral import program_plan
from spinplane.machine import AcceleratorCounters, Machine
from spinplane.machine.descriptor import DESCRIPTOR_FIELDS
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error
from spinplane.sim.benches.host.bus_cases import CASES_VARIABLE, NetworkCase, WrongWord, save_cases
from tests.accelerator_benches import run_accelerator_bench
from tests.networks_on_rtl import input_codes
from tests.system.test_accelerator_networks import SLOW, TINY, compiled_networks

#: Its pulses are longer than the fetch of two descriptors, and its banks end within a page of the bus.
LONG = Machine(
    name="long",
    sub_arrays=2,
    rows=64,
    columns=512,
    segments=2,
    row_buses=2,
    results_per_cycle=2,
    sense_cycles=16,
    write_cycles=64,
    image_words=1002,
    kernel_words=500,
    parameter_beats=100,
    threshold_beats=100,
    descriptors=20,
)
PLACES = {"tiny": (3, 11), "slow": (3, 11), "long": (10, 5)}


@cache
def network_cases(machine: Machine) -> list[NetworkCase]:
    compiled = compiled_networks(machine, 12)
    chosen = [compiled[place] for place in PLACES[machine.name]]
    return [NetworkCase.of(program, input_codes(program, inputs)) for _, program, inputs in chosen]


class NoSchedule:
    """What is done for a pass that nobody looks at."""

    span = (0, 0)

    def __init__(self, layer_pass: Pass) -> None:
        self.layer_pass = layer_pass

    def counters(self, *, loads: bool) -> AcceleratorCounters:
        return AcceleratorCounters()


def wrong_words(cases: list[NetworkCase], count: int, monkeypatch: pytest.MonkeyPatch) -> list[WrongWord]:
    """Random words of random descriptors; what each is refused for if no pass is looked at."""
    rng = np.random.default_rng(7)
    words = []
    with monkeypatch.context() as patch:
        patch.setattr(program_plan, "check_kernels", lambda *_, **__: None)
        patch.setattr(program_plan, "Schedule", NoSchedule)
        patch.setattr(functional.Accelerator, "_run_pass", lambda *_: None)
        for _ in range(count):
            network = int(rng.integers(len(cases)))
            program = cases[network].program
            descriptor = int(rng.integers(len(program.descriptors)))
            word = int(rng.integers(len(DESCRIPTOR_FIELDS)))
            field, old = DESCRIPTOR_FIELDS[word], int(program.descriptors[descriptor, word])
            values = [0, 1, field.largest, field.smallest, field.largest + 1, int(rng.integers(1 << 32))]
            values += [int(rng.integers(field.smallest, field.largest + 1)), old + 1, old - 1, old ^ 1 << 31]
            value = values[rng.integers(len(values))] & 0xFFFFFFFF
            accelerator = functional.Accelerator(program.machine)
            accelerator.load(program)
            accelerator.program[descriptor, word] = value
            run = accelerator.run()
            words.append(
                WrongWord(
                    network=network,
                    descriptor=descriptor,
                    word=word,
                    value=value,
                    error=int(run.error) if run.error is not Error.NONE else -1,
                    error_descriptor=run.error_descriptor,
                    error_word=run.error_word,
                )
            )
    return words


def run(
    machine: Machine, simulator: str, folder: Path, testcase: list[str], wrong: list[WrongWord] | None = None
) -> None:
    cases = folder / "cases"
    cases.mkdir()
    save_cases(cases, network_cases(machine), wrong or [])
    environment = {CASES_VARIABLE: str(cases)}
    outcome = run_accelerator_bench(
        "host.bench_accelerator_bus", machine, simulator, folder, environment, testcase
    )
    assert outcome.tests == len(testcase)


ALL = [
    "stalls_on_every_channel",
    "programs_change_places",
    "interrupts",
    "addresses_of_nothing",
    "accesses_while_busy",
    "resets_at_any_time",
    "aborts_at_any_time",
    "programs_without_a_header_or_an_end",
]


@pytest.mark.parametrize("name", ALL)
def test_tiny_survives(name: str, tmp_path: Path) -> None:
    run(TINY, "verilator", tmp_path, [name])


@pytest.mark.thorough
@pytest.mark.parametrize("machine", [SLOW, LONG], ids=lambda machine: machine.name)
def test_pulses_of_several_cycles(machine: Machine, tmp_path: Path) -> None:
    run(machine, "icarus", tmp_path, ["resets_at_any_time", "aborts_at_any_time"])


def test_banks_that_end_within_a_page(tmp_path: Path) -> None:
    run(LONG, "icarus", tmp_path, ["addresses_of_nothing"])


@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.thorough)])
def test_wrong_words(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = wrong_words(network_cases(TINY), count, monkeypatch)
    run(TINY, "verilator", tmp_path, ["wrong_words"], wrong)
