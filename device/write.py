"""Writing: a pulse, its required current, and its failure rate in a thermal field."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .ensemble import equilibrium, run_ensemble
from .free_layer import (
    FreeLayer,
    Torque,
    critical_current_density,
    free_layer,
    write_section,
    write_torque,
)
from .magnetisation import Trajectory, simulate, start_direction
from .mtj import heavy_metal_resistance, junction, voltage_at
from .statistics import ErrorRate, counted
from .technology import Technology

#: Failures on which the extrapolation of a write error rate stands.
_ANCHOR = 100
#: Rates from which on the tail holds, and how often a run is made longer to reach it.
_HIGHEST_TAIL = 1e-3
_DOUBLINGS = 5


@dataclass(frozen=True, kw_only=True)
class WritePulse:
    """One write at 0 K from the thermal angle.

    Parameters
    ----------
    bit : int
        1 is the anti-parallel state.
    current_a, pulse_s : float
    switched : bool
        Whether the magnetisation is on the new side at the end of the pulse.
    time_s : float or None
        When it crossed the plane between the states.
    voltage_v : float
        Over the cell's path, transistor included, before switching.
    energy_j : float
        Current times voltage over the pulse.
    trajectory : Trajectory
    """

    bit: int
    current_a: float
    pulse_s: float
    switched: bool
    time_s: float | None
    voltage_v: float
    energy_j: float
    trajectory: Trajectory


@dataclass(frozen=True, kw_only=True)
class WriteErrors:
    """Write error rates over current and pulse.

    Parameters
    ----------
    bit : int
    currents_a : tuple of float
    pulses_s : tuple of float
    rates : tuple of tuple of ErrorRate
        One row for each current, one column for each pulse.
    """

    bit: int
    currents_a: tuple[float, ...]
    pulses_s: tuple[float, ...]
    rates: tuple[tuple[ErrorRate, ...], ...]


def thermal_angle(layer: FreeLayer, temperature: float) -> float:
    """Root mean square angle in rad from the easy axis along the softer transverse axis: √(1/(2Δ))."""
    return float(np.sqrt(max(layer.thermal_variances(temperature))))


def critical_current(technology: Technology, bit: int) -> float:
    """Onset of switching at 0 K in A, see `critical_current_density`; writing 1 starts from parallel."""
    density = critical_current_density(
        free_layer(technology), write_torque(technology), from_parallel=bit == 1
    )
    return density * write_section(technology)


def write_path_voltage(technology: Technology, antiparallel: bool, current: float) -> float:
    """Voltage in V over the cell while `current` in A writes."""
    if technology.torque == "spin_hall":
        return current * (technology["access.write_resistance"] + heavy_metal_resistance(technology))
    over_junction = voltage_at(junction(technology), antiparallel, current)
    return current * technology["access.resistance"] + over_junction


def write_pulse(
    technology: Technology,
    bit: int,
    *,
    current: float | None = None,
    pulse: float | None = None,
    angle: float | None = None,
    solver: str = "scipy",
) -> WritePulse:
    """Write `bit` over the other one.

    Parameters
    ----------
    technology : Technology
    bit : {0, 1}
    current : float, optional
        In A; the technology's if not given.
    pulse : float, optional
        In s; the technology's if not given.
    angle : float, optional
        Angle in rad from which it starts; `thermal_angle` if not given.
    solver : {"scipy", "cmtj"}

    Returns
    -------
    WritePulse

    Raises
    ------
    SpinplaneError
        If current or pulse are not above 0, or by `simulate`.
    """
    current = technology[f"write.current_{bit}"] if current is None else current
    pulse = technology["write.pulse"] if pulse is None else pulse
    for name, value in (("write current", current), ("write pulse", pulse)):
        if not value > 0:
            raise SpinplaneError(f"{name} = {value!r}: must be above 0")
    layer, torque, density = _driven(technology, bit, current)
    if angle is None:
        angle = thermal_angle(layer, technology["process.temperature"])
    start = start_direction(layer, angle, from_parallel=bit == 1)
    path = simulate(layer, torque, density, pulse, start, solver=solver)
    crossing = path.crossing_s
    before, after = (write_path_voltage(technology, state, current) for state in (bit == 0, bit == 1))
    held = pulse if crossing is None else crossing
    return WritePulse(
        bit=bit,
        current_a=current,
        pulse_s=pulse,
        switched=bool(path.magnetisation[-1, layer.easy_axis] * start[layer.easy_axis] < 0),
        time_s=crossing,
        voltage_v=before,
        energy_j=current * (before * held + after * (pulse - held)),
        trajectory=path,
    )


def needed_current(technology: Technology, bit: int, *, tolerance: float = 1e-3) -> float:
    """Current in A that crosses from the thermal angle just at the end of the technology's pulse.

    Parameters
    ----------
    technology : Technology
    bit : {0, 1}
    tolerance : float
        Relative.

    Returns
    -------
    float

    Raises
    ------
    SpinplaneError
        If 1000 times the critical current does not switch in the pulse.
    """
    pulse = technology["write.pulse"]
    low = critical_current(technology, bit)
    high = 2 * low
    while write_pulse(technology, bit, current=high).time_s is None:
        low, high = high, 2 * high
        if high > 1000 * critical_current(technology, bit):
            raise SpinplaneError(f"{technology.name}: no current switches in a pulse of {pulse * 1e9:g} ns")
    while high - low > tolerance * high:
        middle = (low + high) / 2
        if write_pulse(technology, bit, current=middle).time_s is None:
            low = middle
        else:
            high = middle
    return high


def write_error_rates(
    technology: Technology,
    bit: int,
    *,
    currents: tuple[float, ...] | None = None,
    pulses: tuple[float, ...] | None = None,
    count: int = 2000,
    seed: int = 0,
) -> WriteErrors:
    """Count writes that fail at the technology's temperature.

    Parameters
    ----------
    technology : Technology
    bit : {0, 1}
    currents : tuple of float, optional
        In A; the technology's write current if not given.
    pulses : tuple of float, optional
        In s; the technology's pulse if not given. Counted at the nearest of 400 times of the longest.
    count : int
        Writes for each current; all pulses share them.
    seed : int

    Returns
    -------
    WriteErrors
        A write has failed if the magnetisation is still on the old side when the pulse ends.

    Raises
    ------
    SpinplaneError
        If `count` is not a whole number from 1.

    Notes
    -----
    The tail: near its state the magnetisation obeys a linear equation, whose flow widens any area of
    deviations by exp(2λt) with λ of `FreeLayer.growth_rate`. The probability not to have left yet therefore
    falls by exp(−2λt) once it is small. It is anchored where the last `_ANCHOR` of all writes had still to
    switch, which leaves it an uncertainty of about the factor by which that point is not yet in the tail.
    """
    if type(count) is not int or count < 1:
        raise SpinplaneError(f"writes = {count!r}: must be a whole number of at least 1")
    currents = (technology[f"write.current_{bit}"],) if currents is None else currents
    pulses = (technology["write.pulse"],) if pulses is None else pulses
    rows = []
    for index, current in enumerate(currents):
        tail = _tail(technology, bit, current, max(pulses), count, seed + 2 * index)
        rows.append(tuple(counted(tail.counted(pulse), count, tail(pulse)) for pulse in pulses))
    return WriteErrors(bit=bit, currents_a=tuple(currents), pulses_s=tuple(pulses), rates=tuple(rows))


def pulse_for_error_rate(
    technology: Technology, bit: int, rate: float, *, count: int = 2000, seed: int = 0
) -> float:
    """Pulse in s after which a share `rate` of the writes has still to switch, at the technology's current.

    Parameters
    ----------
    technology : Technology
    bit : {0, 1}
    rate : float
        Above 0, at most 1e-3: in the tail of `write_error_rates`.
    count : int
        Simulated writes, at least 1000.
    seed : int

    Returns
    -------
    float
        The anchor's counting noise of a tenth moves it by 0.1/(2λ): less than 1 % at 1e-6.

    Raises
    ------
    SpinplaneError
        If the rate is not in the tail, or the current does not switch the cell in 16 times the technology's pulse.
    """
    if not 0 < rate <= _HIGHEST_TAIL:
        raise SpinplaneError(f"write error rate = {rate!r}: must be above 0 and at most {_HIGHEST_TAIL:g}")
    current, duration = technology[f"write.current_{bit}"], technology["write.pulse"]
    for _ in range(_DOUBLINGS):
        tail = _tail(technology, bit, current, duration, count, seed)
        if tail.reached:
            return tail.pulse(rate)
        duration *= 2
    raise SpinplaneError(
        f"{technology.name}: write.current_{bit} = {current * 1e6:g} µA does not switch the cell in "
        f"{duration * 5e8:g} ns"
    )


def mean_error_rate(technology: Technology, bit: int, rate: float, pulse: float) -> float:
    """Write error rate of a row of cells whose critical currents differ, from that of the nominal cell.

    The exponent −2λt of a cell is linear in its onset, which is normal with ``variation.critical_current``: the rates
    are log-normal, and their mean is exp(s²/2) times the nominal one (Imamura et al., arXiv 2209.13828).

    Parameters
    ----------
    technology : Technology
    bit : {0, 1}
    rate : float
        Of the nominal cell.
    pulse : float
        In s.
    """
    layer = free_layer(technology)
    shrink = 2 * (layer.growth_rate(layer.onset_field) - layer.growth_rate(0.0)) * pulse
    deviation = shrink * technology["variation.critical_current"]
    return float(min(1.0, rate * np.exp(min(700.0, deviation**2 / 2))))


@dataclass(frozen=True, kw_only=True)
class _Tail:
    """Writes that have not switched by a time: counted, and beyond the anchor by the linear theory.

    Parameters
    ----------
    time_s : ndarray of shape (n,)
    left : ndarray of shape (n,), int
        Writes that had not switched.
    count : int
    growth : float
        λ in 1/s.
    """

    time_s: np.ndarray
    left: np.ndarray
    count: int
    growth: float

    @property
    def anchor(self) -> int:
        """The last sample at which enough writes had still to switch."""
        enough = np.flatnonzero(self.left >= min(_ANCHOR, self.count))
        return int(enough[-1]) if enough.size else 0

    @property
    def reached(self) -> bool:
        """Whether the run was long enough for the anchor."""
        return self.growth > 0 and self.anchor < len(self.left) - 1

    def counted(self, pulse: float) -> int:
        """Writes that had not switched at the sample nearest to a time in s."""
        return int(self.left[np.argmin(np.abs(self.time_s - pulse))])

    def __call__(self, pulse: float) -> float:
        """The share that has not switched by a time in s."""
        share = float(self.left[self.anchor]) / self.count
        if self.growth <= 0:
            return share
        return float(min(1.0, share * np.exp(-2 * self.growth * (pulse - self.time_s[self.anchor]))))

    def pulse(self, rate: float) -> float:
        """The time in s by which a share `rate` has not switched."""
        share = float(self.left[self.anchor]) / self.count
        return float(self.time_s[self.anchor] + np.log(share / rate) / (2 * self.growth))


def _tail(technology: Technology, bit: int, current: float, duration: float, count: int, seed: int) -> _Tail:
    layer, torque, density = _driven(technology, bit, current)
    temperature = technology["process.temperature"]
    start = equilibrium(layer, temperature, count, seed, from_parallel=bit == 1)
    run = run_ensemble(
        layer, torque, density, duration, start, temperature=temperature, seed=seed + 1, samples=400
    )
    side = 1 if bit == 1 else -1
    force = abs(float(torque.field(layer, density, float(side))))
    return _Tail(
        time_s=run.time_s,
        left=np.count_nonzero(run.easy * side > 0, axis=1),
        count=count,
        growth=layer.growth_rate(force),
    )


def _driven(technology: Technology, bit: int, current: float) -> tuple[FreeLayer, Torque, float]:
    """Layer, torque and the signed current density that writes `bit`."""
    density = current / write_section(technology)
    return free_layer(technology), write_torque(technology), -density if bit == 1 else density
