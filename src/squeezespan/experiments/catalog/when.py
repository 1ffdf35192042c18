"""When a GAN pays: how many real images there are, how many labels, and how good the GAN is."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Changes, Claim, Experiment

__all__ = ["WHEN"]

_IMAGES = (500, 2_000, 10_000)
_RISE = 45_000
"""Images in which the learning rate rises, whatever an epoch is: one pass over CIFAR-10."""


def _few(method: Arm, images: int) -> Arm:
    changes: Changes = {
        "images": {"limit": images},
        # Epochs are short here, and more than enough; the steps end the run.
        "train": {"epochs": 1_000_000},
        "optim": {"warmup_epochs": _RISE / images},
        "monitor": {"knn_every": 0},
    }
    title = f"{method.title}, {images:,} real images"
    return Arm(f"{method.key}-{images}", title, method.mini, method.paper, changes)


WHEN = Experiment(
    "when",
    "When a GAN pays",
    "Squeeze and Span beside VICReg, with few real images to learn from and with all, in equal "
    "time. The GAN is the same throughout: one that somebody has trained, on more images than "
    "these. Give it in several states (--data early=SPEC late=SPEC --gan EARLY LATE) to see what "
    "its quality is worth.",
    (
        *(
            arm
            for images in _IMAGES
            for arm in (
                _few(arms.SQUEEZE_SPAN_STANDARDIZED, images),
                _few(arms.VICREG_REAL, images),
            )
        ),
        arms.SQUEEZE_STANDARDIZED,
        arms.SQUEEZE_SPAN_STANDARDIZED,
        arms.VICREG_REAL,
    ),
    protocols=("logistic", "fewshot", "knn"),
    budget="time",
    claims=(
        *(
            Claim(
                f"With {images:,} real images Squeeze and Span is above VICReg",
                f"{arms.SQUEEZE_SPAN_STANDARDIZED.key}-{images}",
                f"{arms.VICREG_REAL.key}-{images}",
            )
            for images in _IMAGES
        ),
        Claim(
            "With all real images it is",
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
            arms.VICREG_REAL.key,
        ),
        Claim(
            "Without a real image it is",
            arms.SQUEEZE_STANDARDIZED.key,
            arms.VICREG_REAL.key,
        ),
    ),
    scales=("mini",),
)
