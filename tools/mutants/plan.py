"""The plan of a run of mutants: `tests/mutants.toml` fixes seed, files, tests; a sample of mutants follows from it."""

import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from .operators import AMARANTH, COSMIC_RAY, Position, means_the_same, mutate, mutations

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "tests" / "mutants.toml"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A file with one mutation.

    Parameters
    ----------
    sample : str
        To which it belongs.
    file : str
        From the root.
    line : int
    operator : str
    before, after : str
        The lines that differ.
    text : str
        The whole file.
    """

    sample: str
    file: str
    line: int
    operator: str
    before: str
    after: str
    text: str

    @property
    def key(self) -> str:
        """Its name in the results: another one as soon as the file differs."""
        return sha256(f"{self.file}\n{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Survivor:
    """Why a mutant lives: the lines by which it is known, and a reason; `equivalent` if it behaves as the file does."""

    file: str
    before: str
    after: str
    reason: str
    equivalent: bool = False


class Plan:
    """What `tests/mutants.toml` says: mutants that are named, and samples of those that can be drawn.

    Parameters
    ----------
    path : Path, optional
    """

    def __init__(self, path: Path = PLAN) -> None:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        self.seed: int = table["seed"]
        self.samples: dict[str, dict[str, Any]] = table["samples"]
        self._named: list[dict[str, str]] = table["named"]
        self.survivors = [Survivor(**entry) for entry in table.get("survivors", [])]
        self._stages: dict[str, list[list[str]]] = table["stages"]

    def files(self, sample: str) -> list[str]:
        """Files of a sample, in order."""
        found: set[Path] = set()
        for name in self.samples[sample]["files"]:
            place = ROOT / name
            found |= {place} if place.is_file() else set(place.rglob("*.py"))
        return sorted(str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py")

    def stages(self, file: str) -> list[list[str]]:
        """Arguments of pytest, stage after stage: in RTL the bench of the unit, then those of its nearest folder."""
        path = Path(file)
        bench = Path("tests") / path.with_name(f"test_{path.name}")
        # Icarus compiles in a fraction of the time.
        own = path.parts[0] == "hdl" and len(path.parts) > 2 and (ROOT / bench).is_file()
        nearest = [[str(bench), "-k", "not verilator"]] if own else []
        folder = next(str(place) for place in (path, *path.parents) if str(place) in self._stages)
        return nearest + [stage for stage in self._stages[folder] if stage not in nearest]

    def named(self) -> list[Mutant]:
        """Mutants that somebody thought of, of text that is there once."""
        chosen = []
        for entry in self._named:
            text = (ROOT / entry["file"]).read_text(encoding="utf-8")
            if text.count(entry["sound"]) != 1:
                raise ValueError(f"{entry['file']}: {entry['sound']!r} is not there once")
            mutated = text.replace(entry["sound"], entry["faulty"])
            chosen.append(_mutant("named", entry["file"], "", text, mutated))
        return chosen

    def drawn(self, sample: str) -> list[Mutant]:
        """A sample: places at random, at each of them one of its mutations at random.

        Chance follows from the place alone, by its file and line: what is drawn of other lines stays if one changes.
        """
        operators = COSMIC_RAY | (AMARANTH if sample == "rtl" else {})
        places: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
        texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in self.files(sample)}
        for file, text in texts.items():
            names = PlaceNames(file, text)
            for position, operator, occurrence in mutations(text, operators):
                places[names.of(position)].append((file, operator, occurrence))
        chances = {place: sha256(f"{self.seed} {sample} {place}".encode()).digest() for place in places}
        chosen: list[Mutant] = []
        for place in sorted(places, key=chances.__getitem__):
            if len(chosen) == self.samples[sample]["mutants"]:
                break
            found = places[place]
            file, operator, occurrence = found[int.from_bytes(chances[place], "little") % len(found)]
            text = mutate(texts[file], operator, occurrence)
            if is_a_program(text) and not means_the_same(texts[file], text):
                chosen.append(_mutant(sample, file, operator, texts[file], text))
        return chosen


class PlaceNames:
    """Names of places in a file, which stay while their lines do, wherever these move.

    Parameters
    ----------
    file : str
    text : str
    """

    def __init__(self, file: str, text: str) -> None:
        self._file, self._lines, self._earlier = file, text.splitlines(), list[int]()
        seen: Counter[str] = Counter()
        for line in self._lines:
            self._earlier.append(seen[line.strip()])
            seen[line.strip()] += 1

    def of(self, position: Position) -> str:
        """File, line, how many such lines come before it, and where in it a place begins and ends."""
        (row, column), (last_row, last_column) = position
        line = self._lines[row - 1]
        indent = len(line) - len(line.lstrip())
        which = (column - indent, last_row - row, last_column - indent)
        return f"{self._file}\n{line.strip()}\n{self._earlier[row - 1]} {which}"


def is_a_program(text: str) -> bool:
    """Whether Python takes a text: some of cosmic-ray's mutations are none, of a `*` between parameters say."""
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _mutant(sample: str, file: str, operator: str, sound: str, text: str) -> Mutant:
    old, new = sound.splitlines(), text.splitlines()
    first = next(at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    same_end = next(at for at, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b)
    return Mutant(
        sample=sample,
        file=file,
        line=first + 1,
        operator=operator,
        before=_joined(old[first : len(old) - same_end]),
        after=_joined(new[first : len(new) - same_end]),
        text=text,
    )


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
