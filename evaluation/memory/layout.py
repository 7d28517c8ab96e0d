"""Areas of circuits from their transistors: the width of all, and how many they are."""

from dataclasses import dataclass

from ..sources import Values


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """Transistors of a circuit.

    Parameters
    ----------
    width : float
        Sum of their widths in m.
    transistors : float
    extra : float
        Area in m² that their widths do not tell.
    """

    width: float = 0.0
    transistors: float = 0.0
    extra: float = 0.0

    def __add__(self, other: "Circuit") -> "Circuit":
        return Circuit(
            width=self.width + other.width,
            transistors=self.transistors + other.transistors,
            extra=self.extra + other.extra,
        )

    def times(self, number: float) -> "Circuit":
        """So many of them."""
        return Circuit(
            width=number * self.width, transistors=number * self.transistors, extra=number * self.extra
        )

    def area(self, values: Values) -> float:
        """Area in m² of the transistors alone."""
        widths = values["layout.width"] * self.width
        return widths + values["layout.transistor"] * self.transistors + self.extra


def gates(values: Values, transistors: float) -> Circuit:
    """Small gates of so many transistors."""
    return Circuit(width=transistors * values["layout.gate_width"], transistors=transistors)


def driver(values: Values, capacitance: float, transistors: float) -> Circuit:
    """A chain of inverters that drives a line of `capacitance` in F, each one `layout.effort` times its input."""
    effort = values["layout.effort"]
    # C/e + C/e² + …, as if the chain had no first one.
    width = capacitance / (effort - 1) / values["layout.gate_capacitance"]
    return Circuit(width=width, transistors=transistors)


def switch(values: Values, width: float) -> Circuit:
    """A wide transistor with the chain that drives its gate, whose own transistors are counted elsewhere."""
    effort = values["layout.effort"]
    return Circuit(width=width * effort / (effort - 1), transistors=1)
