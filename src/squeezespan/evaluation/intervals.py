"""95% confidence intervals of accuracies."""

import math
import statistics
from collections.abc import Sequence

__all__ = ["mean_interval", "wilson"]

_Z = statistics.NormalDist().inv_cdf(0.975)


def wilson(correct: int, total: int) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), 95%.

    Args:
        correct: successes.
        total: trials, at least 1.

    Returns:
        Lower and upper end, in [0, 1].
    """
    share = correct / total
    center = share + _Z**2 / (2 * total)
    spread = _Z * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    scale = 1 + _Z**2 / total
    # Rounding must not put a perfect or hopeless share outside its own interval.
    low = 0.0 if correct == 0 else (center - spread) / scale
    high = 1.0 if correct == total else (center + spread) / scale
    return low, high


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's t interval of a mean, 95%.

    Args:
        values: independent draws, at least 2.

    Returns:
        Lower and upper end.
    """
    from scipy.special import stdtrit

    mean = statistics.fmean(values)
    quantile = float(stdtrit(len(values) - 1, 0.975))
    half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half
