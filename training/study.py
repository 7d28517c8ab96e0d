"""The paper's accuracy study: one network at several configurations (Fig. 7: its table and its curves)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spinplane.compiler.frontend.networks import PAPER_CONFIGURATIONS, BitWidths
from spinplane.machine.pictures import COLUMN, picture
from spinplane.machine.reporting.records import Record
from spinplane.machine.reporting.shown import Shown

from .train import TrainingResult, train

CURVES = "curves.png"


@dataclass(frozen=True, kw_only=True, repr=False)
class StudyResult(Shown):
    """Trainings of one network at different bit-widths.

    Parameters
    ----------
    results : tuple of TrainingResult
    """

    derived: ClassVar[tuple[str, ...]] = ("table",)

    results: tuple[TrainingResult, ...]

    @property
    def table(self) -> list[dict[str, Any]]:
        """Fig. 7's table: for each configuration complexity and test errors (parts of 1)."""
        rows = []
        for result in self.results:
            bits = BitWidths.parse(result.configuration.bits)
            rows.append(
                {
                    "bits": str(bits),
                    "gradient_bits": bits.gradient,
                    "inference_complexity": bits.inference_complexity,
                    "training_complexity": bits.training_complexity,
                    "lowest_error": result.lowest_error,
                    "last_error": result.last_error,
                }
            )
        return rows

    @property
    def heading(self) -> str:
        """What was trained."""
        names = dict.fromkeys(
            f"{one.configuration.network} on {one.configuration.dataset}" for one in self.results
        )
        return f"Trainings of {', '.join(names)}"

    @property
    def main_figure(self) -> str:
        """How many configurations."""
        return f"{len(self.results)} configurations"

    def records(self) -> tuple[Record, ...]:
        """A record for each configuration."""
        return tuple(self.table)

    def __str__(self) -> str:
        lines = [
            "| W:I | W×I | W×I+W×G | lowest test error % | last test error % |",
            "|---|---|---|---|---|",
        ]
        for row in self.table:
            lines.append(
                f"| {row['bits']} | {row['inference_complexity']} | {row['training_complexity']} "
                f"| {100 * row['lowest_error']:.2f} | {100 * row['last_error']:.2f} |"
            )
        return "\n".join(lines)


def study(
    network: str,
    data: str | Path,
    *,
    output: str | Path,
    configurations: Sequence[BitWidths] = PAPER_CONFIGURATIONS,
    resume: bool = False,
    **options: Any,
) -> StudyResult:
    """Train a network at several configurations, and write ``curves.png``.

    Parameters
    ----------
    network : str
    data, output : str or Path
        The training at W:I keeps its files in ``W-I`` of the directory `output`.
    configurations : sequence of BitWidths
        By default the six of the paper.
    resume : bool
        Take over trainings that are there, and go on with one that was stopped.
    **options
        As for `train`.

    Raises
    ------
    SpinplaneError
        As `train` does.
    """
    output = Path(output)
    results = tuple(
        train(
            network,
            f"{bits}:{bits.gradient}",
            data,
            output=output / f"{bits.weight}-{bits.activation}",
            resume=resume,
            **options,
        )
        for bits in configurations
    )
    draw_curves(output / CURVES, results)
    return StudyResult(results=results)


def draw_curves(path: Path, results: Sequence[TrainingResult]) -> None:
    """Test accuracy over the epochs, a line for each training, as a PNG."""
    first = results[0].configuration
    with picture(path, 1.3 * COLUMN, 0.85 * COLUMN) as figure:
        axes = figure.subplots()
        for result in results:
            accuracies = [100 * (1 - epoch.test_error) for epoch in result.history]
            label = str(BitWidths.parse(result.configuration.bits))
            axes.plot(range(1, len(accuracies) + 1), accuracies, label=label)
        axes.set(title=f"{first.network} on {first.dataset}", xlabel="epoch", ylabel="test accuracy (%)")
        axes.grid(visible=True)
        axes.legend(title="W:I", handlelength=3)
