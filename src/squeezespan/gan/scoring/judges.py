"""Feature networks for scores by what users call them."""

from pathlib import Path

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.gan.scoring.features import EfficientNetLite0, FeatureExtractor, MetricNames
from squeezespan.models.checksum import weights_sha256
from squeezespan.models.discriminators import DISCRIMINATORS
from squeezespan.models.student_file import load_backbone

__all__ = ["EFFICIENTNET", "StudentFeatures", "open_judges"]

EFFICIENTNET = "efficientnet-lite0"


class StudentFeatures(FeatureExtractor):
    """The features of a student, such as one trained by VICReg: a judge that saw no labels.

    Args:
        run: its run folder or file, as `load_backbone` takes it.

    Raises:
        UserError: no such student, or a damaged one.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self.backbone = load_backbone(run)
        self.key = f"student-{weights_sha256(self.backbone.network.state_dict())[:16]}"
        self.num_features = self.backbone.num_features
        name = Path(run).stem if Path(run).suffix else Path(run).name
        self.names = MetricNames(
            title=f"Frechet distance ({name})",
            frechet=f"frechet_{name}",
            kernel=f"kernel_{name}",
            precision=f"precision_{name}",
            recall=f"recall_{name}",
        )
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Compute features; see `FeatureExtractor.forward`."""
        found: Tensor = self.backbone(images)
        return found.float()


def open_judges(names: tuple[str, ...]) -> list[FeatureExtractor]:
    """Open the networks that score snapshots.

    Args:
        names: each `efficientnet-lite0` or a student's run folder or file.

    Raises:
        UserError: none is named, one is not usable, or two would have one name.
    """
    if not names:
        raise UserError("scores need a judge: --monitor.judges efficientnet-lite0, or a student")
    for name in names:
        if name.startswith(tuple(DISCRIMINATORS)):
            raise UserError(
                f"{name} can't judge a GAN; --monitor.judges takes {EFFICIENTNET} and students"
            )
    judges: list[FeatureExtractor] = [
        EfficientNetLite0() if x == EFFICIENTNET else StudentFeatures(x) for x in names
    ]
    titles = [judge.names.title for judge in judges]
    if len(set(titles)) < len(titles):
        raise UserError(f"two judges of --monitor.judges have one name: {', '.join(names)}")
    return judges
