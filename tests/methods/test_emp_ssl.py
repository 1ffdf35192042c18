"""EMP-SSL's step: all patches in one pass, losses of their normalized embeddings."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_methods import make_batch, make_method, measure, shake
from torch import Tensor
from torch.nn import functional as F

from squeezespan.methods.base import Batch
from squeezespan.methods.emp_ssl import EmpSSL

PATCHES = 4
WEIGHTS: dict[str, Any] = {"similarity": 30.0, "coding_rate": 2.0, "coding_eps": 0.4}


def build(alpha: float = 0.0, **settings: Any) -> EmpSSL:
    method = make_method(name="emp-ssl", alpha=alpha, patches=PATCHES, **WEIGHTS, **settings)
    assert isinstance(method, EmpSSL)
    return method


def views(batch: Batch) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    assert batch.real_views is not None
    assert batch.synthetic_views is not None
    return batch.real_views, batch.synthetic_views


@pytest.mark.parametrize(("alpha", "name"), [(0.0, "real"), (1.0, "syn"), (0.4, "mixed")])
def test_a_step_restated_from_embeddings(alpha: float, name: str) -> None:
    method = build(alpha)
    shake(method)
    batch = make_batch(real=9, synthetic=6, views=PATCHES)
    real, synthetic = views(batch)
    seen = {
        "real": real,
        "syn": synthetic,
        "mixed": tuple(torch.cat(pair) for pair in zip(real, synthetic, strict=True)),
    }[name]
    # One pass, so that batch norms see all patches together.
    raw = copy.deepcopy(method).embed(torch.cat(seen)).double()
    z = F.normalize(raw, dim=1).chunk(PATCHES)
    centre = torch.stack(z).mean(0)
    similarity = sum(F.cosine_similarity(one, centre).mean() for one in z) / PATCHES
    images, dims = z[0].shape
    scale = dims / (images * 0.4)
    rate = sum(torch.logdet(torch.eye(dims) + scale * one.T @ one) / 2 for one in z) / PATCHES
    deviation = sum(one.std(0).mean() for one in z) / PATCHES * dims**0.5
    expected = {
        "loss": -30 * similarity - 2 * rate,
        f"{name}/similarity": similarity,
        f"{name}/coding_rate": rate,
        "embedding_std": deviation,
    }
    numbers = {key: torch.as_tensor(value).item() for key, value in expected.items()}
    assert measure(method, batch) == pytest.approx(numbers, rel=1e-4, abs=1e-6)


def test_what_a_batch_must_hold_is_asked_for() -> None:
    method = build(0.5)
    assert (method.needs_real, method.real_views, method.synthetic_views) == (True, 4, 4)
    assert not method.needs_source
    batch = make_batch(views=PATCHES)
    with pytest.raises(ValueError, match="needs 4 views of the real images"):
        method(replace(batch, real_views=views(batch)[0][:3]))
    only = build(1.0)
    assert (only.needs_real, only.synthetic_views) == (False, 4)


def test_embedding_std_tells_collapse_from_health() -> None:
    method = build(0.0)
    batch = make_batch(real=64, views=PATCHES)
    assert measure(method, batch)["embedding_std"] > 0.5
    method.projector.register_forward_hook(lambda _module, _inputs, z: 1 + 0.001 * z)
    assert measure(method, batch)["embedding_std"] < 0.01


def test_losses_are_finite_float32_under_autocast() -> None:
    method = build(0.5)
    with torch.autocast("cpu", torch.bfloat16):
        losses = method(make_batch(views=PATCHES))
    losses["loss"].backward()
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert all(bool(loss.isfinite()) for loss in losses.values())
    assert [name for name, loss in losses.items() if loss.requires_grad] == ["loss"]
