"""Many magnetisations at once in a thermal field: Heun's method for the stochastic equation."""

from dataclasses import dataclass

import numpy as np
from scipy.constants import k, mu_0

from .free_layer import FreeLayer, Torque

#: Steps are this share of the time in which the fastest precession turns by one radian.
_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Components along the easy axis of many spins.

    Parameters
    ----------
    time_s : ndarray of shape (n,), float
    easy : ndarray of shape (n, count), float
        m along the easy axis of each spin.
    magnetisation : ndarray of shape (3, count), float
        Of all spins at the end.
    """

    time_s: np.ndarray
    easy: np.ndarray
    magnetisation: np.ndarray


def equilibrium(
    layer: FreeLayer, temperature: float, count: int, seed: int, *, from_parallel: bool
) -> np.ndarray:
    """Magnetisations in thermal equilibrium in one of the two states.

    Parameters
    ----------
    layer : FreeLayer
    temperature : float
        In K.
    count : int
        Spins.
    seed : int
    from_parallel : bool

    Returns
    -------
    ndarray of shape (3, count), float
        The transverse components are normal, with the variances of a stiff easy axis: an approximation that
        is good to about 1/(2Δ).
    """
    random = np.random.default_rng(seed)
    deviations = np.sqrt(layer.thermal_variances(temperature))[:, None] * random.standard_normal((2, count))
    m = np.empty((3, count))
    m[(layer.easy_axis + 1) % 3], m[(layer.easy_axis + 2) % 3] = deviations
    square = np.minimum((deviations**2).sum(axis=0), 0.99)
    m[layer.easy_axis] = np.sqrt(1 - square) * (1 if from_parallel else -1)
    return m / np.linalg.norm(m, axis=0)


def time_step(layer: FreeLayer, torque_field: float = 0.0) -> float:
    """Step in s that resolves the precession in the layer's own fields and in a damping-like field in A/m."""
    fastest = max(*(abs(h) for h in layer.stiffness), abs(torque_field))
    return _SHARE / (layer.gyromagnetic_ratio * mu_0 * fastest)


def run_ensemble(
    layer: FreeLayer,
    torque: Torque,
    current_density: float,
    duration_s: float,
    start: np.ndarray,
    *,
    temperature: float,
    seed: int = 0,
    samples: int = 100,
    step_s: float | None = None,
) -> Ensemble:
    """Follow many spins under a constant current.

    Parameters
    ----------
    layer : FreeLayer
    torque : SpinHall or SpinTransfer
    current_density : float
        In A/m²; a positive one pulls towards the parallel state.
    duration_s : float
    start : ndarray of shape (3, count)
        Unit vectors.
    temperature : float
        In K; 0 is the equation without thermal field.
    seed : int
    samples : int
        Times at which the easy component is kept, from the first step to the end.
    step_s : float, optional
        Time step; `time_step` if not given.

    Returns
    -------
    Ensemble

    Notes
    -----
    Each component of the thermal field is white with the variance 2α·k_B·T/(γ·µ0²·Ms·V·dt) in (A/m)² (Brown,
    Phys. Rev. 130, 1677, 1963). Heun's predictor and corrector share one draw, which solves the equation in
    the sense of Stratonovich, as a physical noise wants it.
    """
    step = step_s or time_step(layer, float(torque.field(layer, current_density, 0.0)))
    per_sample = max(1, int(np.ceil(duration_s / samples / step)))
    step = duration_s / samples / per_sample
    sigma = np.sqrt(
        2 * layer.damping * k * temperature
        / (layer.gyromagnetic_ratio * mu_0**2 * layer.saturation_magnetisation * layer.volume_m3 * step)
    )  # fmt: skip
    derivative = _Derivative(layer, torque, current_density)
    random = np.random.default_rng(seed)
    m = np.array(start, dtype=float)
    easy = np.empty((samples, m.shape[1]))
    for sample in range(samples):
        for _ in range(per_sample):
            field = sigma * random.standard_normal(m.shape) if temperature else np.zeros_like(m)
            first = derivative(m, field)
            second = derivative(m + step * first, field)
            m += 0.5 * step * (first + second)
            m /= np.sqrt(np.einsum("ij,ij->j", m, m))
        easy[sample] = m[layer.easy_axis]
    return Ensemble(time_s=np.linspace(0, duration_s, samples + 1)[1:], easy=easy, magnetisation=m)


class _Derivative:
    """dm/dt of all spins, as `magnetisation.right_hand_side` has it for one."""

    def __init__(self, layer: FreeLayer, torque: Torque, current_density: float) -> None:
        self.layer, self.torque, self.current_density = layer, torque, current_density
        saturation = layer.saturation_magnetisation
        own = -saturation * np.array(layer.demagnetisation)
        own[layer.easy_axis] += 2 * layer.anisotropy / (mu_0 * saturation)
        self.own = own[:, None]
        self.scale = -layer.gyromagnetic_ratio * mu_0 / (1 + layer.damping**2)

    def __call__(self, m: np.ndarray, thermal: np.ndarray) -> np.ndarray:
        easy = self.layer.easy_axis
        after, before = (easy + 1) % 3, (easy + 2) % 3
        pull = self.torque.field(self.layer, self.current_density, m[easy])
        field = self.own * m + thermal
        # m×p along the easy axis p has two components.
        field[after] += pull * m[before]
        field[before] -= pull * m[after]
        turn = _cross(m, field)
        return self.scale * (turn + self.layer.damping * _cross(m, turn))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    result = np.empty_like(a)
    result[0] = a[1] * b[2] - a[2] * b[1]
    result[1] = a[2] * b[0] - a[0] * b[2]
    result[2] = a[0] * b[1] - a[1] * b[0]
    return result
