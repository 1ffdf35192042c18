"""A backbone with its classifier: one network to train."""

import torch
from torch import Tensor, nn

from squeezespan.evaluation.logistic import LinearClassifier, Standardizer
from squeezespan.models.student_file import Backbone

__all__ = ["Classifier"]

_NEVER = -1e4
"""In the place of -inf, the score of a class without labelled images, which can't be saved."""


class Classifier(nn.Module):
    """Standardized features of a backbone and a linear layer on them.

    Args:
        backbone: takes uint8, or float in [0, 1], [B, 3, R, R]; it is trained in place.
        standardize: measured on the features that the backbone begins with.
        classes: number of classes.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, backbone: Backbone, standardize: Standardizer, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", standardize.mean.clone())
        self.register_buffer("scale", standardize.scale.clone())
        self.layer = nn.Linear(backbone.num_features, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Give scores float32 [B, classes] of images."""
        return self.scores(self.backbone(images).float())

    def scores(self, features: Tensor) -> Tensor:
        """Give scores float32 [B, classes] of features [B, D], in float32 under autocast too."""
        with torch.autocast(features.device.type, enabled=False):
            scores: Tensor = self.layer((features - self.mean) * self.scale)
        return scores

    def set_layer(self, fitted: LinearClassifier) -> None:
        """Begin with a classifier of standardized features."""
        with torch.no_grad():
            self.layer.weight.copy_(fitted.weight)
            self.layer.bias.copy_(fitted.bias.clamp(min=_NEVER))

    def folded(self) -> LinearClassifier:
        """Give the classifier of features as the backbone gives them, on the CPU."""
        weight = (self.layer.weight * self.scale).detach()
        bias = (self.layer.bias - weight @ self.mean).detach()
        return LinearClassifier(weight.cpu(), bias.cpu())
