"""The read current on its way: its direction in each element, its share in each cell, and the torque that it exerts."""

import numpy as np
from scipy.optimize import brentq

from spinplane.machine import SpinplaneError

from .free_layer import SpinHall, free_layer, spin_transfer
from .mtj import junction, junction_area, resistance
from .sensing import bit_line_voltage, series_resistance
from .technology import Technology

#: Share of the read current that flows in the metal under the junction, on average: it enters evenly over the
#: junction, so the current below grows from none at one edge to all of it at the other.
UNDER_JUNCTION = 0.5


def read_directions(technology: Technology) -> dict[str, int]:
    """Direction of the read current in each element that conducts, from the driven line on.

    Returns
    -------
    dict of str to int
        +1 from the element's first end to its second, −1 the other way.

    Raises
    ------
    SpinplaneError
        If the elements that conduct are not one path from the driven line.
    """
    operation = technology.operations["read"]
    at = next(line for line, drive in operation.selected.items() if drive == "read")
    left = [element for element in technology.elements if element.name in operation.conducts]
    directions = {}
    while left:
        found = [element for element in left if at in element.between]
        if len(found) != 1:
            rest = ", ".join(element.name for element in left)
            raise SpinplaneError(
                f"{technology.name}: operations.read.conducts: {rest}: not one path from {at}"
            )
        (element,) = found
        first, second = element.between
        directions[element.name] = 1 if at == first else -1
        at = second if at == first else first
        left.remove(element)
    return directions


def read_torques(technology: Technology, current: float, *, antiparallel: bool) -> dict[str, float]:
    """Damping-like fields in A/m of a read current through one cell, positive towards the anti-parallel state.

    Parameters
    ----------
    technology : Technology
    current : float
        Through the junction, in A.
    antiparallel : bool
        State of the cell.

    Returns
    -------
    dict of str to float
        ``"spin transfer"`` of the junction and, where the current leaves through the heavy metal, ``"spin Hall"``.
    """
    layer, directions = free_layer(technology), read_directions(technology)
    cosine = -1.0 if antiparallel else 1.0
    # From the pinned to the free layer, the junction's first to its second end, it pulls towards 1.
    transfer = spin_transfer(technology).field(layer, current / junction_area(technology), cosine)
    fields = {"spin transfer": directions[technology.element("mtj").name] * float(transfer)}
    if technology.torque == "spin_hall":
        metal = sum(
            directions[element.name]
            for element in technology.elements
            if element.kind == "half_heavy_metal" and element.name in directions
        )
        section = technology["heavy_metal.width"] * technology["heavy_metal.thickness"]
        density = metal * UNDER_JUNCTION * current / section
        hall = SpinHall(angle=technology["heavy_metal.spin_hall_angle"])
        fields["spin Hall"] = float(hall.field(layer, density, cosine))
    return fields


def cell_currents(technology: Technology, antiparallel: np.ndarray) -> np.ndarray:
    """Currents in A into which the read current divides over cells in parallel at the near end of the bit line.

    Parameters
    ----------
    technology : Technology
    antiparallel : ndarray of shape (cells,), bool

    Returns
    -------
    ndarray of shape (cells,)
    """
    mtj, series = junction(technology), series_resistance(technology)
    voltage = float(bit_line_voltage(technology, np.asarray(antiparallel), position=0.0))

    def missing(over: float, state: bool) -> float:
        return over * (1 + series / float(resistance(mtj, state, over))) - voltage

    over = [brentq(missing, 0.0, voltage, args=(bool(state),), xtol=1e-15) for state in antiparallel]
    return np.array([v / float(resistance(mtj, bool(s), v)) for v, s in zip(over, antiparallel, strict=True)])
