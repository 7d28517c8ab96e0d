"""Compiled simulation models, kept by content so that the second run starts at once.

A model is an entry of the cache (`spinplane.machine.external.cache`). Verilator's run-time library, which takes six
times as long to compile as a small design, is an entry of its own, compiled once for all models.
"""

import hashlib
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cocotb_tools.config
from cocotb import __version__ as cocotb_version

from spinplane.machine import DottedName, Name, SpinplaneError
from spinplane.machine.external.cache import LIBRARIES, MODELS, Cache, Entry
from spinplane.machine.external.process import run, tool_environment
from spinplane.machine.external.simulators import (
    ICARUS_FLAGS,
    OPTIMIZATION,
    VERILATOR_FLAGS,
    WAVES_FLAGS,
    icarus_command,
    icarus_options,
    make_command,
    verilator_command,
)
from spinplane.machine.external.verilog import icarus_waves, visible_ports
from spinplane.machine.files import temporary_folder, write_file

from . import tools

#: Simulators of `build_model`.
SIMULATORS = ("verilator", "icarus")


@dataclass(frozen=True, kw_only=True)
class SimulationModel:
    """A compiled design.

    Parameters
    ----------
    simulator : str
    top : str
    folder : Path
    inputs : tuple of str
        Input ports of the top.
    waves : bool
        Whether it can write a waveform.
    cached : bool
        Whether it was there already.
    build_seconds : float
    """

    simulator: str
    top: str
    folder: Path
    inputs: tuple[str, ...]
    waves: bool
    cached: bool
    build_seconds: float
    #: Keeps the model in the cache as long as it may be run.
    entry: Entry = field(repr=False, compare=False)

    @property
    def program(self) -> Path:
        """What is run: an executable, or what Icarus' ``vvp`` interprets."""
        return self.folder / ("model" if self.simulator == "verilator" else "model.vvp")


def build_model(
    sources: Sequence[Path] | Mapping[Name, str],
    top: str,
    *,
    simulator: str,
    build_root: Path | None = None,
    waves: bool = False,
) -> SimulationModel:
    """Compile Verilog, or find it compiled.

    Parameters
    ----------
    sources : sequence of Path, or mapping of Name to str
        Verilog files, or Verilog text by module name as `spinplane.hdl.common.verilog.verilog_modules` returns it.
    top : str
        Name of the top module: letters, digits, ``-`` and ``_``. Only its ports are visible to a bench.
    simulator : {"verilator", "icarus"}
    build_root : Path, optional
        `default_build_root` if not given.
    waves : bool
        Prepare the model to write a VCD of all its signals; slower.

    Raises
    ------
    SpinplaneError
        If the simulator or what it needs is missing, or it refuses the sources.
    """
    if simulator not in SIMULATORS:
        raise ValueError(f"simulator {simulator!r}: must be one of {', '.join(SIMULATORS)}")
    texts = _texts(sources)
    build = _VerilatorBuild(waves) if simulator == "verilator" else _IcarusBuild(waves)
    ports = _ports(top, texts)
    module = Name(top, "module")
    cache = Cache(build_root)
    start = time.monotonic()

    def make(folder: Path) -> None:
        with _workplace(folder) as workplace:
            for name, text in texts.items():
                write_file(workplace / name, text.encode())
            build.compile(workplace, list(texts), module, ports, cache)

    entry = cache.entry(MODELS, Name(f"{top}-{_digest(top, build.identity, *texts.items())}", "module"), make)
    return SimulationModel(
        simulator=simulator,
        top=top,
        folder=entry.folder,
        inputs=tuple(name for name, direction in ports.items() if direction == "input"),
        waves=waves,
        cached=entry.cached,
        build_seconds=0.0 if entry.cached else time.monotonic() - start,
        entry=entry,
    )


class _IcarusBuild:
    def __init__(self, waves: bool) -> None:
        self._compiler = tools.find_icarus()
        self._waves = waves
        self.identity = (
            "icarus",
            tools.version_of(self._compiler, "-V"),
            cocotb_version,
            waves,
            *ICARUS_FLAGS,
        )

    def compile(
        self, folder: Path, files: list[DottedName], top: Name, ports: Iterable[Name], cache: Cache
    ) -> None:
        tops, options = [top], DottedName("options.f")
        write_file(folder / options, icarus_options().encode())
        if self._waves:
            tops.append(Name("spinplane_waves"))
            files = [*files, DottedName("spinplane_waves.v")]
            write_file(folder / files[-1], icarus_waves(top).encode())
        command = icarus_command(self._compiler, tops, files, options)
        _call(
            command, folder, tool_environment(), f"icarus could not build {top}", folder / "build.log", cache
        )


