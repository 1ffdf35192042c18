"""The three terms of VICReg, on which squeeze and span are built.

Embeddings are [N, D] of any floating dtype; every term is a float32 scalar (float64 for float64
embeddings). With several processes, give them the global batch, see `losses.gather`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from squeezespan.losses.precision import outside_autocast

__all__ = ["covariance", "invariance", "unbiased_covariance", "variance"]

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
def unbiased_covariance(z: Tensor) -> Tensor:
    """`covariance` less what it would be for independent dimensions: its sampling floor.

    Of samples of n embeddings with covariance matrix C, the sample covariance S (with 1 / (n - 1))
    has E[S_ij^2] = C_ij^2 + Var[S_ij], and Var[S_ij] is not 0 where C_ij is: for independent
    dimensions it is C_ii C_jj / (n - 1), whatever their distributions. `covariance` then doesn't
    fall below about D / (n - 1) for D dimensions of variance 1, and its gradient fits the
    accidents of the batch.

    This is the unbiased estimate of the sum over i != j of C_ij^2, divided by D. With y for the
    embeddings less their mean, E over four different images a, b, c, d of
    (z_ai - z_bi) (z_aj - z_bj) (z_ci - z_di) (z_cj - z_dj) / 4 is C_ij^2 by independence; averaged
    over all such images of the batch, it is, with M_ij = sum_a y_ai^2 y_aj^2,

        ((n - 1)^2 (n - 2) S_ij^2 + (n - 1) S_ii S_jj - n M_ij) / (n (n - 2) (n - 3)).

    It is unbiased for any distribution with fourth moments, and can be below 0 in a batch. (For
    i = j it is the unbiased estimate of a squared variance; summed over all i and j, that of
    tr C^2 in Himeno and Yamada 2014, Journal of Multivariate Analysis 130.) The embeddings count
    as independent draws, although batch norm ties those of a batch together a little.

    Args:
        z: embeddings [N, D], N at least 4.

    Returns:
        estimate of the squared off-diagonal entries of the covariance matrix of all images, summed
        and divided by D; scalar.
    """
    n, dims = z.shape
    if n < 4:
        raise ValueError(f"an unbiased estimate needs at least 4 embeddings, not {n}")
    squares = (z - z.mean(dim=0)).square()
    totals = squares.sum(dim=0)
    # Sums over i != j: of S_ii S_jj times (n - 1)^2, and of M_ij.
    variances = totals.sum().square() - totals.square().sum()
    moments = squares.sum(dim=1).square().sum() - squares.square().sum()
    floor = (variances / (n - 1) - n * moments) / (n * (n - 2) * (n - 3) * dims)
    return covariance(z) * (n - 1) ** 2 / (n * (n - 3)) + floor


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
