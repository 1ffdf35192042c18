"""What the settings of a run name is what gets built."""

from collections.abc import Mapping
from typing import Any

import pytest
from tiny_methods import WIDTHS
from torch import nn

from squeezespan.config import DistillConfig, ImagesConfig, MethodConfig, StudentConfig
from squeezespan.errors import UserError
from squeezespan.methods.base import Method
from squeezespan.methods.registry import build_method
from squeezespan.methods.simsiam import SimSiam
from squeezespan.methods.squeeze_span import SqueezeSpan
from squeezespan.methods.vicreg import VICReg
from squeezespan.models.backbones import num_features
from squeezespan.models.squeeze import Squeeze
from squeezespan.models.targets import RawTarget, StandardizedTarget

FEATURES = 256
"""Width of resnet10-narrow."""


def build(
    widths: Mapping[str, int] | None = WIDTHS,
    *,
    arch: str = "resnet10-narrow",
    stem: Any = "auto",
    side: int = 8,
    **settings: Any,
) -> Method:
    method = MethodConfig(**{"hidden_dim": 12, **settings})
    return build_method(
        DistillConfig(method=method, student=StudentConfig(arch, stem), images=ImagesConfig(side)),
        widths,
    )


def layers(module: nn.Module | None) -> list[tuple[int, int]]:
    """Inputs and outputs of the linear layers."""
    assert module is not None
    return [(m.in_features, m.out_features) for m in module.modules() if isinstance(m, nn.Linear)]


@pytest.mark.parametrize(("named", "width"), [(None, 2048), (24, 24)])
def test_squeeze_and_span_has_the_widths_that_are_named(named: int | None, width: int) -> None:
    method = build(projector_layers=3, embed_dim=named)
    assert isinstance(method, SqueezeSpan)
    assert isinstance(method.target, Squeeze)
    assert layers(method.projector) == [(FEATURES, FEATURES)] * 2 + [(FEATURES, width)]
    assert layers(method.target) == [(6, 12), (4, 12), (12, 12), (12, 12), (12, width)]
    assert (method.config.projector_layers, method.config.alpha) == (3, 0.5)


@pytest.mark.parametrize("target", ["raw", "standardized"])
@pytest.mark.parametrize("named", [None, 10])
def test_an_embedding_is_as_wide_as_a_target_that_is_not_learnt(
    target: str, named: int | None
) -> None:
    method = build(target=target, projector_layers=1, embed_dim=named)
    assert isinstance(method, SqueezeSpan)
    assert isinstance(method.target, RawTarget)
    assert isinstance(method.target, StandardizedTarget) == (target == "standardized")
    assert layers(method.projector) == [(FEATURES, 10)]


@pytest.mark.parametrize("widths", [None, WIDTHS])
@pytest.mark.parametrize("target", ["squeeze", "raw"])
def test_span_alone_has_no_target(widths: dict[str, int] | None, target: str) -> None:
    method = build(widths, alpha=0.0, target=target, regularize="both", embed_dim=20)
    assert isinstance(method, SqueezeSpan)
    assert method.target is None
    assert layers(method.projector)[-1] == (FEATURES, 20)


def test_vicreg_has_the_widths_that_are_named() -> None:
    method = build(None, name="vicreg", projector_layers=2, embed_dim=24, alpha=0.25)
    assert isinstance(method, VICReg)
    assert layers(method.projector) == [(FEATURES, FEATURES), (FEATURES, 24)]
    assert method.config.alpha == 0.25


def test_simsiam_has_the_widths_that_are_named() -> None:
    method = build(
        None, name="simsiam", projector_layers=2, embed_dim=24, predictor_dim=7, alpha=1.0
    )
    assert isinstance(method, SimSiam)
    assert num_features(method.backbone) == FEATURES
    assert layers(method.projector) == [(FEATURES, FEATURES), (FEATURES, 24)]
    assert layers(method.predictor) == [(24, 7), (7, 24)]
    assert method.streams == ("syn",)


@pytest.mark.parametrize(
    ("stem", "side", "stride"),
    [("auto", 32, 1), ("auto", 40, 2), ("imagenet", 32, 2), ("cifar", 40, 1)],
)
def test_the_stem_follows_the_images_unless_it_is_named(stem: str, side: int, stride: int) -> None:
    method = build(None, name="vicreg", embed_dim=8, stem=stem, side=side)
    first = next(part for part in method.backbone.modules() if isinstance(part, nn.Conv2d))
    assert first.stride == (stride, stride)


def test_another_architecture_is_sized_by_the_images() -> None:
    method = build(None, name="vicreg", embed_dim=8, arch="test_vit", side=64)
    positions = method.backbone.get_parameter("pos_embed")
    assert positions.shape == (1, (64 // 16) ** 2 + 1, 64)
    assert layers(method.projector)[-1] == (64, 8)


@pytest.mark.parametrize("widths", [None, {}])
@pytest.mark.parametrize("alpha", [0.25, 1.0])
def test_squeezing_needs_a_generator(widths: dict[str, int] | None, alpha: float) -> None:
    words = r"^squeeze-span with method\.alpha above 0 needs a generator; give --gan FILE$"
    with pytest.raises(UserError, match=words):
        build(widths, alpha=alpha)
