"""The mapping network of the StyleGAN families, and truncation of its w (Karras et al. 2019)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.base import Generator, Latents
from squeezespan.generators.layers import FullyConnected, normalize_second_moment
from squeezespan.randomness import StepRandom

__all__ = ["MappedGenerator", "Mapping", "estimate_average_w"]

_AVERAGE_BATCHES, _AVERAGE_BATCH = 8, 1024
_AVERAGE_PRODUCTS = 20_000_000_000
"""Multiplications at most; a mapping of 8 layers of 512 needs 17 billion for all batches."""


class Mapping(nn.Module):
    """Mapping network: z (and a class) to w. Without z (`z_dim` 0) it embeds the class alone.

    Args:
        z_dim: width of z, 0 for none.
        num_classes: 0 for unconditional.
        w_dim: width of the output.
        layers: number of fully connected layers.
        width: width of the hidden layers; None is `w_dim`.
        embed_width: width of the class's embedding; None is `w_dim`.
        w_avg_beta: decay of the running average of w; None keeps no average.
        lr_multiplier: scales the layers' weights and biases at run time.
    """

    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        num_classes: int,
        w_dim: int,
        layers: int,
        width: int | None = None,
        embed_width: int | None = None,
        w_avg_beta: float | None = 0.995,
        lr_multiplier: float = 0.01,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.layers = layers
        self.w_avg_beta = w_avg_beta
        embed_dim = (embed_width or w_dim) if num_classes else 0
        widths = [z_dim + embed_dim, *[width or w_dim] * (layers - 1), w_dim]
        if num_classes:
            self.embed = FullyConnected(num_classes, embed_dim)
        for i in range(layers):
            layer = FullyConnected(
                widths[i], widths[i + 1], activation="lrelu", lr_multiplier=lr_multiplier
            )
            self.add_module(f"fc{i}", layer)
        if w_avg_beta is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor | None, labels: Tensor | None) -> Tensor:
        """Map z [B, z_dim] and class indices [B] to w [B, w_dim], float32.

        Args:
            z: latent, or None where the network was made without.
            labels: class indices, None for an unconditional network.
        """
        parts = [] if z is None else [normalize_second_moment(z.float())]
        if labels is not None:
            one_hot = F.one_hot(labels, self.num_classes).float()
            parts.append(normalize_second_moment(self.embed(one_hot)))
        w = torch.cat(parts, dim=1)
        for i in range(self.layers):
            w = self.get_submodule(f"fc{i}")(w)
        return w

    def track(self, mean_w: Tensor) -> None:
        """Move the running average of w towards a batch's mean [w_dim], while a GAN is trained."""
        if self.w_avg_beta is not None:
            self.w_avg.copy_(mean_w.lerp(self.w_avg, self.w_avg_beta))


class MappedGenerator(Generator):
    """A generator whose mapping network gives one w for all layers."""

    has_w = True
    mapping: nn.Module

    def average_w(self, labels: Tensor | None) -> Tensor:
        """The w that truncation pulls towards, float32 [1 or B, w_dim]."""
        del labels
        return self.mapping.get_buffer("w_avg")[None]

    def map(
        self, latents: Latents, *, truncation: float = 1.0, truncation_cutoff: int | None = None
    ) -> Tensor:
        """Map latents to w, float32 [B, num_ws, w_dim].

        Args:
            latents: z and classes.
            truncation: psi; 1 leaves w alone, 0 gives the average.
            truncation_cutoff: truncate only the first rows; None truncates all.

        Raises:
            UserError: a conditional generator without labels, or an unconditional one with them.
        """
        w: Tensor = self.mapping(latents.z, self.labels_of(latents))
        num_ws = self.info.num_ws
        ws = w[:, None].expand(-1, num_ws, -1)
        if truncation == 1.0:
            return ws
        cutoff = num_ws if truncation_cutoff is None else truncation_cutoff
        truncated = self.average_w(latents.labels)[:, None].lerp(ws[:, :cutoff], truncation)
        return torch.cat([truncated, ws[:, cutoff:]], dim=1)


@torch.no_grad()
def estimate_average_w(generator: MappedGenerator) -> int:
    """Put the mean of many w where truncation looks for the average, for files without one.

    The draws are the same on every machine, so the average is a property of the weights.

    Returns:
        how many w were drawn.
    """
    total = torch.zeros(generator.info.w_dim)
    weights = sum(parameter.numel() for parameter in generator.mapping.parameters())
    affordable = _AVERAGE_PRODUCTS // (_AVERAGE_BATCH * max(weights, 1))
    batches = min(max(affordable, 1), _AVERAGE_BATCHES)
    for step in range(batches):
        random = StepRandom(0, step, stream="average-w")
        latents = generator.sample_latents(_AVERAGE_BATCH, random)
        total += generator.mapping(latents.z, latents.labels).mean(dim=0)
    generator.mapping.get_buffer("w_avg").copy_(total / batches)
    return batches * _AVERAGE_BATCH
