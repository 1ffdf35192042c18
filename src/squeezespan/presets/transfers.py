"""The other ways to transfer that the paper compares, at its scale and small.

The rows of the main paper's Table 1 and of its ablation, and of the appendix's Table 6, as changes
of the presets of Squeeze; docs/method.md says which is which. Those that end with `-mini` have the
settings of the other small presets: none was searched for them.
"""

from dataclasses import replace
from functools import partial
from typing import Literal

from squeezespan.config import AugmentConfig, DistillConfig, MethodConfig, SourceConfig
from squeezespan.presets import mini, paper
from squeezespan.presets.registry import register

__all__ = ["register_all"]

_Scale = Literal["cifar10", "cifar100", "stl10", "mini"]
_Kind = Literal["feature", "latent"]

_VANILLA: dict[str, tuple[_Scale, _Kind, bool, bool]] = {
    # Source, whether augmented, whether standardized; what would be augmented and standardized is
    # Squeeze with the standardized target, which has a preset already.
    "vanilla-cifar10": ("cifar10", "feature", True, False),
    "vanilla-noaug-cifar10": ("cifar10", "feature", False, False),
    "vanilla-noaug-cifar10-standardized": ("cifar10", "feature", False, True),
    "vanilla-latent-cifar10": ("cifar10", "latent", True, False),
    "vanilla-latent-noaug-cifar10": ("cifar10", "latent", False, False),
    "vanilla-latent-noaug-cifar10-standardized": ("cifar10", "latent", False, True),
    "vanilla-cifar100": ("cifar100", "feature", True, False),
    "vanilla-noaug-cifar100": ("cifar100", "feature", False, False),
    "vanilla-noaug-cifar100-standardized": ("cifar100", "feature", False, True),
    "vanilla-latent-cifar100": ("cifar100", "latent", True, False),
    "vanilla-latent-noaug-cifar100": ("cifar100", "latent", False, False),
    "vanilla-latent-noaug-cifar100-standardized": ("cifar100", "latent", False, True),
    "vanilla-mini": ("mini", "feature", True, False),
    "vanilla-noaug-mini": ("mini", "feature", False, False),
    "vanilla-noaug-standardized-mini": ("mini", "feature", False, True),
    "vanilla-latent-mini": ("mini", "latent", True, False),
    "vanilla-latent-noaug-mini": ("mini", "latent", False, False),
    "vanilla-latent-noaug-standardized-mini": ("mini", "latent", False, True),
}
_SOURCES: dict[str, tuple[_Scale, float, SourceConfig, bool]] = {
    # Alpha, source, whether standardized.
    "squeeze-latent-cifar10": ("cifar10", 1.0, SourceConfig("latent"), False),
    "squeeze-latent-cifar10-standardized": ("cifar10", 1.0, SourceConfig("latent"), True),
    "squeeze-span-latent-cifar10": ("cifar10", 0.5, SourceConfig("latent"), False),
    "squeeze-span-latent-cifar10-standardized": ("cifar10", 0.5, SourceConfig("latent"), True),
    "squeeze-latent-cifar100": ("cifar100", 1.0, SourceConfig("latent"), False),
    "squeeze-latent-cifar100-standardized": ("cifar100", 1.0, SourceConfig("latent"), True),
    "squeeze-span-latent-cifar100": ("cifar100", 0.5, SourceConfig("latent"), False),
    "squeeze-span-latent-cifar100-standardized": ("cifar100", 0.5, SourceConfig("latent"), True),
    "squeeze-latent-mini": ("mini", 1.0, SourceConfig("latent"), True),
    "squeeze-latent-paper-mini": ("mini", 1.0, SourceConfig("latent"), False),
    "squeeze-span-latent-mini": ("mini", 0.5, SourceConfig("latent"), True),
    "squeeze-span-latent-paper-mini": ("mini", 0.5, SourceConfig("latent"), False),
    # The paper's Table 6; the shipped GAN of the small ones has no blocks beyond b32.
    "squeeze-b4-b8-cifar10": ("cifar10", 1.0, SourceConfig(blocks="b4-b8"), False),
    "squeeze-b16-b32-cifar10": ("cifar10", 1.0, SourceConfig(blocks="b16-b32"), False),
    "squeeze-b4-b8-cifar100": ("cifar100", 1.0, SourceConfig(blocks="b4-b8"), False),
    "squeeze-b16-b32-cifar100": ("cifar100", 1.0, SourceConfig(blocks="b16-b32"), False),
    "squeeze-b4-b8-stl10": ("stl10", 1.0, SourceConfig(blocks="b4-b8"), False),
    "squeeze-b16-b32-stl10": ("stl10", 1.0, SourceConfig(blocks="b16-b32"), False),
    "squeeze-b64-b128-stl10": ("stl10", 1.0, SourceConfig(blocks="b64-b128"), False),
    "squeeze-b4-b8-mini": ("mini", 1.0, SourceConfig(blocks="b4-b8"), True),
    "squeeze-b4-b8-paper-mini": ("mini", 1.0, SourceConfig(blocks="b4-b8"), False),
    "squeeze-b16-b32-mini": ("mini", 1.0, SourceConfig(blocks="b16-b32"), True),
    "squeeze-b16-b32-paper-mini": ("mini", 1.0, SourceConfig(blocks="b16-b32"), False),
}
_ABLATION: dict[str, tuple[_Scale, bool]] = {
    # Whether with the variance; the other steps are presets already.
    "ablation-c-cifar10": ("cifar10", False),
    "ablation-d-cifar10": ("cifar10", True),
    "ablation-c-mini": ("mini", False),
    "ablation-d-mini": ("mini", True),
}
_ENCODING: dict[str, tuple[_Scale, float]] = {
    "encoding-syn-cifar10": ("cifar10", 1.0),
    "encoding-mixed-cifar10": ("cifar10", 0.5),
    "encoding-syn-cifar100": ("cifar100", 1.0),
    "encoding-mixed-cifar100": ("cifar100", 0.5),
    "encoding-syn-mini": ("mini", 1.0),
    "encoding-mixed-mini": ("mini", 0.5),
}
_NO_AUGMENTATION = AugmentConfig(enabled=False)
_UNSEARCHED_RATE = 0.2
"""Base learning rate of the small presets of encoding, whose loss is like no other's."""


