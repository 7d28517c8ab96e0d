# amaranth: UnusedElaboratable=no
"""Clock gating: the gated accelerator does in every cycle what the plain one does."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module

from spinplane import SpinplaneError
from spinplane.commands.export import export_machine
from spinplane.hdl.common.clock_gate import ClockGating
from spinplane.hdl.export.machine_verilog import machine_verilog
from spinplane.hdl.input.input_streamer import InputStreamer
from spinplane.machine import load_machine
from spinplane.machine.external.cache_folder import default_build_root

TINY = load_machine("tiny")
UNITS = {
    *("sub_array_0", "sub_array_1", "input_streamer", "window_sum", "layer_controller"),
    *("row_pair_generator", "kernel_loader", "sense_walk", "row_store"),
    *("beat_walk", "cluster_steps", "window_correction", "pooling", "lane_phases", "scaler_0"),
    *("activation_0", "activation_1", "residual_loader", "output_packer"),
    *("output_address_generator_0", "output_address_generator_1"),
}
#: Modules within a unit that is gated.
WITHIN = {
    *("bit_counter", "input_address_generator", "sub_array_controller", "sum"),
    *("serial_multiplier", "pool_lane", "batch_norm", "multiplier", "quantizer", "limiter"),
}


def test_each_unit_has_its_gate() -> None:
    modules = machine_verilog(TINY, default_build_root(), clock_gating=ClockGating.CELLS)
    gates = re.findall(r"^  clock_gate (\w+)_clock_gate \($", "".join(modules.values()), re.MULTILINE)
    assert (set(gates), len(gates)) == (UNITS, len(UNITS))
    assert next(iter(modules)) == "clock_gate"


def test_enables_reach_all_flip_flops_within_a_unit() -> None:
    modules = machine_verilog(TINY, default_build_root(), clock_gating=ClockGating.ENABLES)
    assert {
        name for name, text in modules.items() if re.search(r"^  input clock_enable;$", text, re.M)
    } == WITHIN


def test_a_plain_accelerator_has_neither() -> None:
    text = "".join(machine_verilog(TINY, default_build_root()).values())
    assert "clock_gate" not in text
    assert "clock_enable" not in text


def test_an_unknown_gating_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError) as refused:
        export_machine(TINY, tmp_path / "tiny", clock_gating="clock")
    assert str(refused.value) == "clock_gating = 'clock': must be one of none, enables, cells"
    assert not (tmp_path / "tiny").exists()


def renamed(modules: dict[str, str], prefix: str) -> str:
    """Verilog of modules, all of them named with a prefix."""
    names = "|".join(modules)
    text = "".join(modules.values())
    return re.sub(rf"^(module |  )({names})(?=[ (])", rf"\1{prefix}\2", text, flags=re.MULTILINE)


def side_by_side(folder: Path, clock_gating: str, kept_in: Path | None) -> subprocess.CompletedProcess[str]:
    """Run the bench of an export whose top drives a gated and a plain accelerator and compares all their outputs."""
    exported = export_machine(TINY, folder, kept_in=kept_in, clock_gating=clock_gating)
    ports = json.loads((folder / "accelerator.json").read_text(encoding="utf-8"))["ports"]
    declared = [f"{port['direction']} wire [{port['width'] - 1}:0] {port['name']}" for port in ports]
    outputs = [port for port in ports if port["direction"] == "output"]
    same = ", ".join(f".{port['name']}({port['name']})" for port in ports)
    plain = ", ".join(f".{port['name']}({'of_plain_' * (port in outputs)}{port['name']})" for port in ports)
    wires = "".join(f"  wire [{port['width'] - 1}:0] of_plain_{port['name']};\n" for port in outputs)
    gated_outputs = ", ".join(port["name"] for port in outputs)
    plain_outputs = ", ".join(f"of_plain_{port['name']}" for port in outputs)
    modules = {name: (folder / f"{name}.v").read_text(encoding="utf-8") for name in exported.modules}
    top = (
        f"module accelerator({', '.join(declared)});\n{wires}"
        f"  gated_accelerator gated({same});\n  plain_accelerator plain({plain});\n"
        f"  always @(posedge clk) if (!rst && {{{gated_outputs}}} !== {{{plain_outputs}}})\n"
        '    $fatal(1, "the gated accelerator differs from the plain one");\nendmodule\n'
    )
    plain_modules = {str(name): text for name, text in machine_verilog(TINY, default_build_root()).items()}
    for name in exported.modules:
        (folder / f"{name}.v").write_text("")
    (folder / "accelerator.v").write_text(
        renamed(modules, "gated_") + renamed(plain_modules, "plain_") + top, encoding="utf-8"
    )
    return subprocess.run(
        [sys.executable, folder / "bench" / "run.py"], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("clock_gating", ["cells", pytest.param("enables", marks=pytest.mark.thorough)])
def test_a_network_runs_gated_as_it_does_plain(clock_gating: str, tmp_path: Path) -> None:
    run = side_by_side(tmp_path / "both", clock_gating, default_build_root())
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("accelerator: PASSED\n")


@pytest.mark.thorough
def test_a_clock_that_stops_too_early_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several assignments the last one holds: the streamer forgets the rows that are on their way."""
    elaborate = InputStreamer.elaborate

    def forgetful(self: InputStreamer, platform: object) -> Module:
        m = elaborate(self, platform)
        m.d.comb += self.active.eq(self._walk.changes)
        return m

    monkeypatch.setattr(InputStreamer, "elaborate", forgetful)
    run = side_by_side(tmp_path / "both", "cells", None)
    assert run.returncode == 1
