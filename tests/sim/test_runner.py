import os
import textwrap
from pathlib import Path

import pytest

from spinplane.sim.runner import BenchFailure, new_folder, run_bench
from spinplane.sim.tools import available_simulators

COUNTER = """module counter(input clk, input rst, input [7:0] step, output reg [7:0] count);
  always @(posedge clk)
    if (rst) count <= 0;
    else begin
      count <= count + step;
      if (step == 8'hff) $fatal(1, "step is %0d", step);
    end
endmodule
"""

COUNTS = """
    import os
    import cocotb
    from cocotb.triggers import FallingEdge, Timer
    from spinplane.sim.streams import reset

    @cocotb.test()
    async def counts_by_step(dut):
        await reset(dut)
        step = int(os.environ.get("STEP", "3"))
        dut.step.value = step
        for cycle in range(5):
            await FallingEdge(dut.clk)
            assert dut.count.value.to_unsigned() == cycle * step

    @cocotb.test()
    async def starts_at_zero(dut):
        await reset(dut)
        await FallingEdge(dut.clk)
        assert dut.count.value.to_unsigned() == int(os.environ.get("START", "0"))
    """


@pytest.fixture(params=["verilator", "icarus"])
def simulator(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a bench and make it importable; returns its module name."""

    def write(text: str, name: str = "bench_of_test") -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return write


def test_both_simulators_are_there():
    assert available_simulators() == ["verilator", "icarus"]


def test_a_bench_passes(bench, simulator):
    run = run_bench(bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator).check()
    assert (run.passed, run.tests, run.failures, run.message, run.waves) == (True, 2, (), "", None)
    assert run.run_seconds > 0
    assert "TESTS=2 PASS=2 FAIL=0" in run.log.read_text()


def test_a_bench_fails_with_the_text_of_its_first_failure(bench, simulator):
    run = run_bench(
        bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator, environment={"START": "1"}
    )
    assert not run.passed
    assert (run.tests, run.failures) == (2, ("starts_at_zero",))
    assert run.message == "AssertionError: assert 0 == 1"
    with pytest.raises(BenchFailure) as failure:
        run.check()
    assert str(failure.value) == (
        f"bench_of_test on {simulator}: starts_at_zero: AssertionError: assert 0 == 1 (log: {run.log})"
    )


def test_fatal_of_the_design_fails_the_run_with_its_text(bench, simulator):
    run = run_bench(
        bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator, environment={"STEP": "255"}
    )
    assert not run.passed
    assert run.message == "step is 255"


def test_a_bench_without_tests_raises(bench, simulator):
    with pytest.raises(BenchFailure, match=r"^bench_of_test on \w+: no test ran \(log: .*\)$"):
        run_bench(bench("import cocotb"), {"counter": COUNTER}, "counter", simulator=simulator)


def test_a_filter_that_leaves_no_test_raises(bench, simulator):
    with pytest.raises(BenchFailure, match=r"^bench_of_test on \w+: no test ran \(log: .*\)$"):
        run_bench(
            bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator, testcase="no_such_test"
        )


def test_a_bench_whose_tests_are_all_skipped_raises(bench, simulator):
    skipped = COUNTS.replace("@cocotb.test()", "@cocotb.test(skip=True)")
    with pytest.raises(BenchFailure, match=r"^bench_of_test on \w+: no test ran \(log: .*\)$"):
        run_bench(bench(skipped), {"counter": COUNTER}, "counter", simulator=simulator)


def test_one_test_by_name(bench, simulator):
    run = run_bench(
        bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator, testcase="starts_at_zero"
    )
    assert run.check().tests == 1


def test_a_bench_that_cannot_be_imported_fails(bench, simulator):
    run = run_bench(bench("import no_such_module"), {"counter": COUNTER}, "counter", simulator=simulator)
    assert (run.passed, run.tests) == (False, 0)
    assert run.message == "ModuleNotFoundError: No module named 'no_such_module'"


def test_a_simulator_that_dies_fails(bench, simulator):
    dies = """
        import os
        import cocotb

        @cocotb.test()
        async def dies(dut):
            os.abort()
        """
    run = run_bench(bench(dies), {"counter": COUNTER}, "counter", simulator=simulator)
    assert not run.passed
    assert run.message


def test_a_simulation_that_hangs_fails_after_its_time(bench, simulator):
    hangs = """
        import cocotb
        from cocotb.triggers import RisingEdge
        from spinplane.sim.streams import reset

        @cocotb.test()
        async def hangs(dut):
            await reset(dut)
            while True:
                await RisingEdge(dut.clk)
        """
    run = run_bench(bench(hangs), {"counter": COUNTER}, "counter", simulator=simulator, timeout_s=3)
    assert (run.passed, run.message) == (False, "no end after 3 s")


def test_an_old_spelling_of_cocotb_fails(bench, simulator):
    old = """
        import cocotb

        @cocotb.test()
        async def old(dut):
            str(dut.count)
        """
    run = run_bench(bench(old), {"counter": COUNTER}, "counter", simulator=simulator)
    assert run.message.startswith("DeprecationWarning: ")


def test_the_seed_reaches_the_bench_and_is_1_by_default(bench, simulator):
    module = bench(COUNTS)
    default = run_bench(module, {"counter": COUNTER}, "counter", simulator=simulator)
    chosen = run_bench(module, {"counter": COUNTER}, "counter", simulator=simulator, seed=77)
    assert "Seeding Python random module with 1\n" in default.log.read_text()
    assert "Seeding Python random module with 77\n" in chosen.log.read_text()


def test_settings_of_a_surrounding_simulation_do_not_leak(bench, simulator, monkeypatch):
    monkeypatch.setenv("COCOTB_TEST_FILTER", "no_such_test")
    run = run_bench(bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator)
    assert run.check().tests == 2


def test_waves_hold_the_signals(bench, simulator, tmp_path):
    folder = tmp_path / "waves"
    folder.mkdir()
    (folder / "old").touch()
    run = run_bench(
        bench(COUNTS), {"counter": COUNTER}, "counter", simulator=simulator, waves=True, run_folder=folder
    ).check()
    assert run.waves is not None
    assert run.waves.parent == run.folder == folder
    assert " count " in run.waves.read_text()
    assert not (folder / "old").exists()


def test_runs_of_days_before_are_removed_and_what_is_gone_in_the_meantime_is_left_alone(tmp_path):
    old = new_folder(tmp_path, "a.bench")
    os.utime(old, (0, 0))
    (tmp_path / "gone").symlink_to("nothing")
    new = new_folder(tmp_path, "a.bench")
    assert new.is_dir()
    assert not old.exists()


def test_runs_have_folders_of_their_own(bench, simulator):
    module = bench(COUNTS)
    runs = [run_bench(module, {"counter": COUNTER}, "counter", simulator=simulator) for _ in range(2)]
    assert runs[0].folder != runs[1].folder
    assert runs[1].cached
