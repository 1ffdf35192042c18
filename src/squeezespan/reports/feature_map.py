"""Features of many dimensions laid out on a plane."""

from torch import Tensor, from_numpy
from torch.nn import functional as F

__all__ = ["feature_map"]

_COMPONENTS = 50


def feature_map(features: Tensor, seed: int = 0) -> Tensor:
    """Lay features out so that near neighbours stay near: PCA, then t-SNE.

    Features are brought to unit length first, so that distances are those of the cosine that the
    kNN evaluation uses (t-SNE: van der Maaten and Hinton 2008).

    Args:
        features: float [N, D], N at least 5.
        seed: of the PCA's solver and of t-SNE.

    Returns:
        float32 [N, 2]; directions and scale mean nothing.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    unit = F.normalize(features.float().cpu(), dim=1).numpy()
    components = min(_COMPONENTS, *unit.shape)
    reduced = PCA(components, random_state=seed).fit_transform(unit)
    perplexity = min(30.0, (len(unit) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", max_iter=750, random_state=seed)
    return from_numpy(tsne.fit_transform(reduced)).float()
