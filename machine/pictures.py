"""The look of all pictures: sizes on paper, letters of at least 8 points, colours that all eyes tell apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from .drawing import Target, picture_format
from .files import write_whole

#: Widths in inches of a column of a page, and of a page.
COLUMN, PAGE = 3.5, 7.0
#: Colours of Okabe and Ito, in an order in which neighbours differ in grey too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
#: Lines differ without their colours, too.
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_STYLE: dict[Any, Any] = {
    "axes.grid": False,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=COLOURS, linestyle=LINES),
    "axes.titlesize": 9,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 10,
    "font.size": 9,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    # Letters stay letters in a PDF, which printers ask for; an SVG has their outlines, and looks the same everywhere.
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
    "svg.fonttype": "path",
    # Names inside an SVG are random otherwise.
    "svg.hashsalt": "spinplane",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


#: What Matplotlib writes of itself and of the time: equal pictures have equal bytes.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def picture(to: Target, width: float, height: float) -> Iterator[Figure]:
    """A figure in the style of all pictures; at the end it is written, the same bytes every time.

    Parameters
    ----------
    to : Path or BytesIO
        A file whose suffix is one of `FORMATS`, or memory for a PNG.
    width, height : float
        In inches, at which it is printed.

    Raises
    ------
    SpinplaneError
        If the suffix is none of `FORMATS`.
    OSError
        If the file cannot be written.
    """
    format = picture_format(to) if isinstance(to, Path) else "png"
    buffer = BytesIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(buffer, format=format, metadata=_METADATA[format])
    if isinstance(to, Path):
        write_whole(to, buffer.getvalue())
    else:
        to.write(buffer.getvalue())
