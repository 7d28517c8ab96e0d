"""A machine for other tools: the figures are those of its own reports, and the other tools' loaders read the files."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import spinplane
from spinplane.device import Technology, load_technology
from spinplane.evaluation import area_estimate
from spinplane.evaluation.exchange import Hardware, hardware_of, written_as
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.external.cache_folder import default_build_root

ROOT = Path(__file__).parents[3]
#: An environment of Python 3.12 or later that `tools/setup.sh all` makes, since AccelForge needs one.
ACCELFORGE = ROOT / "build" / "accelforge" / "bin" / "python"
MACHINE = load_machine("paper8")
TECHNOLOGY = load_technology("sot-mram")


def hardware(*, weight_bits: int, input_bits: int, technology: Technology = TECHNOLOGY) -> Hardware:
    return hardware_of(
        MACHINE, technology, weight_bits=weight_bits, input_bits=input_bits, kept_in=default_build_root()
    )


@pytest.fixture(scope="module")
def binary() -> Hardware:
    return hardware(weight_bits=1, input_bits=1)


def run(python: str | Path, program: str, folder: Path, *arguments: str) -> str:
    """What a program prints at its end."""
    (folder / "program.py").write_text(program)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(python), "program.py", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()[-1]


def test_a_sense_is_shared_by_the_products_of_its_row(binary: Hardware) -> None:
    assert (binary.kernels, binary.products) == (32, 64)
    report = spinplane.event_energies(MACHINE, TECHNOLOGY)
    once = sum(
        report.event(name).energy.value or 0
        for name in ("ands", "count", "decode", "array_control", "row_path")
    )
    slots = 4 * sum(report.event(name).energy.value or 0 for name in ("shift", "add"))
    assert binary.product_j == pytest.approx((once + slots) / 256)


@pytest.mark.parametrize(
    ("bits", "kernels", "products"), [((1, 4), 32, 16), ((8, 8), 32, 1), ((3, 5), 34, 4), ((2, 1), 32, 32)]
)
def test_a_product_of_more_bits_takes_more_columns(
    bits: tuple[int, int], kernels: int, products: int, binary: Hardware
) -> None:
    found = hardware(weight_bits=bits[0], input_bits=bits[1])
    assert (found.kernels, found.products) == (kernels, products)
    assert found.product_j == pytest.approx(bits[0] * bits[1] * binary.product_j)
    assert found.rows.bits == binary.rows.bits // bits[1]


def test_areas_are_those_of_the_chip(binary: Hardware) -> None:
    parts = (binary.rows, binary.image_bank, binary.kernel_bank)
    total = area_estimate(MACHINE, TECHNOLOGY, kept_in=default_build_root()).total.value
    assert binary.area_m2 + sum(level.area_m2 for level in parts) == pytest.approx(total)


def test_bits_outside_the_machine_are_refused() -> None:
    with pytest.raises(SpinplaneError, match="input_bits = 9: must be from 1 to 8"):
        hardware(weight_bits=1, input_bits=9)


@pytest.mark.parametrize(("name", "warned"), [("sot-mram", True), ("stt-mram", False)])
def test_the_cell_for_nvsim_warns_of_a_second_transistor(name: str, warned: bool) -> None:
    technology = load_technology(name)
    found = hardware(technology=technology, weight_bits=1, input_bits=1)
    text = written_as("nvsim", found, technology, "1")
    assert ("WARNING: NVSim's cells have one access device. This one is 2T1R" in text) == warned
    keys = dict(re.findall(r"^-(\S+(?: \(\S+\))?): (\S+)$", text, re.MULTILINE))
    assert keys["MemCellType"] == "MRAM"
    assert float(keys["CellArea (F^2)"]) == technology["cell.area"]
    assert float(keys["SetPulse (ns)"]) == pytest.approx(technology["write.pulse"] * 1e9)
    assert float(keys["ResistanceOff (ohm)"]) > float(keys["ResistanceOn (ohm)"]) > 1_000
    assert len(keys) == text.count("\n-")


ZIGZAG = """
import json, logging, sys, yaml
logging.disable(logging.CRITICAL)
from zigzag.parser.accelerator_factory import AcceleratorFactory
from zigzag.parser.accelerator_validator import AcceleratorValidator
validator = AcceleratorValidator(yaml.safe_load(open(sys.argv[1])))
assert validator.validate(), validator.validator.errors
accelerator = AcceleratorFactory(validator.normalized_data).create()
levels = {str(level.memory_instance.name): level for level in accelerator.memory_hierarchy.nodes}
print(json.dumps({
    "units": accelerator.operational_array.total_unit_count,
    "unit": accelerator.operational_array.unit.energy_cost,
    "bits": {name: level.memory_instance.size * level.unroll_count for name, level in levels.items()},
    "writes": {name: level.write_energy for name, level in levels.items()},
}))
"""


@pytest.mark.thorough
def test_zigzag_reads_it_as_it_is_meant(tmp_path: Path, binary: Hardware) -> None:
    if find_spec("zigzag") is None:
        pytest.skip("zigzag-dse is not installed: tools/setup.sh all")
    (tmp_path / "machine.yaml").write_text(written_as("zigzag", binary, TECHNOLOGY, "1"))
    read = json.loads(run(sys.executable, ZIGZAG, tmp_path, "machine.yaml"))
    assert read["units"] == 2048
    assert read["unit"] == pytest.approx(binary.product_j * 1e12, rel=1e-4)
    for level in (binary.rows, binary.input_rows, binary.accumulators, binary.image_bank, binary.kernel_bank):
        assert read["bits"][level.name] == level.bits
    assert read["writes"]["image_bank"] == pytest.approx(binary.image_bank.write_j * 1e12, rel=1e-4)
    assert read["writes"]["rows"] == pytest.approx(binary.rows.write_j * 1e12 / 2048, rel=1e-4)


#: One layer as AccelForge is told of it.
LAYER = """
workload:
  rank_sizes: {M: 324, K: 432, N: 64}
  bits_per_value: {input: 1, weight: 1, output: 1}
  einsums:
  - name: conv1
    tensor_accesses:
    - {name: input, projection: [m, k]}
    - {name: weight, projection: [k, n]}
    - {name: output, projection: [m, n], output: True}
