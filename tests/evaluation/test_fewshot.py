"""The few-label protocol."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from squeezespan.errors import UserError
from squeezespan.evaluation.fewshot import draw_shots, fewshot_scores
from squeezespan.randomness import derive_seed

LABELS = torch.tensor([0] * 30 + [1] * 12 + [2] * 50)


def test_every_class_gives_its_shots_and_draws_differ() -> None:
    shots = draw_shots(LABELS, 4, seed=0)
    assert LABELS[shots].bincount().tolist() == [4, 4, 4]
    assert len(set(shots.tolist())) == 12
    assert shots.equal(draw_shots(LABELS, 4, seed=0))
    assert not shots.equal(draw_shots(LABELS, 4, seed=1))


def test_shots_of_a_seed_never_change() -> None:
    """Figures that were measured can be measured again."""
    assert draw_shots(LABELS, 2, seed=0).tolist() == [9, 7, 41, 33, 80, 61]


def test_every_image_is_drawn_equally_often() -> None:
    counts = torch.zeros(len(LABELS))
    for seed in range(600):
        counts[draw_shots(LABELS, 4, seed)] += 1
    for label, size in enumerate((30, 12, 50)):
        expected = 600 * 4 / size
        assert (counts[label == LABELS] - expected).abs().max() < 5 * expected**0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_hits_are_scikit_learns_standardized_by_all_of_train(classes: int) -> None:
    """Train has another scale than test, and than the few images that are fitted."""
    random = torch.Generator().manual_seed(3)
    y = torch.arange(90) % classes
    x = torch.randn(90, 8, generator=random) * torch.logspace(-1, 1.5, 8)
    x += 3 * torch.eye(8)[y]
    test_y = torch.arange(300) % classes
    test_x = 0.3 * torch.randn(300, 8, generator=random) + torch.eye(8)[test_y]
    drawn = fewshot_scores(x, y, test_x, classes=classes, per_class=3, draws=4, seed=11)
    ours = [scores.argmax(1) == test_y for scores in drawn]
    by_default = fewshot_scores(x, y, test_x, classes=classes, per_class=3, draws=1)
    zero = fewshot_scores(x, y, test_x, classes=classes, per_class=3, draws=1, seed=0)
    assert torch.equal(by_default[0], zero[0])
    scaler = StandardScaler().fit(x.double().numpy())
    for draw, right in enumerate(ours):
        rows = draw_shots(y, 3, derive_seed(11, draw)).numpy()
        model = LogisticRegression(C=1.0, tol=1e-6, max_iter=1000)
        model.fit(scaler.transform(x.double().numpy())[rows], y.numpy()[rows])
        expected = model.predict(scaler.transform(test_x.double().numpy())) == test_y.numpy()
        assert 0.2 < expected.mean() < 1
        # An image on the very border may fall to either side.
        assert (right.numpy() != expected).sum() <= 1
    assert len({int(right.sum()) for right in ours}) > 1


def test_more_shots_than_images() -> None:
    assert len(draw_shots(LABELS, 12, seed=0)) == 36
    with pytest.raises(UserError, match=r"class 1 has 12 train images.*--shots"):
        draw_shots(LABELS, 13, seed=0)
