"""The projected discriminator and its training beside the published code's numbers.

`projected_gan.npz` was written by `tools/references/draw_projected.py`, which runs that code.
"""

import pytest
from gan import formula
from gan.projected_comparison import judgement_errors, read_published, step_errors
from torch import Tensor

TOLERANCE = 1e-4
STEPS_TOLERANCE = 5e-4
"""A step enlarges rounding: weights that differ by 1e-7 of themselves give losses that differ by
1e-4 of themselves after one."""


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    return read_published()


@pytest.mark.parametrize("name", formula.JUDGED)
def test_judgements_are_the_published_ones(name: str, published: dict[str, Tensor]) -> None:
    errors = judgement_errors(name, published)
    assert max(errors.values()) < TOLERANCE, errors


@pytest.mark.parametrize("name", formula.CASES)
def test_steps_are_the_published_ones(name: str, published: dict[str, Tensor]) -> None:
    errors = step_errors(name, published)
    assert max(errors.values()) < STEPS_TOLERANCE, errors
