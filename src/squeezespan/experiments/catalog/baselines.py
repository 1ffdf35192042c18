"""Squeeze and Span beside self-supervised learning as its field tunes it today, in equal passes."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Claim, Experiment

__all__ = ["BASELINES"]

# Their batches are larger than the others', or an image costs more: so many steps are as many
# passes as VICReg's 3,500.
_VICREG = Arm(
    "vicreg-strong",
    "VICReg, tuned by solo-learn",
    "vicreg-strong-mini",
    "vicreg-strong-{data}",
    steps=1750,
)
_SIMSIAM = Arm(
    "simsiam-strong",
    "SimSiam, tuned by solo-learn",
    "simsiam-strong-mini",
    "simsiam-strong-{data}",
    steps=1750,
)
_EMP_SSL = Arm("emp-ssl", "EMP-SSL, 20 patches", "emp-ssl-mini", "emp-ssl-{data}", steps=448)
_OURS = arms.SQUEEZE_SPAN_STANDARDIZED

BASELINES = Experiment(
    "baselines",
    "Squeeze and Span beside strong baselines",
    "VICReg and SimSiam with the settings that solo-learn publishes, and EMP-SSL with those of its "
    "authors, on real images alone; at the scale mini in equal passes through the student (a patch "
    "is one), at the scale paper for as long as each is published. All are judged by whole images, "
    "also EMP-SSL, whose students have seen quarters of images alone and whose authors judge by "
    "patches, as `probe --patches` does.",
    (
        arms.VICREG_REAL,
        _VICREG,
        _SIMSIAM,
        _EMP_SSL,
        arms.SQUEEZE_SPAN,
        _OURS,
    ),
    protocols=("logistic", "knn", "linear"),
    budget="passes",
    claims=(
        *(
            Claim(f"Squeeze and Span is above {other.title}", _OURS.key, other.key)
            for other in (arms.VICREG_REAL, _VICREG, _SIMSIAM, _EMP_SSL)
        ),
        Claim(
            "With the paper's target it is above VICReg, tuned by solo-learn",
            arms.SQUEEZE_SPAN.key,
            _VICREG.key,
        ),
        Claim("Tuning adds to VICReg", _VICREG.key, arms.VICREG_REAL.key),
    ),
)
