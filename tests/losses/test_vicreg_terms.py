"""Variance, covariance and invariance beside the authors' values and gradients."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from squeezespan.losses.vicreg import covariance, invariance, unbiased_covariance, variance

CASES = ["f32", "f64", "small_f64", "mixed_f32"]


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Tensor]:
    with np.load(shared / "golden" / "losses" / "io.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


def close(actual: Tensor, expected: Any) -> None:
    double = actual.dtype == torch.float64
    torch.testing.assert_close(
        actual.double(),
        torch.as_tensor(expected, dtype=torch.float64),
        rtol=1e-10 if double else 1e-5,
        atol=1e-12 if double else 1e-6,
    )


@pytest.mark.parametrize("case", CASES)
def test_values_are_the_references(case: str, golden: dict[str, Tensor]) -> None:
    z1, z2 = golden[f"{case}_z1"], golden[f"{case}_z2"]
    close(invariance(z1, z2), golden[f"{case}_value_mse"])
    for name, z in (("z1", z1), ("z2", z2)):
        close(variance(z), golden[f"{case}_value_variance_{name}"])
        close(covariance(z), golden[f"{case}_value_covariance_{name}"])
    synthetic = 25 * invariance(z1, z2) + 25 * variance(z2) + covariance(z2)
    close(synthetic, golden[f"{case}_value_sns_total"])


def test_gradients_are_the_references(golden: dict[str, Tensor]) -> None:
    z1 = golden["small_f64_z1"].requires_grad_()
    z2 = golden["small_f64_z2"].requires_grad_()
    terms = {
        "mse": invariance(z1, z2),
        "variance_z1": variance(z1),
        "covariance_z1": covariance(z1),
        "sns_total": 25 * invariance(z1, z2) + 25 * variance(z2) + covariance(z2),
    }
    inputs = {"z1": z1, "z2": z2}
    compared = 0
    for term, value in terms.items():
        for name, z in inputs.items():
            key = f"small_f64_grad_{term}_wrt_{name}"
            if key in golden:
                (gradient,) = torch.autograd.grad(value, z, retain_graph=True)
                close(gradient, golden[key])
                compared += 1
    assert compared == sum("_grad_" in key for key in golden)


@pytest.mark.parametrize("n", [8, 40])
def test_covariance_of_few_and_of_many_samples_is_numpys(n: int) -> None:
    z = torch.randn(n, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = np.cov(z.numpy(), rowvar=False)
    expected = (np.square(matrix).sum() - np.square(np.diag(matrix)).sum()) / 16
    close(covariance(z), expected)


def test_the_unbiased_estimate_is_the_average_over_all_four_different_images() -> None:
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 3 + 5
    values = []
    for a, b, c, d in itertools.permutations(z, 4):
        product = torch.outer(a - b, a - b) * torch.outer(c - d, c - d) / 4
        values.append((product.sum() - product.diagonal().sum()) / 3)
    close(unbiased_covariance(z), torch.stack(values).mean())


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("dependent", [False, True])
def test_the_unbiased_estimate_expects_the_covariances_of_all_images(
    skewed: bool, dependent: bool
) -> None:
    """By 40,000 batches of 8; four standard errors."""
    random, n, dims, batches = torch.Generator().manual_seed(1), 8, 3, 40_000
    x = torch.randn(batches, n, dims, generator=random, dtype=torch.float64)
    if skewed:
        x = torch.empty_like(x).exponential_(generator=random) - 1
    mixing = torch.tensor([[1, 0, 0], [0.6, 2, 0], [-0.5, 0.3, 1]], dtype=torch.float64)
    mixing = mixing if dependent else torch.diag(mixing.diag())
    z = x @ mixing.T
    true = mixing @ mixing.T
    expected = (true.square().sum() - true.diag().square().sum()) / dims
    unbiased, sample = (torch.func.vmap(f)(z) for f in (unbiased_covariance, covariance))
    four_errors = 4 / math.sqrt(batches)
    assert abs(unbiased.mean() - expected) < four_errors * unbiased.std()
    assert sample.mean() - expected > 2 * four_errors * sample.std()
    if not dependent:
        variances = true.diag()
        floor = (variances.sum().square() - variances.square().sum()) / (n - 1) / dims
        off = sample - unbiased
        assert abs(off.mean() - floor) < four_errors * off.std()


def test_an_unbiased_estimate_of_three_embeddings_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 embeddings, not 3"):
        unbiased_covariance(torch.randn(3, 2))
    assert unbiased_covariance(torch.eye(4)).isfinite()


def test_half_precision_embeddings_inside_autocast_lose_nothing() -> None:
    z = (100 * torch.randn(32, 64, generator=torch.Generator().manual_seed(0))).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        inside = [variance(z), covariance(z), invariance(z, -z)]
    outside = [variance(z.float()), covariance(z.float()), invariance(z.float(), -z.float())]
    assert [term.dtype for term in inside] == [torch.float32] * 3
    assert inside == outside
