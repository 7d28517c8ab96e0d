"""The bench of each unit, to be run on the unit's netlist."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from amaranth.lib import wiring

from spinplane.hdl.accelerator import memories
from spinplane.hdl.common.command import STEP
from spinplane.hdl.output.cluster_steps import CLUSTER_PRODUCT
from spinplane.machine import MOST_SLOTS, Machine
from spinplane.sim.benches.host.units_with_banks import AxiBankWithBanks, RegistersWithLog


@dataclass(frozen=True, kw_only=True)
class UnitBench:
    """A bench of `spinplane.sim.benches` for a unit of a machine.

    Parameters
    ----------
    name : str
        Its module, below ``spinplane.sim.benches``.
    variable : str
        Environment variable that tells it what the unit is, empty for none.
    parameters : callable
        What the unit of a machine is, as JSON has it.
    tests : tuple of str
        Those that run; all if empty.
    around : callable, optional
        A component that places the unit of a machine, where the bench needs more than the unit.
    """

    name: str
    variable: str = ""
    parameters: Callable[[Machine], Mapping[str, Any]] = asdict
    tests: tuple[str, ...] = ()
    around: Callable[[Machine], wiring.Component] | None = None

    def environment(self, machine: Machine) -> dict[str, str]:
        """Environment of the bench."""
        return {self.variable: json.dumps(self.parameters(machine))} if self.variable else {}


def _of_machine(name: str, variable: str = "BENCH_PARAMETERS") -> UnitBench:
    return UnitBench(name=name, variable=variable)


def _sized(name: str, **sizes: str) -> UnitBench:
    """Of a unit whose parameters are sizes of the machine."""
    return UnitBench(
        name=name,
        variable="BENCH_PARAMETERS",
        parameters=lambda machine: {key: getattr(machine, size) for key, size in sizes.items()},
    )


def _bit_counter(machine: Machine) -> dict[str, Any]:
    slots = min(machine.segments, MOST_SLOTS)
    return {"columns": machine.columns, "slots": slots, "step": STEP.size}


def _banks(machine: Machine) -> dict[str, Any]:
    memory = memories(machine)
    banks = {name: asdict(bank) for name, bank in memory.banks.items()}
    return {"bus_bits": memory.bus_bits, "banks": banks}


def _one_sub_array(machine: Machine) -> dict[str, Any]:
    """A machine of one such sub-array, whose bench compares its counters with the machine's."""
    kept = {key: getattr(machine, key) for key in _SUB_ARRAY}
    return {"name": machine.name, "sub_arrays": 1, **kept}


_SUB_ARRAY = (
    *("rows", "columns", "segments", "accumulator_bits"),
    *("sense_cycles", "write_cycles", "write_overlap", "memory_operations"),
)

NETWORK_BENCH = UnitBench(name="host.bench_accelerator_bus", tests=("interrupts",))
"""A network on the bus of the whole: it runs with its kernels to load and without, bit by bit and count by count."""

UNIT_BENCHES = {
    "axi_bank": UnitBench(
        name="host.bench_axi_bank",
        variable="BENCH_PARAMETERS",
        parameters=_banks,
        around=lambda machine: AxiBankWithBanks(memories(machine)),
    ),
    "axi_registers": UnitBench(
        name="host.bench_axi_registers", variable="BENCH_PARAMETERS", around=RegistersWithLog
    ),
    "bit_counter": UnitBench(
        name="array.bench_bit_counter", variable="BENCH_PARAMETERS", parameters=_bit_counter
    ),
    "row_decoder": _sized("array.bench_row_decoder", rows="rows"),
    "multi_line_row_decoder": _sized("array.bench_multi_line_row_decoder", rows="rows"),
    "reference_select": UnitBench(name="array.bench_reference_select"),
    "serial_multiplier": UnitBench(
        name="common.bench_serial_multiplier",
        variable="BENCH_PARAMETERS",
        parameters=lambda machine: dict(CLUSTER_PRODUCT),
    ),
    "shifter": UnitBench(name="array.bench_shifter"),
    "half_shifter": UnitBench(name="array.bench_shifter"),
    "quarter_shifter": UnitBench(name="array.bench_shifter"),
    "eighth_shifter": UnitBench(name="array.bench_shifter"),
    "sum": _sized("array.bench_sum", lanes="segments", width="accumulator_bits"),
    "sub_array_controller": _of_machine("array.bench_sub_array_controller", "BENCH_MACHINE"),
    "sub_array": UnitBench(name="array.bench_sub_array", variable="BENCH_MACHINE", parameters=_one_sub_array),
    "engine": _of_machine("array.bench_engine", "BENCH_MACHINE"),
    "layer_controller": _of_machine("control.bench_layer_controller", "BENCH_MACHINE"),
    "sequencer": _of_machine("control.bench_sequencer", "BENCH_MACHINE"),
    "input_address_generator": _of_machine("input.bench_input_address_generator"),
    "input_streamer": _of_machine("input.bench_input_streamer"),
    "window_sum": _of_machine("input.bench_window_sum"),
    "activation": _sized("output.bench_activation", words="threshold_beats"),
    "batch_norm": UnitBench(name="output.bench_batch_norm"),
    "limiter": UnitBench(name="output.bench_limiter"),
    "multiplier": UnitBench(name="output.bench_multiplier"),
    "output_packer": _sized("output.bench_output_packer", lanes="results_per_cycle", width="columns"),
    "output_stage": _of_machine("output.bench_output_stage"),
    "pooling": _of_machine("output.bench_pooling"),
    "quantizer": UnitBench(name="output.bench_quantizer"),
    "window_correction": _of_machine("output.bench_window_correction"),
}
"""Benches that drive a unit alone, by its module. Those that need others around the unit are not here."""
