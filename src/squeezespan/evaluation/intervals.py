"""95% confidence intervals of accuracies."""

import math
import statistics
from collections.abc import Sequence

__all__ = ["mean_interval", "wilson"]

_LEVEL = 0.95


def wilson(correct: int, total: int) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), 95%.

    Args:
        correct: successes.
        total: trials, at least 1.

    Returns:
        Lower and upper end, in [0, 1].
    """
    from scipy.stats import binomtest

    interval = binomtest(correct, total).proportion_ci(_LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's t interval of a mean, 95%.

    Args:
        values: independent draws, at least 2.

    Returns:
        Lower and upper end.
    """
    from scipy.special import stdtrit

    mean = statistics.fmean(values)
    quantile = float(stdtrit(len(values) - 1, (1 + _LEVEL) / 2))
    half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half
