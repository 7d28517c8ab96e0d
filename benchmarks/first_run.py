"""CPU time of `spinplane demo` from a wheel beside that of the repository, with an empty cache and with a full one.

``python benchmarks/first_run.py SPINPLANE``: the command of a fresh environment outside the repository, in which
``pip install "spinplane[sim]"`` was typed. The other one is ``.venv/bin/spinplane``, which ``make demo`` calls.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "spinplane"


def main() -> None:
    """Print a table of CPU seconds and the ratio."""
    commands = {"wheel": Path(sys.argv[1]).absolute(), "make demo": OURS}
    with tempfile.TemporaryDirectory() as place:
        # Each state with both commands in turn, as the machine may be busier later.
        rows = {
            state: {name: seconds(command, Path(place) / name) for name, command in commands.items()}
            for state in ("empty cache", "full cache")
        }
    print("| | wheel, CPU s | `make demo`, CPU s | ratio |\n|---|---:|---:|---:|")
    for state, row in rows.items():
        wheel, ours = row["wheel"], row["make demo"]
        print(f"| {state} | {wheel:.1f} | {ours:.1f} | {wheel / ours:.2f} |")


def seconds(command: Path, folder: Path) -> float:
    """CPU time of a demo and all that it starts, in s."""
    folder.mkdir(exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"SPINPLANE_BUILD": str(folder / "cache")}
    subprocess.run([command, "demo"], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
