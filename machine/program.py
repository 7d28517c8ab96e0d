"""A network as a program: the contents of the banks before the start, and the place of each feature map."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .array_files import ArrayArchive, archive_bytes, open_archive
from .codec import End, Header, decode
from .descriptor import DESCRIPTOR_WORDS, FORMAT_VERSION
from .errors import SpinplaneError, shown
from .files import write_whole
from .machine import Machine, machine_of
from .passes import Pass
from .registers import machine_digest
from .typed import exactly, strict_converter, typed

#: What a file of a program calls itself.
_FORMAT = "spinplane program"
_BANKS = ("descriptors", "kernel_rows", "parameters", "scales", "thresholds")


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """The place of a feature map in the image bank; ``docs/accelerator.md`` has the layouts.

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
    image_bits : int
        From the map of an image to that of the next one of a batch; 0 in a program for one image.
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
    image_bits: int = 0

    def of_image(self, number: int) -> "FeatureMap":
        """The map of an image of a batch; `base` is that of the first one, which has number 0."""
        return replace(self, base=self.base + number * self.image_bits)

    def values(self, codes: np.ndarray) -> np.ndarray:
        """Values that codes of any shape stand for, int64."""
        numbers = codes.astype(np.int64)
        return numbers if self.layout == "raw" else self.scale * numbers + self.offset

    def _fits(self, bank_bits: int, batch: int) -> bool:
        """Whether no side, step or address is beyond a bank; the hardware checks each address itself."""
        sides = (self.planes, self.channels, self.height, self.width)
        last = self.base + (batch - 1) * self.image_bits
        steps = (self.base, last, self.line_bits, self.pixel_bits, self.plane_bits, self.image_bits)
        return 0 <= min(*sides, *steps) <= max(*sides, *steps) <= bank_bits >= prod(sides[1:])


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


