"""What is watched for a collapse while a student is trained."""

from squeezespan.runs.health import CollapseWatch

__all__ = ["student_watch", "target_watch"]


def student_watch() -> CollapseWatch:
    """Watch the student's embedding."""
    return CollapseWatch(
        "embedding_std",
        "collapsed",
        0.02,
        5,
        "the student has collapsed: by step {step} it gives nearly the same embedding to every "
        "image (standard deviation {std:.1e}). What it learns now is worth nothing; raise "
        "--method.variance, lower --optim.base-lr, or turn augmentation on.",
    )


def target_watch() -> CollapseWatch:
    """Watch what the squeeze module makes of the generator's features.

    It learns to be predictable, too, and can shrink while the student's own embedding looks
    healthy: to 0.07 in results/mini-cifar10/shrinking.
    """
    return CollapseWatch(
        "target_std",
        "target_collapsed",
        0.15,
        5,
        "the squeeze module has shrunk: by step {step} it says nearly the same of every image "
        "(standard deviation {std:.2g}, healthy is 0.3 to 1), so the student has little to learn "
        "from. Use --method.target standardized, or --method.regularize both; in a training of "
        "many epochs it may recover.",
    )
