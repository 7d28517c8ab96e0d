"""What temperature does to magnetisation, anisotropy and tunnel magnetoresistance, as shares of their given values."""

from .technology import Technology


def magnetisation_share(technology: Technology) -> float:
    """Ms at the technology's temperature over Ms at its reference: Bloch's law, Ms ~ 1 − (T/T_bloch)^1.5."""
    bloch = technology["temperature.bloch"]
    here, there = (
        1 - (technology[key] / bloch) ** 1.5 for key in ("process.temperature", "temperature.reference")
    )
    return here / there


def anisotropy_share(technology: Technology) -> float:
    """K over K at the reference: the share of the magnetisation to the power of ``temperature.anisotropy_exponent``."""
    return magnetisation_share(technology) ** technology["temperature.anisotropy_exponent"]


def tmr_share(technology: Technology, tmr: float) -> float:
    """TMR at the technology's temperature over that at its reference, both at 0 V.

    Julliere's TMR = 2P²/(1 − P²) with the polarisation P ~ 1 − b·T^1.5 of Shang et al. in both electrodes.

    Parameters
    ----------
    technology : Technology
    tmr : float
        At the reference; 1.5 is 150 %.
    """
    loss = technology["temperature.polarisation_loss"]
    here, there = (
        1 - loss * technology[key] ** 1.5 for key in ("process.temperature", "temperature.reference")
    )
    square = tmr / (2 + tmr) * (here / there) ** 2
    return 2 * square / (1 - square) / tmr if tmr else 1.0
