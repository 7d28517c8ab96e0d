"""Pictures of a device: levels of a bit line, switching, write errors."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spinplane.machine.files import write_whole

from .monte_carlo import MonteCarlo
from .write import WriteErrors, WritePulse

_BINS = 120


def draw_sense_levels(path: Path, run: MonteCarlo, name: str) -> Path:
    """Histograms of the bit-line voltage of a read and of several cells, with the references (Fig. 4b).

    Parameters
    ----------
    path : Path
        PNG to write.
    run : MonteCarlo
    name : str
        Of the technology.

    Returns
    -------
    Path
        `path`.
    """
    figure = _figure((8, 6))
    figure.suptitle(f"{name}: V_sense of {run.trials:,} trials")
    for axis, cells in zip(figure.subplots(2, 1), (1, run.fan_in), strict=True):
        for ones in range(cells + 1):
            label = "∥".join(["AP"] * ones + ["P"] * (cells - ones))
            axis.hist(run.voltages[cells, ones] * 1e3, bins=_BINS, alpha=0.7, label=label)
        for errors in run.errors.values():
            if errors.decision.cells == cells:
                axis.axvline(errors.reference_v * 1e3, color="black", linestyle="--", linewidth=1)
                axis.annotate(
                    errors.decision.reference, (errors.reference_v * 1e3, 1.0), xycoords=("data", "axes fraction"),
                    ha="center", va="bottom", fontsize=8,
                )  # fmt: skip
        axis.set(xlabel="V_sense, mV", ylabel="trials")
        axis.legend(loc="upper right")
    return _save(figure, path)


def draw_switching(path: Path, pulses: Sequence[WritePulse], name: str, axis_name: str) -> Path:
    """The component along the easy axis over time, one line a write; `axis_name` is x, y or z."""
    figure = _figure((7, 4))
    axis = figure.subplots()
    for pulse in pulses:
        easy = pulse.trajectory.magnetisation[:, "xyz".index(axis_name)]
        label = f"write {pulse.bit}, {pulse.current_a * 1e6:.0f} µA"
        axis.plot(pulse.trajectory.time_s * 1e9, easy, label=label)
    axis.set(
        xlabel="time, ns", ylabel=f"m_{axis_name}", title=f"{name}: write pulses at 0 K", ylim=(-1.05, 1.05)
    )
    axis.legend(loc="center right")
    return _save(figure, path)


def draw_write_errors(path: Path, errors: WriteErrors, name: str) -> Path:
    """Write error rate over the pulse, one line a current: counted with its interval, and the tail."""
    figure = _figure((7, 4.5))
    axis = figure.subplots()
    pulses = np.array(errors.pulses_s) * 1e9
    for index, (current, row) in enumerate(zip(errors.currents_a, errors.rates, strict=True)):
        counts = np.array([rate.failures / rate.trials for rate in row])
        seen = counts > 0
        color = f"C{index}"
        spread = np.array([[rate.failures / rate.trials - rate.low, rate.high - rate.failures / rate.trials]
                           for rate in row]).T  # fmt: skip
        axis.errorbar(
            pulses[seen], counts[seen], yerr=spread[:, seen], fmt="o", markersize=3, color=color,
            label=f"{current * 1e6:.0f} µA",
        )  # fmt: skip
        axis.plot(pulses, [rate.tail for rate in row], "--", linewidth=1, color=color)
    axis.set(xlabel="pulse, ns", ylabel="write error rate", yscale="log", ylim=(1e-12, 1.5))
    axis.set_title(f"{name}: writes of {errors.bit} that fail; dashed: analytic tail")
    axis.legend(loc="lower left")
    return _save(figure, path)


def _figure(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> Path:
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())
    return path
