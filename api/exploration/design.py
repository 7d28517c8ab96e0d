"""A design as another process or another machine takes it, by value, and its figures."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scipy.constants import year

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.wear import row_writes
from spinplane.device import machine_clock
from spinplane.device.endurance import endurance
from spinplane.device.technology import Technology
from spinplane.evaluation import Interval, RunEnergy, flip_flops
from spinplane.machine import Machine, SpinplaneError, clock_hz
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.machine.files import temporary_folder, write_file

from ..commands.compiled_layer import efficiency
from ..commands.data_set import check_labels, classes_of, load_images
from ..commands.estimate_baselines import chip_area_estimate
from ..commands.estimated_runs import EstimatedRuns
from ..commands.variation import Study
from ..models import Network, open_network, shipped_networks
from ..report.codec import plain_converter
from ..tasks.engine import Engine
from ..tasks.versions import figures_version
from .figures import Figures, LayerCycles
from .space import FASTEST, AccuracyRequest

_MICRO, _MM2 = 1e6, 1e6


@dataclass(frozen=True, kw_only=True)
class SentNetwork:
    """A network by value.

    Parameters
    ----------
    name : str
        That `open_network` knows, or of the file.
    content : bytes or None
        Of the file; None if the package has the network.
    """

    name: str
    content: bytes | None

    @classmethod
    def of(cls, name: str | Path) -> "SentNetwork":
        """A network of a space, after it was read, and a file compared with its own executor."""
        network = open_network(name)
        if network.file is None or (isinstance(name, str) and name in shipped_networks()):
            return cls(name=str(name), content=None)
        return cls(name=network.file.name, content=network.file.read_bytes())

    @property
    def digest(self) -> str:
        """Of what the network is."""
        return hashlib.sha256(self.content or self.name.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Design:
    """A machine with a network, and the technologies and clocks with which its program is looked at.

    Parameters
    ----------
    machine : Machine
    network : SentNetwork
    batch : int
        Images of a run.
    runs : tuple of (Technology, str)
        A clock for each technology, see `Space.clocks`.
    accuracy : AccuracyRequest or None
    seed : int
        Of the fault maps.
    """

    machine: Machine
    network: SentNetwork
    batch: int
    runs: tuple[tuple[Technology, str], ...]
    accuracy: AccuracyRequest | None
    seed: int

    @property
    def key(self) -> str:
        """Of all that its figures follow from."""
        machine = {
            name: value for name, value in asdict(self.machine).items() if name not in ("name", "description")
        }
        runs = [(asdict(technology), clock) for technology, clock in self.runs]
        said = repr(
            (machine, self.network.digest, self.batch, runs, self.accuracy, self.seed, figures_version())
        )
        return hashlib.sha256(said.encode()).hexdigest()[:24]


def figures_of(design: Design) -> list[dict[str, Any]]:
    """Figures of a design with each technology and clock, as plain data.

    Parameters
    ----------
    design : Design

    Returns
    -------
    list of dict
        Each has ``reason``, empty if the design can be, and else no more; ``figures``, see `Figures`; and ``layers``,
        each see `LayerCycles`.
    """
    try:
        network = _opened(design.network)
        program = compile_graph(network.graph, design.machine, batch=design.batch)
        run = EstimatedRuns.of(program)
    except SpinplaneError as error:
        return [{"reason": str(error)} for _ in design.runs]
    layers = plain_converter().unstructure(list(_layers(run)))
    found: list[dict[str, Any]] = []
    for technology, clock in design.runs:
        try:
            figures = _figures(design, network, run, technology, clock)
        except SpinplaneError as error:
            found.append({"reason": str(error)})
        else:
            found.append({"reason": "", "figures": asdict(figures), "layers": layers})
    return found


@lru_cache(maxsize=8)
def _opened(sent: SentNetwork) -> Network:
    """A network, imported once in each process; who sent it has checked it."""
    if sent.content is None:
        return open_network(sent.name)
    with temporary_folder() as folder:
        write_file(folder / sent.name, sent.content)
        return open_network(folder / sent.name, check=False)


def _figures(
    design: Design, network: Network, run: EstimatedRuns, technology: Technology, clock: str
) -> Figures:
    machine = design.machine
    chosen = machine_clock(machine, technology, None if clock == FASTEST else clock_hz(clock))
    energies = RunEnergy(
        machine,
        technology,
        clock_hz=chosen.clock_hz,
        flip_flops=flip_flops(machine, default_build_root()),
        images=design.batch,
    )
    energy = _known("energy", energies.total(run.numbers))
    area = _known("area", chip_area_estimate(machine, technology).total)
    cycles = run.steady.total.cycles
    latency = cycles / chosen.clock_hz
    lifetime = endurance(technology, row_writes(run.program), 1 / latency)
    return Figures(
        cycles=cycles,
        clock_mhz=chosen.clock_hz / 1e6,
        latency_us=latency * _MICRO,
        images_per_s=design.batch / latency,
        energy_uj=energy["value"] * _MICRO,
        energy_low_uj=energy["low"] * _MICRO,
        energy_high_uj=energy["high"] * _MICRO,
        power_mw=energy["value"] * design.batch / latency * 1e3,
        area_mm2=area["value"] * _MM2,
        area_low_mm2=area["low"] * _MM2,
        area_high_mm2=area["high"] * _MM2,
        lifetime_years=lifetime.as_placed_s / year,
        array_efficiency=efficiency(run.layers, cycles),
        accuracy=_accuracy(design, network, technology),
    )


def _known(what: str, interval: Interval) -> Mapping[str, float]:
    """Value and bounds, if no parameter is missing."""
    if interval.value is None or interval.low is None or interval.high is None:
        raise SpinplaneError(f"{what}: parameter {interval.missing} has no value")
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _layers(run: EstimatedRuns) -> Iterator[LayerCycles]:
    machine = run.program.machine
    width = machine.sub_arrays * machine.columns
    for number, numbers in enumerate((*run.of_layers, run.of_ends)):
        layer = run.layers[number] if number < len(run.layers) else None
        needed = layer.batch * layer.binary_operations / width if layer else 0.0
        sensed = numbers["ands"] * machine.sense_cycles / machine.sub_arrays
        writes = numbers["row_writes"] * machine.write_cycles / machine.sub_arrays
        yield LayerCycles(
            layer=layer.layer.name if layer else "",
            cycles=numbers["cycles"],
            needed=needed,
            empty_columns=sensed - needed,
            row_writes=0.0 if machine.overlaps_writes else writes,
        )


def _accuracy(design: Design, network: Network, technology: Technology) -> float | None:
    """Share of right classes of the shipped digits, one in each run, the mean over the fault maps."""
    request = design.accuracy
    if request is None:
        return None
    pixels, labels = (part[: request.images] for part in load_images(None))
    check_labels(network.graph, labels)
    program = compile_graph(network.graph, design.machine)
    inputs, _ = network.encode(pixels)
    codes = (inputs - program.input.offset) // program.input.scale
    if not request.maps:
        return float((classes_of(program, codes) == labels).mean())
    study = Study(
        technology,
        sigmas_ra=None,
        sigmas_tmr=None,
        offset_sigmas_v=None,
        multiples=[1.0],
        weak_cells=None,
        reference="midpoint",
        seeds=request.maps,
    )
    (point,) = study.points(program, codes, labels, Engine(jobs=1))
    return point.mean
