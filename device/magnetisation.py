"""Magnetisation dynamics: the Landau-Lifshitz-Gilbert equation with one torque, by two solvers.

dm/dt = −γ·µ0·m×H + α·m×dm/dt + γ·µ0·a·m×(p×m), with a from `Torque.field`, H = 2K/(µ0·Ms)·m_easy − N·Ms·m,
and p along the easy axis. SciPy's ``solve_ivp`` takes every torque; cmtj, a simulator of magnetic tunnel
junctions in C++, takes those that it has and a thermal field, and is the second opinion.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.constants import mu_0
from scipy.integrate import solve_ivp

from spinplane.machine import SpinplaneError
from spinplane.machine.external.remedies import need

from .free_layer import FreeLayer, SpinHall, SpinTransfer, Torque

SOLVERS = ("scipy", "cmtj")
_POINTS = 1000
_ONE_SIDED = 1e-9


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """A path of the magnetisation.

    Parameters
    ----------
    time_s : ndarray of shape (n,), float
    magnetisation : ndarray of shape (n, 3), float
        Unit vectors.
    crossing_s : float or None
        When the component along the easy axis first became 0; None if it never did.
    """

    time_s: np.ndarray
    magnetisation: np.ndarray
    crossing_s: float | None


def start_direction(layer: FreeLayer, angle: float, *, from_parallel: bool) -> np.ndarray:
    """Unit vector at `angle` (rad) from the easy axis, tilted along the softer transverse axis."""
    soft = (layer.easy_axis + 1 + int(np.argmin(layer.stiffness))) % 3
    direction = np.zeros(3)
    direction[layer.easy_axis] = np.cos(angle) if from_parallel else -np.cos(angle)
    direction[soft] = np.sin(angle)
    return direction


def simulate(
    layer: FreeLayer,
    torque: Torque,
    current_density: float,
    duration_s: float,
    start: np.ndarray,
    *,
    solver: str = "scipy",
    temperature: float = 0.0,
    seed: int = 0,
    step_s: float = 2e-13,
) -> Trajectory:
    """Follow the magnetisation under a constant current.

    Parameters
    ----------
    layer : FreeLayer
    torque : SpinHall or SpinTransfer
    current_density : float
        In A/m²; a positive one pulls towards the parallel state.
    duration_s : float
        In s.
    start : ndarray of shape (3,)
        Magnetisation at the beginning, a unit vector.
    solver : {"scipy", "cmtj"}
    temperature : float
        Of the thermal field, in K; cmtj only, see `spinplane.device.ensemble` for many paths at once.
    seed : int
        Of the thermal field.
    step_s : float
        Step of cmtj in s; SciPy chooses its own.

    Returns
    -------
    Trajectory

    Raises
    ------
    SpinplaneError
        If the solver is unknown, not installed, or does not have the torque or the thermal field.
    """
    if solver == "scipy":
        if temperature:
            raise SpinplaneError("solver 'scipy' has no thermal field: use solver 'cmtj', or an ensemble")
        return _scipy(layer, torque, current_density, duration_s, start)
    if solver == "cmtj":
        return _cmtj(layer, torque, current_density, duration_s, start, temperature, seed, step_s)
    raise SpinplaneError(f"solver {solver!r}: must be one of {', '.join(SOLVERS)}")


def right_hand_side(
    layer: FreeLayer, torque: Torque, current_density: float
) -> Callable[[float, np.ndarray], list[float]]:
    """The equation solved for dm/dt, for one spin in 1/s."""
    axis, alpha = layer.easy_axis, layer.damping
    gamma = layer.gyromagnetic_ratio * mu_0
    scale = gamma / (1 + alpha * alpha)
    saturation = layer.saturation_magnetisation
    nx, ny, nz = (saturation * n for n in layer.demagnetisation)
    uniaxial = 2 * layer.anisotropy / (mu_0 * saturation)
    px, py, pz = (float(axis == i) for i in range(3))

    def derivative(_: float, m: np.ndarray) -> list[float]:
        x, y, z = float(m[0]), float(m[1]), float(m[2])
        a = float(torque.field(layer, current_density, (x, y, z)[axis]))
        # m×(a·p×m − H) = −m×(H + a·m×p): one effective field h, then −(m×h + α·m×(m×h)).
        hx = uniaxial * px * x - nx * x + a * (y * pz - z * py)
        hy = uniaxial * py * y - ny * y + a * (z * px - x * pz)
        hz = uniaxial * pz * z - nz * z + a * (x * py - y * px)
        tx, ty, tz = y * hz - z * hy, z * hx - x * hz, x * hy - y * hx
        return [
            -scale * (tx + alpha * (y * tz - z * ty)),
            -scale * (ty + alpha * (z * tx - x * tz)),
            -scale * (tz + alpha * (x * ty - y * tx)),
        ]

    return derivative


def _scipy(
    layer: FreeLayer, torque: Torque, current_density: float, duration_s: float, start: np.ndarray
) -> Trajectory:
    def easy_component(_: float, m: np.ndarray) -> float:
        return float(m[layer.easy_axis])

    solution = solve_ivp(
        right_hand_side(layer, torque, current_density),
        (0.0, duration_s),
        start,
        method="DOP853",
        t_eval=np.linspace(0.0, duration_s, _POINTS),
        events=easy_component,
        rtol=1e-8,
        atol=1e-10,
    )
    if not solution.success:
        raise ArithmeticError(f"solve_ivp: {solution.message}")
    crossings = solution.t_events[0]
    return Trajectory(
        time_s=solution.t,
        magnetisation=solution.y.T,
        crossing_s=float(crossings[0]) if crossings.size else None,
    )


def _cmtj(
    layer: FreeLayer,
    torque: Torque,
    current_density: float,
    duration_s: float,
    start: np.ndarray,
    temperature: float,
    seed: int,
    step_s: float,
) -> Trajectory:
    need("cmtj")
    import cmtj

    name = "free"
    axis = [float(layer.easy_axis == i) for i in range(3)]
    demagnetisation = [cmtj.CVector(*row) for row in np.diag(layer.demagnetisation).tolist()]
    common = (
        name,
        cmtj.CVector(*(float(v) for v in start)),
        cmtj.CVector(*axis),
        mu_0 * layer.saturation_magnetisation,
        layer.thickness_m,
        layer.area_m2,
        demagnetisation,
    )
    spin = _cmtj_layer(cmtj, common, layer, torque)
    spin.setReferenceLayer(cmtj.CVector(*axis))
    spin.setAnisotropyDriver(cmtj.constantDriver(layer.anisotropy))
    if temperature:
        spin.setTemperatureDriver(cmtj.constantDriver(temperature))
        spin.setSeed(seed)
    junction = cmtj.Junction([spin])
    junction.setLayerCurrentDriver(name, cmtj.constantDriver(current_density))
    # Named, or cmtj changes the solver for a thermal field and says so on the standard output.
    solver: Any = cmtj.Heun if temperature else cmtj.RK4
    write_every = max(step_s, duration_s / _POINTS)
    junction.runSimulation(duration_s, step_s, write_every, False, False, solver)
    log = junction.getLog()
    time = np.array(log["time"])
    magnetisation = np.array([log[f"{name}_m{axis}"] for axis in "xyz"]).T
    return Trajectory(
        time_s=time,
        magnetisation=magnetisation,
        crossing_s=_crossing(time, magnetisation[:, layer.easy_axis]),
    )


def _cmtj_layer(cmtj: Any, common: tuple, layer: FreeLayer, torque: Torque) -> Any:
    if isinstance(torque, SpinHall):
        # cmtj multiplies this field by the current of its driver.
        return cmtj.Layer.createSOTLayer(*common, layer.damping, 0.0, float(torque.field(layer, 1.0, 0.0)))
    if isinstance(torque, SpinTransfer):
        plus, minus, a, b = torque.parts
        if abs(minus) > _ONE_SIDED * plus:
            raise SpinplaneError(
                "solver 'cmtj' has one term of the spin-transfer efficiency, the polarisations need both: "
                "use solver 'scipy'"
            )
        # plus/(2a)/(1 + b/a·c) is cmtj's alternative form, η/(1 + λ·c).
        spin = cmtj.Layer.createSTTLayer(*common, layer.damping, b / a, 0.0, plus / (2 * a))
        spin.setAlternativeSTT(True)
        return spin
    raise SpinplaneError(f"solver 'cmtj' has no torque {type(torque).__name__}: use solver 'scipy'")


def _crossing(time: np.ndarray, component: np.ndarray) -> float | None:
    changed = np.flatnonzero(np.sign(component[1:]) != np.sign(component[0]))
    if not changed.size:
        return None
    i = int(changed[0])
    share = component[i] / (component[i] - component[i + 1])
    return float(time[i] + share * (time[i + 1] - time[i]))
