# amaranth: UnusedElaboratable=no
"""The exported Verilog under other tools' eyes, and the folder that it lies in."""

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from odd_machine import ODD

from spinplane.hdl.export.files import Export, export
from spinplane.machine import Machine, Name, load_machine
from spinplane.machine.memory_map import MemoryMap, region_address

MACHINES = [
    load_machine("tiny"),
    ODD,
    pytest.param(load_machine("paper"), marks=pytest.mark.thorough),
]


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest) -> Machine:
    return request.param


BENCH = {"run.py": b"print()", "program.npz": bytes(range(256))}


@pytest.fixture(scope="module")
def exported(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Export:
    return export(machine, tmp_path_factory.mktemp(machine.name), bench=BENCH)


@pytest.fixture(scope="module")
def folder(exported: Export) -> Path:
    return exported.folder


def listed(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text(encoding="utf-8").split()


def verilog_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.v"))


@pytest.mark.thorough
def test_the_description_names_the_ports_of_the_verilog(folder: Path) -> None:
    described = {
        port["name"]: (port["direction"], port["width"])
        for port in json.loads((folder / "accelerator.json").read_text(encoding="utf-8"))["ports"]
    }
    text = (folder / "accelerator.v").read_text(encoding="utf-8")
    header = re.search(r"^module accelerator\((.*?)\);", text, re.MULTILINE | re.DOTALL)
    assert header is not None
    assert sorted(re.split(r"\s*,\s*", header[1].strip())) == sorted(described)
    declared = {
        name: (direction, int(high or 0) + 1)
        for direction, high, name in re.findall(
            r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", text, re.MULTILINE
        )
    }
    assert declared == described


def test_the_description_names_the_banks(machine: Machine, folder: Path) -> None:
    banks = json.loads((folder / "accelerator.json").read_text(encoding="utf-8"))["banks"]
    expected = MemoryMap.of(machine).banks
    assert list(banks) == list(expected)
    for name, bank in banks.items():
        assert bank["address"] == region_address(name)
        assert (bank["words"], bank["width"], bank["size"]) == (
            expected[name].words,
            expected[name].width,
            expected[name].size,
        )


def test_every_bank_that_is_placed_is_listed_as_a_macro(machine: Machine, folder: Path) -> None:
    texts = [(folder / name).read_text(encoding="utf-8") for name in listed(folder, "synthesis.f")]
    macros = json.loads((folder / "accelerator.json").read_text(encoding="utf-8"))["macros"]
    assert len(macros) == len(re.findall(r"^  bank #\(", "".join(texts), re.MULTILINE))
    sizes = {
        (macro["module"], macro["instance"]): (macro["words"], macro["width"], macro["reads"])
        for macro in macros
    }
    assert len(sizes) == len(macros)
    lanes, half = machine.results_per_cycle, machine.image_words // 2
    banks = MemoryMap.of(machine).banks
    assert sizes.pop(("window_sum", "row_sum_bank"))[0] == machine.rows
    for name in ("parameters", "scales"):
        # A memory for each part of a word that is read on its own.
        parts = [sizes.pop(key) for key in list(sizes) if key[0] == f"{name}_bank"]
        assert len({words for words, _, _ in parts}) == 1
        assert sum(words * width for words, width, _ in parts) == banks[name].bits
        assert {reads for *_, reads in parts} == {1}
    assert sizes == {
        ("image_bank", "even_words"): (half, machine.columns, 2),
        ("image_bank", "odd_words"): (half, machine.columns, 2),
        ("accelerator", "log_bank"): (machine.descriptors, 13 * 48, 1),
        ("accelerator", "kernel_bank"): (banks["kernel"].words, banks["kernel"].width, 1),
        ("accelerator", "program_bank"): (banks["program"].words, banks["program"].width, 1),
        ("pooling", "pool_bank"): (machine.pool_beats, 36 * lanes, 1),
        **{
            ("thresholds_bank", f"lane_{lane}_bank"): (machine.threshold_beats, 128, 1)
            for lane in range(lanes)
        },
    }


def test_a_sub_array_is_one_module_that_is_placed_often(machine: Machine, folder: Path) -> None:
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in verilog_files(folder)}
    modules = re.findall(r"^module (\w+)", "".join(texts.values()), re.MULTILINE)
    # Array and bank are there twice, as a model and as a black box.
    assert sorted(modules) == sorted(
        [*(Path(name).stem for name in texts if "stub" not in name), "bank", "sot_mram_array"]
    )
    assert len(re.findall(r"^  sub_array \w+ \(", texts["engine.v"], re.MULTILINE)) == machine.sub_arrays
    assert len(re.findall(r"^  sot_mram_array #\(", texts["sub_array.v"], re.MULTILINE)) == 1


def test_lists_and_core_name_files_that_are_there(folder: Path) -> None:
    modules = json.loads((folder / "accelerator.json").read_text(encoding="utf-8"))["modules"]
    sources = [f"{name}.v" for name in modules]
    assert listed(folder, "synthesis.f") == ["sot_mram_array_stub.v", "bank_stub.v", *sources]
    assert listed(folder, "simulation.f") == ["sot_mram_array.v", "bank.v", *sources]
    core = (folder / "accelerator.core").read_text(encoding="utf-8")
    assert core.startswith("CAPI=2:\n")
    named = re.findall(r"^      - (\S+)$", core, re.MULTILINE)
    assert sorted(named) == sorted(["lint.vlt", *verilog_files(folder)])
    filesets = re.findall(r"^  (\w+):\n    files:$", core, re.MULTILINE)
    used = re.findall(r"^    filesets: \[(.*)\]$", core, re.MULTILINE)
    assert {name for names in used for name in names.split(", ")} == set(filesets)


@pytest.mark.thorough
def test_another_process_writes_the_same_bytes(machine: Machine, folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from spinplane.hdl.export.files import export; "
        "from spinplane.machine import Machine; "
        f"export({machine!r}, Path(sys.argv[1]), bench={BENCH!r})"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code, tmp_path], env=environment, check=True)
    assert content(tmp_path) == content(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_all_that_is_written(exported: Export) -> None:
    assert sorted(exported.files) == sorted(content(exported.folder))
    assert {f"bench/{name}" for name in BENCH} < set(exported.files)
    described = json.loads((exported.folder / "accelerator.json").read_text(encoding="utf-8"))["files"]
    assert described == list(exported.files)


def test_the_summary_names_what_is_there(exported: Export, tmp_path: Path, kept: Path) -> None:
    named = re.findall(rf"{re.escape(str(exported.folder))}/([^\s,]+)", str(exported))
    assert named
    assert set(named) <= set(exported.files)
    assert "bench/run.py" in named
    assert "bench" not in str(export(ODD, tmp_path, kept_in=kept))


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Verilog that is generated once for the tests of folders."""
    return tmp_path_factory.getbasetemp() / "kept"


def test_old_files_go_foreign_ones_stay(tmp_path: Path, kept: Path) -> None:
    export(ODD, tmp_path, kept_in=kept, bench=BENCH)
    whole = content(tmp_path)
    description = json.loads(whole["accelerator.json"])
    description["files"] += [
        "old_module.v",
        "bench/old.py",
        "other/mine.v",
        "../outside.v",
        "bench/../../outside.v",
    ]
    (tmp_path / "accelerator.json").write_text(json.dumps(description), encoding="utf-8")
    (tmp_path / "other").mkdir()
    for name in ("old_module.v", "mine.v", "other/mine.v", "bench/old.py", "bench/mine.py"):
        (tmp_path / name).write_text("// text", encoding="utf-8")
    outside = tmp_path.parent / "outside.v"
    outside.write_text("// text", encoding="utf-8")
    result = export(ODD, tmp_path, kept_in=kept, bench=BENCH)
    foreign = dict.fromkeys(("mine.v", "other/mine.v", "bench/mine.py"), b"// text")
    assert content(tmp_path) == whole | foreign
    assert sorted(result.files) == sorted(whole)
    assert outside.exists()


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"generator": "other", "files": ["mine.v"]}', '{"generator": 1}']
)
def test_a_foreign_description_deletes_nothing(text: str, tmp_path: Path, kept: Path) -> None:
    (tmp_path / "accelerator.json").write_text(text, encoding="utf-8")
    (tmp_path / "mine.v").write_text("// text", encoding="utf-8")
    export(ODD, tmp_path, kept_in=kept)
    assert (tmp_path / "mine.v").exists()
    assert json.loads((tmp_path / "accelerator.json").read_text(encoding="utf-8"))["top"] == "accelerator"


@pytest.mark.thorough
def test_a_full_disk_leaves_the_folder_as_it_was(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(ODD, tmp_path, kept_in=kept)
    before = content(tmp_path)
    write_bytes = Path.write_bytes

    def fill(path: Path, data: bytes) -> int:
        if path.name == "engine.v":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space left on device"):
        export(load_machine("tiny"), tmp_path, kept_in=kept, bench=BENCH)
    monkeypatch.undo()
    assert content(tmp_path) == before
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_folder_in_the_place_of_a_file_leaves_the_others_as_they_were(tmp_path: Path, kept: Path) -> None:
    export(ODD, tmp_path, kept_in=kept)
    (tmp_path / "sum.v").unlink()
    (tmp_path / "sum.v").mkdir()
    before = content(tmp_path)
    with pytest.raises(IsADirectoryError, match=re.escape(f"Is a directory: '{tmp_path / 'sum.v'}'")):
        export(load_machine("tiny"), tmp_path, kept_in=kept)
    assert content(tmp_path) == before


@pytest.mark.thorough
def test_no_text_of_a_user_is_in_what_programs_read(tmp_path: Path) -> None:
    """Of a machine the Verilog, scripts and headers have numbers, and the name, which is a `Name`; readers have all."""
    hostile = 'canary */ `include "canary" $(touch canary) \'; touch canary #'
    machine = replace(ODD, name="odd-1", description=hostile)
    texts = {key: value for key, value in asdict(machine).items() if isinstance(value, str)}
    assert texts == {"name": "odd-1", "description": hostile, "write_overlap": "none"}
    assert isinstance(machine.name, Name)
    result = export(machine, tmp_path / "rtl")
    of_readers = {"datasheet.md", "accelerator.json"}
    found = {name for name in result.files if b"canary" in (result.folder / name).read_bytes()}
    assert found == of_readers
    description = json.loads((result.folder / "accelerator.json").read_text(encoding="utf-8"))
    assert description["machine"]["description"] == hostile
