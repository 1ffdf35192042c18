"""What a paper claims, held against a figure and its interval."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from squeezespan.evaluation.cka import pairs

__all__ = ["Claim", "interval_of", "judge", "share_of_pairs"]

Verdict = Literal["held", "not held", "undecided"]


@dataclass(frozen=True)
class Claim:
    """A claim and what was measured."""

    claim: str
    """As the paper says it."""
    measured: str
    """What the figure is of."""
    value: float
    interval: tuple[float, float]
    """95%."""
    holds_above: float
    """The figure from which on the claim holds."""
    reading: str
    """Why this figure, where the paper gives none."""

    @property
    def verdict(self) -> Verdict:
        """Whether it held."""
        return judge(self.interval, self.holds_above)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it with the verdict, ready for JSON."""
        return {**asdict(self), "interval": list(self.interval), "verdict": self.verdict}


def judge(interval: tuple[float, float], holds_above: float) -> Verdict:
    """Tell whether a claim held: its whole interval lies above the bound, below it, or neither."""
    low, high = interval
    if low > holds_above:
        return "held"
    return "not held" if high < holds_above else "undecided"


def share_of_pairs(
    similarity: Tensor,
    draws: Tensor,
    layers: Sequence[int],
    *,
    below: float = -math.inf,
    above: float = math.inf,
) -> tuple[float, Tensor]:
    """Give the share of pairs of layers whose similarity lies below or above a bound.

    Args:
        similarity: [L, L]; pairs of a constant layer, nan, count for nothing.
        draws: the same of other images, [D, L, L], as the bootstrap gives it.
        layers: places of the layers, at least two of them not constant.
        below: pairs below it count.
        above: pairs above it count.

    Returns:
        The share in [0, 1], and that of every draw, float64 [D].
    """
    rows, columns = pairs(layers)
    found = torch.cat([similarity[None].cpu(), draws.cpu()])[:, rows, columns]
    counted = (found < below) | (found > above)
    shares = counted.sum(dim=1).double() / (~found.isnan()).sum(dim=1)
    return float(shares[0]), shares[1:]


def interval_of(draws: Tensor) -> tuple[float, float]:
    """Give the 95% percentile interval of a figure's draws, [D]."""
    low, high = draws.quantile(torch.tensor([0.025, 0.975], dtype=draws.dtype)).tolist()
    return low, high
