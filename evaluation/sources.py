"""Figures that follow from parameters: what they are made of, and how far the bounds of these move them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from spinplane.device import Technology
from spinplane.machine import Parameter


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that follows from parameters.

    Parameters
    ----------
    value, low, high : float or None
        With all parameters at their values, and the least and the largest with these at their bounds; None where a
        parameter is missing.
    unit : str
        Of the International System: ``"J"``, ``"s"``, ``"m²"``.
    mark : {"measured", "published", "derived", "assumed"}
    source : str
        Formula or reason.
    parameters : tuple of str
        Keys that it follows from.
    missing : str
        The first of its parameters that is not there; empty if all are.
    """

    value: float | None
    low: float | None
    high: float | None
    unit: str
    mark: str
    source: str
    parameters: tuple[str, ...]
    missing: str = ""


class Sources:
    """Parameters by key: those of a technology, and any others.

    Parameters
    ----------
    technology : Technology or None
        None where no array of a technology is meant.
    others : mapping of str to Parameter
        Of the same form; their keys differ from those of the technology.
    """

    def __init__(self, technology: Technology | None, others: Mapping[str, Parameter]) -> None:
        own = technology.parameters if technology else {}
        both = set(own) & set(others)
        if both:
            raise ValueError(f"parameters that are there twice: {', '.join(sorted(both))}")
        self._technology = technology
        self._parameters = {**own, **others}
        self._gone: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]

    @property
    def technology(self) -> Technology:
        """The technology as it was given.

        Raises
        ------
        TypeError
            If none was.
        """
        return _there(self._technology)

    def without(self, keys: Iterable[str]) -> "Sources":
        """The same but for some parameters, which figures that need them then lack."""
        gone = set(keys)
        kept = {key: parameter for key, parameter in self._parameters.items() if key not in gone}
        other = self._with(kept)
        other._gone = self._gone | gone
        return other

    def with_parameters(self, others: Mapping[str, Parameter]) -> "Sources":
        """The same with other parameters, or with these in place of their own."""
        return self._with({**self._parameters, **others})

    def with_technology(self, technology: Technology, others: Mapping[str, Parameter]) -> "Sources":
        """The same with another technology's parameters, or others in their place; those left out stay away."""
        own = self._technology.parameters if self._technology else {}
        kept = {key: self._parameters[key] for key in self if key not in own}
        return Sources(technology, kept).with_parameters(others).without(self._gone)

    def figure(
        self, function: "Callable[[Values], float]", *, unit: str, source: str, mark: str = "derived"
    ) -> Figure:
        """What a function makes of the parameters that it reads.

        Its bounds are those of the function with each parameter at the end of its bounds that, with all others at their
        values, makes the figure smaller or larger: exact for a function that is monotonic in each parameter, whatever
        the others are.

        Parameters
        ----------
        function : callable
            From `Values` to a number in `unit`. What it reads must not depend on what it has read.
        unit, source, mark : str
            As in `Figure`.
        """
        values = Values(self._technology, self._parameters)
        try:
            middle = function(values)
        except MissingParameter as error:
            return Figure(
                value=None, low=None, high=None, unit=unit, mark=mark, source=source,
                parameters=tuple(sorted({*values.read, error.key})), missing=error.key,
            )  # fmt: skip
        least, largest, seen = {}, {}, [middle]
        for key in sorted(values.read):
            parameter = self._parameters[key]
            if parameter.bounds is None:
                continue
            ends = [replace(parameter, value=end) for end in parameter.bounds]
            found = [function(self.values({key: end})) for end in ends]
            smaller = found[0] > found[1]
            least[key], largest[key] = ends[smaller], ends[not smaller]
            seen += found
        seen += [function(self.values(corner)) for corner in (least, largest) if corner]
        return Figure(
            value=middle, low=min(seen), high=max(seen), unit=unit, mark=mark, source=source,
            parameters=tuple(sorted(values.read)),
        )  # fmt: skip

    def values(self, changed: Mapping[str, Parameter]) -> "Values":
        """What a function reads, with other parameters in place of their own."""
        return Values(self._technology, {**self._parameters, **changed})

    def _with(self, parameters: Mapping[str, Parameter]) -> "Sources":
        other = Sources(self._technology, {})
        other._parameters = dict(parameters)
        other._gone = self._gone
        return other


class MissingParameter(LookupError):
    """A parameter that is not there: its ``key``."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Values:
    """What a figure's function reads: ``values["wire.capacitance"]`` in SI units, and a technology of these values.

    Parameters
    ----------
    technology : Technology or None
    parameters : mapping of str to Parameter
    """

    def __init__(self, technology: Technology | None, parameters: Mapping[str, Parameter]) -> None:
        self.read: set[str] = set()
        self._parameters = _Recorded(parameters, self.read)
        self._technology = replace(technology, parameters=self._parameters) if technology else None

    @property
    def technology(self) -> Technology:
        """The technology, with the parameters of these values."""
        return _there(self._technology)

    def __getitem__(self, key: str) -> float:
        value = self._parameters[key].si
        if isinstance(value, tuple):
            raise TypeError(f"{key} is a list")
        return value

    def __contains__(self, key: object) -> bool:
        """Whether there is such a parameter: for what is a user's choice and no source."""
        return key in self._parameters


class _Recorded(Mapping[str, Parameter]):
    """Parameters that tell which of them are read."""

    def __init__(self, parameters: Mapping[str, Parameter], read: set[str]) -> None:
        self._parameters = parameters
        self._read = read

    def __getitem__(self, key: str) -> Parameter:
        if key not in self._parameters:
            raise MissingParameter(key)
        self._read.add(key)
        return self._parameters[key]

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)


def _there(technology: Technology | None) -> Technology:
    if technology is None:
        raise TypeError("parameters of no technology")
    return technology