"""
READ = """
import json, sys
from accelforge.frontend.spec import Spec
spec = Spec.from_yaml(*sys.argv[1:]).calculate_component_costs(einsum_name="conv1")
nodes = [node for node in spec.arch.nodes if hasattr(node, "total_area")]
print(json.dumps({
    "area": sum(float(node.total_area) for node in nodes),
    "leakage": sum(float(node.total_leak_power) for node in nodes),
    "energies": {node.name: {action.name: float(action.energy) for action in node.actions} for node in nodes},
}))
"""


@pytest.mark.thorough
def test_accelforge_reads_it_as_it_is_meant(tmp_path: Path, binary: Hardware) -> None:
    if not ACCELFORGE.exists():
        pytest.skip("no AccelForge: it needs Python 3.12 or later, and tools/setup.sh all")
    (tmp_path / "machine.yaml").write_text(written_as("accelforge", binary, TECHNOLOGY, "1"))
    (tmp_path / "layer.yaml").write_text(LAYER)
    read = json.loads(run(ACCELFORGE, READ, tmp_path, "machine.yaml", "layer.yaml"))
    assert read["area"] == pytest.approx(
        area_estimate(MACHINE, TECHNOLOGY, kept_in=default_build_root()).total.value, rel=1e-4
    )
    levels = (binary.rows, binary.image_bank, binary.kernel_bank)
    assert read["leakage"] == pytest.approx(binary.leakage_w + sum(one.leakage_w for one in levels), rel=1e-4)
    assert read["energies"]["product"] == {"compute": pytest.approx(binary.product_j, rel=1e-4)}
    assert read["energies"]["image_bank"]["read"] == pytest.approx(binary.image_bank.read_j, rel=1e-4)


def test_the_command_writes_what_was_asked_for(tmp_path: Path) -> None:
    result = spinplane.exchange("tiny", tmp_path, bits="2:3", tools=["zigzag", "nvsim"])
    assert [file.path for file in result.files] == [tmp_path / "zigzag.yaml", tmp_path / "nvsim.cell"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nvsim.cell", "zigzag.yaml"]
    assert result.bits == "2:3"
    assert "zigzag.yaml" in str(result)


def test_an_unknown_tool_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match="tool 'cacti' is not one of zigzag, accelforge, nvsim"):
        spinplane.exchange("tiny", tmp_path / "x", tools=["nvsim", "cacti"])
    assert list(tmp_path.iterdir()) == []