def vanilla(scale: _Scale, kind: _Kind, augmented: bool, standardized: bool) -> DistillConfig:
    """Vanilla distillation{where}: {source} by squared error alone, {how}.

    {cost}
    """
    config = _squeezed(scale, 1.0, standardized)
    if not standardized:
        method = replace(_bare_method(config), target="raw", invariance=1.0)
        config = replace(config, method=method)
    augment = config.augment if augmented else _NO_AUGMENTATION
    return replace(config, source=SourceConfig(kind), augment=augment)


def squeeze_from(
    scale: _Scale, alpha: float, source: SourceConfig, standardized: bool
) -> DistillConfig:
    """{method}{where}, from {source}{target}.

    {cost}
    """
    return replace(_squeezed(scale, alpha, standardized), source=source)


def without_terms(scale: _Scale, variance: bool) -> DistillConfig:
    """Ablation{where}: Squeeze with {terms} alone.

    {cost}
    """
    config = _squeezed(scale, 1.0)
    method = replace(config.method, covariance=0.0)
    return replace(config, method=method if variance else replace(method, variance=0.0))


def encoding(scale: _Scale, alpha: float) -> DistillConfig:
    """Encoding{where}, {domain} images: w of every layer, images made again compared by {judge}.

    Two projector layers, no augmentation.{more} {cost}
    """
    config = _squeezed(scale, alpha)
    method = MethodConfig("encoding", alpha, projector_layers=2)
    if scale == "mini":
        method = replace(method, perceptual="efficientnet-lite0")
        optim = replace(config.optim, base_lr=_UNSEARCHED_RATE)
    else:
        optim = replace(config.optim, base_lr=0.01)
        config = replace(config, train=replace(config.train, batch_size=128))
    return replace(
        config,
        optim=optim,
        method=method,
        # The image is made again with the noise that it was made with.
        source=SourceConfig("latent", noise="const"),
        augment=_NO_AUGMENTATION,
    )


def register_all() -> None:
    """Register the presets of every data set and the small ones."""
    for name, (scale, kind, augmented, standardized) in _VANILLA.items():
        how = "augmented" if augmented else "without augmentation"
        register(
            name,
            partial(vanilla, scale, kind, augmented, standardized),
            **_words(scale),
            source="the generator's features" if kind == "feature" else "the latent w",
            how=how + _with_target(standardized),
        )
    for name, (scale, alpha, source, standardized) in _SOURCES.items():
        blocks = f"the generator's blocks {source.blocks} (Table 6)"
        register(
            name,
            partial(squeeze_from, scale, alpha, source, standardized),
            method="Squeeze alone" if alpha == 1 else "Squeeze and Span",
            **_words(scale),
            source="the latent w" if source.kind == "latent" else blocks,
            target=_with_target(standardized),
        )
    for name, (scale, variance) in _ABLATION.items():
        terms = "the squared error and the variance" if variance else "the squared error"
        register(name, partial(without_terms, scale, variance), **_words(scale), terms=terms)
    for name, (scale, alpha) in _ENCODING.items():
        small = scale == "mini"
        register(
            name,
            partial(encoding, scale, alpha),
            **_words(scale),
            domain="synthetic" if alpha == 1 else "real and synthetic",
            judge="EfficientNet-Lite0" if small else "LPIPS",
            more="" if small else " Batch 128, base learning rate 0.01, the rest as Table 2.",
        )


def _squeezed(scale: _Scale, alpha: float, standardized: bool = False) -> DistillConfig:
    """Squeeze (alpha 1) or Squeeze and Span of a scale."""
    if scale == "mini":
        target: mini.MiniTarget = "standardized" if standardized else "squeeze"
        return mini.mini_config("squeeze-span", alpha, target)
    build = paper.squeeze if alpha == 1 else paper.squeeze_span
    config = build(paper.ROWS[scale])
    if not standardized:
        return config
    return replace(config, method=replace(_bare_method(config), target="standardized"))


def _bare_method(config: DistillConfig) -> MethodConfig:
    """Squeeze and Span with default settings, of the same share and projector."""
    layers = config.method.projector_layers
    return MethodConfig("squeeze-span", config.method.alpha, projector_layers=layers)


def _words(scale: _Scale) -> dict[str, str]:
    if scale == "mini":
        cost = (
            "Settings as the other small presets, not searched for it; time, accuracy: unmeasured."
        )
        return {"where": ", small, for a CPU", "cost": cost}
    cost = "Hardware, time and accuracy: unmeasured."
    return {"where": f" on {paper.ROWS[scale].title}", "cost": cost}


def _with_target(standardized: bool) -> str:
    return ", with the standardized target" if standardized else ""
