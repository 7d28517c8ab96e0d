"""The bench beside an export: it passes on the exported files alone, and fails when what it expects is changed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral.feature_map import map_codes
from spinplane.commands.export import bench_case, export_machine
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.sim.exported_bench import BENCH_FILES, bench_arrays, exported_bench

TINY = load_machine("tiny")
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_machine(TINY, tmp_path_factory.mktemp("tiny"), kept_in=default_build_root()).folder


def run_bench(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it as a user does, with nothing of spinplane in reach."""
    blocked = folder / "blocked"
    (blocked / "spinplane").mkdir(parents=True, exist_ok=True)
    (blocked / "spinplane" / "__init__.py").write_text("raise ImportError('the bench stands alone')\n")
    return subprocess.run(
        [sys.executable, folder / "bench" / "run.py", *options],
        env=os.environ | {"PYTHONPATH": str(blocked)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_passes_on_icarus(exported: Path, tmp_path: Path) -> None:
    run = run_bench(exported, "--simulator", "icarus", "--build", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("accelerator: PASSED\n")
    assert "network small 1:2: output, counters and log are as expected" in run.stdout
    assert "Warning" not in run.stdout + run.stderr


@pytest.mark.thorough
def test_it_passes_on_verilator(exported: Path, tmp_path: Path) -> None:
    run = run_bench(exported, "--simulator", "verilator", "--build", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("accelerator: PASSED\n")


def flip_output(arrays: Arrays) -> None:
    at = int(np.flatnonzero(arrays["output_mask"])[-1])
    arrays["output"][at] ^= 1 << (int(arrays["output_mask"][at]).bit_length() - 1)


def count_one_more(arrays: Arrays) -> None:
    arrays["counters"][-1] += 1


def log_one_less(arrays: Arrays) -> None:
    arrays["log"][1, 7] -= 1


def another_program(arrays: Arrays) -> None:
    arrays["program"][:] = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_output, "output map: 1 of "),
        (count_one_more, "counter PARAMETER_READS: "),
        (log_one_less, "log of descriptor 1, CYCLES: "),
        (another_program, "ended with error 0x5"),
    ],
)
def test_it_fails_when_something_is_not_as_expected(
    exported: Path, tmp_path: Path, change: Callable[[Arrays], None], message: str
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(exported, folder)
    path = folder / "bench" / "program.npz"
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    run = run_bench(folder, "--build", str(tmp_path / "build"))
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout.endswith("accelerator: FAILED\n")
    assert message in run.stdout


def test_the_expected_map_is_that_of_the_oracle() -> None:
    case = bench_case(TINY)
    arrays = bench_arrays(case.program, case.codes)
    output = case.program.layers[-1].output
    moved = replace(output, base=output.base - 8 * int(arrays["output_offset"]))
    bits = np.unpackbits(arrays["output"], bitorder="little")
    expected = run_graph(case.graph, case.values[np.newaxis])[-1][0]
    assert (map_codes(moved, bits) * output.scale + output.offset).tolist() == expected.tolist()


def test_the_same_program_gives_the_same_bytes() -> None:
    case = bench_case(TINY)
    files = exported_bench(case.program, case.codes)
    assert files == exported_bench(case.program, case.codes)
    assert sorted(files) == sorted([*BENCH_FILES, "ports.vlt", "program.npz"])


@pytest.mark.parametrize(
    ("clock", "period_ps"),
    [(None, 10_000), (5e8, 2000), (1 / 2e-9, 2000), (308.92e6, 3238), (1e9 / 3, 3000), (1e13, 2)],
)
def test_the_period_is_even_and_not_shorter_than_the_clock_s(clock: float | None, period_ps: int) -> None:
    case = bench_case(TINY)
    assert int(bench_arrays(case.program, case.codes, clock)["period_ps"]) == period_ps


def test_a_program_that_is_refused_is_named() -> None:
    case = bench_case(TINY)
    descriptors = case.program.descriptors.copy()
    descriptors[0] = 0
    with pytest.raises(SpinplaneError) as error:
        bench_arrays(replace(case.program, descriptors=descriptors), case.codes)
    assert str(error.value) == "program small 1:2: refused with NO_HEADER at descriptor 0"


def test_a_program_for_several_images_has_no_bench() -> None:
    case = bench_case(TINY)
    with pytest.raises(SpinplaneError, match=r"^1 image: the program takes 3 in each run$"):
        bench_arrays(replace(case.program, batch=3), case.codes)
