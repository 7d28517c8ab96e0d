"""Compiled simulation models, kept by content so that the second run starts at once.

A model lies in ``<build root>/sim/<top>-<hash>``. It is built beside its place under a lock and moved there
when it is whole, so that parallel and interrupted builds leave nothing that is broken. Verilator's run-time
library, which takes six times as long to compile as a small design, is compiled once for all models.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
from cocotb import __version__ as cocotb_version

from spinplane.machine import SpinplaneError

from . import tools

#: Simulators of `build_model`.
SIMULATORS = ("verilator", "icarus")

_TIMESCALE = ("1ns", "1ps")
_VERILATOR_FLAGS = (
    *("--vpi", "--no-public-flat-rw", "-Wno-fatal", "--timescale", "/".join(_TIMESCALE)),
    # All variables begin as 0, as they do anyway unless a seed is asked for, but without a call for each.
    *("--x-initial", "fast"),
)
# A model of one level of optimization is compiled sooner than Verilator's own -Os, and runs faster by a fifth. The
# library, compiled once, runs in every cycle that Python sees.
_OPTIMIZATION = ("OPT_FAST=-O1", "OPT_GLOBAL=-O2")
_ICARUS_FLAGS = ("-g2012",)
_MOST_JOBS = 4


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

    @property
    def program(self) -> Path:
        """What is run: an executable, or what Icarus' ``vvp`` interprets."""
        return self.folder / ("model" if self.simulator == "verilator" else "model.vvp")


def default_build_root() -> Path:
    """``$SPINPLANE_BUILD``, else ``build`` in the current directory."""
    return Path(os.environ.get("SPINPLANE_BUILD") or "build").resolve()


def build_model(
    sources: Sequence[Path] | Mapping[str, str],
    top: str,
    *,
    simulator: str,
    build_root: Path | None = None,
    waves: bool = False,
) -> SimulationModel:
    """Compile Verilog, or find it compiled.

    Parameters
    ----------
    sources : sequence of Path, or mapping of str to str
        Verilog files, or Verilog text by module name as `spinplane.hdl.common.verilog.verilog_modules` returns it.
    top : str
        Name of the top module. Only its ports are visible to a bench.
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
    home = (build_root or default_build_root()).resolve() / "sim"
    folder = home / f"{top}-{_digest(top, build.identity, *texts.items())}"

    inputs = tuple(name for name, direction in ports.items() if direction == "input")

    def model(cached: bool, seconds: float) -> SimulationModel:
        return SimulationModel(
            simulator=simulator,
            top=top,
            folder=folder,
            inputs=inputs,
            waves=waves,
            cached=cached,
            build_seconds=seconds,
        )

    if folder.is_dir():
        return model(True, 0.0)
    start = time.monotonic()
    with _lock(folder):
        if folder.is_dir():
            return model(True, time.monotonic() - start)
        growing = folder.with_name(f".{folder.name}")
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir()
        for name, text in texts.items():
            (growing / name).write_text(text, encoding="utf-8")
        build.compile(growing, list(texts), top, ports)
        growing.rename(folder)
    return model(False, time.monotonic() - start)


class _IcarusBuild:
    def __init__(self, waves: bool) -> None:
        self._compiler = tools.find_icarus()
        self._waves = waves
        self.identity = (
            "icarus",
            tools.version_of(self._compiler, "-V"),
            cocotb_version,
            waves,
            *_ICARUS_FLAGS,
        )

    def compile(self, folder: Path, files: list[str], top: str, ports: Iterable[str]) -> None:
        tops = [top]
        options = folder / "options.f"
        options.write_text(f"+timescale+{'/'.join(_TIMESCALE)}\n", encoding="utf-8")
        if self._waves:
            tops.append("spinplane_waves")
            files = [*files, "spinplane_waves.v"]
            (folder / files[-1]).write_text(_ICARUS_WAVES.format(top=top), encoding="utf-8")
        command = [str(self._compiler), *_ICARUS_FLAGS, "-f", options.name, "-o", "model.vvp"]
        for name in tops:
            command += ["-s", name]
        _call([*command, *files], folder, dict(os.environ), f"icarus could not build {top}")


_ICARUS_WAVES = """module spinplane_waves;
  initial begin
    $dumpfile("waves.vcd");
    $dumpvars(0, {top});
  end
