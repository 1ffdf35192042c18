"""Figure 4 of the paper: what a better generator is worth."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Experiment

__all__ = ["FIG4"]

FIG4 = Experiment(
    "fig4",
    "Accuracy over the generator's score (the paper's Fig. 4)",
    "The same data with several generators, such as snapshots of one training: "
    "--data young=SPEC old=SPEC --gan YOUNG OLD. The paper (CIFAR-100, 800 epochs, FID 87.51 to "
    "4.13): squeeze and span rises from 62.08 to 67.86; VICReg on real images has 63.31.",
    (
        arms.SQUEEZE_SPAN,
        arms.SQUEEZE_SPAN_STANDARDIZED,
        arms.SQUEEZE_STANDARDIZED,
        arms.VICREG_MIXED,
        arms.VICREG_REAL,
    ),
    by_teacher=True,
)
