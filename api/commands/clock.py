"""The clock of a result that counts cycles: given, or the fastest at which the cycles of its machine hold."""

from pathlib import Path

from spinplane.device import load_technology, machine_clock
from spinplane.device.technology import Technology
from spinplane.machine import Machine, MachineClock, SpinplaneError, clock_hz

from ..defaults import TECHNOLOGY


def chosen_technology(technology: Technology | str | Path | None) -> Technology:
    """The technology of a machine's arrays, see `load_technology`; `spinplane.defaults.TECHNOLOGY` if none is named."""
    return load_technology(TECHNOLOGY if technology is None else technology)


def clock_of(
    machine: Machine, technology: Technology | str | Path | None = None, clock: str | None = None
) -> MachineClock | None:
    """The clock of a machine.

    Parameters
    ----------
    machine : Machine
    technology : Technology, str or Path, optional
        See `chosen_technology`.
    clock : str, optional
        See `clock_hz`; by default the fastest at which the machine's sense and write cycles hold.

    Returns
    -------
    MachineClock or None
        None if neither is given, and the machine cannot have arrays of the default technology.

    Raises
    ------
    SpinplaneError
        If the clock or the technology is not as it should be, or the machine's cycles do not fit them: with the cycles
        and the clock that would.
    """
    hertz = None if clock is None else clock_hz(clock)
    chosen = chosen_technology(technology)
    try:
        return machine_clock(machine, chosen, hertz)
    except SpinplaneError:
        if technology is None and clock is None:
            return None
        raise


def clock_line(clock: MachineClock | None, **cycles: int) -> str:
    """What a result says of its clock, and how long the cycles of each name last."""
    if clock is None:
        return "clock   unknown: name a technology that the arrays of this machine can have"
    times = ", ".join(f"{name} {clock.time_us(count):,.2f} µs" for name, count in cycles.items())
    return f"clock   {clock}" + (f": {times}" if times else "")


def batch_line(batch: int, clock: MachineClock | None, **cycles: int) -> str:
    """What a result says of a run of several images: what each takes of its cycles, and how many follow in a second."""
    shares = ", ".join(f"{name} {count / batch:,.1f} cycles" for name, count in cycles.items())
    rates = ", ".join(
        f"{name} {images_per_s(clock, count, batch):,.0f}"
        for name, count in cycles.items()
        if clock is not None
    )
    return f"batch   {batch} images in a run; an image: {shares}" + (
        f"; images a second: {rates}" if rates else ""
    )


def images_per_s(clock: MachineClock | None, cycles: int, batch: int) -> float | None:
    """Images a second, if runs of a batch take as many cycles; None without a clock."""
    return None if clock is None else batch * clock.clock_hz / cycles


def time_us(clock: MachineClock | None, cycles: int) -> float | None:
    """How long cycles last in µs; None without a clock."""
    return None if clock is None else clock.time_us(cycles)
