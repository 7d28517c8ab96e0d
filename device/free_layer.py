"""The free layer as one spin: its fields and barrier, the torques on it, its critical current."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.constants import e, hbar, k, mu_0

from spinplane.machine import SpinplaneError

from .demagnetisation import elliptic_cylinder
from .mtj import junction_area
from .technology import Technology
from .temperature import anisotropy_share, magnetisation_share

#: Barriers over k_B·T below which a state is left too often for the formulas of a stiff easy axis.
LEAST_STABILITY = 10.0


@dataclass(frozen=True, kw_only=True)
class FreeLayer:
    """A single-domain magnetic layer with an easy axis.

    Parameters
    ----------
    saturation_magnetisation : float
        Ms in A/m.
    thickness_m, area_m2 : float
    damping : float
        Gilbert's α.
    gyromagnetic_ratio : float
        γ in rad/(s·T).
    demagnetisation : tuple of float
        Factors along x, y, z.
    anisotropy : float
        Uniaxial anisotropy K along the easy axis, in J/m³.
    easy_axis : int
        0, 1 or 2 for x, y, z. The pinned layer points along it, m = +1 is the parallel state.
    """

    saturation_magnetisation: float
    thickness_m: float
    area_m2: float
    damping: float
    gyromagnetic_ratio: float
    demagnetisation: tuple[float, float, float]
    anisotropy: float
    easy_axis: int

    @property
    def volume_m3(self) -> float:
        """Volume in m³."""
        return self.area_m2 * self.thickness_m

    @property
    def stiffness(self) -> tuple[float, float]:
        """Fields in A/m that hold m to the easy axis against either transverse axis.

        H_i = (N_i − N_easy)·Ms + 2K/(µ0·Ms), in the order easy + 1, easy + 2 of the axes.
        """
        own = self.demagnetisation[self.easy_axis]
        shared = 2 * self.anisotropy / (mu_0 * self.saturation_magnetisation)
        first, second = (
            (self.demagnetisation[(self.easy_axis + i) % 3] - own) * self.saturation_magnetisation + shared
            for i in (1, 2)
        )
        return first, second

    @property
    def barrier_j(self) -> float:
        """Energy between the two states in J: µ0·Ms·V·H/2 over the softer transverse axis."""
        return mu_0 * self.saturation_magnetisation * self.volume_m3 * min(self.stiffness) / 2

    @property
    def onset_field(self) -> float:
        """Damping-like field in A/m at which a small deviation begins to grow: α·(H_1 + H_2)/2."""
        return self.damping * sum(self.stiffness) / 2

    def stability(self, temperature: float) -> float:
        """Thermal stability Δ: barrier over k_B·T."""
        return self.barrier_j / (k * temperature)

    def thermal_variances(self, temperature: float) -> tuple[float, float]:
        """Variances of the two transverse components of m in equilibrium: k_B·T/(µ0·Ms·V·H_i)."""
        scale = k * temperature / (mu_0 * self.saturation_magnetisation * self.volume_m3)
        first, second = self.stiffness
        return scale / first, scale / second

    def growth_rate(self, torque_field: float) -> float:
        """Rate in 1/s at which a small deviation grows under a damping-like field in A/m; negative if it decays.

        γ·µ0·(a − α·(H_1 + H_2)/2)/(1 + α²): half the trace of the linearised equation.
        """
        excess = torque_field - self.onset_field
        return self.gyromagnetic_ratio * mu_0 * excess / (1 + self.damping**2)


class Torque(Protocol):
    """A damping-like torque: its field for a current density."""

    def field(
        self, layer: FreeLayer, current_density: float, cosine: np.ndarray | float
    ) -> np.ndarray | float:
        """Damping-like field in A/m that pulls m towards p, with cosine = m·p."""


@dataclass(frozen=True, kw_only=True)
class SpinHall:
    """Spin Hall torque of a heavy metal: a = ħ·θ·J/(2e·µ0·Ms·t), J in the heavy metal.

    Parameters
    ----------
    angle : float
        Spin Hall angle θ at the thickness of the metal.
    """

    angle: float

    def field(
        self, layer: FreeLayer, current_density: float, cosine: np.ndarray | float
    ) -> np.ndarray | float:
        """Damping-like field in A/m at `current_density` in A/m²; a positive one pulls towards +p."""
        scale = hbar / (2 * e * mu_0 * layer.saturation_magnetisation * layer.thickness_m)
        return scale * self.angle * current_density + 0 * cosine


@dataclass(frozen=True, kw_only=True)
class SpinTransfer:
    """Two-sided spin-transfer torque: a = ħ·J/(µ0·e·t·Ms)·ε(m·p), J through the junction.

    ε(c) = ½·[q₊/(A + B·c) + q₋/(A − B·c)], A = √((Λ_PL² + 1)(Λ_FL² + 1)), B = √((Λ_PL² − 1)(Λ_FL² − 1)),
    q± = P_PL·Λ_PL²·√((Λ_FL² + 1)/(Λ_PL² + 1)) ± P_FL·Λ_FL²·√((Λ_PL² − 1)/(Λ_FL² − 1)).

    Parameters
    ----------
    pinned_polarisation, free_polarisation : float
        P_PL and P_FL.
    pinned_asymmetry, free_asymmetry : float
        Λ_PL and Λ_FL, 1 or above.
    """

    pinned_polarisation: float
    free_polarisation: float
    pinned_asymmetry: float
    free_asymmetry: float

    @property
    def parts(self) -> tuple[float, float, float, float]:
        """q₊, q₋, A, B."""
        pinned, free = self.pinned_asymmetry**2, self.free_asymmetry**2
        # At Λ = 1 on both sides the quotient has the limit 1; the free side counts nothing where B is 0.
        ratio = (pinned - 1) / (free - 1) if free > 1 else 1.0
        first = self.pinned_polarisation * pinned * np.sqrt((free + 1) / (pinned + 1))
        second = self.free_polarisation * free * np.sqrt(ratio)
        a, b = np.sqrt((pinned + 1) * (free + 1)), np.sqrt((pinned - 1) * (free - 1))
        return float(first + second), float(first - second), float(a), float(b)

    def efficiency(self, cosine: np.ndarray | float) -> np.ndarray | float:
        """ε at cosine = m·p."""
        plus, minus, a, b = self.parts
        return 0.5 * (plus / (a + b * cosine) + minus / (a - b * cosine))

    def field(
        self, layer: FreeLayer, current_density: float, cosine: np.ndarray | float
    ) -> np.ndarray | float:
        """Damping-like field in A/m at `current_density` in A/m²; a positive one pulls towards +p."""
        scale = hbar / (mu_0 * e * layer.thickness_m * layer.saturation_magnetisation)
        return scale * current_density * self.efficiency(cosine)


def free_layer(technology: Technology) -> FreeLayer:
    """The free layer of a technology at its temperature.

    Demagnetisation is that of an elliptic cylinder where none is given.

    Raises
    ------
    SpinplaneError
        If the model does not cover the layer: another axis is easier, a state is too shallow, or a domain wall costs
        less than turning the layer as one.
    """
    key = "free_layer.demagnetisation"
    if key in technology.parameters:
        x, y, z = technology.numbers(key)
    else:
        x, y, z = elliptic_cylinder(
            technology["mtj.length"], technology["mtj.width"], technology["free_layer.thickness"]
        )
    layer = FreeLayer(
        saturation_magnetisation=technology["free_layer.saturation_magnetisation"]
        * magnetisation_share(technology),
        thickness_m=technology["free_layer.thickness"],
        area_m2=junction_area(technology),
        damping=technology["free_layer.damping"],
        gyromagnetic_ratio=technology["free_layer.gyromagnetic_ratio"],
        demagnetisation=(x, y, z),
        anisotropy=technology["free_layer.anisotropy"] * anisotropy_share(technology),
        easy_axis="xyz".index(technology.easy_axis),
    )
    _check_covered(technology, layer)
    return layer


def wall_energy(technology: Technology, layer: FreeLayer) -> float:
    """Energy in J of a domain wall across the narrowest part of the layer, by which it could switch instead.

    4·√(A·K)·t·w with K the barrier over the volume and w the smaller of length and width.
    """
    stiffness = technology["free_layer.exchange_stiffness"] * layer.barrier_j / layer.volume_m3
    narrow = min(technology["mtj.length"], technology["mtj.width"])
    return float(4 * np.sqrt(stiffness) * layer.thickness_m * narrow)


def _check_covered(technology: Technology, layer: FreeLayer) -> None:
    name, easy = technology.name, technology.easy_axis
    for offset, field in enumerate(layer.stiffness, start=1):
        if field <= 0:
            axis = "xyz"[(layer.easy_axis + offset) % 3]
            raise SpinplaneError(
                f"{name}: easy_axis = {easy!r}: the layer lies easier along {axis}, by {-field / 1e3:.4g} kA/m"
            )
    temperature = technology["process.temperature"]
    stability = layer.stability(temperature)
    if stability < LEAST_STABILITY:
        raise SpinplaneError(
            f"{name}: thermal stability = {stability:.3g} at {temperature:g} K: the model needs at least "
            f"{LEAST_STABILITY:g}"
        )
    wall = wall_energy(technology, layer)
    if layer.barrier_j > wall:
        raise SpinplaneError(
            f"{name}: thermal stability = {stability:.3g}: a domain wall costs {wall / (k * temperature):.3g} k_B·T, "
            "and the model turns the layer as one; make it smaller or softer"
        )


def spin_transfer(technology: Technology) -> SpinTransfer:
    """The torque of a current through the junction."""
    return SpinTransfer(
        pinned_polarisation=technology["polarizer.pinned_polarisation"],
        free_polarisation=technology["polarizer.free_polarisation"],
        pinned_asymmetry=technology["polarizer.pinned_asymmetry"],
        free_asymmetry=technology["polarizer.free_asymmetry"],
    )


def write_torque(technology: Technology) -> SpinHall | SpinTransfer:
    """The torque that writes."""
    if technology.torque == "spin_hall":
        return SpinHall(angle=technology["heavy_metal.spin_hall_angle"])
    return spin_transfer(technology)


def write_section(technology: Technology) -> float:
    """Area in m² that the write current is divided by: of the heavy metal's section, or of the junction."""
    if technology.torque == "spin_hall":
        return technology["heavy_metal.width"] * technology["heavy_metal.thickness"]
    return junction_area(technology)


def critical_current_density(layer: FreeLayer, torque: Torque, *, from_parallel: bool) -> float:
    """Current density in A/m² at which a small deviation begins to grow: a = α·(H_1 + H_2)/2.

    Below it nothing switches at 0 K; close above it switching takes arbitrarily long. The magnitude is
    returned; from the parallel state the current is negative.
    """
    return layer.onset_field / float(torque.field(layer, 1.0, 1.0 if from_parallel else -1.0))
