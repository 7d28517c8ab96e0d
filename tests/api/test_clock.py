"""One clock: every command that counts or checks cycles takes it, refuses what does not hold, and tells the fastest."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from result_files import written

import spinplane
from spinplane.cli import main
from spinplane.command_line import hardware, memories, network_report, networks
from spinplane.commands.clock import clock_line, clock_of, time_us
from spinplane.commands.in_memory import compute_in_memory, write_rows
from spinplane.defaults import TECHNOLOGY
from spinplane.device import load_technology, machine_clock
from spinplane.machine import SpinplaneError, load_machine
from spinplane.report.provenance import UsedTechnology

TINY, PAPER = load_machine("tiny"), load_machine("paper")
#: Each command that takes a clock, with what it needs besides; @ stands for a folder.
COMMANDS = {
    "compile": ["digits-1-1", "--machine", "tiny"],
    "run": ["digits-1-1", "--machine", "tiny", "--input", "@/x.npy"],
    "report": ["digits-1-1", "--machine", "tiny", "-o", "@/report.html"],
    "trace": ["digits-1-1", "--machine", "tiny", "--input", "@/x.npy", "--output", "0,0,0"],
    "demo": ["--machine", "tiny", "-o", "@"],
    "demo --conv": ["--machine", "tiny", "-o", "@"],
    "demo --explain": ["-o", "@"],
    "accuracy": ["digits-1-1", "--machine", "tiny", "--technology", "sot-mram", "-o", "@"],
    "device": ["--machine", "tiny", "-o", "@"],
    "energy": ["--machine", "tiny"],
    "estimate": ["digits-1-1", "--machine", "tiny"],
    "exchange": ["--machine", "tiny", "-o", "@"],
    "export": ["--machine", "tiny", "-o", "@"],
}


def test_the_table_has_all_commands_that_take_a_clock() -> None:
    found = {
        name
        for module in (hardware, memories, network_report, networks)
        for name, command in vars(module).items()
        if inspect.isfunction(command) and "clock" in inspect.signature(command).parameters
    }
    assert found == {command.split()[0] for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("clock", "message"),
    [
        (
            "2GHz",
            "machine tiny at 2 GHz: a sense of sot-mram takes 0.88 ns and a write 4.50 ns, 0.50 ns of each to the word "
            "line; needs sense_cycles = 2 and write_cycles = 10, the machine has 1 and 2, which hold up to 444.3 MHz",
        ),
        (
            "2",
            "clock '2': must be a frequency or a period with its unit, such as 500MHz, 1.2GHz or 2ns",
        ),
    ],
)
def test_refused_in_one_line_before_anything_is_done(
    command: str, clock: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 28, 28)))
    given = [argument.replace("@", str(tmp_path)) for argument in COMMANDS[command]]
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), *given, "--clock", clock])
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", f"spinplane: {message}\n")
    assert [file.name for file in tmp_path.iterdir()] == ["x.npy"]


def test_without_one_it_is_the_fastest_and_it_is_told() -> None:
    result = spinplane.compile_model("digits-1-1", machine="paper8", check=False)
    assert result.clock == machine_clock(load_machine("paper8"), load_technology("sot-mram"))
    assert result.clock is not None
    assert result.clock.clock_hz == result.clock.fastest_hz
    assert result.time_us == pytest.approx(result.steady.cycles / result.clock.clock_hz * 1e6)
    assert f"clock   308.9 MHz, the fastest with sot-mram: steady {result.time_us:.2f} µs, cold " in str(
        result
    )
    figures = written(result)
    assert figures["clock"]["clock_hz"] == result.clock.clock_hz
    assert figures["time_us"] == result.time_us


def test_a_clock_changes_the_time_and_no_cycle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fastest = spinplane.compile_model("digits-1-1", machine="paper8", check=False)
    path = tmp_path / "a.json"
    arguments = ["compile", "digits-1-1", "--no-check", "--machine", "paper8", "--json", str(path)]
    main([*arguments, "--technology", "stt-mram", "--clock", "8ns"])
    assert "clock   125 MHz, up to 190.4 MHz with stt-mram: steady " in capsys.readouterr().out
    result = spinplane.read_result(path)
    assert result.clock.clock_hz == 125e6
    assert result.time_us == pytest.approx(result.steady.cycles / 125)
    assert replace(result, clock=fastest.clock) == fastest
    used = UsedTechnology.of(load_technology("stt-mram"))
    assert spinplane.read_provenance(path).technology == used


def test_a_run_takes_its_cycles_at_the_clock() -> None:
    found = spinplane.explain(clock="200MHz", simulator="icarus")
    assert found.cycles is not None
    assert found.clock is not None
    assert found.clock.clock_hz == 2e8
    time = found.cycles / 200
    assert f"clock   200 MHz, up to 444.3 MHz with sot-mram: steady {time:.2f} µs" in str(found)


def test_a_trace_tells_when_the_value_is_written() -> None:
    image = np.zeros((1, 28, 28))
    found = spinplane.trace("digits-1-1", image, output=(0, 0, 0), machine="paper8", clock="4ns", check=False)
    time = found.cycles.written / 250
    line = f"clock   250 MHz, up to 308.9 MHz with sot-mram: last write after {time:,.2f} µs"
    assert line in str(found)
    assert line in found.notes()


def test_rows_are_computed_in_a_time() -> None:
    rows = [write_rows(0, np.ones(TINY.columns))]
    found = compute_in_memory(TINY, rows, clock="100MHz", simulator="functional")
    assert found.time_us == pytest.approx(found.counters.cycles / 100)
    with pytest.raises(SpinplaneError, match=r"^machine tiny at 1 GHz: "):
        compute_in_memory(TINY, rows, clock="1GHz", simulator="functional")


def test_accuracy_without_a_technology_checks_nothing() -> None:
    with pytest.raises(SpinplaneError, match=r"^clock 100MHz: nothing is checked at it without a technology"):
        spinplane.accuracy("digits-1-1", clock="100MHz")


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({"xor_sensing": True}, "xor_sensing = True, technology sot-mram has 1 amplifier"),
        ({"rows": 4096}, "cannot be sensed"),
    ],
)
def test_only_who_asks_is_refused_a_machine_that_the_default_technology_cannot_be(
    keys: dict[str, Any], refused: str
) -> None:
    machine = replace(PAPER, **keys)
    assert clock_of(machine) is None
    assert "unknown" in clock_line(None, steady=1)
    assert time_us(None, 1) is None
    for technology, clock in ((TECHNOLOGY, None), (None, "1MHz")):
        with pytest.raises(SpinplaneError, match=refused):
            clock_of(machine, technology, clock)


def test_a_machine_of_two_amplifiers_has_the_clock_of_a_technology_that_has_them() -> None:
    clock = clock_of(replace(PAPER, xor_sensing=True), "stt-aggressive")
    assert clock is not None
    assert clock.technology == "stt-aggressive"
