"""Build the wheel, install it in a fresh environment, and check that it is whole and runs."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "build" / "dist"
ENVIRONMENT = ROOT / "build" / "wheel-environment"
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
    run(python, "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    run(python, "-c", IMPORT_ALL)
    run(str(ENVIRONMENT / "bin" / "spinplane"), "--help")
    print(f"wheel: {wheel.name} is whole and runs")


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
