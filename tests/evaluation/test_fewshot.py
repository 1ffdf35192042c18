"""The few-label protocol."""

import pytest
import torch

from squeezespan.errors import UserError
from squeezespan.evaluation.fewshot import draw_shots, fewshot_hits

LABELS = torch.tensor([0] * 30 + [1] * 12 + [2] * 50)


def test_every_class_gives_its_shots_and_draws_differ() -> None:
    shots = draw_shots(LABELS, 4, seed=0)
    assert LABELS[shots].bincount().tolist() == [4, 4, 4]
    assert len(set(shots.tolist())) == 12
    assert shots.equal(draw_shots(LABELS, 4, seed=0))
    assert not shots.equal(draw_shots(LABELS, 4, seed=1))


def test_separable_classes_need_one_label_each() -> None:
    random = torch.Generator().manual_seed(0)
    x = 20 * torch.eye(3)[LABELS] + torch.randn(len(LABELS), 3, generator=random)
    options = {"classes": 3, "per_class": 1, "draws": 3}
    hits = fewshot_hits(x, LABELS, x, LABELS, **options)
    assert [right.all().item() for right in hits] == [True, True, True]


def test_more_shots_than_images() -> None:
    with pytest.raises(UserError, match=r"class 1 has 12 train images.*--shots"):
        draw_shots(LABELS, 13, seed=0)
