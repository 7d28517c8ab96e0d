# amaranth: UnusedElaboratable=no
import json
from dataclasses import asdict

import pytest

from spinplane.hdl.common.bank import BANK, bank_model
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.host.axi_bank import AxiBank
from spinplane.machine.memory_map import BankSize, MemoryMap
from spinplane.sim import run_bench
from spinplane.sim.benches.host.units_with_banks import AxiBankWithBanks
from spinplane.sim.runner import WARNINGS


def memory_map(bus_bits: int, **banks: tuple[int, int]) -> MemoryMap:
    return MemoryMap(
        bus_bits=bus_bits,
        **{name: BankSize(words=words, width=width) for name, (words, width) in banks.items()},
    )


# Words of 1, 2 and more beats, and banks that end anywhere; a narrow and a wide bus, more than 256 beats.
MEMORIES = [
    memory_map(
        32,
        image=(24, 32),
        kernel=(11, 64),
        parameters=(5, 32),
        thresholds=(3, 256),
        program=(7, 128),
        scales=(9, 64),
    ),
    memory_map(
        16,
        image=(300, 16),
        kernel=(9, 16),
        parameters=(2, 16),
        thresholds=(2, 128),
        program=(3, 32),
        scales=(4, 16),
    ),
    memory_map(
        256,
        image=(4, 512),
        kernel=(5, 256),
        parameters=(3, 1024),
        thresholds=(2, 256),
        program=(2, 256),
        scales=(2, 512),
    ),
]


@pytest.mark.parametrize(
    ("memory", "simulator"),
    [
        *((memory, "icarus") for memory in MEMORIES),
        pytest.param(MEMORIES[0], "verilator", marks=pytest.mark.thorough),
    ],
    ids=["bus32", "bus16", "bus256", "bus32_verilator"],
)
def test_bench(memory: MemoryMap, simulator: str) -> None:
    parameters = {
        "bus_bits": memory.bus_bits,
        "banks": {name: asdict(bank) for name, bank in memory.banks.items()},
    }
    run = run_bench(
        "spinplane.sim.benches.host.bench_axi_bank",
        {BANK: bank_model(), **verilog_modules(AxiBankWithBanks(memory), "axi_bank_with_banks")},
        "axi_bank_with_banks",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters), "PYTHONWARNINGS": WARNINGS},
    )
    assert run.check().tests == 6


def test_refuses_an_id_without_bits() -> None:
    with pytest.raises(TypeError) as caught:
        AxiBank(MEMORIES[0], 0)
    assert str(caught.value) == "id_bits must be a positive integer, not 0"
