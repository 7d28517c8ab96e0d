# amaranth: UnusedElaboratable=no
"""The exported Verilog under other tools' eyes, and the folder that it lies in."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spinplane.behavioral import Engine
from spinplane.hdl.export import export
from spinplane.machine import Machine, load_machine
from spinplane.physical import run_script
from spinplane.sim import run_bench
from spinplane.sim.exchange import PROGRAMS_VARIABLE, RUNS_FILE, read_runs, write_programs
from spinplane.sim.programs import ProgramGenerator
from spinplane.sim.tools import find_icarus, find_verilator

# One sub-array, one segment, rows that are no power of two, the slowest and the fastest pulse.
ODD = Machine(
    name="odd",
    sub_arrays=1,
    rows=48,
    columns=32,
    segments=1,
    sense_cycles=2,
    write_cycles=1,
    description="odd",
)
MACHINES = [
    load_machine("tiny"),
    ODD,
    pytest.param(load_machine("paper"), marks=pytest.mark.thorough),
]


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest) -> Machine:
    return request.param


@pytest.fixture(scope="module")
def folder(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(machine, tmp_path_factory.mktemp(machine.name)).folder


def listed(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text(encoding="utf-8").split()


def verilog_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.v"))


@pytest.mark.parametrize("by", ["list", "glob"])
def test_verilator_has_nothing_to_warn_of(folder: Path, by: str) -> None:
    verilator = find_verilator()
    sources = ["-f", "simulation.f"] if by == "list" else verilog_files(folder)
    run = subprocess.run(
        [verilator.executable, "--lint-only", "--quiet", *sources],
        cwd=folder,
        env=verilator.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("by", ["list", "glob"])
def test_icarus_has_nothing_to_warn_of(folder: Path, by: str, tmp_path: Path) -> None:
    sources = ["-f", "simulation.f"] if by == "list" else verilog_files(folder)
    run = subprocess.run(
        [find_icarus(), "-g2012", "-Wall", "-o", tmp_path / "model", *sources],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("by", "passes"), [("list", "synth -noabc -top imce\nstat -top imce"), ("glob", "proc\nstat -top imce")]
)
def test_yosys_has_nothing_to_warn_of(folder: Path, by: str, passes: str, tmp_path: Path) -> None:
    """Without ABC, which takes minutes and sees no Verilog."""
    names = listed(folder, "synthesis.f") if by == "list" else verilog_files(folder)
    for name in names:
        shutil.copy(folder / name, tmp_path)
    read = "".join(f"read_verilog {name}\n" for name in names)
    log = run_script(f"{read}hierarchy -check -top imce\n{passes}\ncheck -assert\n", tmp_path)
    assert [line for line in log.splitlines() if "warning" in line.lower()] == []
    assert "sot_mram_array" in log.rpartition("design hierarchy")[2]


def test_it_runs_as_it_lies_there(machine: Machine, folder: Path, tmp_path: Path) -> None:
    generator = ProgramGenerator(machine, seed=7)
    programs = [generator.writes(), generator.program(20)]
    write_programs(tmp_path / "programs.npz", programs, 0.2, 1)
    run = run_bench(
        "spinplane.sim.bench_imce",
        [folder / name for name in listed(folder, "simulation.f")],
        "imce",
        simulator="icarus",
        environment={PROGRAMS_VARIABLE: str(tmp_path / "programs.npz")},
        build_root=tmp_path,
    ).check()
    functional = Engine(machine)
    for rtl, program in zip(read_runs(run.folder / RUNS_FILE), programs, strict=True):
        expected = functional.run(program)
        assert rtl.results.tolist() == expected.results.tolist()
        assert rtl.rows.tolist() == expected.rows.tolist()


def test_the_description_names_the_ports_of_the_verilog(folder: Path) -> None:
    described = {
        port["name"]: (port["direction"], port["width"])
        for port in json.loads((folder / "imce.json").read_text(encoding="utf-8"))["ports"]
    }
    text = (folder / "imce.v").read_text(encoding="utf-8")
    header = re.search(r"^module imce\((.*?)\);", text, re.MULTILINE | re.DOTALL)
    assert header is not None
    assert sorted(re.split(r"\s*,\s*", header[1].strip())) == sorted(described)
    declared = {
        name: (direction, int(high or 0) + 1)
        for direction, high, name in re.findall(
            r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", text, re.MULTILINE
        )
    }
    assert declared == described


def test_fields_fill_their_ports(folder: Path) -> None:
    ports = json.loads((folder / "imce.json").read_text(encoding="utf-8"))["ports"]
    structs = [port for port in ports if "fields" in port]
    assert {"command__payload", "result__payload", "counters"} <= {port["name"] for port in structs}
    for port in structs:
        at = 0
        for field in port["fields"]:
            assert field["offset"] == at
            at += field["width"]
        assert at == port["width"]


def test_a_sub_array_is_one_module_that_is_placed_often(machine: Machine, folder: Path) -> None:
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in verilog_files(folder)}
    modules = re.findall(r"^module (\w+)", "".join(texts.values()), re.MULTILINE)
    # The array is there twice, as a model and as a black box.
    assert sorted(modules) == sorted(
        [*(Path(name).stem for name in texts if "stub" not in name), "sot_mram_array"]
    )
    assert len(re.findall(r"^  sub_array \w+ \(", texts["engine.v"], re.MULTILINE)) == machine.sub_arrays
    assert len(re.findall(r"^  sot_mram_array #\(", texts["sub_array.v"], re.MULTILINE)) == 1


def test_lists_and_core_name_files_that_are_there(folder: Path) -> None:
    modules = json.loads((folder / "imce.json").read_text(encoding="utf-8"))["modules"]
    sources = [f"{name}.v" for name in modules]
    assert listed(folder, "synthesis.f") == ["sot_mram_array_stub.v", *sources]
    assert listed(folder, "simulation.f") == ["sot_mram_array.v", *sources]
    core = (folder / "imce.core").read_text(encoding="utf-8")
    assert core.startswith("CAPI=2:\n")
    named = re.findall(r"^      - (\S+)$", core, re.MULTILINE)
    assert sorted(named) == verilog_files(folder)
    filesets = re.findall(r"^  (\w+):\n    files:$", core, re.MULTILINE)
    used = re.findall(r"^    filesets: \[(.*)\]$", core, re.MULTILINE)
    assert {name for names in used for name in names.split(", ")} == set(filesets)


def test_another_process_writes_the_same_bytes(machine: Machine, folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from spinplane.hdl.export import export; "
        "from spinplane.machine import Machine; "
        f"export({machine!r}, Path(sys.argv[1]))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code, tmp_path], env=environment, check=True)
    assert content(tmp_path) == content(folder)


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Verilog that is generated once for the tests of folders."""
    return tmp_path_factory.getbasetemp() / "kept"


