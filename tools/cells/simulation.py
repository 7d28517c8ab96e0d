"""Runs of ngspice: one circuit at many points."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinplane.device.access_transistor import MODELS
from spinplane.machine.external.process import run
from spinplane.machine.files import temporary_folder

#: Supply in V; the typical corner, at 27 °C.
VOLTS = 1.1
NANO, PICO, FEMTO = 1e-9, 1e-12, 1e-15
#: A slew is the time from 20 to 80 % of the supply, of straight ramps.
LOW, HALF, HIGH = 0.2 * VOLTS, 0.5 * VOLTS, 0.8 * VOLTS
RAMP = 1 / 0.6
#: At least, in the time of an edge.
STEPS = 125
# With xmu below a half the trapezoidal rule's currents do not ring after an edge. ngspice's threads would wait for one
# another, a hundred times as long as the circuit takes.
_OPTIONS = ".options abstol=1e-14 gmin=1e-15 xmu=0.48 num_threads=1"
_VALUE = re.compile(r"^(\w+)_of_(\d+)\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run: parameters of the circuit, its end and its longest step, all in SI units, and what is measured."""

    parameters: Mapping[str, float]
    end: float
    step: float
    measures: Mapping[str, str]


def simulate(circuit: Sequence[str], points: Sequence[Point]) -> list[dict[str, float]]:
    """What the measures find, for each point; one that finds nothing is left out.

    Raises
    ------
    RuntimeError
        If ngspice ends early. The message has its output.
    """
    lines = ["* a cell", f'.include "{MODELS}"', f"Vdd vdd 0 {VOLTS}", *circuit]
    lines += [f".param {name}={value:.6g}" for name, value in points[0].parameters.items()]
    lines += [_OPTIONS, ".control", "set numdgt=9"]
    for number, point in enumerate(points):
        lines += [f"alterparam {name} = {value:.6g}" for name, value in point.parameters.items()]
        lines += ["reset", f"tran 1p {point.end:.6g} 0 {point.step:.6g}"]
        lines += [f"meas tran {name}_of_{number} {what}" for name, what in point.measures.items()]
        lines += ["destroy all"]
    lines += ["echo complete", ".endc", ".end"]
    program = shutil.which("ngspice")
    if program is None:
        raise RuntimeError("ngspice is not installed: apt-get install ngspice")
    with temporary_folder() as folder:
        (Path(folder) / "deck.sp").write_text("\n".join(lines) + "\n", encoding="utf-8")
        output = run([program, "-n", "-b", "deck.sp"], folder=folder, together=True).output
    if "\ncomplete" not in output:
        raise RuntimeError(output[-2000:])
    found: list[dict[str, float]] = [{} for _ in points]
    for name, number, value in _VALUE.findall(output):
        found[int(number)][name] = float(value)
    return found


def crossing(node: str, volts: float, edge: str, after: float = 0) -> str:
    """The first time at which a node crosses a voltage, ``rise`` or ``fall``, in words of ``meas``."""
    return f"when v({node})={volts:.6g} td={after:.6g} {edge}=1"


def charge(source: str, begin: float, end: float) -> str:
    """Charge into a source."""
    return f"integ i({source}) from={begin:.6g} to={end:.6g}"


def current(source: str, time: float) -> str:
    """Current into a source."""
    return f"find i({source}) at={time:.6g}"
