"""Copies of the tree in which mutants are tested."""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .footprints import TESTS
from .plan import ROOT, Mutant
from .processes import MOST_SECONDS, PACKAGES, Collected, first_failure, run_tests


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What tests say of a mutant.

    Parameters
    ----------
    killed_by : str
        The test that fails, "" if none does.
    message : str
        Its last line.
    stage : int
        Number of stages that were run.
    """

    killed_by: str
    message: str
    stage: int


class Tree:
    """A copy of what git knows, under its import names, with a build folder of its own.

    Parameters
    ----------
    folder : Path
        Made anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._link_packages()
        self._changes = 0
        self._collected: Collected | None = None

    def _link_packages(self) -> None:
        """Links to the packages and their data under their import names."""
        table = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
            "setuptools"
        ]
        for package, source in sorted(table["package-dir"].items()):
            place = self.folder / PACKAGES / package.replace(".", "/")
            place.mkdir(parents=True)
            for path in (self.folder / source).iterdir():
                (place / path.name).symlink_to(path)

    def judge(self, mutant: Mutant, stages: Sequence[Sequence[str]], chosen: Sequence[str] = ()) -> Verdict:
        """Run the chosen tests of a mutant and then stage after stage, up to the first that fails."""
        if chosen and self._collected is None:
            self._collected = Collected(self.folder, TESTS)
        number = 0
        with self._changed(mutant) as sound:
            for number, failed in enumerate(self._outcomes(mutant, sound, stages, chosen), 1):
                if failed is not None:
                    return Verdict(killed_by=failed[0], message=failed[1], stage=number)
        return Verdict(killed_by="", message="", stage=number)

    def _outcomes(
        self, mutant: Mutant, sound: str, stages: Sequence[Sequence[str]], chosen: Sequence[str]
    ) -> Iterator[tuple[str, str] | None]:
        """The test that fails and its message, or None, of each stage."""
        if chosen:
            assert self._collected is not None
            # A fork, if that is as good as a process of its own.
            ended = self._collected.run(chosen, self.folder / mutant.file, sound, mutant.text)
            yield first_failure(chosen, *ended) if ended else self.failing(chosen)
        for stage in stages:
            yield first_failure(stage, *run_tests(self.folder, stage))

    @contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[str]:
        """The tree with a mutant in it; gives the text that it had."""
        path = self.folder / mutant.file
        sound, times = path.read_bytes(), path.stat()
        path.write_text(mutant.text, encoding="utf-8")
        # Compiled modules are known by the second of the change.
        self._changes += 1
        os.utime(path, (times.st_atime, times.st_mtime + self._changes))
        models = self._models()
        try:
            yield sound.decode()
        finally:
            path.write_bytes(sound)
            os.utime(path, (times.st_atime, times.st_mtime))
            self._forget(models)

    def _models(self) -> set[Path]:
        """What there is of compiled models."""
        return set((self.folder / "build" / "models").glob("*"))

    def _forget(self, models: set[Path]) -> None:
        """Remove models but for those, and all runs."""
        shutil.rmtree(self.folder / "build" / "runs", ignore_errors=True)
        for path in self._models() - models:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def failing(self, chosen: Sequence[str], seconds: int = MOST_SECONDS) -> tuple[str, str] | None:
        """The first of some tests that fails in a process of its own, and its message; None if all pass."""
        files = sorted({name.partition("::")[0] for name in chosen})
        return first_failure(chosen, *run_tests(self.folder, files, chosen, seconds=seconds))
