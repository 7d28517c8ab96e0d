"""A network as a program: what lies in the banks before the start, and which bits are which feature map."""

import json
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from .descriptor import DESCRIPTOR_WORDS, FORMAT_VERSION
from .errors import SpinplaneError
from .machine import Machine

_BANKS = ("kernel_rows", "parameters", "thresholds")


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """Where a feature map lies in the image bank; ``docs/accelerator.md`` has the layouts.

    Parameters
    ----------
    layout : {"bytes", "planes", "raw"}
    base : int
        Bit address.
    line_bits, pixel_bits, plane_bits : int
        From one line, pixel, plane to the next; 0 where a layout has none.
    planes, channels, height, width : int
    scale, offset : int
        Value = scale · code + offset; of ``raw`` the number itself is the code.
    """

    layout: Literal["bytes", "planes", "raw"]
    base: int
    line_bits: int
    pixel_bits: int
    plane_bits: int
    planes: int
    channels: int
    height: int
    width: int
    scale: int = 1
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class ProgramLayer:
    """A layer of a network in a program.

    Parameters
    ----------
    name : str
    descriptors : tuple of int
        Numbers of its passes.
    output : FeatureMap
    kept : bool
        Whether its output is still there when the program has ended.
    """

    name: str
    descriptors: tuple[int, ...]
    output: FeatureMap
    kept: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkProgram:
    """What a host writes into the banks of an accelerator before it starts it.

    Parameters
    ----------
    machine : Machine
    name : str
        Of the network.
    descriptors : ndarray of shape (n, DESCRIPTOR_WORDS), uint32
        Header first, END last.
    kernel_rows : ndarray of shape (rows, columns / 8), uint8
        Words of the kernel bank from 0 on, bit 0 of byte 0 in column 0.
    parameters, thresholds : ndarray of shape (beats, results_per_cycle · 16), uint8
        Words of their banks from 0 on, lowest byte first.
    input : FeatureMap
    layers : tuple of ProgramLayer
    """

    machine: Machine
    name: str
    descriptors: np.ndarray
    kernel_rows: np.ndarray
    parameters: np.ndarray
    thresholds: np.ndarray
    input: FeatureMap
    layers: tuple[ProgramLayer, ...]
