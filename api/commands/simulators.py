"""Which simulator runs the RTL here."""

import logging
from pathlib import Path

from spinplane.machine import SpinplaneError
from spinplane.machine.external.remedies import MissingToolError
from spinplane.sim.tools import missing_of_simulators

from .run_result import slow_word

_log = logging.getLogger("spinplane")


def simulator_for(
    simulator: str | None, *, rtl: bool, waves: Path | None = None, shared: bool = False
) -> str | None:
    """A simulator that can run the accelerator here, see `usable_simulator`; None where the RTL is left out.

    Raises
    ------
    SpinplaneError
        If it cannot, or a simulator, waves or shared images are asked for without the RTL.
    """
    if rtl:
        return usable_simulator(simulator)
    if shared:
        raise SpinplaneError(
            "jobs, dask: the RTL is left out, whose images these share; leave out one or the other"
        )
    for name, given in (("simulator", simulator), ("waves", waves)):
        if given is not None:
            raise SpinplaneError(f"{name} = {str(given)!r}: the RTL is left out; leave out one or the other")
    return None


def usable_simulator(simulator: str | None) -> str:
    """A simulator that can run the accelerator here; the fastest, if none is named.

    Raises
    ------
    SpinplaneError
        If it cannot.
    """
    if simulator == "amaranth":
        return simulator
    missing = missing_of_simulators()
    usable = [name for name, reason in missing.items() if not reason]
    if simulator is None:
        if not usable:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
            raise MissingToolError(f"no simulator can be used here: {reasons}")
        if word := slow_word(usable[0]):
            _log.warning("%s; %s", word, missing["verilator"])
        return usable[0]
    if simulator not in usable:
        reason = missing.get(simulator) or f"use one of {', '.join([*usable, 'amaranth'])}"
        raise SpinplaneError(f"simulator {simulator!r} cannot be used here: {reason}")
    return simulator
