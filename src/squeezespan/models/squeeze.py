"""The squeeze module T, which learns a compact target from what a generator knows of its image."""

from collections.abc import Mapping

from torch import Tensor, nn

from squeezespan.models.projectors import hidden_layers

__all__ = ["Squeeze"]


class Squeeze(nn.Module):
    """Squeeze pooled block features, or a latent, into one embedding (arXiv 2211.03000).

    Every input goes through a linear layer of its own; the sum goes through a multi-layer
    perceptron. Parameter names are those of the authors' released module.

    Args:
        widths: name of an input (a block, or `w`) to its number of channels.
        hidden_dim: width throughout.
        out_dim: width of the embedding.
        layers: linear layers of the perceptron, at least 1: [Linear without bias, batch norm,
            ReLU] x (layers - 1), then Linear with bias.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        hidden_dim: int = 2048,
        out_dim: int = 2048,
        layers: int = 3,
    ) -> None:
        super().__init__()
        self._laterals = {name: f"lateral{i}" for i, name in enumerate(widths)}
        for name, module_name in self._laterals.items():
            self.add_module(module_name, nn.Linear(widths[name], hidden_dim))
        self.to_repr = nn.Sequential(
            *hidden_layers(hidden_dim, layers - 1), nn.Linear(hidden_dim, out_dim)
        )

    def forward(self, source: Mapping[str, Tensor]) -> Tensor:
        """Squeeze one batch.

        Args:
            source: name to pooled features, float [B, C]; the names given at construction.

        Returns:
            embedding, float [B, out_dim].
        """
        laterals = [
            self.get_submodule(module_name)(source[name])
            for name, module_name in self._laterals.items()
        ]
        embedding: Tensor = self.to_repr(sum(laterals[1:], laterals[0]))
        return embedding
