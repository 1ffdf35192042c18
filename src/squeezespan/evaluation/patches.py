"""The bag of features: what a backbone says of the patches of an image, averaged."""

from torch import Tensor, nn

from squeezespan.data.crop import draw_boxes, resized_crop
from squeezespan.randomness import StepRandom

__all__ = ["BagOfPatches"]

_QUARTER = (0.25, 0.25)
_SQUARE = (1.0, 1.0)


class BagOfPatches(nn.Module):
    """Averages features over square patches of a quarter of an image, enlarged to its size.

    EMP-SSL (arXiv 2304.03977) is judged so, since its students are shown patches alone. Its authors
    draw patches anew for every image, with the colours of training; here they are drawn once and
    have the image's own.

    Args:
        backbone: from images, float [B, 3, R, R] in [0, 1], to features [B, D].
        patches: of an image, at least 1.
        seed: draws their places.
    """

    def __init__(self, backbone: nn.Module, patches: int, seed: int) -> None:
        super().__init__()
        self.backbone = backbone
        self._patches = patches
        self._seed = seed

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Args:
            images: uint8, or float in [0, 1], [B, 3, R, R].

        Returns:
            Float [B, D].
        """
        side = images.shape[-1]
        random = StepRandom(self._seed, stream="bag-of-patches")
        boxes = draw_boxes(self._patches, side, side, random, scale=_QUARTER, ratio=_SQUARE)
        # One at a time, so that memory doesn't grow with their number.
        total = sum(self._features(images, box) for box in boxes)
        assert isinstance(total, Tensor)
        return total / len(boxes)

    def _features(self, images: Tensor, box: Tensor) -> Tensor:
        patch = resized_crop(images, box.expand(len(images), 4), images.shape[-1])
        features: Tensor = self.backbone(patch)
        return features.float()
