"""The functional accelerator against the contract as plain loops, bit for bit and event for event."""

import numpy as np
import pytest
from accelerator_layers import FEW, Plain, UnknownCell, fill_banks, program_of, random_layer

from spinplane.behavioral import ArrayError
from spinplane.behavioral.accelerator import Accelerator, AcceleratorRun
from spinplane.machine import FaultMap, Machine, SpinplaneError
from spinplane.machine.descriptor import FIELD_INDEX, Descriptor, Kind, Load
from spinplane.machine.registers import Error

ONE_BUS = Machine(
    name="one-bus",
    sub_arrays=3,
    rows=128,
    columns=32,
    segments=1,
    results_per_cycle=1,
    image_words=1024,
    kernel_words=512,
    parameter_beats=64,
    threshold_beats=256,
)


def prepare(
    machine: Machine, seed: int, *layers: Descriptor, faults: FaultMap | None = None, tag: int = 7
) -> tuple[Accelerator, Plain]:
    accelerator = Accelerator(machine, faults)
    banks = fill_banks(machine, seed)
    for name, bank in banks.items():
        getattr(accelerator.state, name)[:] = bank
    words = program_of(machine, *layers, tag=tag)
    accelerator.program[: len(words)] = words
    return accelerator, Plain(machine, banks, faults)


def assert_equal(accelerator: Accelerator, run: AcceleratorRun, plain: Plain) -> None:
    assert run.error is Error.NONE
    np.testing.assert_array_equal(accelerator.state.image, plain.banks["image"])
    cells = accelerator.state.cells
    assert {tuple(at) for at in np.argwhere(cells.written).tolist()} == set(plain.cells)
    for (sub_array, row), bits in plain.cells.items():
        packed = np.packbits(cells.bits[sub_array, row], bitorder="little").tobytes()
        assert int.from_bytes(packed, "little") == bits
    counted = run.counters.as_dict()
    for name in ("row_writes", "ands", "image_reads", "image_writes", "kernel_reads", "parameter_reads"):
        assert counted[name] == plain.events.get(name, 0), name
    assert counted["bit_counts"] == counted["ands"]
    assert counted["row_reads"] == counted["ors"] == 0


def some_faults(machine: Machine, seed: int) -> FaultMap:
    rng = np.random.default_rng(seed)
    shape = (machine.sub_arrays, machine.columns)
    cells = rng.integers(0, [machine.sub_arrays, machine.rows, machine.columns], (400, 3))
    cells = np.unique(cells, axis=0)
    none = FaultMap.none(machine)
    return FaultMap(
        sub_arrays=machine.sub_arrays,
        rows=machine.rows,
        columns=machine.columns,
        stuck=np.column_stack([cells, rng.integers(0, 2, len(cells))]),
        read_thresholds=none.read_thresholds,
        and_thresholds=rng.choice(4, shape, p=[0.02, 0.1, 0.8, 0.08]),
        or_thresholds=none.or_thresholds,
    )


@pytest.mark.parametrize("machine", [FEW, ONE_BUS], ids=lambda machine: machine.name)
@pytest.mark.parametrize("seed", range(24))
def test_a_layer_is_what_the_contract_says(machine: Machine, seed: int) -> None:
    choices = {"groups": 0} if machine.row_buses == 1 else {}
    layer = random_layer(machine, seed, **choices)
    accelerator, plain = prepare(machine, seed, layer)
    run = accelerator.run()
    plain.layer(layer)
    assert_equal(accelerator, run, plain)
    assert run.counters.shifts == run.counters.ands << layer["log_slots"]


@pytest.mark.parametrize("seed", range(8))
def test_layers_after_each_other_share_the_array(seed: int) -> None:
    layers = [random_layer(FEW, 100 + 3 * seed + k) for k in range(3)]
    accelerator, plain = prepare(FEW, seed, *layers)
    run = accelerator.run()
    for layer in layers:
        plain.layer(layer)
    assert_equal(accelerator, run, plain)
    assert len(run.layers) == 5
    for name, total in run.counters.as_dict().items():
        assert total == sum(getattr(layer, name) for layer in run.layers)


@pytest.mark.parametrize("seed", range(8))
def test_faults_change_the_same_bits(seed: int) -> None:
    layers = [random_layer(FEW, 200 + 2 * seed + k) for k in range(2)]
    faults = some_faults(FEW, seed)
    accelerator, plain = prepare(FEW, seed, *layers, faults=faults)
    run = accelerator.run()
    for layer in layers:
        plain.layer(layer)
    assert_equal(accelerator, run, plain)
