"""The loss of SimSiam."""

from torch import Tensor
from torch.nn import functional as F

from squeezespan.losses.precision import outside_autocast

__all__ = ["negative_cosine"]


@outside_autocast
def negative_cosine(p: Tensor, z: Tensor) -> Tensor:
    """Negative mean cosine similarity of predictions with targets that get no gradient.

    Source: SimSiam (arXiv 2011.10566), Equations 1 and 3.

    Args:
        p: predictions [N, D], any floating dtype.
        z: targets [N, D], any floating dtype; detached here.

    Returns:
        float32 scalar in [-1, 1] (float64 for float64 embeddings).
    """
    return -F.cosine_similarity(p, z.detach(), dim=1).mean()
