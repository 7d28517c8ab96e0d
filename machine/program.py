"""A network as a program: the contents of the banks before the start, and the place of each feature map."""

import hashlib
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .codec import End, Header, decode
from .descriptor import DESCRIPTOR_WORDS, FORMAT_VERSION
from .errors import SpinplaneError
from .files import write_whole
from .machine import Machine
from .passes import Pass
from .registers import machine_digest

#: What a file of a program calls itself.
_FORMAT = "spinplane program"
#: What numpy and zipfile raise for damaged files and those of other kinds.
_NO_ARCHIVE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
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

    def values(self, codes: np.ndarray) -> np.ndarray:
        """Values that codes of any shape stand for, int64."""
        numbers = codes.astype(np.int64)
        return numbers if self.layout == "raw" else self.scale * numbers + self.offset


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
        }
        content = BytesIO()
        banks = {bank: getattr(self, bank) for bank in _BANKS}
        np.savez_compressed(content, header=np.array(json.dumps(header)), **banks)
        write_whole(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> "Program":
        """Read a program from a file that `save` has written.

        Raises
        ------
        SpinplaneError
            If the file is not a program, is of another version, or its parts do not belong together.
        """
        try:
            # Opened here, the file is closed even where numpy rejects it.
            with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                header = json.loads(str(file["header"]))
                # A file of another version may have other banks.
                banks = {bank: file[bank] for bank in _BANKS if bank in file.files}
        except _NO_ARCHIVE as error:
            raise SpinplaneError(f"{path}: not a spinplane program file: {error}") from None
        if not isinstance(header, dict) or header.get("format") != _FORMAT:
            raise SpinplaneError(f"{path}: not a spinplane program file: its header does not say {_FORMAT!r}")
        if header.get("version") != FORMAT_VERSION:
            raise SpinplaneError(
                f"{path}: program of version {header.get('version')}, expected version {FORMAT_VERSION}"
            )
        missing = [bank for bank in _BANKS if bank not in banks]
        if missing:
            raise SpinplaneError(f"{path}: damaged program: it has no {missing[0]}")
        try:
            program = Program(
                machine=Machine(**header["machine"]),
                name=header["name"],
                input=FeatureMap(**header["input"]),
                layers=tuple(_layer(layer) for layer in header["layers"]),
                outputs=tuple(
                    ProgramOutput(name=output["name"], layers=tuple(output["layers"]))
                    for output in header["outputs"]
                ),
                **banks,
            )
        except (KeyError, TypeError, SpinplaneError) as error:
            raise SpinplaneError(f"{path}: damaged program header: {error}") from None
        if program.output_layers and not 0 <= program.output_layers[0] <= program.output_layers[-1] < len(
            program.layers
        ):
            raise SpinplaneError(f"{path}: damaged program header: an output is of no layer")
        program._check(path)
        return program

    def _check(self, path: str | Path) -> None:
        """Refuse banks that do not fit the machine, and invalid descriptors."""
        machine = self.machine
        beat_bytes = machine.results_per_cycle * 16
        expected = {
            "descriptors": (machine.descriptors, DESCRIPTOR_WORDS, np.uint32),
            "kernel_rows": (machine.kernel_words, machine.columns // 8, np.uint8),
            "parameters": (machine.parameter_beats, beat_bytes, np.uint8),
            "scales": (machine.parameter_beats, beat_bytes, np.uint8),
            "thresholds": (machine.threshold_beats, beat_bytes, np.uint8),
        }
        for bank, (words, size, dtype) in expected.items():
            found = getattr(self, bank)
            if found.dtype != dtype or found.ndim != 2 or found.shape[1] != size or len(found) > words:
                raise SpinplaneError(
                    f"{path}: {bank} of {found.shape}, {found.dtype}: machine {machine.name} takes at most {words} "
                    f"words of {size}, {np.dtype(dtype)}"
                )
        try:
            header = self.header
        except SpinplaneError as error:
            raise SpinplaneError(f"{path}: damaged descriptors: {error}") from None
        if header.machine != machine_digest(machine):
            raise SpinplaneError(
                f"{path}: its descriptors are for a machine of digest {header.machine:#010x}, machine "
                f"{machine.name} has {machine_digest(machine):#010x}"
            )


def _layer(values: dict[str, Any]) -> ProgramLayer:
    return ProgramLayer(
        name=values["name"],
        descriptors=tuple(values["descriptors"]),
        output=FeatureMap(**values["output"]),
        kept=values["kept"],
    )
