"""Operators of ONNX and of QONNX: one handler each, in files of one family each."""

from .table import OPERATORS

__all__ = ["OPERATORS"]
