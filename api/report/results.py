"""Results as files: typed, versioned, and read back unchanged."""

import json
from pathlib import Path
from typing import Any

import spinplane
from spinplane.machine import SpinplaneError
from spinplane.machine.arguments import as_path
from spinplane.machine.files import read_file, write_whole
from spinplane.machine.typed import typed

from .codec import plain_converter, result_converter
from .provenance import Provenance, provenance_of

#: Of the files that are written; others are refused.
RESULT_FORMAT = 1
#: Of a file that is read.
MOST_BYTES = 1 << 26
#: Key of what is said of the result beside its own fields.
HEADER = "spinplane"
#: What a file may hold, by the name that it has in `spinplane`.
KINDS = (
    "AccuracyReport",
    "AreaReport",
    "CacheReport",
    "Catalogue",
    "ChipArea",
    "Classification",
    "Comparison",
    "Compilation",
    "Demo",
    "DeviceReport",
    "DeviceSweep",
    "DoctorReport",
    "EnergyReport",
    "Estimate",
    "Exchange",
    "Explanation",
    "Export",
    "NetworkReport",
    "NetworkRun",
    "PaperReport",
    "StudyResult",
    "SweepReport",
    "Trace",
    "TrainingResult",
)


def write_result(result: Any, path: str | Path, provenance: Provenance | None = None) -> None:
    """Write a result as JSON: its fields, and its kind and origin under ``spinplane``.

    Parameters
    ----------
    result : dataclass
        One of `KINDS`.
    path : str or Path
    provenance : Provenance, optional
        By default the origin that the result itself tells.

    Raises
    ------
    OSError
        If the file cannot be written; a former one is still there then.
    """
    header = {
        "kind": type(result).__name__,
        "format": RESULT_FORMAT,
        "version": spinplane.__version__,
        **plain_converter().unstructure(provenance or provenance_of(result)),
    }
    content = {HEADER: header, **result_converter(None).unstructure(result)}
    write_whole(
        as_path("path", path),
        (json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode(),
    )


def read_result(path: str | Path) -> Any:
    """Read a result from a file that `write_result`, or a command's ``--json``, has written.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dataclass
        Of the class that was written, such as `spinplane.NetworkRun`, with equal fields; what is too large for a
        file, such as the outputs of every layer, is None.

    Raises
    ------
    SpinplaneError
        If there is no such file, it holds no result, is of another format, or is damaged.
    """
    content, provenance = _read(as_path("path", path))
    kind = content[HEADER]["kind"]
    try:
        of_kind = getattr(spinplane, kind)
    except ModuleNotFoundError as error:
        raise SpinplaneError(f"{path}: reading a {kind} needs {error.name}, which is not installed") from None
    return typed(
        f"{path}: damaged result file",
        lambda: result_converter(provenance.machine).structure(content, of_kind),
    )


def read_provenance(path: str | Path) -> Provenance:
    """Read where a result is from.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    SpinplaneError
        As `read_result` does.
    """
    return _read(as_path("path", path))[1]


def _read(path: Path) -> tuple[dict[str, Any], Provenance]:
    try:
        content = json.loads(read_file(path, str(path), MOST_BYTES).decode())
    except SpinplaneError:
        raise
    except (ValueError, RecursionError) as error:
        raise SpinplaneError(f"{path}: not a spinplane result file: {error}") from None
    header = content.get(HEADER) if isinstance(content, dict) else None
    if not isinstance(header, dict) or header.get("kind") not in KINDS:
        raise SpinplaneError(f"{path}: not a spinplane result file: its header names no kind of result")
    if header.get("format") != RESULT_FORMAT:
        raise SpinplaneError(
            f"{path}: result file of format {header.get('format')!r}, expected format {RESULT_FORMAT}"
        )
    return content, typed(
        f"{path}: damaged result file", lambda: plain_converter().structure(header, Provenance)
    )
