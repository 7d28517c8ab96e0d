"""Options that several commands share, each described once."""

import logging
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.completion import CompletionContext

from spinplane.machine import SpinplaneError, machine_names
from spinplane.machine.drawing import picture_format
from spinplane.models import ModelFile, shipped_networks

_log = logging.getLogger("spinplane")


def _writable(_type: Any, path: Path | None) -> None:
    """Refuse a file that cannot be written, before any work is done for it."""
    if path is None:
        return
    if path.is_dir():
        raise ValueError("Is a folder.")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ValueError("Cannot be written.")
    if path.is_file() or not path.exists():
        _check_room(folder)


def _check_room(folder: Path) -> None:
    """Refuse a folder that takes no new file: modes do not tell of a file system that is for reading only."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"Cannot be written: {error.strerror}.") from None


def _folder(_type: Any, path: Path | None) -> None:
    """Refuse a path that is not a folder and cannot become one, before any work is done for it."""
    if path is None:
        return
    if path.is_dir():
        _check_room(path)
    elif path.exists():
        raise ValueError("Not a folder.")
    else:
        _writable(_type, path)


def _completing(
    names: Callable[[], Iterable[str]], *suffixes: str
) -> Callable[[CompletionContext], list[str]]:
    """What a shell offers for a name or a file: names, files with these suffixes, folders."""

    def offered(context: CompletionContext) -> list[str]:
        begun = Path(context.incomplete)
        folder = begun if context.incomplete.endswith("/") else begun.parent
        beside = sorted(folder.iterdir()) if folder.is_dir() else []
        folders = [f"{path}/" for path in beside if path.is_dir()]
        return [*names(), *(str(path) for path in beside if path.suffix in suffixes), *folders]

    return offered


_completes_model = _completing(shipped_networks, ".onnx", ".tflite")
_completes_machine = _completing(machine_names, ".toml")


def _technologies() -> list[str]:
    from spinplane.device.technology import technology_names

    return technology_names()


_completes_technology = _completing(_technologies, ".toml")


def check_writable(path: Path) -> None:
    """Refuse a file whose name a command has chosen itself, as one that is given is refused.

    Raises
    ------
    SpinplaneError
        If it cannot be written.
    """
    try:
        _writable(None, path)
    except ValueError as error:
        raise SpinplaneError(f"{path}: {error}") from None


def _picture(_type: Any, path: Path | None) -> None:
    """Refuse a picture of a format that none can have, or that cannot be written."""
    if path is not None:
        try:
            picture_format(path)
        except SpinplaneError as error:
            raise ValueError(str(error)) from None
    _writable(_type, path)


def folder_for(output: Path) -> Path:
    """The folder for a command's files: a temporary one in the place of a default that cannot be written.

    One that the user has named has been checked before.
    """
    try:
        _folder(Path, output)
    except ValueError:
        other = Path(tempfile.mkdtemp(prefix=f"spinplane-{output.name}-"))
        _log.warning("%s cannot be written: files go to %s; -o names another folder", output, other)
        return other
    return output


#: A file that a command writes, and a folder that it fills.
OutputFile = Annotated[Path | None, Parameter(validator=_writable)]
OutputFolder = Annotated[Path | None, Parameter(validator=_folder)]
#: A picture, in the format of its suffix.
PictureFile = Annotated[Path | None, Parameter(validator=_picture)]
#: Format of the pictures in a folder.
PictureFormat = Annotated[
    Literal["png", "svg", "pdf"], Parameter(name="--format", help="Format of the pictures: png, svg or pdf.")
]
#: The folder of all that a command leaves behind.
ResultFolder = Annotated[Path, Parameter(alias="-o", validator=_folder)]
#: A switch that is off by default.
Switch = Annotated[bool, Parameter(negative=())]

ModelName = Annotated[
    str,
    Parameter(
        completer=_completes_model,
        help="An ONNX, QONNX or TFLite file, a network shipped with the package (digits-1-4), or one from the "
        "literature with its bits (svhn:1:4).",
    ),
]
#: Machines and technologies are named in the same way.
MACHINE = Parameter(
    completer=_completes_machine,
    help="A machine shipped with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file.",
)
MachineName = Annotated[str, MACHINE]
TechnologyName = Annotated[
    str,
    Parameter(
        completer=_completes_technology,
        help="A technology shipped with the package (sot-mram, stt-mram, stt-aggressive), or a TOML file.",
    ),
]
ArrayTechnology = Annotated[
    str | None,
    Parameter(
        completer=_completes_technology,
        help="Technology of the array, which bounds the clock: one shipped with the package (sot-mram, stt-mram, "
        "stt-aggressive), or a TOML file. By default sot-mram.",
    ),
]
Clock = Annotated[
    str | None,
    Parameter(
        help="Clock of the machine: a frequency or a period, such as 500MHz, 1.2GHz or 2ns. By default the fastest at "
        "which its sense and write cycles are long enough for the technology; a faster one is refused."
    ),
]
Batch = Annotated[
    int,
    Parameter(
        help="Images that a run takes, each layer for all of them before the next one; its kernels are loaded once.",
    ),
]
FoldPools = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Fold average pooling into the preceding kernels where that takes fewer cycles; the values stay the same.",
    ),
]
Check = Annotated[
    bool,
    Parameter(
        help="Compare the import of a file with the file's own executor on a few images, node by node; `--no-check` "
        "goes on without."
    ),
]
Rtl = Annotated[
    bool,
    Parameter(
        help="Simulate the RTL; `--no-rtl` compares the functional machine with prediction and oracle alone, in "
        "seconds for large networks too."
    ),
]
Jobs = Annotated[
    int | None,
    Parameter(help="Processes of one thread each that share the work; by default one for each core."),
]
Dask = Annotated[
    str | None,
    Parameter(
        help="Address of a Dask scheduler, such as tcp://host:8786, whose workers do the work instead."
    ),
]
SpaceFile = Annotated[Path, Parameter(completer=_completing(list, ".toml"))]
InputFile = Annotated[
    Path, Parameter(name="--input", help="The network's input as a .npy file: one image or a batch.")
]
RtlSimulator = Annotated[
    Literal["verilator", "icarus"] | None,
    Parameter(help="Simulator of the RTL; by default the faster of those installed."),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InputOptions:
    """How the input of a file is quantized that does not say it itself.

    Parameters
    ----------
    input_bits
        Bits of the input's codes, for a file that does not quantize its input: number = scale · (code − zero point).
    input_scale
        Scale of the input's codes.
    input_zero_point
        Zero point of the input's codes.
    input_signed
        Codes from −2^(bits − 1) on; by default from 0.
    """

    input_bits: int | None = None
    input_scale: float = 1.0
    input_zero_point: int = 0
    input_signed: Switch = False

    def of(self, model: str) -> str | ModelFile:
        """A model with this input, if one is given."""
        if self.input_bits is None:
            if self != InputOptions():
                raise SpinplaneError("--input-scale, --input-zero-point and --input-signed need --input-bits")
            return model
        return ModelFile(
            path=Path(model),
            bits=self.input_bits,
            scale=self.input_scale,
            zero_point=self.input_zero_point,
            signed=self.input_signed,
        )


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Where the result goes, besides the terminal.

    Parameters
    ----------
    json
        Write the result to this file; `spinplane.read_result` reads it back.
    """

    json: OutputFile = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReportOptions(FileOptions):
    """Where the result goes, for commands with tables and pictures.

    Parameters
    ----------
    json
        Write the result to this file; `spinplane.read_result` reads it back.
    html
        Write a report to this file: one page with tables, pictures and the origin of the figures.
    csv
        Write the main table to this file as comma-separated values, with all digits.
    """

    html: OutputFile = None
    csv: OutputFile = None


#: The terminal only.
FILE, REPORT, AS_FILE = FileOptions(), ReportOptions(), InputOptions()
