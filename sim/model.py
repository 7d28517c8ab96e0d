"""Compiled simulation models, kept by content so that the second run starts at once.

A model is an entry of the cache (`spinplane.machine.external.cache`). Verilator's run-time library, which takes six
times as long to compile as a small design, is an entry of its own, compiled once for all models.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spinplane.machine import DottedName, Name, SpinplaneError
from spinplane.machine.external.cache import LIBRARIES, MODELS, Cache, Entry
from spinplane.machine.external.process import run, tool_environment
from spinplane.machine.external.simulators import (
    FAST,
    ICARUS_FLAGS,
    LIBRARY,
    SLOW,
    VERILATOR_FLAGS,
    WAVES_FLAGS,
    icarus_command,
    icarus_options,
    link_command,
    verilator_command,
)
from spinplane.machine.external.verilog import icarus_waves, visible_ports
from spinplane.machine.files import write_file

from . import tools
from .cpp import CppJob, VerilatedParts

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
        for name, text in texts.items():
            write_file(folder / name, text.encode())
        build.compile(folder, list(texts), module, ports, cache)

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
            tools.find_cocotb().version,
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
        self._cocotb = tools.find_cocotb()
        self._waves = waves
        #: Where cocotb's libraries lie is part of it: the model is linked to them.
        self.identity = (
            "verilator",
            self._verilator.version,
            self._compiler.version,
            *self._compiler.command,
            *map(str, (self._cocotb.version, self._cocotb.libraries)),
            *(WAVES_FLAGS if waves else ()),
            *VERILATOR_FLAGS,
            *(FAST, SLOW, LIBRARY),
        )

    def compile(
        self, folder: Path, files: list[DottedName], top: Name, ports: Iterable[Name], cache: Cache
    ) -> None:
        visible, made = DottedName("ports.vlt"), folder / "cpp"
        write_file(folder / visible, visible_ports(top, ports).encode())
        command = verilator_command(self._verilator.executable, top, [visible, *files], waves=self._waves)
        log, failure = folder / "build.log", f"verilator could not build {top}"
        _call(command, folder, self._verilator.environment(), failure, log, cache)
        job = CppJob(
            folder=made,
            compiler=self._compiler,
            include=self._verilator.include,
            parts=VerilatedParts.of((made / "Vtop_classes.mk").read_text(encoding="utf-8")),
            call=lambda command: _call(
                command, made, self._compiler.environment(cache.root), failure, log, cache
            ),
        )
        name = Name(f"verilated-{_digest(self.identity, *job.parts.features.items(), *job.parts.library)}")
        library = cache.entry(LIBRARIES, name, job.compile_library)
        objects = job.compile_design(self._cocotb.main_program)
        job.call(
            link_command(
                self._compiler.command,
                [*objects, *sorted(library.folder.iterdir())],
                libraries=self._cocotb.libraries,
            )
        )
        shutil.rmtree(made)


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
