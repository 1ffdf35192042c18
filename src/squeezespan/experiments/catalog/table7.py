"""Table 7 of the appendix: squeeze from generators of several architectures."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Experiment, TeacherClaim

__all__ = ["TABLE7"]

TABLE7 = Experiment(
    "table7",
    "Generators of several architectures (Table 7 of the appendix)",
    "Squeeze from every generator, each beside its score; one data set under the generators' "
    "names: --data stylegan2=SPEC biggan=SPEC --gan STYLEGAN2 BIGGAN. Claims are of those called "
    "stylegan2, stylegan2-conditional and stylegan-xl. The paper, on CIFAR-10: "
    "StyleGAN2-ADA unconditional 87.67 (FID 2.92) and conditional 88.90 (2.42), AutoGAN 76.28 "
    "(12.42), StyleGAN-XL 84.97 (1.85), BigGAN-DiffAugment-cr 86.41 (8.49).",
    (arms.SQUEEZE, arms.SQUEEZE_STANDARDIZED),
    teacher_claims=(
        TeacherClaim(
            "A generator that knows classes is the better teacher",
            arms.SQUEEZE.key,
            "cifar10 +1.23 (FID 2.42 and 2.92)",
            better="stylegan2-conditional",
            than="stylegan2",
        ),
        TeacherClaim(
            "The generator with the best score isn't the best teacher: StyleGAN-XL's student is "
            "below StyleGAN2's",
            arms.SQUEEZE.key,
            "cifar10 +2.70 (FID 2.92 and 1.85)",
            better="stylegan2",
            than="stylegan-xl",
        ),
    ),
    by_teacher=True,
)
