"""Operators of TFLite: one handler each, in files of one family each."""

from .table import AT_THE_END, OPERATORS

__all__ = ["AT_THE_END", "OPERATORS"]
