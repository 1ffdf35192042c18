"""Distances between two sets of feature vectors, as numbers; how features are made is elsewhere."""

from typing import NamedTuple

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.randomness import derive_seed

__all__ = [
    "KernelDistance",
    "KernelInterval",
    "PrecisionRecall",
    "frechet_distance",
    "kernel_distance",
    "kernel_interval",
    "precision_recall",
]


class KernelDistance(NamedTuple):
    """Kernel distance over random subsets."""

    mean: float
    std: float
    """Standard deviation over the subsets."""


class KernelInterval(NamedTuple):
    """Kernel distance over all samples, with its bootstrap interval."""

    distance: float
    low: float
    high: float


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]."""

    precision: float
    """Share of generated samples inside the real manifold."""
    recall: float
    """Share of real samples inside the generated manifold."""


def frechet_distance(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> float:
    """Frechet distance between two Gaussians (Heusel et al. 2017, equation 6).

    The trace of the square root of `cov_a @ cov_b` is taken from the symmetric product
    `sqrt(cov_a) @ cov_b @ sqrt(cov_a)`, which has the same eigenvalues and stays real and
    non-negative where covariances are singular (fewer samples than features).

    Args:
        mean_a: [D].
        cov_a: symmetric positive semi-definite [D, D].
        mean_b: [D].
        cov_b: symmetric positive semi-definite [D, D].

    Returns:
        The squared distance, computed in float64.
    """
    mean_a, cov_a, mean_b, cov_b = (x.double() for x in (mean_a, cov_a, mean_b, cov_b))
    values, vectors = torch.linalg.eigh(cov_a)
    root_a = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    product = root_a @ cov_b @ root_a
    eigenvalues = torch.linalg.eigvalsh((product + product.T) / 2)
    trace_of_root = eigenvalues.clamp(min=0).sqrt().sum()
    squared_means = (mean_a - mean_b).square().sum()
    return float(squared_means + cov_a.trace() + cov_b.trace() - 2 * trace_of_root)


def kernel_distance(
    real: Tensor,
    generated: Tensor,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> KernelDistance:
    """Squared maximum mean discrepancy with the kernel (x.y / D + 1)^3 (Binkowski et al. 2018).

    Args:
        real: features float [N, D].
        generated: features float [M, D].
        subsets: number of random subsets that are averaged.
        subset_size: samples a subset, drawn without replacement; at most min(N, M) are taken.
        seed: draws the subsets.

    Returns:
        Mean and standard deviation of the unbiased estimate over the subsets.

    Raises:
        UserError: fewer than two samples on a side.
    """
    size = min(subset_size, len(real), len(generated))
    if size < 2:
        raise UserError("the kernel distance needs at least 2 images on each side")
    # Drawn on the CPU, so that every device compares the same subsets.
    random = torch.Generator().manual_seed(derive_seed(seed, "kernel-distance"))
    estimates = []
    for _ in range(subsets):
        x = real[torch.randperm(len(real), generator=random)[:size].to(real.device)].float()
        rows = torch.randperm(len(generated), generator=random)[:size].to(generated.device)
        estimates.append(_unbiased_mmd(x, generated[rows].float()))
    drawn = torch.stack(estimates)
    return KernelDistance(float(drawn.mean()), float(drawn.std(correction=0)))


def kernel_interval(
    real: Tensor, generated: Tensor, *, draws: int = 200, seed: int = 0, chunk: int = 1000
) -> KernelInterval:
    """The unbiased kernel distance of all samples, and a 95% interval over which samples came.

    Both sides are drawn anew with replacement; a pair of two copies of one sample is left out, as
    the unbiased estimate leaves out a sample's pair with itself.

    Args:
        real: features float [N, D].
        generated: features float [M, D].
        draws: of the bootstrap.
        seed: of the bootstrap.
        chunk: rows of the kernel matrix held at a time.

    Raises:
        UserError: fewer than two samples on a side.
    """
    if min(len(real), len(generated)) < 2:
        raise UserError("the kernel distance needs at least 2 images on each side")
    random = torch.Generator().manual_seed(derive_seed(seed, "kernel-interval"))
    x, y = real.float(), generated.float()
    u, v = (_multiplicities(len(side), draws, random).to(side.device) for side in (x, y))
    within = sum(
        (_weighted(side, side, weights, weights, chunk) - _weighted_diagonal(side, weights))
        / (weights.sum(1).square() - weights.square().sum(1))
        for side, weights in ((x, u), (y, v))
    )
    found = within - 2 * _weighted(x, y, u, v, chunk) / (u.sum(1) * v.sum(1))
    # A draw that is one sample again and again has no pair and no distance.
    drawn = found[1:][found[1:].isfinite()]
    low, high = torch.quantile(drawn, found.new_tensor([0.025, 0.975])).tolist()
    return KernelInterval(float(found[0]), low, high)


def precision_recall(
    real: Tensor, generated: Tensor, *, neighbors: int = 3, chunk: int = 2000
) -> PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi et al. 2019, equations 1 and 2).

    A set's manifold is the union of balls around its samples that reach to the k-th nearest
    other sample of the set.

    Args:
        real: features float [N, D].
        generated: features float [M, D].
        neighbors: k.
        chunk: rows of the distance matrix held at a time.

    Raises:
        UserError: a set has no more than `neighbors` samples.
    """
    if min(len(real), len(generated)) <= neighbors:
        raise UserError(f"precision and recall need more than {neighbors} images on each side")
    center = real.float().mean(0)
    # Centred features lose less in the float32 expansion of |x - y|^2.
    real, generated = real.float() - center, generated.float() - center
    return PrecisionRecall(
        precision=_share_inside(generated, real, _radii(real, neighbors, chunk), chunk),
        recall=_share_inside(real, generated, _radii(generated, neighbors, chunk), chunk),
    )


