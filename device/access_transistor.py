"""An access transistor of FreePDK45: how wide it is for its resistance, what it loads a line with, how it leaks."""

import re
from dataclasses import dataclass
from importlib.resources import files
from math import log10, pi
from pathlib import Path

from spinplane.machine.external.text import Text, fill, number, quoted_path

from .netlist import printed

#: Published models, which come with the package.
MODELS = Path(str(files(__package__))) / "freepdk45-vtg.sp"
#: Half of the diffusion between two gates that share a contact: 0.065 µm of contact, twice 0.035 µm to a gate.
_DIFFUSION = 0.0675e-6
#: Voltage in V over a transistor that is on, and over one that is off or below its gate.
_ON, _OFF = 0.03, 0.2
_HERTZ = 1e6
_WIDTHS = (0.2e-6, 0.4e-6)
_DECK = """\
* An n-channel transistor of FreePDK45: on, off, its source below the gate, and its capacitances.
.include @models@
Vsupply supply 0 @supply@
Von on 0 @on@
Mon on supply 0 0 NMOS_VTG W=@width@ L=50n
Voff off 0 @off@
Moff off 0 0 0 NMOS_VTG W=@width@ L=50n
Vbelow below 0 -@off@
Mbelow 0 0 below 0 NMOS_VTG W=@width@ L=50n
Vheld held 0 -@off@
Mheld 0 held held 0 NMOS_VTG W=@width@ L=50n
Vdrain drain 0 DC @line@ AC 1
Mdrain drain 0 0 0 NMOS_VTG W=@width@ L=50n AD=@area@ PD=@edge@ AS=@area@ PS=@edge@
Vgate gate 0 DC @supply@ AC 1
Mgate 0 gate 0 0 NMOS_VTG W=@width@ L=50n
.control
set numdgt=9
op
print i(von) i(voff) i(vbelow) i(vheld)
ac lin 1 @hertz@ @hertz@
print imag(i(vdrain)) imag(i(vgate))
.endc
.end
"""
_VALUE = re.compile(r"^\s*((?:imag\()?i\(v\w+\)+)\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class AccessTransistor:
    """A transistor of a bit cell.

    Parameters
    ----------
    width_m : float
    drain_f, gate_f : float
        Capacitances in F: of the drain when off at 0.1 V, its contact shared with the next row's; of the gate when on.
    off_ohm : float
        0.2 V over its leakage, gate and source at 0.
    source_swing_v : float
        How far the source goes below the gate, at 0, for ten times that leakage; up to 0.2 V.
    held_a : float
        Leakage with gate and source both at −0.2 V.
    """

    width_m: float
    drain_f: float
    gate_f: float
    off_ohm: float
    source_swing_v: float
    held_a: float


def transistor_deck(width_m: float, supply_v: float) -> Text:
    """The deck of one transistor at the supply of its word line."""
    return fill(
        _DECK,
        models=quoted_path(MODELS, "transistor models"),
        width=number(width_m),
        supply=number(supply_v),
        on=number(_ON),
        off=number(_OFF),
        line=number(0.1),
        area=number(width_m * _DIFFUSION),
        edge=number(width_m + 2 * _DIFFUSION),
        hertz=number(_HERTZ),
    )


def access_transistor(on_ohm: float, supply_v: float) -> AccessTransistor:
    """The transistor with a resistance of `on_ohm` when its gate is at `supply_v`, from ngspice.

    Raises
    ------
    SpinplaneError
        If ngspice is not installed or does not run the deck.
    """
    # The conductance is a straight line in the width.
    first, second = (_ON / on_ohm / -_run(width, supply_v)["i(von)"] for width in _WIDTHS)
    slope = (1 / second - 1 / first) / (_WIDTHS[1] - _WIDTHS[0])
    width = _WIDTHS[0] + (1 - 1 / first) / slope
    found = _run(width, supply_v)
    off, below = -found["i(voff)"], found["i(vbelow)"]
    return AccessTransistor(
        width_m=width,
        drain_f=-found["imag(i(vdrain))"] / (2 * pi * _HERTZ),
        gate_f=-found["imag(i(vgate))"] / (2 * pi * _HERTZ),
        off_ohm=_OFF / off,
        source_swing_v=_OFF / log10(below / off),
        held_a=found["i(vheld)"],
    )


def _run(width_m: float, supply_v: float) -> dict[str, float]:
    return printed(transistor_deck(width_m, supply_v), _VALUE, 6)
