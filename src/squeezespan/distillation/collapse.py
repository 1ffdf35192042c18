"""What is watched for a collapse while a student is trained."""

from squeezespan.config import MethodConfig
from squeezespan.runs.health import CollapseWatch

__all__ = ["watches_of"]

_PATIENCE = 5


def watches_of(method: MethodConfig) -> tuple[CollapseWatch, ...]:
    """Give what watches a training by a method.

    Args:
        method: says what there is to try.
    """
    return _student_watch(method), _target_watch(method)


def _student_watch(method: MethodConfig) -> CollapseWatch:
    """Watch the student's embedding."""
    return CollapseWatch(
        "embedding_std",
        "collapsed",
        0.02,
        _PATIENCE,
        "The student has collapsed: it gives nearly the same embedding to every image. What it "
        "learnt is worth nothing.",
        "the student has collapsed: by step {step} it gives nearly the same embedding to every "
        "image (standard deviation {std:.1e}). What it learns now is worth nothing; "
        f"{_raise_what(method)}lower --optim.base-lr, or turn augmentation on.",
    )


def _target_watch(method: MethodConfig) -> CollapseWatch:
    """Watch what the squeeze module makes of the generator's features.

    It learns to be predictable, too, and can shrink while the student's own embedding looks
    healthy: to 0.07 in results/mini-cifar10/shrinking.
    """
    if method.variance < method.invariance:
        advice = "Raise --method.variance, or use --method.target standardized"
    elif method.regularize == "student":
        advice = "Use --method.target standardized, or --method.regularize both"
    else:
        advice = "Use --method.target standardized"
    return CollapseWatch(
        "target_std",
        "target_collapsed",
        0.15,
        _PATIENCE,
        "The squeeze module has shrunk: it says nearly the same of every generated image, so the "
        "student had little to learn from.",
        "the squeeze module has shrunk: by step {step} it says nearly the same of every image "
        "(standard deviation {std:.2g}, healthy is 0.3 to 1), so the student has little to learn "
        f"from. {advice}; in a training of many epochs it may recover.",
    )


def _raise_what(method: MethodConfig) -> str:
    """Name the weight that holds the embeddings of different images apart, if one does."""
    if method.name == "emp-ssl":
        return "raise --method.coding-rate, "
    regressed_only = method.alpha == 1 and method.target != "squeeze"
    if method.name == "vicreg" or (method.name == "squeeze-span" and not regressed_only):
        return "raise --method.variance, "
    return ""
