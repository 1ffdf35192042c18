"""How far embeddings spread over a batch: the terms that prevent collapse, and what logs show."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from squeezespan.config import CovarianceEstimate, MethodConfig
from squeezespan.losses.vicreg import covariance, unbiased_covariance, variance

__all__ = ["Spread", "deviation", "named_spread", "spread", "weighed"]

_COVARIANCES = {"sample": covariance, "unbiased": unbiased_covariance}


class Spread(NamedTuple):
    """The two terms that keep embeddings from collapsing, summed over views; scalars."""

    variance: Tensor
    covariance: Tensor


def spread(*views: Tensor, estimate: CovarianceEstimate = "sample") -> Spread:
    """Measure variance and covariance terms of embeddings [N, D] and sum them over `views`."""
    covariance_of = _COVARIANCES[estimate]
    return Spread(
        torch.stack([variance(z) for z in views]).sum(),
        torch.stack([covariance_of(z) for z in views]).sum(),
    )


def weighed(config: MethodConfig, distance: Tensor, spreads: Sequence[Spread]) -> Tensor:
    """Give VICReg's loss: the invariance term, and both terms of each spread, by their weights."""
    loss = config.invariance * distance
    for terms in spreads:
        loss = loss + config.variance * terms.variance
        loss = loss + config.covariance * terms.covariance
    return loss


def named_spread(prefix: str, measured: Spread) -> dict[str, Tensor]:
    """Name the terms for logs, `prefix/variance` and `prefix/covariance`, detached."""
    return {f"{prefix}/{name}": term.detach() for name, term in measured._asdict().items()}


def deviation(*views: Tensor) -> Tensor:
    """Mean standard deviation over dimensions and `views` of embeddings [N, D]; detached scalar."""
    return torch.stack([z.detach().std(dim=0).mean() for z in views]).mean()
