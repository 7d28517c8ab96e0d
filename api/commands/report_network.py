"""Report a network on a machine, whole; one opened network and one program serve all its parts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from spinplane.compiler.codegen.program import compile_graph
from spinplane.device.technology import Technology
from spinplane.machine import Machine, SpinplaneError, load_machine

from ..arguments import as_array
from ..defaults import ACCELERATORS, NETWORK_MACHINE, SEED
from ..models import Model, Network, open_network, shipped_networks
from ..samples import sample_digit
from ..tasks.engine import Engine
from .clock import chosen_technology, clock_of
from .compile import describe_program
from .device import report_device
from .estimate import estimate_program
from .network_report import NetworkReport
from .run import run_program
from .simulators import simulator_for

#: Of the package's digits, for its own networks.
_DIGIT = 3


def report_network(
    model: Model,
    values: np.ndarray | str | Path | None = None,
    *,
    machine: Machine | str | Path = NETWORK_MACHINE,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    fold_pools: bool = False,
    check: bool = True,
    rtl: bool = True,
    simulator: str | None = None,
    source: str = "as given",
    seed: int = SEED,
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> NetworkReport:
    """Report a network on a machine: its map, its run, its counters, what an image costs, and the cells.

    `spinplane.write_page` makes one page of it.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        See `open_network`.
    values : ndarray, str or Path, optional
        Input of the network, see `Graph.encode_input`; by default a handwritten 3 for a network of the package, else
        random numbers all over the range that the network expects. The report says which.
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.
    check : bool
        Whether to compare the import with the file's own executor.
    rtl : bool
        Whether to simulate the RTL; without it, the functional machine is compared with oracle and prediction.
    simulator : {"verilator", "icarus"}, optional
        By default the faster of those that can be used.
    source : str
        What the report says of `values`.
    seed : int
        Of a random input.
    tell, advance : callable
        See `run_network`.

    Raises
    ------
    SpinplaneError
        As `run_network`; if no simulator can be used, it also names the way without.
    BenchFailure
        As `run_network`.
    """
    machine = load_machine(machine)
    of_machine = clock_of(machine, technology, clock)
    chosen = chosen_technology(technology)
    found = _simulator(simulator, rtl=rtl)
    network = open_network(model, check=check)
    if values is None:
        values, source = _image(model, network, seed)
    else:
        values = as_array("values", values)
    inputs, notes = network.encode(values)
    tell(f"input: {source}")
    tell("compiling the network")
    program = compile_graph(network.graph, machine, fold_pools=fold_pools)
    run = run_program(
        program,
        inputs,
        notes,
        technology=chosen,
        clock=of_machine,
        simulator=found,
        engine=Engine(jobs=ACCELERATORS),
        tell=tell,
        advance=advance,
    )
    estimate = device = None
    if of_machine is not None:
        tell("energy, time and area")
        estimate = estimate_program(program, notes, [(chosen, of_machine)], by_layer=True)
        tell(f"the cells of {chosen.name}")
        device = report_device(chosen, machine=machine, clock=clock, network=program)
    return NetworkReport(
        input=source,
        run=run,
        compilation=describe_program(program, notes, clock=of_machine),
        estimate=estimate,
        device=device,
    )


def _simulator(simulator: str | None, *, rtl: bool) -> str | None:
    try:
        return simulator_for(simulator, rtl=rtl)
    except SpinplaneError as error:
        if not rtl:
            raise
        raise SpinplaneError(f"{error}; or leave the RTL out: --no-rtl, or rtl=False") from None


def _image(model: Model, network: Network, seed: int) -> tuple[np.ndarray, str]:
    """An image for a network of which none is given, and what it is."""
    if str(model) in shipped_networks():
        return sample_digit(_DIGIT), f"a handwritten {_DIGIT} of MNIST's test set, as none was given"
    expects = network.notes.expects
    image = np.random.default_rng(seed).uniform(expects.low, expects.high, expects.shape)
    return (
        image,
        f"random numbers from {expects.low:g} to {expects.high:g}, seed {seed}, as no image was given",
    )
