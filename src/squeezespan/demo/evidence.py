"""What the demo's page shows beside figures."""

from collections.abc import Mapping

from torch import Tensor

from squeezespan.config import DistillConfig
from squeezespan.demo.evaluation import Examiner, Outcome
from squeezespan.demo.knowledge import look_at_generated
from squeezespan.experiments.catalog.demo import DEMO, RANDOM
from squeezespan.generators.base import Generator
from squeezespan.models.student_file import Backbone
from squeezespan.reports.demo import Evidence

__all__ = ["NAMER", "SHOWN", "gather_evidence"]

SHOWN = DEMO.arm("squeeze-span")
"""Stands beside the untrained student in maps and pictures."""
NAMER = DEMO.arm("vicreg-real")
"""Names the classes of generated images, because it has learnt nothing from the generator."""


def gather_evidence(
    config: DistillConfig,
    generator: Generator,
    examiner: Examiner,
    outcomes: Mapping[str, Outcome],
    students: Mapping[str, Backbone],
) -> Evidence:
    """Ask generator and students once more, for the pictures.

    Args:
        config: of `SHOWN`'s run.
        generator: the demo's.
        examiner: whose images the test was on.
        outcomes: key of a row to what its test said.
        students: of `SHOWN` and of `NAMER`, by key.
    """
    titled = {arm.title: students[arm.key] for arm in (SHOWN, NAMER)}
    known = outcomes[NAMER.key].features
    return Evidence(
        config=config,
        generator=generator,
        train=examiner.train,
        test=examiner.test,
        features={arm.title: _features(outcomes[arm.key]) for arm in (RANDOM, SHOWN)},
        knowledge=look_at_generated(generator, titled, NAMER.title, known),
    )


def _features(outcome: Outcome) -> tuple[Tensor, Tensor]:
    return outcome.features.train_x.cpu(), outcome.features.test_x.cpu()