def _unbiased_mmd(x: Tensor, y: Tensor) -> Tensor:
    n = len(x)
    within = sum(
        (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
        for kernel in (_cubic_kernel(x, x), _cubic_kernel(y, y))
    )
    return within - 2 * _cubic_kernel(x, y).mean()


def _multiplicities(n: int, draws: int, random: torch.Generator) -> Tensor:
    """How often each sample is drawn, float64 [1 + draws, n]; the first row takes each once."""
    drawn = torch.randint(n, (draws, n), generator=random)
    counts = torch.zeros(draws, n, dtype=torch.float64)
    counts.scatter_add_(1, drawn, torch.ones((), dtype=torch.float64).expand(draws, n))
    return torch.cat([torch.ones(1, n, dtype=torch.float64), counts])


def _weighted(x: Tensor, y: Tensor, u: Tensor, v: Tensor, chunk: int) -> Tensor:
    """Sum of u_i v_j k(x_i, y_j) for every row of weights."""
    total = u.new_zeros(len(u))
    for start in range(0, len(x), chunk):
        rows = slice(start, start + chunk)
        total += ((u[:, rows] @ _cubic_kernel(x[rows], y)) * v).sum(1)
    return total


def _weighted_diagonal(x: Tensor, weights: Tensor) -> Tensor:
    own = (x.square().sum(1).double() / x.shape[1] + 1) ** 3
    return weights.square() @ own


def _cubic_kernel(x: Tensor, y: Tensor) -> Tensor:
    return ((x @ y.T).double() / x.shape[1] + 1) ** 3


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    norms = x.square().sum(1, keepdim=True) + y.square().sum(1)
    return torch.addmm(norms, x, y.T, alpha=-2).clamp_(min=0)


def _radii(points: Tensor, neighbors: int, chunk: int) -> Tensor:
    """Squared distance of each point to its k-th nearest other point, [N]."""
    radii = []
    for start in range(0, len(points), chunk):
        distances = _squared_distances(points[start : start + chunk], points)
        rows = torch.arange(len(distances), device=points.device)
        distances[rows, rows + start] = torch.inf
        radii.append(distances.kthvalue(neighbors).values)
    return torch.cat(radii)


def _share_inside(samples: Tensor, points: Tensor, radii: Tensor, chunk: int) -> float:
    inside = [
        (_squared_distances(samples[start : start + chunk], points) <= radii).any(1)
        for start in range(0, len(samples), chunk)
    ]
    return float(torch.cat(inside).double().mean())
