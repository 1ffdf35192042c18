"""The demo: the methods that can be told apart in minutes, in equal time."""

from dataclasses import replace

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Claim, Experiment

__all__ = ["DEMO", "RANDOM"]

# Rate and augmentation are those of each method's best trial in the search of the demo's settings
# (`search.py`), which is as short as the demo; where that is the preset's, nothing is changed.

RANDOM = Arm(
    "random",
    "Random init",
    arms.VICREG_REAL.mini,
    arms.VICREG_REAL.paper,
    about="The student before any training: all others start from exactly these weights.",
)
"""Never trained; the preset says what the student is."""

_SQUEEZE = replace(
    arms.SQUEEZE_STANDARDIZED,
    key="squeeze",
    title="Squeeze",
    about="From a view of a generated image, predict the GAN's own features of it, standardized. "
    "No real image.",
)
_SQUEEZE_SPAN = replace(
    arms.SQUEEZE_SPAN_STANDARDIZED,
    key="squeeze-span",
    title="Squeeze and Span",
    about="Half of the images as in Squeeze, and half real ones as in VICReg.",
    mini_changes={
        "optim": {"base_lr": 0.4},
        "augment": {"crop_scale": [0.2, 1.0], "jitter": 0.8, "grayscale": 0.2, "synthetic": 0.5},
    },
)
_VICREG_REAL = replace(
    arms.VICREG_REAL,
    title="VICReg on real images",
    about="Two views of a real image should get the same embedding. No GAN.",
)
_VICREG_MIXED = replace(
    arms.VICREG_MIXED,
    title="VICReg on real and generated images",
    about="The same, where half of the images come from the GAN; what goes on inside it is not "
    "used.",
    mini_changes={"optim": {"base_lr": 0.4}},
)

DEMO = Experiment(
    "demo",
    "A GAN turned into a backbone",
    "Squeeze and Span beside its baselines on the shipped images, in as many minutes as there are.",
    (_VICREG_REAL, _VICREG_MIXED, _SQUEEZE, _SQUEEZE_SPAN),
    protocols=("knn", "logistic"),
    claims=(
        Claim("Squeeze is above VICReg on real images", _SQUEEZE.key, _VICREG_REAL.key),
        *(
            Claim(f"Squeeze and Span is above {other.title}", _SQUEEZE_SPAN.key, other.key)
            for other in (_VICREG_REAL, _VICREG_MIXED, _SQUEEZE, RANDOM)
        ),
    ),
    budget="time",
    scales=("mini",),
)
