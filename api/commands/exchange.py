"""A machine as files for other tools that model hardware."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from spinplane.compiler.frontend.networks import BitWidths
from spinplane.device import load_technology
from spinplane.device.technology import Technology
from spinplane.evaluation.exchange import FORMATS, hardware_of, written_as
from spinplane.machine import Machine, MachineClock, SpinplaneError, clock_hz, load_machine
from spinplane.machine.arguments import as_path
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.machine.files import write_whole

from ..defaults import EXCHANGE_BITS, EXCHANGE_FOLDER, NETWORK_MACHINE, TECHNOLOGY
from ..report.report import Report


@dataclass(frozen=True, kw_only=True)
class ExchangeFile:
    """A file for another tool.

    Parameters
    ----------
    tool : str
    path : Path
    unsaid : str
        What its format cannot say.
    """

    tool: str
    path: Path
    unsaid: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Exchange(Report):
    """A machine in the formats of other tools.

    Parameters
    ----------
    machine : Machine
    technology : str
    bits : str
        W:I of the layers for which it holds.
    clock : MachineClock
    kernels, products : int
        Kernels that are computed at once, and products of each.
    product_pj : float
        Energy of a product, in pJ.
    files : tuple of ExchangeFile
    """

    machine: Machine
    technology: str
    bits: str
    clock: MachineClock
    kernels: int
    products: int
    product_pj: float
    files: tuple[ExchangeFile, ...]

    @property
    def heading(self) -> str:
        """One line that says what it is of."""
        return f"{self.machine.name} with {self.technology} for other tools, layers of {self.bits} bits (W:I)"

    def tables(self) -> tuple[Table, ...]:
        """The files."""
        table = Table(title=self.heading)
        for heading in ("tool", "file", "not said in it"):
            table.add_column(heading)
        for file in self.files:
            table.add_row(file.tool, file.path.name, file.unsaid)
        return (table,)

    def notes(self) -> tuple[str, ...]:
        """What it says in all of them."""
        return (
            f"array   {self.kernels} kernels at once, {self.products} products of each, "
            f"{self.product_pj:.3g} pJ a product",
            f"clock   {self.clock}",
            f"folder  {self.files[0].path.parent}" if self.files else "",
        )


def exchange(
    machine: Machine | str | Path = NETWORK_MACHINE,
    folder: str | Path = EXCHANGE_FOLDER,
    *,
    technology: Technology | str | Path = TECHNOLOGY,
    bits: str = EXCHANGE_BITS,
    clock: str | None = None,
    tools: Sequence[str] = tuple(FORMATS),
) -> Exchange:
    """Write a machine in the formats of other tools that model hardware: ZigZag, AccelForge, NVSim.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    folder : str or Path
    technology : Technology, str or Path
    bits : str
        W:I of the layers that will be set on it: a product takes W·I columns.
    clock : str, optional
        See `spinplane.machine.clock_hz`; by default the fastest at which the machine's cycles hold.
    tools : sequence of {"zigzag", "accelforge", "nvsim"}

    Raises
    ------
    SpinplaneError
        If a tool is unknown, or the machine, its clock or its bits are not as they should be.
    OSError
        If a file cannot be written.
    """
    machine, chosen, widths = load_machine(machine), load_technology(technology), BitWidths.parse(bits)
    folder = as_path("folder", folder)
    for tool in tools:
        if tool not in FORMATS:
            raise SpinplaneError(f"tool {tool!r} is not one of {', '.join(FORMATS)}")
    hardware = hardware_of(
        machine,
        chosen,
        weight_bits=widths.weight,
        input_bits=widths.activation,
        clock_hz=None if clock is None else clock_hz(clock),
        kept_in=default_build_root(),
    )
    files = []
    for tool in tools:
        path = folder / FORMATS[tool].file
        write_whole(path, written_as(tool, hardware, chosen, version("spinplane")).encode())
        files.append(ExchangeFile(tool=FORMATS[tool].tool, path=path, unsaid=FORMATS[tool].unsaid(hardware)))
    return Exchange(
        machine=machine,
        technology=chosen.name,
        bits=f"{widths.weight}:{widths.activation}",
        clock=hardware.clock,
        kernels=hardware.kernels,
        products=hardware.products,
        product_pj=hardware.product_j * 1e12,
        files=tuple(files),
    )
