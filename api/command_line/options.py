"""Options that several commands share, each described once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter


def _writable(_type: Any, path: Path | None) -> None:
    """Refuse what cannot be written before the work is done whose figures it is to take."""
    if path is None:
        return
    if path.is_dir():
        raise ValueError("It is a folder.")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ValueError("It cannot be written.")


def _folder(_type: Any, path: Path | None) -> None:
    """Refuse what is no folder and cannot become one before the work is done whose results it is to take."""
    if path is not None and not path.is_dir():
        if path.exists():
            raise ValueError("It is no folder.")
        _writable(_type, path)


#: A file that a command is to write, and a folder that it is to fill.
OutputFile = Annotated[Path | None, Parameter(validator=_writable)]
OutputFolder = Annotated[Path | None, Parameter(validator=_folder)]
#: A switch that is off unless it is given.
Switch = Annotated[bool, Parameter(negative=())]

ModelName = Annotated[
    str,
    Parameter(
        help="An ONNX or QONNX file, a network that ships with the package (digits-1-4), or one of the literature with "
        "its bits (svhn:1:4)."
    ),
]
#: Machines and technologies are named in the same way.
MACHINE = Parameter(
    help="A machine that ships with the package (tiny, paper8, paper, paper-overlap, wide), or a TOML file."
)
MachineName = Annotated[str, MACHINE]
TechnologyName = Annotated[
    str, Parameter(help="A technology that ships with the package (sot-mram, stt-mram), or a TOML file.")
]
FoldPools = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Fold average pooling into the kernels before it where that takes fewer cycles; the values stay the same.",
    ),
]
InputFile = Annotated[
    Path, Parameter(name="--input", help="A .npy file with the network's input: one image or a batch.")
]
RtlSimulator = Annotated[
    Literal["verilator", "icarus"] | None,
    Parameter(help="What simulates the RTL; the faster of those installed, if not given."),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Where the result goes, beside the terminal.

    Parameters
    ----------
    json
        Write the result to this file, which `spinplane.read_result` reads back.
    """

    json: OutputFile = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReportOptions(FileOptions):
    """Where the result goes, of commands with tables and pictures.

    Parameters
    ----------
    json
        Write the result to this file, which `spinplane.read_result` reads back.
    html
        Write a report to this file: one page with tables, pictures and where the figures are from.
    """

    html: OutputFile = None


#: Nothing but the terminal.
FILE, REPORT = FileOptions(), ReportOptions()