def test_old_files_go_foreign_ones_stay(tmp_path: Path, kept: Path) -> None:
    export(ODD, tmp_path, kept_in=kept)
    whole = content(tmp_path)
    description = json.loads(whole["imce.json"])
    description["files"] += ["old_module.v", "../outside.v"]
    (tmp_path / "imce.json").write_text(json.dumps(description), encoding="utf-8")
    for name in ("old_module.v", "mine.v"):
        (tmp_path / name).write_text("// text", encoding="utf-8")
    outside = tmp_path.parent / "outside.v"
    outside.write_text("// text", encoding="utf-8")
    result = export(ODD, tmp_path, kept_in=kept)
    assert content(tmp_path) == whole | {"mine.v": "// text"}
    assert sorted(result.files) == sorted(whole)
    assert outside.exists()


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"generator": "other", "files": ["mine.v"]}', '{"generator": 1}']
)
def test_a_foreign_description_deletes_nothing(text: str, tmp_path: Path, kept: Path) -> None:
    (tmp_path / "imce.json").write_text(text, encoding="utf-8")
    (tmp_path / "mine.v").write_text("// text", encoding="utf-8")
    export(ODD, tmp_path, kept_in=kept)
    assert (tmp_path / "mine.v").exists()
    assert json.loads((tmp_path / "imce.json").read_text(encoding="utf-8"))["top"] == "imce"


def test_a_full_disk_leaves_the_folder_as_it_was(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(ODD, tmp_path, kept_in=kept)
    before = content(tmp_path)
    write_text = Path.write_text

    def fill(path: Path, *args: str, **options: str) -> int:
        if path.name == "engine.v":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write_text(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", fill)
    with pytest.raises(OSError, match="No space left on device"):
        export(load_machine("tiny"), tmp_path, kept_in=kept)
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