class _VerilatorBuild:
    def __init__(self, waves: bool) -> None:
        self._verilator = tools.find_verilator()
        self._compiler = tools.find_compiler()
        self._make = tools.find_make()
        self._waves = waves
        self._environment = self._verilator.environment()
        #: Where cocotb's libraries lie is part of it: the model is linked to them.
        self.identity = (
            "verilator",
            self._verilator.version,
            str(self._compiler),
            tools.version_of(self._compiler),
            cocotb_version,
            str(cocotb_tools.config.libs_dir),
            *(WAVES_FLAGS if waves else ()),
            *VERILATOR_FLAGS,
            *OPTIMIZATION,
        )

    def compile(
        self, folder: Path, files: list[DottedName], top: Name, ports: Iterable[Name], cache: Cache
    ) -> None:
        log, failure = folder / "build.log", f"verilator could not build {top}"
        visible, main = DottedName("ports.vlt"), DottedName("spinplane_main.cpp")
        write_file(folder / visible, visible_ports(top, ports).encode())
        # A copy, as the makefile would not find it in a folder with spaces.
        program = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
        write_file(folder / main, program.read_bytes())
        command = verilator_command(
            self._verilator.executable,
            top,
            [visible, *files],
            main=main,
            libraries=cocotb_tools.config.libs_dir,
            waves=self._waves,
        )
        _call(command, folder, self._environment, failure, log, cache)
        makefiles = folder / "cpp"
        library = self._run_time_library(makefiles, failure, log, cache)
        objects = [path.name for path in library.folder.iterdir()]
        for name in objects:
            write_file(makefiles / name, (library.folder / name).read_bytes())
        self._run_make(makefiles, [f"--old-file={name}" for name in objects], failure, log, cache)
        shutil.rmtree(makefiles)
        (folder / main).unlink()

    def _run_time_library(self, makefiles: Path, failure: str, log: Path, cache: Cache) -> Entry:
        """Object files of Verilator's run-time library with the features that this design asks for."""
        features = (makefiles / "Vtop_classes.mk").read_text(encoding="utf-8")
        switches = re.findall(r"^VM_(?:TIMING|COVERAGE|TRACE\w*|VPI) = .*$", features, re.MULTILINE)
        listed = re.findall(r"^VM_GLOBAL_(?:FAST|SLOW) \+= \\\n((?:\s+\w+ \\\n)*)", features, re.MULTILINE)
        objects = [f"{name}.o" for group in listed for name in re.findall(r"\w+", group)]

        def make(folder: Path) -> None:
            self._run_make(makefiles, objects, failure, log, cache)
            for name in objects:
                shutil.move(makefiles / name, folder)

        return cache.entry(LIBRARIES, Name(f"verilated-{_digest(self.identity, *switches, *objects)}"), make)

    def _run_make(self, makefiles: Path, arguments: list[str], failure: str, log: Path, cache: Cache) -> None:
        command = make_command(
            self._make,
            arguments,
            compiler=self._compiler,
            python=Path(sys.executable),
            variables=self._verilator.make_variables,
            waves=self._waves,
        )
        _call(command, makefiles, self._environment, failure, log, cache)


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """Where a model is built: its folder, or another, from which it is moved there, if make could not work in it."""
    if re.fullmatch(r"[\w./+,@%-]+", str(folder), re.ASCII):
        yield folder
        return
    with temporary_folder() as other:
        yield other
        for path in list(other.iterdir()):
            shutil.move(path, folder)


def _texts(sources: Sequence[Path] | Mapping[Name, str]) -> dict[DottedName, str]:
    if isinstance(sources, Mapping):
        return {DottedName(f"{Name(name, 'module')}.v"): text for name, text in sources.items()}
    texts = {DottedName(path.name, "Verilog file"): path.read_text(encoding="utf-8") for path in sources}
    if len(texts) != len(sources):
        raise ValueError(f"two Verilog files of the same name among {', '.join(map(str, sources))}")
    return texts


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _ports(top: str, texts: Mapping[DottedName, str]) -> dict[Name, str]:
    """Direction of each port of `top` by its name, declared in the header of the module or in its body."""
    for text in texts.values():
        code = re.sub(r"//[^\n]*|/\*.*?\*/|\(\*[^)].*?\*\)", "", text, flags=re.DOTALL)
        module = re.search(rf"\bmodule\s+{re.escape(top)}\b(.*?);(.*?)\bendmodule\b", code, re.DOTALL)
        if module is None:
            continue
        header, body = (re.sub(r"\[[^\]]*\]", "", part) for part in module.groups())
        listed = header[header.rfind("(") + 1 :].split(")")[0]
        if not re.search(r"\b(?:input|output|inout)\b", listed):
            body = re.sub(r"\bfunction\b.*?\bendfunction\b", "", body, flags=re.DOTALL)
            listed = ",".join(re.findall(r"\b(?:input|output|inout)\b[^;]*", body))
        ports: dict[Name, str] = {}
        direction = ""
        for item in listed.split(","):
            words = re.findall(r"\w+", item.partition("=")[0])
            if words and words[0] in ("input", "output", "inout"):
                direction = words[0]
            if words:
                ports[Name(words[-1], "port")] = direction
        if ports:
            return ports
    raise SpinplaneError(f"no module {top!r} with ports among {', '.join(texts)}")


def _call(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    failure: str,
    log: Path,
    cache: Cache,
) -> None:
    status = run(command, folder=folder, environment=environment, log=log).status
    if status:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines if re.search(r"error", line, re.IGNORECASE)]
        reason = (telling or lines or [f"exit status {status}"])[0].strip()
        raise SpinplaneError(f"{failure}: {reason} (all of it in {cache.keep_log(log, Name('build'))})")
