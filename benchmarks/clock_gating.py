"""Flip-flops whose clock stands still: the share of cycles and flip-flops of each unit while a network runs.

python benchmarks/clock_gating.py MACHINE MODEL [MODEL ...]

The network runs on RTL with a `clock_gate` a unit, which counts the rising edges that it lets pass and all of them,
from the start of the program to its end. Flip-flops are counted in the Verilog, before anything is mapped; those in
arrays and banks are in no figure.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np
from rich.console import Console
from rich.table import Table

import spinplane
from spinplane.compiler.codegen.program import compile_graph
from spinplane.hdl.common.clock_gate import CLOCK_GATE, ClockGating
from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, models, stubs
from spinplane.machine import Machine, load_machine
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.sim import script_run
from spinplane.sim.accelerator import run_accelerator

SIMULATOR = "verilator"
_COUNTING = f"""
module {CLOCK_GATE} (input wire clk, input wire enable, output wire gated);
  reg passes;
  longint passed = 0, all = 0;
  always @* if (!clk) passes = enable;
  assign gated = clk & passes;
  always @(posedge clk) if ({ACCELERATOR}.layer_controller.busy) begin
    all <= all + 1;
    passed <= passed + longint'(passes);
  end
  final $display("GATE %m %0d %0d", passed, all);
endmodule
"""
_SCRIPT = "hierarchy -check -top {top}\nproc\nopt_dff\nopt_clean\ntee -o widths.txt stat -width\n"


def flip_flops(modules: dict[str, str], black_boxes: dict[str, str]) -> dict[str, Counter[str]]:
    """For each module the bits of its flip-flops, as ``""``, and how often it places each other one."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "all.v").write_text(
            "`define SYNTHESIS\n" + "".join([*black_boxes.values(), *modules.values()])
        )
        script = "read_verilog all.v\n" + _SCRIPT.format(top=ACCELERATOR)
        (folder / "widths.ys").write_text(script)
        code = "from pyosys import libyosys as y; y.run_pass('script widths.ys', y.Design())"
        subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        text = (folder / "widths.txt").read_text()
    found: dict[str, Counter[str]] = {}
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        module, _, lines = part.partition(" ===")
        cells: Counter[str] = Counter()
        for number, cell in re.findall(r"^ +(\d+)(?: +\S+)? +(\S+)$", lines, re.MULTILINE):
            width = re.fullmatch(r"\$[as]*dff\w*?_(\d+)", cell)
            if width:
                cells[""] += int(number) * int(width[1])
            elif cell in modules:
                cells[cell] += int(number)
        found[module] = cells
    return found


def bits_below(module: str, found: dict[str, Counter[str]]) -> int:
    """Flip-flops of a module with all that it places."""
    return sum(
        number * (bits_below(name, found) if name else 1)
        for name, number in found.get(module, Counter()).items()
    )


def passed_edges(machine: Machine, model: str, sources: dict[str, str]) -> dict[str, tuple[int, int]]:
    """For each gated unit the rising edges that passed and all of them."""
    graph = spinplane.open_model(model)
    program = compile_graph(graph, machine)
    feature_map, shape = program.input, graph.input_shape
    values = np.random.default_rng(0).integers(0, graph.layers[0].i.largest + 1, shape)
    codes = (values - feature_map.offset) // feature_map.scale
    with (
        TemporaryDirectory() as folder,
        mock.patch.object(script_run, "accelerator_sources", return_value=sources),
    ):
        run_accelerator(
            program,
            [codes],
            simulator=SIMULATOR,
            limit=10_000_000,
            run_folder=Path(folder, "run"),
            build_root=default_build_root(),
        )
        log = Path(folder, "run", "log.txt").read_text(errors="replace")
    return {
        name.rpartition(".")[2].removesuffix(f"_{CLOCK_GATE}"): (int(passed), int(every))
        for name, passed, every in re.findall(r"GATE (\S+) (\d+) (\d+)", log)
    }


def main(machine_name: str, *model_names: str) -> None:
    """Print a table a model."""
    machine = load_machine(machine_name)
    modules = dict(machine_verilog(machine, default_build_root(), clock_gating=ClockGating.CELLS))
    found = flip_flops(modules, dict(stubs(machine)))
    sources = {**models(), **modules, CLOCK_GATE: _COUNTING}
    total = bits_below(ACCELERATOR, found)
    for model in model_names:
        edges = passed_edges(machine, model, sources)
        table = Table("unit", "flip-flops", "share of cycles off", title=f"{model} on {machine_name}")
        (cycles,) = {every for _, every in edges.values()}
        stopped = 0.0
        units: dict[str, list[float]] = {}
        for name, (passed, every) in edges.items():
            module = re.sub(r"_\d+$", "", name)
            off = 1 - passed / every
            units.setdefault(module, []).append(off)
            stopped += off * bits_below(module, found)
        for module, shares in units.items():
            bits = bits_below(module, found)
            table.add_row(module, f"{len(shares)} × {bits}", f"{np.mean(shares):.1%}")
        table.add_row("all", str(total), f"{stopped / total:.1%}")
        Console().print(
            table,
            f"{cycles} cycles, {total * cycles} flip-flop cycles ungated, "
            f"{round((total - stopped) * cycles)} gated",
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
