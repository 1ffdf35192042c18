"""The two terms of EMP-SSL: patches of an image agree, images fill the space.

Embeddings are of unit length, [n, N, D]: n patches of each of N images, of any floating dtype;
terms are float32 scalars (float64 for float64 embeddings). With several processes, give them the
global batch, see `losses.gather`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from squeezespan.losses.precision import outside_autocast

__all__ = ["coding_rate", "patch_similarity"]


@outside_autocast
def patch_similarity(z: Tensor) -> Tensor:
    """Mean cosine of the patches' embeddings with the mean embedding of their image.

    Source: EMP-SSL (arXiv 2304.03977), Section 3. Gradients also reach the mean.

    Args:
        z: embeddings [n, N, D].

    Returns:
        scalar in [-1, 1].
    """
    return F.cosine_similarity(z, z.mean(dim=0), dim=-1).mean()


@outside_autocast
def coding_rate(z: Tensor, *, eps: float) -> Tensor:
    """Total coding rate of each patch's batch, averaged over the patches.

    Source: EMP-SSL (arXiv 2304.03977), Section 3, after Ma et al. 2007.

    Args:
        z: embeddings [n, N, D].
        eps: squared distortion, above 0.

    Returns:
        mean of log det(I + D / (N eps) Z^T Z) / 2, natural logarithm; scalar, at least 0.
    """
    n, dims = z.shape[-2:]
    # Z^T Z and Z Z^T give the same determinant: the smaller of them is the cheaper one.
    product = z @ z.mT if n < dims else z.mT @ z
    matrix = torch.eye(len(product[0]), device=z.device) + product * (dims / (n * eps))
    # Not checked, which would wait for the device; what is not finite gives a loss that isn't.
    root: Tensor = torch.linalg.cholesky_ex(matrix)[0]
    return root.diagonal(dim1=-2, dim2=-1).log().sum(-1).mean()
