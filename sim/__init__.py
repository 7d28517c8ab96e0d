"""Simulators, cocotb benches and the runs of programs on RTL."""

from .runner import BenchFailure, BenchRun, run_bench
from .tools import available_simulators

__all__ = ["BenchFailure", "BenchRun", "available_simulators", "run_bench"]
