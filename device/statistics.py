"""Error rates with bounds: Clopper-Pearson and Student intervals, and the tail of a normal distribution."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm, t


@dataclass(frozen=True, kw_only=True)
class ErrorRate:
    """A counted failure rate.

    Parameters
    ----------
    failures, trials : int
    low, high : float
        95 % confidence interval of Clopper and Pearson; exact, never narrower than it says.
    tail : float
        Rate by an analytic tail, for where no trial failed; each use says which.
    """

    failures: int
    trials: int
    low: float
    high: float
    tail: float

    @property
    def rate(self) -> float:
        """Counted failures over trials; the analytic tail if none failed."""
        return self.failures / self.trials if self.failures else self.tail


def clopper_pearson(failures: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact confidence interval of a rate.

    Parameters
    ----------
    failures, trials : int
        0 ≤ failures ≤ trials, trials at least 1.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
    """
    rest = (1 - confidence) / 2
    low = float(beta.ppf(rest, failures, trials - failures + 1)) if failures else 0.0
    high = float(beta.ppf(1 - rest, failures + 1, trials - failures)) if failures < trials else 1.0
    return low, high


def student(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the mean of values that scatter about normally.

    Parameters
    ----------
    values : ndarray of shape (n,)
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        Infinite for a single value, which says nothing about the spread.
    """
    count = len(values)
    if count < 2:
        return -np.inf, np.inf
    reach = float(t.ppf(0.5 + confidence / 2, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    mean = float(np.mean(values))
    return mean - reach, mean + reach


def counted(failures: int, trials: int, tail: float) -> ErrorRate:
    """A counted rate with its interval and tail."""
    low, high = clopper_pearson(failures, trials)
    return ErrorRate(failures=failures, trials=trials, low=low, high=high, tail=tail)


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mean and spread of a sample.

    Parameters
    ----------
    count : int
    mean, deviation : float
        The deviation is that of the population, estimated: of a sample of `count`, over `count` − 1.
    """

    count: int
    mean: float
    deviation: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Moments":
        """Of values; a single one has no deviation."""
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(count=len(values), mean=float(np.mean(values)), deviation=deviation)

    def __add__(self, other: "Moments") -> "Moments":
        """Of both samples together (Chan, Golub and LeVeque, The American Statistician 37, 1983)."""
        count, apart = self.count + other.count, other.mean - self.mean
        squares = sum((one.count - 1) * one.deviation**2 for one in (self, other))
        squares += apart**2 * self.count * other.count / count
        return Moments(
            count=count,
            mean=self.mean + apart * other.count / count,
            deviation=float(np.sqrt(squares / (count - 1))),
        )


def normal_tail(margins: Moments) -> float:
    """Probability that a margin is below 0, were it normal with the sample's mean and deviation."""
    if margins.deviation == 0:
        return float(margins.mean < 0)
    return float(norm.sf(margins.mean / margins.deviation))