endmodule
"""


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
            waves,
            *_VERILATOR_FLAGS,
            *_OPTIMIZATION,
        )

    def compile(self, folder: Path, files: list[str], top: str, ports: Iterable[str]) -> None:
        failure = f"verilator could not build {top}"
        visible = folder / "ports.vlt"
        visible.write_text(_visible_ports(top, ports), encoding="utf-8")
        main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
        libraries = cocotb_tools.config.libs_dir
        command = [
            str(self._verilator.executable),
            *("-cc", "--exe", "--prefix", "Vtop", "-Mdir", "cpp", "-o", "../model", "--top-module", top),
            *_VERILATOR_FLAGS,
            *(["--trace"] if self._waves else []),
            *("-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"),
            *(str(main), visible.name, *files),
        ]
        _call(command, folder, self._environment, failure)
        makefiles = folder / "cpp"
        library = self._run_time_library(makefiles, failure)
        for path in library:
            shutil.copy(path, makefiles)
        self._run_make(makefiles, [*(f"--old-file={path.name}" for path in library)], failure)
        shutil.rmtree(makefiles)

    def _run_time_library(self, makefiles: Path, failure: str) -> list[Path]:
        """Object files of Verilator's run-time library with the features that this design asks for."""
        features = (makefiles / "Vtop_classes.mk").read_text(encoding="utf-8")
        switches = re.findall(r"^VM_(?:TIMING|COVERAGE|TRACE\w*|VPI) = .*$", features, re.MULTILINE)
        listed = re.findall(r"^VM_GLOBAL_(?:FAST|SLOW) \+= \\\n((?:\s+\w+ \\\n)*)", features, re.MULTILINE)
        objects = [f"{name}.o" for group in listed for name in re.findall(r"\w+", group)]
        home = makefiles.parent.parent / f"verilated-{_digest(self.identity, *switches, *objects)}"
        with _lock(home):
            if not home.is_dir():
                self._run_make(makefiles, objects, failure)
                growing = home.with_name(f".{home.name}")
                shutil.rmtree(growing, ignore_errors=True)
                growing.mkdir()
                for name in objects:
                    shutil.move(makefiles / name, growing)
                growing.rename(home)
        return [home / name for name in objects]

    def _run_make(self, makefiles: Path, arguments: list[str], failure: str) -> None:
        command = [
            *(str(self._make), f"-j{min(_MOST_JOBS, os.cpu_count() or 1)}", "-f", "Vtop.mk"),
            *(f"CXX={self._compiler}", f"LINK={self._compiler}", f"PYTHON3={sys.executable}"),
            *(f"VM_TRACE={int(self._waves)}", *self._verilator.make_variables),
            *(*_OPTIMIZATION, *arguments),
        ]
        _call(command, makefiles, self._environment, failure, makefiles.parent / "build.log")


def _texts(sources: Sequence[Path] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(sources, Mapping):
        return {f"{name}.v": text for name, text in sources.items()}
    texts = {path.name: path.read_text(encoding="utf-8") for path in sources}
    if len(texts) != len(sources):
        raise ValueError(f"two Verilog files of the same name among {', '.join(map(str, sources))}")
    return texts


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _visible_ports(top: str, ports: Iterable[str]) -> str:
    """Verilator control file that shows a bench the ports of `top`: all signals visible are slower."""
    lines = [f'public_flat_rw -module "{top}" -var "{name}"' for name in ports]
    return "\n".join(["`verilator_config", *lines, ""])


def _ports(top: str, texts: Mapping[str, str]) -> dict[str, str]:
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
        ports, direction = {}, ""
        for item in listed.split(","):
            words = re.findall(r"\w+", item.partition("=")[0])
            if words and words[0] in ("input", "output", "inout"):
                direction = words[0]
            if words:
                ports[words[-1]] = direction
        if ports:
            return ports
    raise SpinplaneError(f"no module {top!r} with ports among {', '.join(texts)}")


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold what is built at `folder` for this process alone; freed also when the process is killed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _call(
    command: list[str], folder: Path, environment: Mapping[str, str], failure: str, log: Path | None = None
) -> None:
    log = log or folder / "build.log"
    with log.open("a", encoding="utf-8") as out:
        run = subprocess.run(
            command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    if run.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines if re.search(r"error", line, re.IGNORECASE)]
        reason = (telling or lines or [f"exit status {run.returncode}"])[0].strip()
        raise SpinplaneError(f"{failure}: {reason} (all of it in {log})")
