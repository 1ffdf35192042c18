"""Squeeze and Span: what its loss is made of under every setting, and what the loss moves."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_methods import WIDTHS, make_batch, make_method, measure, shake
from torch import nn

from squeezespan.config import MethodConfig
from squeezespan.errors import UserError
from squeezespan.methods.base import Batch
from squeezespan.methods.squeeze_span import SqueezeSpan
from squeezespan.methods.streams import StreamName, views_of
from squeezespan.models.squeeze import Squeeze

WEIGHTS: dict[str, Any] = {"invariance": 3.0, "variance": 5.0, "covariance": 7.0}


def weighted(losses: dict[str, float], distance: str, *sides: str) -> float:
    total = 3 * losses[f"{distance}/invariance"]
    for side in sides:
        total = total + 5 * losses[f"{side}/variance"] + 7 * losses[f"{side}/covariance"]
    return total


@pytest.mark.parametrize(
    ("regularize", "sides"),
    [("student", ["syn"]), ("squeeze", ["squeeze"]), ("both", ["syn", "squeeze"])],
)
def test_loss_is_the_weighted_sum_of_what_is_logged(regularize: str, sides: list[str]) -> None:
    method = make_method(alpha=0.25, regularize=regularize, **WEIGHTS)
    losses = measure(method, make_batch())
    expected = 0.25 * weighted(losses, "syn", *sides) + 0.75 * weighted(losses, "real", "real")
    assert losses["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("alpha", "stream"), [(0.0, "real"), (1.0, "syn")])
def test_one_stream_alone_needs_only_its_images(alpha: float, stream: str) -> None:
    method = make_method(alpha=alpha, **WEIGHTS)
    whole = make_batch()
    batch = replace(whole, real_views=None) if alpha else Batch(real_views=whole.real_views)
    losses = measure(method, batch)
    assert losses["loss"] == pytest.approx(weighted(losses, stream, stream), rel=1e-5)
    assert (method.needs_source, method.needs_real) == (alpha > 0, alpha < 1)
    assert method.synthetic_views == (1 if alpha else 0)


def test_gradients_reach_backbone_projector_and_squeeze_module() -> None:
    method = make_method(alpha=0.5)
    shake(method)
    method(make_batch())["loss"].backward()
    still = [n for n, p in method.named_parameters() if p.grad is None or not bool(p.grad.any())]
    assert still == []


def test_vanilla_regresses_the_features_by_squared_error_alone() -> None:
    method = make_method(alpha=1.0, target="raw", **WEIGHTS)
    batch = make_batch()
    losses = measure(method, batch)
    assert not any(isinstance(module, Squeeze) for module in method.modules())
    assert method.embed(torch.zeros(2, 3, 8, 8)).shape == (2, sum(WIDTHS.values()))
    assert losses["loss"] == pytest.approx(weighted(losses, "syn"), rel=1e-5)

    bigger = replace(batch, source={k: 100 * v for k, v in (batch.source or {}).items()})
    ratio = measure(method, bigger)["embedding_std"] / losses["embedding_std"]
    assert ratio == pytest.approx(0.01, rel=1e-3)


def test_a_standardized_target_is_regressed_by_squared_error_alone() -> None:
    method = make_method(alpha=1.0, target="standardized", **WEIGHTS)
    batch = make_batch()
    assert batch.source is not None
    losses = measure(method, batch)
    assert losses["loss"] == pytest.approx(weighted(losses, "syn"), rel=1e-5)

    statistics = torch.cat(list((make_batch(synthetic=50).source or {}).values()), dim=1)
    features = torch.cat(list(batch.source.values()), dim=1)
    target = (features - statistics.mean(dim=0)) / statistics.std(dim=0)
    assert batch.synthetic_views is not None
    student = method.embed(batch.synthetic_views[0])
    expected = (target - student).square().mean().item()
    assert losses["syn/invariance"] == pytest.approx(expected, rel=1e-4)


def test_a_scaled_channel_changes_nothing_where_targets_are_standardized() -> None:
    scaled = {"b4": 1000.0, "b8": 0.001}

    def losses(scales: dict[str, float]) -> dict[str, float]:
        batch, drawn = make_batch(), make_batch(synthetic=50)
        method = make_method(alpha=0.5, target="standardized")
        assert method.standardized is not None
        sources = [
            {name: 5 + scales.get(name, 1.0) * x for name, x in (one.source or {}).items()}
            for one in (drawn, batch)
        ]
        method.standardized.measure([sources[0]])
        return measure(method, replace(batch, source=sources[1]))

    assert losses(scaled) == pytest.approx(losses({}), rel=1e-3)


def test_channels_that_never_vary_teach_nothing() -> None:
    def losses(constant: float | None) -> tuple[dict[str, float], torch.Tensor]:
        batch, drawn = make_batch(), make_batch(synthetic=50)
        for one in (batch, drawn):
            assert one.source is not None
            if constant is not None:
                one.source["b4"][:, 2] = constant
        method = make_method(alpha=1.0, target="standardized")
        assert method.standardized is not None
        method.standardized.measure([drawn.source or {}])
        found = method(batch)
        found["loss"].backward()
        last = [p for p in method.projector.parameters() if p.ndim == 2][-1]
        assert last.grad is not None
        return {name: float(x.detach()) for name, x in found.items()}, last.grad

    whole, _ = losses(None)
    for constant in (0.0, 3.0):
        left, gradient = losses(constant)
        assert bool((gradient[2] == 0).all())
        assert bool((gradient[[0, 1, *range(3, 10)]].abs().sum(dim=1) > 0).all())
        # A mean over the nine others, not one that a tenth, always right, makes look smaller.
        assert left["syn/invariance"] == pytest.approx(whole["syn/invariance"], rel=0.2)


@pytest.mark.parametrize("alpha", [0.0, 0.25])
def test_a_discriminator_adds_its_squared_error_from_both_views_to_the_real_loss(
    alpha: float,
) -> None:
    batch = make_batch()
    method = make_method(alpha=alpha, judged=True, real_teacher=4.0)
    losses = measure(method, batch)
    without = measure(make_method(alpha=alpha), batch)
    added = losses.pop("loss") - without.pop("loss")
    distance = losses.pop("real/discriminator")
    assert losses == without
    assert added == pytest.approx((1 - alpha) * 4 * distance, rel=1e-4)

    drawn = torch.cat(list((make_batch(real=50).real_source or {}).values()), dim=1)
    features = torch.cat(list((batch.real_source or {}).values()), dim=1)
    target = (features - drawn.mean(dim=0)) / drawn.std(dim=0)
    fresh = make_method(alpha=alpha, judged=True)
    assert isinstance(fresh, SqueezeSpan)
    assert fresh.real_head is not None
    said = [fresh.real_head(fresh.backbone(view)) for view in batch.real_views or ()]
    expected = sum((target - x).square().mean().item() for x in said) / 2
    assert distance == pytest.approx(expected, rel=1e-4)


def test_a_head_of_its_own_learns_from_the_discriminator_and_the_backbone_with_it() -> None:
    def gradients(judged: bool) -> dict[str, torch.Tensor | None]:
        method = make_method(alpha=0.0, judged=judged, invariance=0.0, variance=0.0, covariance=0.0)
        shake(method)
        method(make_batch())["loss"].backward()
        return {name: p.grad for name, p in method.named_parameters()}

    judged, alone = gradients(True), gradients(False)
    heads = {name for name in judged if name.startswith("real_head.")}
    assert heads == judged.keys() - alone.keys()
    last = "backbone.conv1.weight"
    for name in (*heads, last):
        gradient = judged[name]
        assert gradient is not None
        assert bool(gradient.any()), name
    assert not bool(torch.as_tensor(alone[last]).any())


def test_running_statistics_are_those_of_real_images_where_there_are_any() -> None:
    batch = make_batch()
    both, real = make_method(alpha=0.5), make_method(alpha=0.0)
    both(batch)
    real(batch)
    expected = dict(real.backbone.named_buffers())
    for name, buffer in both.backbone.named_buffers():
        torch.testing.assert_close(buffer, expected[name], rtol=0, atol=0, msg=name)

    squeeze = make_method(alpha=1.0)
    squeeze(batch)
    assert bool(squeeze.get_buffer("backbone.bn1.running_mean").any())


def test_without_variance_and_covariance_the_embedding_collapses() -> None:
    def train(weight: float) -> float:
        torch.manual_seed(0)
        config = MethodConfig(alpha=1.0, invariance=1.0, variance=weight, covariance=0.0)
        squeeze = Squeeze({"b4": 4}, hidden_dim=16, out_dim=8)
        backbone = nn.Sequential(nn.Flatten(), nn.Linear(12, 16))
        method = SqueezeSpan(backbone, nn.Linear(16, 8, bias=False), squeeze, config)
        optimizer = torch.optim.SGD(method.parameters(), lr=0.1, momentum=0.9)
        for _ in range(150):
            images = torch.randn(32, 3, 2, 2)
            batch = Batch(synthetic_views=(images,), source={"b4": images[:, 0].flatten(1) ** 2})
            losses = method(batch)
            optimizer.zero_grad()
            losses["loss"].backward()
            optimizer.step()
        return float(losses["embedding_std"])

    assert train(0.0) < 0.05
    assert train(1.0) > 0.3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"target": "raw", "regularize": "both"}, r"method\.regularize is both.*raw.*to student"),
        (
            {"target": "standardized", "embed_dim": 16},
            r"method\.embed_dim is 16.*standardized.*features, 10; leave it out",
        ),
        ({"arch": "resnet10narow"}, "resnet10-narrow"),
    ],
)
def test_contradictions_are_told(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_method(**settings)


@pytest.mark.parametrize("kind", ["real", "synthetic"])
def test_a_single_image_is_refused_unless_other_processes_have_more(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(real=1) if kind == "real" else make_batch(synthetic=1)
    with pytest.raises(UserError, match=rf"^a batch with fewer than 2 {kind} images has no vari"):
        make_method(alpha=0.5)(batch)
    stream: StreamName = "real" if kind == "real" else "syn"
    monkeypatch.setattr("squeezespan.methods.streams.world_size", lambda: 2)
    assert len(views_of(stream, batch, 1)) == 1


def test_losses_are_finite_float32_under_autocast() -> None:
    method = make_method(alpha=0.5)
    with torch.autocast("cpu", torch.bfloat16):
        losses = method(make_batch())
    losses["loss"].backward()
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert all(bool(loss.isfinite()) for loss in losses.values())
