"""StyleGAN-XL generator (Sauer et al. 2022): StyleGAN3 with pretrained class embeddings.

A stem is trained at a low resolution; super-resolution networks drop its critically sampled layers
and ToRGB and continue with layers of their own, and may themselves be continued.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from squeezespan.generators.layers import FullyConnected, normalize_second_moment
from squeezespan.generators.stylegan3.config import Ladder, StyleGAN3Config, design_layers
from squeezespan.generators.stylegan3.network import StyleGAN3Generator

__all__ = [
    "ClassEmbeddingMapping",
    "StyleGANXLConfig",
    "StyleGANXLGenerator",
    "superresolution_config",
    "xl_config",
]


@dataclass(frozen=True)
class StyleGANXLConfig(StyleGAN3Config):
    """All that a StyleGAN-XL generator is built from; survives a trip through JSON."""

    embedding_rows: int = 1000
    """Rows of the class table, which is there even where it is not used."""
    embedding_dim: int = 320


def xl_config(
    config: StyleGAN3Config, embedding_rows: int = 1000, embedding_dim: int = 320
) -> StyleGANXLConfig:
    """Add the class table to what the readers of StyleGAN3 give."""
    return StyleGANXLConfig(
        **{
            field.name: getattr(config, field.name) for field in dataclasses.fields(StyleGAN3Config)
        },
        embedding_rows=embedding_rows,
        embedding_dim=embedding_dim,
    )


def superresolution_config(stem: StyleGANXLConfig, ladder: Ladder) -> StyleGANXLConfig:
    """Give the configuration of a network that continues `stem` at a higher resolution.

    Args:
        stem: a stem or a super-resolution network, with known frequencies.
        ladder: of the new layers; `num_layers` counts them without ToRGB (7 in the paper), and
            its first frequencies give way to those where the stem ends.
    """
    kept = tuple(layer for layer in stem.layers if not layer.is_critically_sampled)
    layers = kept + design_layers(ladder, kept[-1])
    return dataclasses.replace(stem, resolution=ladder.resolution, layers=layers)


class ClassEmbeddingMapping(nn.Module):
    """Mapping network: z and a projected class embedding to w.

    Args:
        config: the generator's sizes.
    """

    w_avg: Tensor

    def __init__(self, config: StyleGANXLConfig) -> None:
        super().__init__()
        self.layers = config.mapping_layers
        self.embed = nn.Embedding(config.embedding_rows, config.embedding_dim)
        inputs = config.z_dim
        if config.num_classes:
            self.embed_proj = FullyConnected(config.embedding_dim, config.z_dim, activation="lrelu")
            inputs *= 2
        for i in range(config.mapping_layers):
            layer = FullyConnected(
                inputs if i == 0 else config.w_dim,
                config.w_dim,
                activation="lrelu",
                lr_multiplier=config.mapping_lr_multiplier,
            )
            self.add_module(f"fc{i}", layer)
        shape = (config.num_classes, config.w_dim) if config.num_classes else (config.w_dim,)
        self.register_buffer("w_avg", torch.zeros(shape))

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Map z [B, z_dim] and class indices [B] to w [B, w_dim], float32.

        Args:
            z: latent.
            labels: class indices, None for an unconditional network.
        """
        w = normalize_second_moment(z.float())
        if labels is not None:
            embedding = normalize_second_moment(self.embed_proj(self.embed(labels)))
            w = torch.cat([w, embedding], dim=1)
        for i in range(self.layers):
            w = self.get_submodule(f"fc{i}")(w)
        return w


class StyleGANXLGenerator(StyleGAN3Generator):
    """StyleGAN-XL generator, stem or super-resolution, conditional or not.

    Args:
        config: the sizes, as `xl_config` or `superresolution_config` give them.
    """

    family = "stylegan_xl"

    def __init__(self, config: StyleGANXLConfig) -> None:
        super().__init__(config)
        self.config: StyleGANXLConfig = config

    def _build_mapping(self, config: StyleGAN3Config) -> nn.Module:
        assert isinstance(config, StyleGANXLConfig)
        return ClassEmbeddingMapping(config)

    def average_w(self, labels: Tensor | None) -> Tensor:
        """The w that truncation pulls towards, each image's class's: float32 [1 or B, w_dim]."""
        averages = self.mapping.get_buffer("w_avg")
        return averages[None] if labels is None else averages[labels]
