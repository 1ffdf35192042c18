"""What the demo says about differences."""

import torch

from squeezespan.demo.comparison import compare_rows, compared_in_words
from squeezespan.demo.evaluation import Outcome

_TITLES = {"squeeze-span": "Ours", "vicreg-real": "VICReg", "random": "Random"}


def outcome(knn: int, logistic: int) -> Outcome:
    hits = {
        name: torch.arange(1000) < right for name, right in (("knn", knn), ("logistic", logistic))
    }
    return Outcome(torch.zeros(1, 1), torch.zeros(1, 1), hits, 0.0)


def test_only_clear_differences_are_claimed() -> None:
    outcomes = {"vicreg-real": outcome(400, 500), "squeeze-span": outcome(450, 502)}
    (comparison,) = compare_rows(outcomes)
    assert compared_in_words(comparison, _TITLES).startswith(
        "Ours beside VICReg: kNN +5.0 points (+3.6 to +6.4): higher; logistic regression "
        "+0.2 points (-0.1 to +0.5): not clearly different"
    )


def test_a_lower_figure_is_said_to_be_lower() -> None:
    outcomes = {"vicreg-real": outcome(450, 500), "squeeze-span": outcome(400, 400)}
    (comparison,) = compare_rows(outcomes)
    assert compared_in_words(comparison, _TITLES).count("lower") == 2


def test_rows_that_were_left_out_are_not_compared() -> None:
    outcomes = {"random": outcome(1, 1), "squeeze-span": outcome(2, 2)}
    assert [one["against"] for one in compare_rows(outcomes)] == ["random"]
