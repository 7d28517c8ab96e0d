"""The first run: a handwritten digit becomes a class, every product of the network computed inside the memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from spinplane.device.technology import Technology
from spinplane.hdl.export.files import export
from spinplane.machine import Machine, load_machine
from spinplane.machine.arguments import as_path
from spinplane.machine.drawing import check_format
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.physical import AreaReport, synthesize

from ..defaults import DEMO_FOLDER, DIGIT, DIGITS_NETWORK, NETWORK_MACHINE
from ..models import Model, open_network
from ..samples import sample_digit
from .clock import clock_of
from .run import run_network
from .run_result import NetworkRun, run_drawing
from .simulators import usable_simulator


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Classification(NetworkRun):
    """The classification of a digit: a run of a network, and the digit's label.

    Parameters
    ----------
    label : int
        The digit's label.
    area : AreaReport
        Of the logic around the arrays and banks, with the cells of the package.
    picture, verilog : Path
        What was left behind.
    """

    derived: ClassVar[tuple[str, ...]] = (*NetworkRun.derived, "class_")

    label: int
    area: AreaReport
    picture: Path
    verilog: Path

    @property
    def class_(self) -> int:
        """What the network makes of it."""
        return self.classes[0]

    @property
    def main_figure(self) -> str:
        """Label and class, before those of the run."""
        return f"label {self.label}, class {self.class_}, {super().main_figure}"

    def notes(self) -> tuple[str, ...]:
        """Those of the run, counters, area, class, files."""
        machine, one = (figures.area_um2 or 0 for figures in (self.area.total, self.area.sub_array))
        counters = ", ".join(
            f"{name} {value:,}" for name, value in self.counters.measured.as_dict().items() if value
        )
        return (
            *super().notes(),
            f"counters         {counters}",
            f"area of logic    {machine / 1e6:.3f} mm², {one:,.0f} µm² of it in each of {self.area.sub_arrays.count} "
            f"sub-arrays ({self.area.library}, cells only)",
            f"label {self.label}, class {self.class_}, {self.mismatches} mismatches",
            f"feature maps     {self.picture}",
            f"Verilog          {self.verilog}",
        )

    def drawings(self) -> tuple[Path, ...]:
        """Feature maps of all layers."""
        return (self.picture,)


def classify(
    *,
    digit: int = DIGIT,
    network: Model = DIGITS_NETWORK,
    machine: Machine | str | Path = NETWORK_MACHINE,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    simulator: str | None = None,
    folder: str | Path = DEMO_FOLDER,
    format: str = "png",
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> Classification:
    """Classify a handwritten digit of the MNIST test set on the RTL.

    Parameters
    ----------
    digit : int
        0 to 9.
    network : str, Path, ModelFile, ModelProto or Graph
        Of digits, see `spinplane.models.open_network`.
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    simulator : {"verilator", "icarus"}, optional
        By default the fastest of those that can be used.
    folder : str or Path
        For the picture and the Verilog.
    format : {"png", "svg", "pdf"}
        Of the picture.
    tell : callable
        Is given a line before each long step, and the layer at work.
    advance : callable
        Is given the cycles that have been simulated, and those of all runs.

    Raises
    ------
    SpinplaneError
        If the machine, the digit or the simulator is not there, or the network or the clock does not fit.
    """
    check_format(format)
    machine, image, folder = load_machine(machine), sample_digit(digit), as_path("folder", folder)
    of_machine = clock_of(machine, technology, clock)
    simulator = usable_simulator(simulator)
    # It is kept, and what cannot be read is told before minutes of work.
    open_network(network)
    tell(f"the Verilog of {machine.name}")
    root = default_build_root()
    verilog = export(machine, folder / "rtl", clock=of_machine, kept_in=root).folder
    tell("the area of its logic, by Yosys")
    area = synthesize(machine, timing=False, kept_in=root)
    run = run_network(
        network,
        image,
        machine=machine,
        technology=technology,
        clock=clock,
        simulator=simulator,
        tell=tell,
        advance=advance,
    )
    title = f"A handwritten {digit} in {run.network}: values from the RTL, layer by layer"
    drawn = run_drawing(title, image[np.newaxis], run.layers)
    return Classification(
        **{**vars(run), "drawn": drawn},
        label=digit,
        area=area,
        picture=drawn[0].write(folder, format),
        verilog=verilog,
    )
