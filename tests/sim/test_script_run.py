"""Scripts that are played leave the log of what failed, and nothing of what did not."""

from pathlib import Path
from typing import Any

import pytest

from spinplane.machine import load_machine
from spinplane.sim import script_run
from spinplane.sim.runner import BenchFailure
from spinplane.sim.script_run import play_script


def test_the_log_that_an_error_names_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, run_folder: Path, **__: Any) -> None:
        run_folder.mkdir()
        (run_folder / "log.txt").write_text("said before it died\n")
        raise BenchFailure(f"died (log: {run_folder / 'log.txt'})")

    monkeypatch.setattr(script_run, "run_bench", die)
    monkeypatch.setattr(script_run, "accelerator_sources", lambda *_: {})
    with pytest.raises(BenchFailure) as error:
        play_script(load_machine("tiny"), [], simulator="icarus", build_root=tmp_path)
    log = Path(str(error.value).removeprefix("died (log: ").removesuffix(")"))
    assert log.read_text() == "said before it died\n"
    assert log.parent.parent.parent == tmp_path / "runs"


def test_a_run_that_went_well_leaves_nothing(tmp_path: Path) -> None:
    play_script(load_machine("tiny"), [], simulator="amaranth", build_root=tmp_path)
    assert list((tmp_path / "runs").iterdir()) == []
