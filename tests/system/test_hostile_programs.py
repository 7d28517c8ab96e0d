# amaranth: UnusedElaboratable=no
"""Hostile programs: those that are drawn, what the functional machine says of them, and what the RTL does with them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral import Accelerator
from spinplane.machine.registers import Error
from spinplane.sim.benches.host.hostile_cases import Disturbance, HostileProgram, load_programs, save_programs
from spinplane.sim.runner import BenchFailure
from tests.campaigns import hostile_programs as campaign
from tests.hostile_programs import hostile_program

TENTH = range(0, campaign.CASES // 10, campaign.CHUNK)


def drawn(seeds: range) -> list[HostileProgram]:
    good = campaign.good_case().program
    return [hostile_program(campaign.TINY, good, seed) for seed in seeds]


@pytest.mark.thorough
@pytest.mark.parametrize("first", TENTH)
def test_no_program_hangs_or_leaves_a_trace(first: int) -> None:
    seeds = range(first, first + campaign.CHUNK)
    seen = campaign.run(seeds)
    assert seen["good runs afterwards"] == campaign.CHUNK
    ended = {name.removeprefix("ends with ") for name in seen if name.startswith("ends with ")}
    judged = {
        Error(program.judgement.error).name
        for program in drawn(seeds)
        if program.disturbance is Disturbance.NOTHING and not program.layers
    }
    assert ended >= judged | {"NONE", "FIELD", "ROW", "IMAGE_BANK", "KERNEL_BANK", "ABORTED", "MACHINE"}


@pytest.mark.thorough
def test_on_icarus() -> None:
    assert campaign.run(range(8), "icarus")["good runs afterwards"] == 8


def test_every_error_and_every_disturbance_is_drawn() -> None:
    programs = drawn(range(2000))
    errors = {Error(program.judgement.error) for program in programs}
    # The others are those of layers that run, and of an abort.
    assert errors == set(Error) - {Error.ABORTED, Error.PARAMETER_BANK}
    assert {program.disturbance for program in programs} == set(Disturbance)
    taken = Counter(bool(program.layers) for program in programs)
    assert min(taken.values()) > 500


def test_programs_without_a_layer_are_judged_as_the_functional_machine_does() -> None:
    checked = Counter[Error]()
    for program in drawn(range(1500)):
        if program.layers:
            continue
        accelerator = Accelerator(campaign.TINY)
        accelerator.program[program.first :][: len(program.words)] = program.words
        # Cells that nobody has written would stop a memory operation.
        cells = np.zeros((campaign.TINY.rows, campaign.TINY.columns), dtype=np.uint8)
        for rows in range(campaign.TINY.rows):
            accelerator.state.array.write_rows(slice(0, campaign.TINY.sub_arrays), [rows], cells[rows])
        run = accelerator.run(program.first)
        judged = program.judgement
        assert (run.error, run.error_descriptor, run.error_word) == (
            judged.error,
            judged.descriptor,
            judged.word,
        )
        checked[run.error] += 1
    assert len(checked) >= 9


def test_files_of_programs(tmp_path: Path) -> None:
    programs = drawn(range(20))
    save_programs(tmp_path / "programs.npz", programs)
    for program, again in zip(programs, load_programs(tmp_path / "programs.npz"), strict=True):
        assert program.words.tolist() == again.words.tolist()
        assert vars(program) | {"words": None} == vars(again) | {"words": None}


def test_the_bench_tells_another_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    def misjudged(*arguments: object) -> HostileProgram:
        program = hostile_program(*arguments)  # type: ignore[arg-type]
        word = program.judgement.word + 1
        return replace(
            program,
            disturbance=Disturbance.NOTHING,
            judgement=replace(program.judgement, word=word),
        )

    monkeypatch.setattr(campaign, "hostile_program", misjudged)
    with pytest.raises(BenchFailure, match=r"program \d+, NOTHING: \(<Error\.\w+: \d+>, \d+, \d+\), not "):
        campaign.run(range(20))
