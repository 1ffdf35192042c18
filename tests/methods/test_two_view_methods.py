"""VICReg and SimSiam on real, synthetic and mixed images."""

from typing import Any

import pytest
import torch
from tiny_methods import make_batch, make_method, measure

from squeezespan.methods.base import Batch

TWO_VIEW = [{"name": "vicreg"}, {"name": "simsiam"}]


def union(batch: Batch) -> Batch:
    assert batch.real_views is not None
    assert batch.synthetic_views is not None
    pairs = zip(batch.real_views, batch.synthetic_views, strict=True)
    first, second = (torch.cat(pair) for pair in pairs)
    return Batch(real_views=(first, second))


@pytest.mark.parametrize("settings", TWO_VIEW)
def test_a_mixture_is_one_data_set(settings: dict[str, Any]) -> None:
    batch = make_batch(real=10, synthetic=6)
    mixed = make_method(alpha=0.375, **settings)(batch)
    joined = make_method(alpha=0.0, **settings)(union(batch))
    torch.testing.assert_close(mixed["loss"], joined["loss"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", TWO_VIEW)
@pytest.mark.parametrize(
    ("alpha", "streams"), [(0, {"real"}), (1, {"syn"}), (0.5, {"real", "syn"})]
)
def test_each_stream_is_logged(settings: dict[str, Any], alpha: float, streams: set[str]) -> None:
    method = make_method(alpha=alpha, **settings)
    losses = method(make_batch())
    named = {name.split("/")[0] for name in losses if "/" in name} - {"mixed"}
    assert named == streams
    assert method.needs_real == ("real" in streams)
    assert method.real_views == 2
    assert method.synthetic_views == (2 if "syn" in streams else 0)
    assert not method.needs_source
    assert [name for name, loss in losses.items() if loss.requires_grad] == ["loss"]


def test_vicreg_weighs_its_terms() -> None:
    weights: dict[str, Any] = {"invariance": 3.0, "variance": 5.0, "covariance": 7.0}
    losses = measure(make_method(name="vicreg", alpha=0.5, **weights), make_batch())
    expected = sum(weight * losses[f"mixed/{term}"] for term, weight in weights.items())
    assert losses["loss"] == pytest.approx(expected, rel=1e-5)


def test_streams_apart_are_two_trainings_that_share_a_student() -> None:
    batch = make_batch(real=10, synthetic=6)

    def loss(alpha: float, mixture: str = "joint") -> float:
        return measure(make_method(name="vicreg", alpha=alpha, mixture=mixture), batch)["loss"]

    apart = loss(0.375, "separate")
    assert apart == pytest.approx(0.375 * loss(1.0) + 0.625 * loss(0.0), rel=1e-5)
    assert apart != pytest.approx(loss(0.375), rel=1e-3)


def test_of_streams_apart_each_is_logged_and_real_images_alone_enter_running_statistics() -> None:
    batch = make_batch()
    both = make_method(name="vicreg", alpha=0.5, mixture="separate")
    real = make_method(name="vicreg", alpha=0.0)
    named = {name.split("/")[0] for name in both(batch) if "/" in name}
    assert named == {"real", "syn"}
    real(batch)
    expected = dict(real.named_buffers())
    for name, buffer in both.named_buffers():
        torch.testing.assert_close(buffer, expected[name], rtol=0, atol=0, msg=name)
    joint = make_method(name="vicreg", alpha=0.5)
    joint(batch)
    mean = "backbone.bn1.running_mean"
    assert not torch.allclose(joint.get_buffer(mean), both.get_buffer(mean))


@pytest.mark.parametrize(
    "settings", [{"name": "vicreg"}, {"name": "vicreg", "mixture": "separate"}, {}]
)
def test_an_unbiased_covariance_takes_the_place_of_the_samples(settings: dict[str, Any]) -> None:
    batch = make_batch(real=10, synthetic=6)
    unbiased, sample = (
        measure(make_method(alpha=0.375, covariance_estimate=kind, **settings), batch)
        for kind in ("unbiased", "sample")
    )
    changed = {name for name in sample if unbiased[name] != sample[name]}
    assert changed == {name for name in sample if name.endswith("/covariance")} | {"loss"}
    assert all(unbiased[name] < sample[name] for name in changed)
    if settings == {"name": "vicreg"}:
        added = unbiased["mixed/covariance"] - sample["mixed/covariance"]
        assert unbiased["loss"] - sample["loss"] == pytest.approx(added, rel=1e-3)


def test_only_simsiams_predictor_keeps_its_learning_rate() -> None:
    method = make_method(name="simsiam")
    scheduled, fixed = method.parameter_groups()
    predictor = {p for n, p in method.named_parameters() if n.startswith("predictor")}
    assert fixed["fixed_lr"] is True
    assert set(fixed["params"]) == predictor
    assert set(scheduled["params"]) | predictor == set(method.parameters())
    assert not set(scheduled["params"]) & predictor


@pytest.mark.parametrize("name", ["squeeze-span", "vicreg"])
def test_all_parameters_of_the_others_follow_one_schedule(name: str) -> None:
    method = make_method(name=name, alpha=0.5)
    (group,) = method.parameter_groups()
    assert group.keys() == {"params"}
    assert set(group["params"]) == set(method.parameters())


def test_simsiams_embedding_std_tells_collapse_from_health() -> None:
    method = make_method(name="simsiam", alpha=0.0)
    assert measure(method, make_batch(real=64))["embedding_std"] > 0.5

    method.projector.register_forward_hook(lambda _module, _inputs, z: 1 + 0.001 * z)
    assert measure(method, make_batch(real=64))["embedding_std"] < 0.01


@pytest.mark.parametrize("settings", TWO_VIEW)
def test_two_view_losses_are_finite_float32_under_autocast(settings: dict[str, Any]) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        losses = make_method(alpha=0.5, **settings)(make_batch())
    losses["loss"].backward()
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert all(bool(loss.isfinite()) for loss in losses.values())
