"""Build the wheel, install it in a fresh environment, and check that it is whole and runs."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "build" / "dist"
ENVIRONMENT = ROOT / "build" / "wheel-environment"
#: What root is to start a command with to obey the modes of folders.
OBEYING = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
#: Suffixes of what the wheel has to hold: modules, models in Verilog, machines and technologies.
SHIPPED = {".py", ".v", ".toml"}

IMPORT_ALL = """
import importlib, pkgutil, spinplane
names = [m.name for m in pkgutil.walk_packages(spinplane.__path__, "spinplane.")]
for name in names:
    # Training needs the extra `train`, a bench the simulator around it.
    if not name.startswith(("spinplane.training", "spinplane.sim.benches")):
        importlib.import_module(name)
print(len(names), "modules")
"""


def main() -> None:
    """Build, compare the wheel with the tree, install and run it."""
    # A stale build folder would ship modules that are gone from the tree.
    for stale in (ROOT / "build" / "setuptools", DIST, ENVIRONMENT):
        shutil.rmtree(stale, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", str(DIST), str(ROOT))
    wheel = next(DIST.glob("*.whl"))
    compare(wheel)
    run(sys.executable, "-m", "venv", str(ENVIRONMENT))
    python = str(ENVIRONMENT / "bin" / "python")
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        str(ROOT / "constraints.txt"),
        f"{wheel}[sim]",
    )
    run(python, "-c", IMPORT_ALL)
    first_run(str(ENVIRONMENT / "bin" / "spinplane"))
    print(f"wheel: {wheel.name} is whole and runs")


def first_run(spinplane: str) -> None:
    """All that a stranger may type first, in empty folders and in one that is read-only; models are built once."""
    with tempfile.TemporaryDirectory() as place:
        home, empty, other = (Path(place) / name for name in ("home", "empty", "other"))
        for folder in (home, empty, other):
            folder.mkdir()
        as_user(spinplane, "demo", home=home, folder=empty)
        again = as_user(spinplane, "demo", home=home, folder=other)
        if "found compiled" not in again:
            sys.exit(f"wheel: the second demo built its model anew:\n{again}")
        image = other / "image.npy"
        code = "import sys, numpy, spinplane.samples as s; numpy.save(sys.argv[1], s.sample_digit(3))"
        as_user(str(Path(spinplane).with_name("python")), "-c", code, str(image), home=home, folder=other)
        other.chmod(0o555)
        for command in (
            ("run", "digits-1-4", "--input", str(image)),
            ("compile", "digits-1-4"),
            ("estimate", "digits-1-4"),
            ("trace", "digits-1-4", "--output", "3,0,0", "--input", str(image)),
            ("device",),
            ("doctor",),
        ):
            as_user(spinplane, *command, home=home, folder=other)


def as_user(*command: str, home: Path, folder: Path) -> str:
    """What a command prints that runs as a user whom the modes of folders stop."""
    done = subprocess.run(
        [*(OBEYING if os.geteuid() == 0 else ()), *command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"wheel: {' '.join(command)} failed in {folder}:\n{done.stdout}{done.stderr}")
    return done.stdout


def compare(wheel: Path) -> None:
    """End with a message unless `wheel` holds exactly the modules and models of the tree."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {package: ROOT / folder for package, folder in table["package-dir"].items()}
    expected = {
        f"{package.replace('.', '/')}/{path.relative_to(folder)}"
        for package, folder in folders.items()
        for path in folder.rglob("*")
        if path.suffix in SHIPPED
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if PurePath(name).suffix in SHIPPED}
    if expected != found:
        missing, strange = sorted(expected - found), sorted(found - expected)
        sys.exit(f"wheel: missing {missing}, not in the tree {strange}")


def run(*command: str) -> None:
    """Run `command` outside the tree, so that nothing is imported from it; a failure ends all."""
    done = subprocess.run(command, cwd=DIST.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"wheel: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
