"""Formats of other tools, each with a template that has what it cannot say in its head."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from spinplane.device import Technology
from spinplane.device.mtj import junction, resistance

from .hardware import Hardware


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of another tool.

    Parameters
    ----------
    tool : str
    file : str
        Name of its template, and of what is written.
    lacks : str
        What cannot be said in it.
    """

    tool: str
    file: str
    lacks: str

    def unsaid(self, hardware: Hardware) -> str:
        """What cannot be said in it of some hardware."""
        if self.tool == "NVSim" and hardware.cell.cell != "1T1R":
            return f"a {hardware.cell.cell} cell: it knows one access device; {self.lacks}"
        return self.lacks


#: By the tool's name in lower case.
FORMATS: Mapping[str, Format] = {
    "zigzag": Format(
        tool="ZigZag",
        file="zigzag.yaml",
        lacks="batch-norm and its like, clock and leakage, which rows a window takes",
    ),
    "accelforge": Format(
        tool="AccelForge", file="accelforge.yaml", lacks="which rows a window takes, the clusters' row buses"
    ),
    "nvsim": Format(tool="NVSim", file="nvsim.cell", lacks="all but the cell"),
}


def written_as(name: str, hardware: Hardware, technology: Technology, version: str) -> str:
    """Hardware in the format of a tool.

    Parameters
    ----------
    name : {"zigzag", "accelforge", "nvsim"}
    hardware : Hardware
    technology : Technology
        That of the hardware.
    version : str
        Of spinplane, which the file names.
    """
    given = junction(technology)
    low, high = (float(resistance(given, state)) for state in (False, True))
    return _template(FORMATS[name].file).render(
        h=hardware,
        version=version,
        sensing=technology.sensing.quantity,
        area_f2=technology["cell.area"],
        parallel=low,
        antiparallel=high,
    )


@cache
def _template(file: str) -> Template:
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {"pj": _picojoules}
    return environment.from_string((files(__package__) / file).read_text(encoding="utf-8"))


def _picojoules(joules: float) -> str:
    return f"{joules * 1e12:.6g}"
