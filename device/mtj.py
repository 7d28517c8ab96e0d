"""Resistance of the junction in both states, against voltage and oxide, and of the heavy metal under it."""

from dataclasses import dataclass, replace
from math import pi
from typing import Protocol

import numpy as np

from .technology import Technology
from .temperature import tmr_share

_NM = 1e-9
_PER_CM2 = 1e4  # S/cm² in S/m²
_STEPS = 200
_SETTLED = 1e-13


class Junction(Protocol):
    """A junction by its conductances."""

    def conductance_p(self, voltage: np.ndarray | float) -> np.ndarray | float:
        """Conductance of the parallel state in S."""

    def conductance_ap(self, voltage: np.ndarray | float) -> np.ndarray | float:
        """Conductance of the anti-parallel state in S."""


@dataclass(frozen=True, kw_only=True)
class NegfJunction:
    """Junction by the published fit to NEGF: G/A = exp(c1·T + c2)·V² + exp(c3·T + c4) in S/cm², T in nm.

    Parameters
    ----------
    area_m2 : float
    oxide_m : float
        Thickness T of the oxide in m.
    parallel, antiparallel : tuple of float
        c1 to c4 of either state.
    antiparallel_factor : float
        Conductance of the anti-parallel state over that of the fit, at all voltages: 1 at the fit's temperature.
    """

    area_m2: float
    oxide_m: float
    parallel: tuple[float, ...]
    antiparallel: tuple[float, ...]
    antiparallel_factor: float = 1.0

    def conductance_p(self, voltage: np.ndarray | float) -> np.ndarray | float:
        """Conductance of the parallel state in S at `voltage` in V."""
        return self._conductance(self.parallel, voltage)

    def conductance_ap(self, voltage: np.ndarray | float) -> np.ndarray | float:
        """Conductance of the anti-parallel state in S at `voltage` in V."""
        return self._conductance(self.antiparallel, voltage)

    def coefficients(self, antiparallel: bool) -> tuple[float, float]:
        """g2 in S/V² and g0 in S of G = g2·V² + g0."""
        c1, c2, c3, c4 = self.antiparallel if antiparallel else self.parallel
        thickness = self.oxide_m / _NM
        scale = self.area_m2 * _PER_CM2 * (self.antiparallel_factor if antiparallel else 1.0)
        return scale * float(np.exp(c1 * thickness + c2)), scale * float(np.exp(c3 * thickness + c4))

    def _conductance(self, fit: tuple[float, ...], voltage: np.ndarray | float) -> np.ndarray | float:
        g2, g0 = self.coefficients(fit is self.antiparallel)
        return g2 * np.square(voltage) + g0


@dataclass(frozen=True, kw_only=True)
class DirectJunction:
    """Junction by its resistance-area product and its TMR, which falls with voltage.

    TMR(V) = TMR / (1 + (V/V_half)²); the parallel state is linear.

    Parameters
    ----------
    area_m2 : float
    resistance_area : float
        Of the parallel state, in Ω·m².
    tmr : float
        At 0 V: 1.5 is 150 %.
    half_voltage : float
        Where the TMR has fallen to one half, in V.
    """

    area_m2: float
    resistance_area: float
    tmr: float
    half_voltage: float

    def conductance_p(self, voltage: np.ndarray | float) -> np.ndarray | float:
        """Conductance of the parallel state in S at `voltage` in V."""
        return self.area_m2 / self.resistance_area + 0 * np.square(voltage)

    def conductance_ap(self, voltage: np.ndarray | float) -> np.ndarray | float:
        """Conductance of the anti-parallel state in S at `voltage` in V."""
        tmr = self.tmr / (1 + np.square(voltage) / self.half_voltage**2)
        return self.area_m2 / self.resistance_area / (1 + tmr)


def junction_area(technology: Technology) -> float:
    """Area of the elliptic junction in m²."""
    return pi / 4 * technology["mtj.length"] * technology["mtj.width"]


def junction(technology: Technology) -> NegfJunction | DirectJunction:
    """The junction of a technology at its temperature, by the model that it names.

    The parallel resistance keeps its value, and the TMR at 0 V falls by `tmr_share`.
    """
    area = junction_area(technology)
    if technology.resistance == "negf":
        given = NegfJunction(
            area_m2=area,
            oxide_m=technology["oxide.thickness"],
            parallel=technology.numbers("oxide.parallel_fit"),
            antiparallel=technology.numbers("oxide.antiparallel_fit"),
        )
        before = float(tmr(given))
        return replace(given, antiparallel_factor=(1 + before) / (1 + before * tmr_share(technology, before)))
    given_tmr = technology["mtj.tmr"]
    return DirectJunction(
        area_m2=area,
        resistance_area=technology["mtj.resistance_area"],
        tmr=given_tmr * tmr_share(technology, given_tmr),
        half_voltage=technology["mtj.tmr_half_voltage"],
    )


def tmr(mtj: Junction, voltage: np.ndarray | float = 0.0) -> np.ndarray | float:
    """Tunnel magnetoresistance (R_AP − R_P)/R_P at one voltage over both states: 1.5 is 150 %."""
    return mtj.conductance_p(voltage) / mtj.conductance_ap(voltage) - 1


def conductance_at(mtj: Junction, cosine: np.ndarray | float, voltage: float = 0.0) -> np.ndarray | float:
    """Conductance in S with an angle between free and pinned layer: G_AP + (1 + cos θ)/2·(G_P − G_AP)."""
    parallel, antiparallel = mtj.conductance_p(voltage), mtj.conductance_ap(voltage)
    return antiparallel + (1 + np.asarray(cosine)) / 2 * (parallel - antiparallel)


def resistance(
    mtj: Junction,
    antiparallel: np.ndarray | bool,
    voltage: np.ndarray | float = 0.0,
    *,
    resistance_factor: np.ndarray | float = 1.0,
    tmr_factor: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Resistance of cells that differ from the nominal one.

    Parameters
    ----------
    mtj : Junction
    antiparallel : ndarray of bool or bool
        State of each cell.
    voltage : ndarray or float
        Over each junction, in V.
    resistance_factor, tmr_factor : ndarray or float
        Resistance-area product and TMR of each cell over the nominal ones.

    Returns
    -------
    ndarray
        In Ω, of the broadcast shape.
    """
    parallel = resistance_factor / mtj.conductance_p(voltage)
    return np.asarray(parallel * (1 + np.where(antiparallel, tmr(mtj, voltage) * tmr_factor, 0.0)))


def voltage_at(mtj: Junction, antiparallel: bool, current: float) -> float:
    """Voltage over the junction in V at a current in A."""
    voltage = 0.0
    for _ in range(_STEPS):
        # Half steps: without them the iteration swings where the conductance grows fast with the voltage.
        new = 0.5 * (voltage + current * float(resistance(mtj, antiparallel, voltage)))
        if abs(new - voltage) <= _SETTLED * abs(new):
            return new
        voltage = new
    raise ArithmeticError(f"no operating point of the junction at {current} A")


def heavy_metal_resistance(technology: Technology) -> float:
    """Resistance of the heavy metal from end to end in Ω: ρ·length/(width·thickness)."""
    section = technology["heavy_metal.width"] * technology["heavy_metal.thickness"]
    return technology["heavy_metal.resistivity"] * technology["heavy_metal.length"] / section
