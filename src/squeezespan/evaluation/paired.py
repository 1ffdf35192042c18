"""The difference of two classifiers that were tested on the same images."""

import math
import statistics

from torch import Tensor

__all__ = ["paired_difference"]

_Z = statistics.NormalDist().inv_cdf(0.975)


def paired_difference(correct: Tensor, other: Tensor) -> tuple[float, tuple[float, float]]:
    """Difference of two accuracies with its 95% interval, by the normal approximation.

    Images on which both are right, or both wrong, say nothing about the difference, so that the
    interval is narrower than those of the two accuracies suggest (McNemar 1947).

    Args:
        correct: bool [N], which images the first one classifies correctly.
        other: bool [N], the same images for the second one.

    Returns:
        The first accuracy minus the second, and the ends of its interval.
    """
    total = len(correct)
    won = int((correct & ~other).sum())
    lost = int((other & ~correct).sum())
    difference = (won - lost) / total
    half = _Z * math.sqrt(won + lost - (won - lost) ** 2 / total) / total
    return difference, (difference - half, difference + half)
