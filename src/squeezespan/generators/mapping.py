"""The mapping network of the StyleGAN families, and truncation of its w (Karras et al. 2019)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.base import Generator, Latents
from squeezespan.generators.layers import FullyConnected, normalize_second_moment

__all__ = ["MappedGenerator", "Mapping"]


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
            layer = FullyConnected(widths[i], widths[i + 1], activation="lrelu", lr_multiplier=0.01)
            self.add_module(f"fc{i}", layer)
        if w_avg_beta is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor | None, labels: Tensor | None, track: bool = False) -> Tensor:
        """Map z [B, z_dim] and class indices [B] to w [B, w_dim], float32.

        Args:
            z: latent, or None where the network was made without.
            labels: class indices, None for an unconditional network.
            track: update the running average of w (while a GAN is trained).
        """
        parts = [] if z is None else [normalize_second_moment(z.float())]
        if labels is not None:
            one_hot = F.one_hot(labels, self.num_classes).float()
            parts.append(normalize_second_moment(self.embed(one_hot)))
        w = torch.cat(parts, dim=1)
        for i in range(self.layers):
            w = self.get_submodule(f"fc{i}")(w)
        if track and self.w_avg_beta is not None:
            average = w.detach().mean(dim=0)
            self.w_avg.copy_(average.lerp(self.w_avg, self.w_avg_beta))
        return w


class MappedGenerator(Generator):
    """A generator whose mapping network gives one w for all layers."""

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
