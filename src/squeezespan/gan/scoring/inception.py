"""The Inception features of true FID and KID, through torch-fidelity, from a local file."""

from pathlib import Path

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.gan.scoring.features import FeatureExtractor, MetricNames

__all__ = ["INCEPTION_FILE", "InceptionV3", "find_inception_weights"]

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"


def find_inception_weights(path: Path | None) -> Path:
    """Find the Inception weights without downloading anything.

    Args:
        path: the file; None looks in torch hub's cache folder.

    Raises:
        UserError: there is no such file.
    """
    found = path if path is not None else Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
    if not found.is_file():
        raise UserError(
            f"FID needs the Inception weights {INCEPTION_FILE} of torch-fidelity, which are not at "
            f"{found}: give the file with --inception-weights, or leave out --metric fid"
        )
    return found


class InceptionV3(FeatureExtractor):
    """Pooled features of the 2015 Inception network, 2048 numbers an image, as FID defines them.

    Args:
        weights: torch-fidelity's weights file.

    Raises:
        UserError: torch-fidelity is missing, or the file doesn't hold these weights.
    """

    num_features = 2048
    names = MetricNames(
        title="FID", frechet="fid", kernel="kid", precision="precision", recall="recall"
    )

    def __init__(self, weights: Path) -> None:
        super().__init__()
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise UserError(
                "FID needs torch-fidelity, which is not installed: pip install 'squeezespan[score]'"
            ) from error
        self.key = f"inception-2015-{_check(weights)}"
        try:
            self.network = FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights)
            )
        except RuntimeError as error:
            raise UserError(
                f"{weights} doesn't hold torch-fidelity's Inception weights: give {INCEPTION_FILE}"
            ) from error

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Compute features; see `FeatureExtractor.forward`."""
        features: Tensor = self.network(images)[0]
        return features


def _check(weights: Path) -> str:
    """Read the file with the restricted reader first: torch-fidelity would unpickle anything."""
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        first = state["Conv2d_1a_3x3.conv.weight"]
    except Exception as error:
        raise UserError(
            f"{weights} is not a file of Inception weights: give {INCEPTION_FILE}"
        ) from error
    return f"{float(first.double().abs().sum()):.6f}"
