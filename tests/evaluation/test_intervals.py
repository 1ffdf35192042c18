"""Intervals against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from squeezespan.evaluation.intervals import mean_interval, wilson


@pytest.mark.parametrize(("correct", "total"), [(0, 7), (3, 7), (7, 7), (9254, 10_000)])
def test_wilson_is_scipys(correct: int, total: int) -> None:
    expected = stats.binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert wilson(correct, total) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_mean_interval_is_students_t() -> None:
    values = [0.61, 0.64, 0.58, 0.66]
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert mean_interval(values) == pytest.approx(expected)
