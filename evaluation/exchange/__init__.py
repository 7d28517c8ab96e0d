"""A machine in the formats of other tools that model hardware."""

from .formats import FORMATS, Format, written_as
from .hardware import Hardware, Level, hardware_of

__all__ = ["FORMATS", "Format", "Hardware", "Level", "hardware_of", "written_as"]
