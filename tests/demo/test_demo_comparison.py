"""What the demo says about differences."""

import torch

from squeezespan.demo.comparison import compare_rows, compared_in_words
from squeezespan.demo.evaluation import Outcome
from squeezespan.evaluation.hits import pack_hits
from squeezespan.evaluation.protocols import FeatureSplit

_TITLES = {"squeeze-span": "Ours", "vicreg-real": "VICReg", "random": "Random"}


def outcome(knn: int, logistic: int) -> Outcome:
    """An outcome of 1000 images, of which the first so many are right."""
    none = torch.zeros(0, 1)
    labels = torch.zeros(1000, dtype=torch.int64)
    return Outcome(
        FeatureSplit(none, labels[:0], none, labels, 10),
        {
            "knn": {"hits": pack_hits(torch.arange(1000) < knn)},
            "logistic": {"hits": pack_hits(torch.arange(1000) < logistic)},
        },
        0.0,
        0.0,
    )


def test_only_clear_differences_are_claimed() -> None:
    outcomes = {"vicreg-real": outcome(400, 500), "squeeze-span": outcome(450, 502)}
    (comparison,) = compare_rows(outcomes, seed=0)
    assert compared_in_words(comparison, _TITLES).startswith(
        "Ours beside VICReg: kNN +5.0 points (+3.6 to +6.4): higher; logistic regression "
        "+0.2 points (-0.1 to +0.5): not clearly different"
    )


def test_a_lower_figure_is_said_to_be_lower() -> None:
    outcomes = {"vicreg-real": outcome(450, 500), "squeeze-span": outcome(400, 400)}
    (comparison,) = compare_rows(outcomes, seed=0)
    assert compared_in_words(comparison, _TITLES).count("lower") == 2


def test_rows_that_were_left_out_are_not_compared() -> None:
    outcomes = {"random": outcome(1, 1), "squeeze-span": outcome(2, 2)}
    assert [one["against"] for one in compare_rows(outcomes, seed=0)] == ["random"]
