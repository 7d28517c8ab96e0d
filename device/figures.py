"""Pictures of a device: levels of a bit line, switching, write errors."""

from collections.abc import Sequence

import numpy as np

from spinplane.machine.drawing import Target
from spinplane.machine.pictures import COLOURS, COLUMN, MARKERS, PAGE, picture

from .monte_carlo import MonteCarlo
from .write import WriteErrors, WritePulse

_BINS = 120
#: Rates below are those of a single spin alone.
_LEAST_RATE = 1e-12
#: The tail is none of the rates above.
_TAIL = 0.1


def draw_sense_levels(to: Target, run: MonteCarlo, name: str) -> None:
    """Histograms of the bit-line voltage of a read and of several cells, with the references (Fig. 4b).

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    run : MonteCarlo
    name : str
        Of the technology.
    """
    with picture(to, PAGE, 0.6 * PAGE) as figure:
        figure.suptitle(f"{name}: levels of a bit line in {run.trials:,} trials")
        for axis, cells in zip(figure.subplots(2, 1), (1, run.fan_in), strict=True):
            for ones in range(cells + 1):
                millivolts, colour = run.voltages[cells, ones] * 1e3, COLOURS[ones % len(COLOURS)]
                counts, edges = np.histogram(millivolts, bins=_BINS)
                axis.stairs(counts, edges, fill=True, alpha=0.35, color=colour)
                axis.stairs(counts, edges, color=colour, linewidth=0.8)
                label = "∥".join(["P"] * (cells - ones) + ["AP"] * ones)
                at = float(np.median(millivolts))
                axis.annotate(
                    label, (at, counts.max()), xytext=(0, 4), textcoords="offset points", ha="center"
                )
            for errors in run.errors.values():
                if errors.decision.cells == cells:
                    axis.axvline(errors.reference_v * 1e3, color="black", linestyle="--", linewidth=0.8)
                    axis.annotate(
                        errors.decision.reference, (errors.reference_v * 1e3, 1.0), xytext=(0, 4),
                        xycoords=("data", "axes fraction"), textcoords="offset points", ha="center",
                    )  # fmt: skip
            axis.set(xlabel="sensed voltage (mV)", ylabel="trials")
            axis.margins(y=0.2)
            axis.set_ylim(bottom=0)


def draw_switching(to: Target, pulses: Sequence[WritePulse], name: str, axis_name: str) -> None:
    """The component along the easy axis over time, one line a write; `axis_name` is x, y or z."""
    with picture(to, 1.3 * COLUMN, 0.85 * COLUMN) as figure:
        axis = figure.subplots()
        for pulse in pulses:
            easy = pulse.trajectory.magnetisation[:, "xyz".index(axis_name)]
            label = f"write {pulse.bit}, {pulse.current_a * 1e6:.4g} µA"
            axis.plot(pulse.trajectory.time_s * 1e9, easy, label=label)
        axis.set(
            xlabel="time (ns)",
            ylabel=f"$m_{axis_name}$",
            title=f"{name}: write pulses at 0 K",
            ylim=(-1.05, 1.05),
        )
        axis.legend(loc="center right")


def draw_write_errors(to: Target, errors: WriteErrors, name: str) -> None:
    """Write error rate over the pulse, one line a current: counted with its interval, and the tail."""
    pulses = np.array(errors.pulses_s) * 1e9
    least = min(rate.tail for row in errors.rates for rate in row)
    with picture(to, 1.3 * COLUMN, COLUMN) as figure:
        axis = figure.subplots()
        for index, (current, row) in enumerate(zip(errors.currents_a, errors.rates, strict=True)):
            counts = np.array([rate.failures / rate.trials for rate in row])
            seen = counts > 0
            colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
            spread = np.array(
                [(count - rate.low, rate.high - count) for count, rate in zip(counts, row, strict=True)]
            ).T
            axis.errorbar(
                pulses[seen], counts[seen], yerr=spread[:, seen], fmt=marker, markersize=3, elinewidth=0.8,
                color=colour, label=f"{current * 1e6:.4g} µA",
            )  # fmt: skip
            tail = np.array([rate.tail for rate in row])
            axis.plot(pulses[tail < _TAIL], tail[tail < _TAIL], "--", linewidth=1, color=colour)
        axis.set(
            xlabel="pulse (ns)",
            ylabel="write error rate",
            yscale="log",
            ylim=(max(least / 3, _LEAST_RATE), 2),
        )
        axis.set_title(
            f"{name}: writes of {errors.bit} that fail\npoints: counted, 95 %; dashed: analytic tail"
        )
        axis.grid(visible=True)
        axis.legend(loc="lower left")
