"""The latch of a sense amplifier in FreePDK45's transistors: its delay and its energy, from ngspice."""

import re
from dataclasses import dataclass

from spinplane.machine.external.text import Text, fill, number, quoted_path

from .access_transistor import MODELS
from .netlist import printed

#: Load of each output in F: the gate of a small inverter.
_LOAD = 1e-15
_DECK = """\
* A clocked latch with p-channel inputs, for bit lines near ground: one decision, one reset.
.include @models@
Vsupply supply 0 @supply@
Vclock clock 0 PULSE(@supply@ 0 0.2n 10p 10p 0.8n 2n)
Vline line 0 @line@
Vreference reference 0 @reference@
Mtail tail clock supply supply PMOS_VTG W=1u L=50n
Mleft left line tail supply PMOS_VTG W=0.5u L=50n
Mright right reference tail supply PMOS_VTG W=0.5u L=50n
Mone one zero left supply PMOS_VTG W=0.5u L=50n
Mzero zero one right supply PMOS_VTG W=0.5u L=50n
Mpullone one zero 0 0 NMOS_VTG W=0.25u L=50n
Mpullzero zero one 0 0 NMOS_VTG W=0.25u L=50n
Mresetone one clock 0 0 NMOS_VTG W=0.25u L=50n
Mresetzero zero clock 0 0 NMOS_VTG W=0.25u L=50n
Mresetleft left clock 0 0 NMOS_VTG W=0.25u L=50n
Mresetright right clock 0 0 NMOS_VTG W=0.25u L=50n
Cone one 0 @load@
Czero zero 0 @load@
.control
tran 2p 1.2n
let decided=abs(v(zero)-v(one))
meas tran delay trig v(clock) val=@half@ fall=1 targ decided val=@half@ rise=1
meas tran charge integ i(vsupply) from=0.1n to=1.2n
meas tran clocked integ i(vclock) from=0.1n to=1.2n
.endc
.end
"""
_MEASURED = re.compile(r"^\s*(delay|charge|clocked)\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decision of a latch.

    Parameters
    ----------
    delay_s : float
        From half of the clock's edge until the outputs differ by half of the supply.
    energy_j : float
        From the supply over the decision and the reset after it; the clock's driver is not in it.
    """

    delay_s: float
    energy_j: float


def latch_deck(line_v: float, reference_v: float, supply_v: float) -> Text:
    """The deck of one decision between a bit line and a reference."""
    return fill(
        _DECK,
        models=quoted_path(MODELS, "transistor models"),
        supply=number(supply_v),
        half=number(supply_v / 2),
        line=number(line_v),
        reference=number(reference_v),
        load=number(_LOAD),
    )


def decide(line_v: float, reference_v: float, supply_v: float) -> Decided:
    """Run one decision, without offset and noise.

    Raises
    ------
    SpinplaneError
        If ngspice is not installed, or the latch does not decide in 0.8 ns.
    """
    found = printed(latch_deck(line_v, reference_v, supply_v), _MEASURED, 3)
    return Decided(delay_s=found["delay"], energy_j=-found["charge"] * supply_v)
