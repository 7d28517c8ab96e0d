"""Bounds of a technology's parameters: what their sources leave open, as far as its arrays work within it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from spinplane.device import Technology
from spinplane.device.energy import write_energy
from spinplane.device.sensing import decisions, sense_time
from spinplane.device.write import write_path_voltage
from spinplane.machine import Parameter, SpinplaneError

from .parameters import shipped_table
from .sources import Sources

#: Equal steps from a parameter's value to an end of its bounds.
STEPS = 20
#: What an array must do, as a number that is larger the harder it is; raises `SpinplaneError` where it cannot.
_Demand = Callable[[Technology], float]
#: The same of parameters that are changed.
_DemandOf = Callable[[Mapping[str, Parameter]], float]


@dataclass(frozen=True, kw_only=True)
class CutBound:
    """An end of a parameter's bounds at which arrays do not work, and the last step towards it at which they do.

    Parameters
    ----------
    key : str
    unit : str
    value, end, cut : float
        In `unit`: the parameter's value, the end, and what stands in its place.
    reason : str
        Why arrays do not work at the end.
    """

    key: str
    unit: str
    value: float
    end: float
    cut: float
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: bound cut from {self.end:.4g} to {self.cut:.4g} {self.unit}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class _Reach:
    """How many of `STEPS` lead towards an end, the demand there when others have their values, and why no more do."""

    steps: int
    demand: float
    reason: str


def technology_bounds(technology: Technology) -> tuple[dict[str, Parameter], tuple[CutBound, ...]]:
    """Parameters of a technology that have bounds, and those of their ends that were cut.

    Where the technology's file has no bounds, ``technology-bounds.toml`` has them. An end at which arrays cannot be
    sensed or written is no case of the design. It is cut to the last of `STEPS` steps towards it at which they can,
    with all other parameters at their values. If they cannot with all parameters at their worse ends at once, these
    ends move back together, step by step, until they can.

    Parameters
    ----------
    technology : Technology
        With lines of the length of a machine's.

    Raises
    ------
    SpinplaneError
        If arrays cannot be sensed or written with all parameters at their values.
    """
    parameters = technology.parameters
    bounded = {key: parameter for key, parameter in parameters.items() if parameter.bounds} | _wider(
        parameters
    )
    cuts = []
    for demand in (_sense, _write):
        for (key, end), reach in _reaches(technology, bounded, demand).items():
            parameter = bounded[key]
            if reach.steps < STEPS:
                bounds = _bounds(parameter)
                cut = _at(parameter, end, reach.steps)
                cuts.append(
                    CutBound(
                        key=key, unit=parameter.unit, value=_number(parameter), end=bounds[end], cut=_number(cut),
                        reason=reach.reason,
                    )
                )  # fmt: skip
                bounded[key] = replace(
                    parameter, bounds=(_number(cut), bounds[1]) if end == 0 else (bounds[0], _number(cut))
                )
    return bounded, tuple(cuts)


def _wider(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Those for which a source leaves more open than the technology's file says."""
    found = {}
    for key, entry in shipped_table("technology-bounds.toml").items():
        parameter = parameters.get(key)
        if parameter is None or parameter.bounds or isinstance(parameter.value, tuple):
            continue
        low, high = (factor * parameter.value for factor in entry["factors"])
        found[key] = replace(
            parameter, bounds=(low, high), source=f"{parameter.source}; bounds: {entry['source']}"
        )
    return found


def _sense(technology: Technology) -> float:
    """Time in s of the slowest decision."""
    return max(sense_time(technology, decision) for decision in decisions())


def _write(technology: Technology) -> float:
    """Voltage in V over the cell that needs the higher one."""
    for bit in (0, 1):
        write_energy(technology, bit)
    return max(write_path_voltage(technology, bit == 0, technology[f"write.current_{bit}"]) for bit in (0, 1))


def _reaches(
    technology: Technology, bounded: Mapping[str, Parameter], demand: _Demand
) -> dict[tuple[str, int], _Reach]:
    """How far each parameter that a demand reads can go towards each of its ends."""
    sources = Sources(technology, {})

    def of(changed: Mapping[str, Parameter]) -> float:
        return demand(sources.values(changed).technology)

    values = sources.values({})
    demand(values.technology)
    reaches, worse = {}, {}
    for key in sorted(values.read & set(bounded)):
        low, high = (_reach(key, bounded[key], end, of) for end in (0, 1))
        reaches[key, 0], reaches[key, 1] = low, high
        worse[key] = int((high.steps < STEPS, high.demand) > (low.steps < STEPS, low.demand))
    return reaches | _together(bounded, {(key, end): reaches[key, end] for key, end in worse.items()}, of)


def _reach(key: str, parameter: Parameter, end: int, demand: _DemandOf) -> _Reach:
    """How far a parameter can go with all others at their values."""
    reason = ""
    for steps in range(STEPS, 0, -1):
        try:
            number = demand({key: _at(parameter, end, steps)})
        except (SpinplaneError, ArithmeticError) as error:
            reason = reason or _reason(error)
        else:
            return _Reach(steps=steps, demand=number, reason=reason)
    return _Reach(steps=0, demand=demand({}), reason=reason)


def _together(
    bounded: Mapping[str, Parameter], worse: Mapping[tuple[str, int], _Reach], demand: _DemandOf
) -> dict[tuple[str, int], _Reach]:
    """How far parameters can go to their worse ends at once; those whose reach is shorter than alone."""
    reason = ""
    for most in range(STEPS, 0, -1):
        corner = {key: _at(bounded[key], end, min(most, reach.steps)) for (key, end), reach in worse.items()}
        try:
            demand(corner)
        except (SpinplaneError, ArithmeticError) as error:
            reason = reason or f"with others at their worse ends {_reason(error)}"
        else:
            break
    else:
        most = 0
    return {
        place: replace(reach, steps=most, reason=reason)
        for place, reach in worse.items()
        if most < reach.steps
    }


def _reason(error: Exception) -> str:
    """What does not hold, without what to do about it."""
    return str(error).partition("; ")[0]


def _at(parameter: Parameter, end: int, steps: int) -> Parameter:
    """A parameter so many steps from its value to an end of its bounds; all of them lead to the end itself."""
    value, bound = _number(parameter), _bounds(parameter)[end]
    return replace(parameter, value=bound if steps == STEPS else value + (bound - value) * steps / STEPS)


def _number(parameter: Parameter) -> float:
    assert not isinstance(parameter.value, tuple)
    return parameter.value


def _bounds(parameter: Parameter) -> tuple[float, float]:
    assert parameter.bounds is not None
    return parameter.bounds
