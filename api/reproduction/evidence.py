"""What the rows are made of: estimates of the networks, the chip's area, levels of the bit line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spinplane.compiler.frontend.networks import BitWidths, Network, load_network
from spinplane.device.electrical import with_lines_of
from spinplane.device.monte_carlo import MonteCarlo, monte_carlo
from spinplane.device.sensing import Decision, decisions, margin
from spinplane.device.statistics import ErrorRate
from spinplane.device.technology import Technology
from spinplane.evaluation import ChipArea, chip_area
from spinplane.evaluation.baselines import BaselineEstimate
from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.physical import synthesize

from ..commands.estimate import estimate
from ..commands.estimate_result import Estimate, TechnologyEstimate

#: Networks of Table II, by data set.
NETWORKS: Mapping[str, str] = {"imagenet": "alexnet-xnor", "svhn": "svhn", "mnist": "lenet"}
#: Models of Table II's other designs.
CROSSBARS: Mapping[str, str] = {"cnn-rram": "rram-crossbar", "bcnn-rram": "rram-binary"}
#: Of Table II, and those of Figs. 7 and 9.
BINARY = BitWidths.parse("1:1")
CONFIGURATIONS = tuple(map(BitWidths.parse, ("1:1", "1:2", "1:3", "1:4", "2:2")))
#: Of the paper.
TRIALS = 100_000
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Level:
    """How an operation is sensed.

    Parameters
    ----------
    operation : str
    cells : int
    margin_v : float or None
        Of nominal cells; None where the amplifier cannot tell them apart.
    error : ErrorRate
        Of the worst content.
    """

    operation: str
    cells: int
    margin_v: float | None
    error: ErrorRate


@dataclass(frozen=True, kw_only=True)
class TrainedErrors:
    """Errors of a training on its test images, parts of 1.

    Parameters
    ----------
    lowest, last : float
        Over all epochs, and after the last one.
    how : str
        How it was trained.
    """

    lowest: float
    last: float
    how: str


class Evidence:
    """Everything that rows are computed from, each made when it is first asked for.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    networks : mapping of str to str
        Network of each data set of `NETWORKS`, see `load_network`.
    errors : mapping of str to mapping of str to TrainedErrors, optional
        Of trainings, by data set and bits.
    kept_in : Path, optional
        Folder of a cache; `default_build_root` if not given.
    tell : callable
        Is given a line before what takes long.
    """

    def __init__(
        self,
        machine: Machine,
        technology: Technology,
        *,
        networks: Mapping[str, str] = NETWORKS,
        errors: Mapping[str, Mapping[str, TrainedErrors]] | None = None,
        kept_in: Path | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.machine = machine
        # Bit lines as long as the machine has rows.
        self.technology = with_lines_of(technology, machine)
        self._networks = networks
        self._kept_in = kept_in or default_build_root()
        self._tell = tell
        self._errors = errors or {}
        self._estimates: dict[str, Estimate] = {}

    def network(self, data_set: str) -> Network:
        """The network of a data set."""
        return load_network(self._networks[data_set])

    def estimate(self, data_set: str, bits: BitWidths = BINARY) -> Estimate:
        """What an image of a data set costs."""
        model = f"{self._networks[data_set]}:{bits}"
        if model not in self._estimates:
            self._tell(f"estimating {model}")
            self._estimates[model] = estimate(
                model,
                machine=self.machine,
                technologies=(self.technology, *CROSSBARS.values()),
                baselines=True,
            )
        return self._estimates[model]

    def cost(self, data_set: str, bits: BitWidths = BINARY) -> TechnologyEstimate:
        """The same with the technology."""
        return self.estimate(data_set, bits).technologies[0]

    def crossbars(self, data_set: str, design: str) -> BaselineEstimate:
        """The same on a design of `CROSSBARS`, a network of a bit for weights and inputs."""
        found = self.estimate(data_set).baselines
        return next(one for one in found if one.name == CROSSBARS[design])

    @cached_property
    def area(self) -> ChipArea:
        """Of the chip."""
        self._tell(f"mapping {self.machine.name} to cells")
        logic = synthesize(self.machine, timing=False, kept_in=self._kept_in)
        return chip_area(self.machine, self.technology, logic, self._kept_in)

    @cached_property
    def sensed(self) -> MonteCarlo:
        """Levels of a bit line with two cells, drawn."""
        self._tell("drawing cells")
        return monte_carlo(self.technology, trials=TRIALS, seed=_SEED)

    @cached_property
    def levels(self) -> Mapping[tuple[str, int], Level]:
        """How each operation is sensed, by its number of cells."""
        return {
            (decision.operation, decision.cells): Level(
                operation=decision.operation,
                cells=decision.cells,
                margin_v=_margin(self.technology, decision),
                error=run.errors[decision.operation].worst,
            )
            for run in (monte_carlo(self.technology, trials=TRIALS, fan_in=3, seed=_SEED), self.sensed)
            for decision in decisions(run.fan_in)
        }

    def errors(self, data_set: str) -> Mapping[str, TrainedErrors]:
        """Test errors of the study that was given, by bits, if it is one of that data set."""
        return self._errors.get(data_set, {})


def _margin(technology: Technology, decision: Decision) -> float | None:
    try:
        return margin(technology, decision).margin_v
    except SpinplaneError:
        return None
