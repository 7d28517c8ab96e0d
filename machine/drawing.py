"""Pictures that are drawn when they are asked for, and the formats that they may have."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from .errors import SpinplaneError

#: What a picture is drawn to: a file, in the format of its suffix, or memory, as a PNG.
Target = Path | BytesIO
#: Formats of pictures, by the suffix of their file.
FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A picture that is drawn when it is asked for.

    Parameters
    ----------
    name : str
        Of its file, without a suffix.
    draw : callable
        Draws it to a `Target`.
    """

    name: str
    draw: Callable[[Target], object]

    def png(self) -> bytes:
        """The picture as a PNG, drawn in memory."""
        buffer = BytesIO()
        self.draw(buffer)
        return buffer.getvalue()

    def write(self, folder: Path, format: str = "png") -> Path:
        """Draw it to a file of a folder.

        Parameters
        ----------
        folder : Path
        format : {"png", "svg", "pdf"}

        Returns
        -------
        Path
            The file.

        Raises
        ------
        SpinplaneError
            If there is no such format.
        OSError
            If the file cannot be written.
        """
        path = folder / f"{self.name}.{format}"
        self.draw(path)
        return path


def picture_format(path: Path) -> str:
    """The format of a picture, by the suffix of its file.

    Raises
    ------
    SpinplaneError
        If the suffix is none of `FORMATS`.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise SpinplaneError(f"picture {path}: its name must end in {_listed(FORMATS)}")
    return format


def check_format(format: str) -> None:
    """Refuse a format that pictures cannot have, before any work is done for one.

    Raises
    ------
    SpinplaneError
        If it is none of `FORMATS`.
    """
    if format not in FORMATS:
        raise SpinplaneError(f"format {format!r}: pictures are written as {_listed(FORMATS)}")


def _listed(formats: tuple[str, ...]) -> str:
    *first, last = (f".{format}" for format in formats)
    return f"{', '.join(first)} or {last}"
