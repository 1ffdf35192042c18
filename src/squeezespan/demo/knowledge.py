"""What the generator knows of its own images, beside what students say of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from squeezespan.evaluation.analysis_options import NetworkOptions
from squeezespan.evaluation.knn import knn_predict
from squeezespan.evaluation.logistic import Standardizer
from squeezespan.evaluation.network_features import GENERATOR_FEATURES, of_generated, of_student
from squeezespan.evaluation.networks import Networks
from squeezespan.evaluation.protocols import FeatureSplit
from squeezespan.generators.base import Generator
from squeezespan.models.student_file import Backbone

__all__ = ["GENERATOR", "Knowledge", "look_at_generated"]

GENERATOR = "The generator itself"
_IMAGES = 1000


@dataclass(frozen=True)
class Knowledge:
    """Features of the same generated images, by who gives them."""

    labels: Tensor
    """int64 [N]; the class that each image looks to have."""
    features: Mapping[str, Tensor]
    """float32 [N, D], standardized; the generator's own first."""


def look_at_generated(
    generator: Generator, students: Mapping[str, Backbone], namer: str, known: FeatureSplit
) -> Knowledge:
    """Draw images, and ask the generator and students for their features of them.

    Generated images have no labels; the nearest real ones, by the features of one student, vote on
    the class of each.

    Args:
        generator: on the students' device.
        students: by name; `namer` is left out of the result.
        namer: the student that names the classes; best one that has learnt nothing from the
            generator.
        known: the namer's features of labelled images.
    """
    networks = Networks(NetworkOptions(), generator.device, generator, None, dict(students))
    features, _ = of_generated(networks, _IMAGES)
    named = features[of_student(namer)].to(known.train_x)
    labels = knn_predict(known.train_x, known.train_y, named).cpu()
    shown = {GENERATOR: features[GENERATOR_FEATURES]} | {
        name: features[of_student(name)] for name in students if name != namer
    }
    return Knowledge(labels, {name: Standardizer(x)(x) for name, x in shown.items()})
