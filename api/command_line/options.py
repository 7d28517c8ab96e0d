"""Options that several commands share, each described once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter


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


def _folder(_type: Any, path: Path | None) -> None:
    """Refuse a path that is not a folder and cannot become one, before any work is done for it."""
    if path is not None and not path.is_dir():
        if path.exists():
            raise ValueError("Not a folder.")
        _writable(_type, path)


#: A file that a command writes, and a folder that it fills.
OutputFile = Annotated[Path | None, Parameter(validator=_writable)]
OutputFolder = Annotated[Path | None, Parameter(validator=_folder)]
#: A switch that is off by default.
Switch = Annotated[bool, Parameter(negative=())]

ModelName = Annotated[
    str,
    Parameter(
        help="An ONNX or QONNX file, a network shipped with the package (digits-1-4), or one from the literature with "
        "its bits (svhn:1:4)."
    ),
]
#: Machines and technologies are named in the same way.
MACHINE = Parameter(
    help="A machine shipped with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file."
)
MachineName = Annotated[str, MACHINE]
TechnologyName = Annotated[
    str, Parameter(help="A technology shipped with the package (sot-mram, stt-mram), or a TOML file.")
]
FoldPools = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Fold average pooling into the preceding kernels where that takes fewer cycles; the values stay the same.",
    ),
]
InputFile = Annotated[
    Path, Parameter(name="--input", help="The network's input as a .npy file: one image or a batch.")
]
RtlSimulator = Annotated[
    Literal["verilator", "icarus"] | None,
    Parameter(help="Simulator of the RTL; by default the faster of those installed."),
]


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
    """

    html: OutputFile = None


#: The terminal only.
FILE, REPORT = FileOptions(), ReportOptions()
