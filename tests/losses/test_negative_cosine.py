"""SimSiam's loss beside the authors' values."""

from pathlib import Path

import numpy as np
import pytest
import torch

from squeezespan.losses.simsiam import negative_cosine


@pytest.mark.parametrize("case", ["f32", "f64", "small_f64", "mixed_f32"])
def test_value_is_the_references(case: str, shared: Path) -> None:
    with np.load(shared / "golden" / "losses" / "io.npz") as arrays:
        z1, z2, p1, p2 = (
            torch.from_numpy(arrays[f"{case}_{name}"]) for name in ["z1", "z2", "p1", "p2"]
        )
        expected = float(arrays[f"{case}_value_simsiam"])
    loss = (negative_cosine(p1, z2) + negative_cosine(p2, z1)) / 2
    assert float(loss) == pytest.approx(expected, abs=1e-7 if z1.dtype == torch.float32 else 1e-12)


def test_targets_get_no_gradient() -> None:
    p = torch.randn(4, 8, requires_grad=True)
    z = torch.randn(4, 8, requires_grad=True)
    torch.autograd.backward(negative_cosine(p, z))
    assert p.grad is not None
    assert z.grad is None
