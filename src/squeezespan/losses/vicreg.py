"""The three terms of VICReg, on which squeeze and span are built.

Embeddings are [N, D] of any floating dtype; every term is a float32 scalar (float64 for float64
embeddings). With several processes, give them the global batch, see `losses.gather`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from squeezespan.losses.precision import outside_autocast

__all__ = ["covariance", "invariance", "variance"]

_VARIANCE_FLOOR = 1e-4


@outside_autocast
def variance(z: Tensor) -> Tensor:
    """Hinge that keeps the standard deviation of every dimension above 1.

    Source: VICReg (arXiv 2105.04906), Equation 1.

    Args:
        z: embeddings [N, D], N at least 2.

    Returns:
        mean over dimensions of relu(1 - sqrt(var + 1e-4)), unbiased variance; scalar in [0, 1].
    """
    deviation = torch.sqrt(z.var(dim=0) + _VARIANCE_FLOOR)
    return F.relu(1 - deviation).mean()


@outside_autocast
def covariance(z: Tensor) -> Tensor:
    """Mean over dimensions of the squared covariances with all other dimensions.

    Source: VICReg (arXiv 2105.04906), Equations 3 and 4.

    Args:
        z: embeddings [N, D], N at least 2.

    Returns:
        sum of the squared off-diagonal entries of the covariance matrix, divided by D; scalar.
    """
    n, dims = z.shape
    centered = z - z.mean(dim=0)
    # z^T z and z z^T have the same Frobenius norm: the smaller of them is the cheaper one.
    product = centered @ centered.T if n < dims else centered.T @ centered
    diagonal = centered.square().sum(dim=0)
    return (product.square().sum() - diagonal.square().sum()) / ((n - 1) ** 2 * dims)


@outside_autocast
def invariance(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared error between two embeddings of the same images.

    Source: VICReg (arXiv 2105.04906), Equation 5, averaged over dimensions too.

    Args:
        a: embeddings [N, D].
        b: embeddings [N, D].

    Returns:
        mean over all elements of (a - b)^2; scalar.
    """
    return F.mse_loss(a, b)
