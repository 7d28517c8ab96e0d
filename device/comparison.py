"""Designs side by side: each changed until its write errors and its retention are those asked for."""

from dataclasses import dataclass

from scipy.optimize import brentq

from spinplane.machine import SpinplaneError

from .energy import Energy, write_energy
from .retention import needed_stability, stability
from .technology import Technology
from .write import pulse_for_error_rate

#: Steps in which a barrier is looked for, and how far from the given parameter.
_STEP = 1.1
_REACH = 2.0


@dataclass(frozen=True, kw_only=True)
class EqualDesign:
    """A technology at a given write error rate and retention.

    Parameters
    ----------
    technology : Technology
        With the changed layer.
    key : str
        The parameter that was changed for the retention, in the unit of its file.
    stability : float
        Δ at the technology's temperature.
    pulses_s : tuple of float
        For a 0 and a 1.
    energies : tuple of Energy
        For a 0 and a 1, each over its own pulse.
    """

    technology: Technology
    key: str
    stability: float
    pulses_s: tuple[float, float]
    energies: tuple[Energy, Energy]


def retention_key(technology: Technology) -> str:
    """The parameter that sets a barrier: the anisotropy, or the layer's thickness where the shape alone holds it."""
    return "free_layer.anisotropy" if technology["free_layer.anisotropy"] else "free_layer.thickness"


def with_stability(technology: Technology, wanted: float) -> Technology:
    """The technology with a Δ of `wanted` at its temperature, by its `retention_key`.

    Raises
    ------
    SpinplaneError
        If half to twice of the parameter does not reach it, or the model does not cover a layer on the way.
    """
    key = retention_key(technology)
    value = technology.parameters[key].value
    if isinstance(value, tuple):
        raise TypeError(f"{key} is a list")

    def missing(share: float) -> float:
        return stability(technology.with_values({key: value * share})) - wanted

    share, found = 1.0, missing(1.0)
    step = _STEP if found < 0 else 1 / _STEP
    while 1 / _REACH <= share <= _REACH:
        before, share = share, share * step
        if found * missing(share) <= 0:
            ends = sorted((before, share))
            return technology.with_values({key: value * float(brentq(missing, *ends, xtol=1e-6))})
    raise SpinplaneError(
        f"{technology.name}: no {key} from {value / _REACH:g} to {value * _REACH:g} gives a stability of {wanted:.3g}"
    )


def at_equal_terms(
    technology: Technology, *, bits: int, time_s: float, rate: float, count: int = 2000, seed: int = 0
) -> EqualDesign:
    """A technology whose array loses one bit in a time and whose writes fail with a rate, at its own write currents.

    Parameters
    ----------
    technology : Technology
    bits : int
        Of the array.
    time_s : float
        In s, at the technology's temperature.
    rate : float
        Write error rate of the nominal cell.
    count, seed : int
        Of the simulated writes.

    Raises
    ------
    SpinplaneError
        If no layer retains for so long, the current does not switch it, or the supply does not give the current.
    """
    chosen = with_stability(technology, needed_stability(technology, bits, time_s))
    pulses = tuple(pulse_for_error_rate(chosen, bit, rate, count=count, seed=seed) for bit in (0, 1))
    energies = tuple(write_energy(chosen, bit, pulse=pulse) for bit, pulse in enumerate(pulses))
    return EqualDesign(
        technology=chosen,
        key=retention_key(technology),
        stability=stability(chosen),
        pulses_s=(pulses[0], pulses[1]),
        energies=(energies[0], energies[1]),
    )
