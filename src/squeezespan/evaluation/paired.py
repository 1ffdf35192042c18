"""Accuracies and their differences, over test images and over trainings of several seeds."""

import math
import statistics

from torch import Tensor

__all__ = ["nested_interval", "paired_difference"]

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


def nested_interval(values: Tensor) -> tuple[float, float]:
    """95% interval of a mean over seeds and test images, for other seeds and other images.

    Every seed is tested on the same images: two crossed random effects and their interaction
    (Cornfield and Tukey 1956, Section 6). The degrees of freedom are Satterthwaite's (1946). Of one
    seed, the interval is for other images alone.

    Args:
        values: float [S, M]: of each seed and image, whether it was right (0 or 1), or by how much
            one method is ahead of another on it.

    Returns:
        Lower and upper end.
    """
    from scipy.special import stdtrit

    values = values.double()
    seeds, images = values.shape
    mean = values.mean()
    by_image = seeds * values.mean(dim=0).var().item()
    mean_squares = [(by_image, images - 1)]
    if seeds > 1:
        by_seed = images * values.mean(dim=1).var().item()
        rest = values - values.mean(dim=0) - values.mean(dim=1, keepdim=True) + mean
        both = rest.square().sum().item() / ((seeds - 1) * (images - 1))
        # Seeds that differ less than their images' interplay explains count as not differing.
        mean_squares.append((max(by_seed, both), seeds - 1))
        mean_squares.append((-both, (seeds - 1) * (images - 1)))
    total = sum(square for square, _ in mean_squares)
    if total <= 0:
        return mean.item(), mean.item()
    freedom = total**2 / sum(square**2 / free for square, free in mean_squares)
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(total / (seeds * images))
    return mean.item() - half, mean.item() + half