@dataclass(frozen=True, kw_only=True)
class ProgramOutput:
    """An output of a network in a program; the maps of its layers are still there when the program has ended.

    Parameters
    ----------
    name : str
    layers : tuple of int
        Numbers of the layers whose maps it is, side by side along the channels in this order.
    """

    name: str
    layers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Everything that a host writes into an accelerator's banks before the start.

    Its maps are those of the first image; `FeatureMap.of_image` tells where those of the others lie.

    Parameters
    ----------
    machine : Machine
    name : str
        Of the network.
    descriptors : ndarray of shape (n, DESCRIPTOR_WORDS), uint32
        Header first, END last.
    kernel_rows : ndarray of shape (rows, columns / 8), uint8
        Words of the kernel bank from 0 on, bit 0 of byte 0 in column 0.
    parameters, scales, thresholds : ndarray of shape (beats, results_per_cycle · 16), uint8
        Words of their banks from 0 on, lowest byte first.
    input : FeatureMap
    layers : tuple of ProgramLayer
    outputs : tuple of ProgramOutput
        Of the network; a program without a network has none.
    batch : int
        Images that a run takes.
    """

    machine: Machine
    name: str
    descriptors: np.ndarray
    kernel_rows: np.ndarray
    parameters: np.ndarray
    scales: np.ndarray
    thresholds: np.ndarray
    input: FeatureMap
    layers: tuple[ProgramLayer, ...]
    outputs: tuple[ProgramOutput, ...] = ()
    batch: int = 1

    @property
    def inputs(self) -> tuple[FeatureMap, ...]:
        """The input maps of all images of a run."""
        return self.maps_of(self.input)

    def maps_of(self, first: FeatureMap) -> tuple[FeatureMap, ...]:
        """The maps of all images of a run, given that of the first one."""
        return tuple(map(first.of_image, range(self.batch)))

    def check_images(self, count: int) -> None:
        """Refuse a number of images that fills no whole runs.

        Raises
        ------
        SpinplaneError
            With both numbers.
        """
        if count % self.batch:
            images = "1 image" if count == 1 else f"{count} images"
            raise SpinplaneError(f"{images}: the program takes {self.batch} in each run")

    @property
    def output_layers(self) -> list[int]:
        """Numbers of all layers whose maps are outputs, ascending."""
        return sorted({number for output in self.outputs for number in output.layers})

    @property
    def digest(self) -> str:
        """Checksum of all that a host writes: programs of one digest do the same, sixteen hexadecimal digits."""
        banks = b"".join(np.ascontiguousarray(getattr(self, bank)).tobytes() for bank in _BANKS)
        return hashlib.sha256(banks).hexdigest()[:16]

    @property
    def header(self) -> Header:
        """What its first descriptor says.

        Raises
        ------
        SpinplaneError
            If the descriptors are not a program for the machine.
        """
        return self._decoded[0]

    @property
    def passes(self) -> tuple[Pass, ...]:
        """What the descriptors between header and END say, decoded once.

        Raises
        ------
        SpinplaneError
            If the descriptors are not a program for the machine.
        """
        return self._decoded[1]

    @cached_property
    def _decoded(self) -> tuple[Header, tuple[Pass, ...]]:
        match [decode(words, self.machine) for words in self.descriptors]:
            case [Header() as header, *rest, End()]:
                passes = tuple(one for one in rest if isinstance(one, Pass))
                if len(passes) == len(rest):
                    return header, passes
        raise SpinplaneError("expected a header, passes and END")

    def save(self, path: str | Path) -> None:
        """Write the program to one file: the banks, and a header in JSON that says what they are for."""
        header = {
            "format": _FORMAT,
            "version": FORMAT_VERSION,
            "machine": asdict(self.machine),
            "name": self.name,
            "input": asdict(self.input),
            "layers": [asdict(layer) for layer in self.layers],
            "outputs": [asdict(output) for output in self.outputs],
            "batch": self.batch,
        }
        banks = {bank: getattr(self, bank) for bank in _BANKS}
        write_whole(Path(path), archive_bytes({"header": np.array(json.dumps(header)), **banks}))

    @classmethod
    def load(cls, path: str | Path) -> "Program":
        """Read a program from a file that `save` has written.

        Raises
        ------
        SpinplaneError
            If the file is not a program, is of another version, or its parts do not belong together.
        """
        with open_archive(path, str(path), "not a spinplane program file") as file:
            header = _read_header(file.text("header"), path)
            program = Program(**vars(header), **_read_banks(file, header.machine, path))
        program._check(path)
        return program

    def _check(self, path: str | Path) -> None:
        """Refuse maps that do not lie in the image bank, numbers of what is not there, and invalid descriptors."""
        bank_bits = self.machine.image_words * self.machine.columns
        if not 1 <= self.batch <= bank_bits:
            raise SpinplaneError(f"{path}: damaged program header: a batch of {shown(self.batch)} images")
        if not all(
            one._fits(bank_bits, self.batch) for one in (self.input, *(layer.output for layer in self.layers))
        ):
            raise SpinplaneError(f"{path}: damaged program header: a map does not lie in the image bank")
        if not set(self.output_layers) <= set(range(len(self.layers))):
            raise SpinplaneError(f"{path}: damaged program header: an output is of no layer")
        try:
            header = self.header
        except SpinplaneError as error:
            raise SpinplaneError(f"{path}: damaged descriptors: {error}") from None
        if header.machine != machine_digest(self.machine):
            raise SpinplaneError(
                f"{path}: its descriptors are for a machine of digest {header.machine:#010x}, machine "
                f"{self.machine.name} has {machine_digest(self.machine):#010x}"
            )
        if not {n for layer in self.layers for n in layer.descriptors} <= set(range(len(self.descriptors))):
            raise SpinplaneError(f"{path}: damaged program header: a layer is of no descriptor")


@dataclass(frozen=True, kw_only=True)
class _Header:
    machine: Machine
    name: str
    input: FeatureMap
    layers: tuple[ProgramLayer, ...]
    outputs: tuple[ProgramOutput, ...]
    batch: int = 1


def _read_header(text: str, path: str | Path) -> _Header:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.pop("format", None) != _FORMAT:
        raise SpinplaneError(f"{path}: not a spinplane program file: its header does not say {_FORMAT!r}")
    if (version := header.pop("version", None)) != FORMAT_VERSION:
        raise SpinplaneError(
            f"{path}: program of version {shown(version)}, expected version {FORMAT_VERSION}"
        )
    converter = strict_converter(forbid_extra_keys=True)
    converter.register_structure_hook(Machine, lambda fields, _: machine_of(exactly(dict, fields)))
    return typed(f"{path}: damaged program header", lambda: converter.structure(header, _Header))


def _read_banks(file: ArrayArchive, machine: Machine, path: str | Path) -> dict[str, Any]:
    """The banks, once they are known to fit the machine."""
    beat_bytes = machine.results_per_cycle * 16
    expected = {
        "descriptors": (machine.descriptors, DESCRIPTOR_WORDS, np.uint32),
        "kernel_rows": (machine.kernel_words, machine.columns // 8, np.uint8),
        "parameters": (machine.parameter_beats, beat_bytes, np.uint8),
        "scales": (machine.parameter_beats, beat_bytes, np.uint8),
        "thresholds": (machine.threshold_beats, beat_bytes, np.uint8),
    }
    banks = {}
    for bank, (words, size, dtype) in expected.items():
        form = file.form(bank)
        if form.dtype != dtype or form.shape[1:] != (size,) or form.shape[0] > words:
            raise SpinplaneError(
                f"{path}: {bank} of {form.shape}, {form.dtype}: machine {machine.name} takes at most {words} "
                f"words of {size}, {np.dtype(dtype)}"
            )
        banks[bank] = file.read(bank)
    return banks
