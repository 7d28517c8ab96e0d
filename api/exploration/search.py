"""Which designs of a space are looked at: all of them, some drawn at random, or those that an optimiser asks for."""

import itertools
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .point import Point
from .space import Space

#: Designs that an optimiser asks for at once: a number of its own, so that workers do not change what it asks for.
BATCH = 8

#: Values of a design by the names of `Space.dimensions`.
Values = Mapping[str, str]
#: From designs to their points, in the same order.
Look = Callable[[Sequence[Values]], list[Point]]


def looked_at(space: Space, look: Look) -> list[Point]:
    """Points of a space, as its search finds them, each once.

    Parameters
    ----------
    space : Space
    look : callable
    """
    if space.search == "optuna":
        return _optimised(space, look)
    return look(list(_grid(space) if space.search == "grid" else _drawn(space)))


def _grid(space: Space) -> Iterator[Values]:
    names = list(space.dimensions)
    for values in itertools.product(*space.dimensions.values()):
        yield dict(zip(names, values, strict=True))


def _drawn(space: Space) -> Iterator[Values]:
    """Designs of the grid drawn without return, in its order."""
    for number in sorted(random.Random(space.seed).sample(range(space.size), space.points)):
        yield _numbered(space, number)


def _numbered(space: Space, number: int) -> Values:
    found = {}
    for name, values in reversed(space.dimensions.items()):
        number, place = divmod(number, len(values))
        found[name] = values[place]
    return dict(reversed(found.items()))


def _optimised(space: Space, look: Look) -> list[Point]:
    """Designs that Optuna asks for, in batches; it is told in the order in which it has asked."""
    import optuna  # an extra

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def beyond(trial: "optuna.trial.FrozenTrial") -> Sequence[float]:
        return trial.user_attrs["beyond"]

    sampler: optuna.samplers.BaseSampler
    with warnings.catch_warnings():
        # Constraints are an experiment of Optuna's; the bytes of a search are held by our tests.
        warnings.simplefilter("ignore")
        if len(space.objectives) == 1:
            sampler = optuna.samplers.TPESampler(seed=space.seed, constraints_func=beyond)
        else:
            generation = max(BATCH, min(50, space.points // 4))
            sampler = optuna.samplers.NSGAIISampler(
                population_size=generation, seed=space.seed, constraints_func=beyond
            )
        study = optuna.create_study(sampler=sampler, directions=["minimize"] * len(space.objectives))
        found: dict[str, Point] = {}
        for start in range(0, space.points, BATCH):
            trials = [study.ask() for _ in range(min(BATCH, space.points - start))]
            points = look([_asked(space, trial) for trial in trials])
            for trial, point in zip(trials, points, strict=True):
                found.setdefault(point.key, point)
                if point.figures is None:
                    trial.set_user_attr("beyond", [1.0] * max(1, len(space.constraints)))
                    study.tell(trial, state=optuna.trial.TrialState.FAIL)
                else:
                    excess = [one.excess(point.figures) for one in space.constraints]
                    trial.set_user_attr("beyond", excess)
                    study.tell(trial, [one.cost(point.figures) for one in space.objectives])
    return list(found.values())


def _asked(space: Space, trial: Any) -> Values:
    return {
        name: values[trial.suggest_int(name, 0, len(values) - 1) if len(values) > 1 else 0]
        for name, values in space.dimensions.items()
    }
