"""Dataclasses are values: none changes, and all but small ones take their fields by name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = re.findall(
    r'^"spinplane[\w.]*" = "(\w+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
)
#: Those that grow while something is read or counted.
CHANGE = {
    "compiler/frontend/building/drafts.py": {"Input", "Drafts"},
    "compiler/frontend/onnx_file/reading.py": {"Contents"},
    "sim/benches/control/bench_layer_controller.py": {"Outcome"},
    "training/export.py": {"_Graph"},
    "training/plain_pickle.py": {"_Array"},
}
#: Those whose fields are known by their order.
BY_PLACE = {
    "behavioral/array/pair_factors.py": {"Lot", "Factors"},
    "compiler/frontend/tflite_file/schema.py": {"Vector", "Union"},
    "compiler/frontend/tflite_operators/operator.py": {"Operator"},
    "hdl/control/row_pair_generator.py": {"_Loop"},
    "machine/codec.py": {"End"},
    "machine/descriptor.py": {"Field"},
    "machine/output_stage.py": {"ChannelField"},
    "sim/benches/control/bench_layer_controller.py": {"Outcome"},
    "sim/benches/control/bench_sequencer.py": {"Duty"},
    "sim/benches/output/bench_activation.py": {"Lane", "Beat"},
    "sim/benches/output/bench_batch_norm.py": {"Turn"},
    "sim/benches/output/output_stage_cases.py": {"OutputStageCase"},
    "training/export.py": {"_Graph"},
    "training/plain_pickle.py": {"_Array", "_Named", "_Type"},
}


def without(option: str, folder: str) -> dict[str, set[str]]:
    """Dataclasses that do not say ``option=True``, by file."""
    found: dict[str, set[str]] = {}
    for source in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            for text in map(ast.unparse, node.decorator_list if isinstance(node, ast.ClassDef) else []):
                if text.startswith("dataclass") and f"{option}=True" not in text:
                    assert isinstance(node, ast.ClassDef)
                    found.setdefault(str(source.relative_to(ROOT)), set()).add(node.name)
    return found


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(("option", "others"), [("frozen", CHANGE), ("kw_only", BY_PLACE)])
def test_dataclasses_are_values(folder: str, option: str, others: dict[str, set[str]]) -> None:
    assert without(option, folder) == {
        file: names for file, names in others.items() if file.startswith(f"{folder}/")
    }
