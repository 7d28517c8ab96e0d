"""One figure of the device report, with its unit, mark and source."""

from dataclasses import dataclass

#: Unit of what is true (1) or not (0).
YES_NO = "yes/no"


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One figure of the report.

    Parameters
    ----------
    section, name : str
    value : float
        Infinite for what never ends, such as the time of a failed write; null in a file.
    unit : str
    mark : {"measured", "published", "derived", "assumed"}
    source : str
        Publication, formula or computation.
    interval : tuple of float, optional
        95 % confidence interval of a counted rate; or least and largest value where the source says that the bounds of
        parameters make it.
    """

    section: str
    name: str
    value: float
    unit: str
    mark: str
    source: str
    interval: tuple[float, float] | None = None

    @property
    def shown(self) -> str:
        """The value as a reader wants it, without its unit."""
        if self.unit == YES_NO:
            return "yes" if self.value else "no"
        return number_text(self.value)

    @property
    def shown_unit(self) -> str:
        """The unit behind the value."""
        return "" if self.unit == YES_NO else self.unit

    @property
    def letter(self) -> str:
        """The mark as its first letter."""
        return self.mark[:1]


def number_text(value: float) -> str:
    """A number in at most nine characters, with four digits where it is neither large nor small, else with three."""
    if value == 0 or 1e-2 <= abs(value) < 1e6:
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.2e}"


def derived(
    section: str,
    name: str,
    value: float,
    unit: str,
    source: str,
    interval: tuple[float, float] | None = None,
) -> Quantity:
    """A figure that follows from the parameters."""
    return Quantity(
        section=section, name=name, value=value, unit=unit, mark="derived", source=source, interval=interval
    )
