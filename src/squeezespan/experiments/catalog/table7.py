"""Table 7 of the appendix: squeeze from generators of several architectures."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Experiment

__all__ = ["TABLE7"]

TABLE7 = Experiment(
    "table7",
    "Generators of several architectures (Table 7 of the appendix)",
    "Squeeze from every generator, each beside its score; one data set under the generators' "
    "names: --data stylegan2=SPEC biggan=SPEC --gan STYLEGAN2 BIGGAN. The paper, on CIFAR-10: "
    "StyleGAN2-ADA unconditional 87.67 (FID 2.92) and conditional 88.90 (2.42), AutoGAN 76.28 "
    "(12.42), StyleGAN-XL 84.97 (1.85), BigGAN-DiffAugment-cr 86.41 (8.49).",
    (arms.SQUEEZE, arms.SQUEEZE_STANDARDIZED),
    by_teacher=True,
)
