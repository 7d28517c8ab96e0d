"""Benches of the whole accelerator."""

from pathlib import Path

from spinplane.hdl.export.machine_verilog import ACCELERATOR, accelerator_sources
from spinplane.machine import Machine
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.sim import BenchRun, run_bench
from spinplane.sim.runner import WARNINGS


def run_accelerator_bench(
    bench: str,
    machine: Machine,
    simulator: str,
    folder: Path,
    environment: dict[str, str],
    testcase: list[str] | None = None,
) -> BenchRun:
    """Run a bench of `spinplane.sim.benches`, which has to pass, on a machine's accelerator."""
    return run_bench(
        f"spinplane.sim.benches.{bench}",
        accelerator_sources(machine, default_build_root()),
        ACCELERATOR,
        simulator=simulator,
        environment=environment | {"PYTHONWARNINGS": WARNINGS},
        run_folder=folder / "run",
        testcase=testcase,
        timeout_s=3600,
    ).check()
