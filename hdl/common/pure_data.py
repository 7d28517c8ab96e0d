"""Pure data: registers that are looked at only behind a bit that has a reset."""

from typing import Any

from amaranth.hdl import Module, Signal


def data_register(m: Module, port: Any, name: str) -> Any:
    """The register behind an output port, without a reset; the port shows it.

    Parameters
    ----------
    m : Module
    port : Signal or View
        It is to be driven through the register alone.
    name : str

    Returns
    -------
    Signal or View
        Of the port's shape.
    """
    register = Signal(port.shape(), name=name, reset_less=True)
    m.d.comb += port.eq(register)
    return register
