"""Linear CKA by the unbiased estimator."""

import pytest
import torch
from torch import Tensor

from squeezespan.evaluation.cka import bootstrap_cka, cka, pairs, unbiased_hsic
from squeezespan.randomness import derive_seed


def textbook_hsic(x: Tensor, y: Tensor) -> Tensor:
    """HSIC_1 of Song et al. 2012, equation 5, term by term."""
    n = len(x)
    k = (x @ x.T).fill_diagonal_(0)
    m = (y @ y.T).fill_diagonal_(0)
    one = torch.ones(n, dtype=x.dtype)
    terms = (
        (k @ m).trace()
        + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ m @ one)
    )
    return terms / (n * (n - 3))


def biased_cka(x: Tensor, y: Tensor) -> Tensor:
    """Kornblith et al. 2019, with the cross-covariance of centred features."""
    x, y = x - x.mean(0), y - y.mean(0)
    cross, own = (y.T @ x).square().sum(), (x.T @ x).square().sum() * (y.T @ y).square().sum()
    return cross / own.sqrt()


def related(n: int, seed: int = 0) -> list[Tensor]:
    """Three layers that share some directions, with means far from 0."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(n, 6, generator=generator, dtype=torch.float64)
    mixes = (torch.randn(6, width, generator=generator).double() for width in (5, 30, 8))
    return [
        3 * number + hidden @ mix + torch.randn(n, mix.shape[1], generator=generator).double()
        for number, mix in enumerate(mixes)
    ]


def test_hsic_is_the_textbooks_on_full_data() -> None:
    features = related(40)
    hsic = unbiased_hsic(features)
    for row, x in enumerate(features):
        for column, y in enumerate(features):
            assert hsic[row, column] == pytest.approx(float(textbook_hsic(x, y)), rel=1e-9)


def test_cka_is_the_textbooks_on_full_data() -> None:
    first, second, _ = features = related(40)
    own = textbook_hsic(first, first) * textbook_hsic(second, second)
    expected = float(textbook_hsic(first, second) / own.sqrt())
    assert float(cka(unbiased_hsic(features)[None])[0, 1]) == pytest.approx(expected, rel=1e-9)


def test_many_images_bring_both_estimators_together() -> None:
    features = related(1200)
    found = cka(unbiased_hsic(features)[None])
    for row, column in ((0, 1), (0, 2), (1, 2)):
        expected = float(biased_cka(features[row], features[column]))
        assert float(found[row, column]) == pytest.approx(expected, abs=0.03)


def test_batches_of_any_size_estimate_the_same() -> None:
    features = related(1200)
    whole = cka(unbiased_hsic(features)[None])
    for size in (8, 50):
        parts = zip(*(torch.split(x, size) for x in features), strict=True)
        batched = cka(torch.stack([unbiased_hsic(part) for part in parts]))
        assert torch.allclose(batched, whole, atol=0.05)


def test_unrelated_layers_have_none_however_wide_they_are() -> None:
    generator = torch.Generator().manual_seed(0)
    features = [torch.randn(100, 500, generator=generator) for _ in range(2)]
    assert abs(float(cka(unbiased_hsic(features)[None])[0, 1])) < 0.05
    assert float(biased_cka(*features)) > 0.5


def test_rotation_scale_and_shift_change_nothing() -> None:
    (x, y, _) = related(60)
    rotation, _ = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))
    found = cka(unbiased_hsic([x, 1e-4 * (x @ rotation) + 1, y])[None])
    assert float(found[0, 1]) == pytest.approx(1.0)
    assert float(found[0, 2]) == pytest.approx(float(found[1, 2]))


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e5)])
def test_a_layer_of_any_size_and_far_from_0_keeps_its_similarity(
    scale: float, shift: float
) -> None:
    (x, y, _) = related(40)
    found = cka(unbiased_hsic([x, scale * y + shift])[None])
    expected = cka(unbiased_hsic([x, y])[None])
    assert float(found[0, 1]) == pytest.approx(float(expected[0, 1]), rel=1e-8)


def test_a_constant_layer_has_no_similarity() -> None:
    constant = torch.rand(1, 7, generator=torch.Generator().manual_seed(0)).expand(40, 7)
    found = cka(torch.stack([unbiased_hsic([x, constant]) for x in related(40)]))
    assert found[0, 0] == 1
    assert found[:, 1].isnan().all()


def test_an_interval_of_the_bootstrap_holds_the_true_value_as_often_as_it_says() -> None:
    features = related(1200)[:2]
    true = float(cka(unbiased_hsic(features)[None])[0, 1])
    mixing = torch.Generator().manual_seed(1)
    held = 0
    for trial in range(30):
        chosen = torch.randperm(1200, generator=mixing)[:240]
        parts = zip(*(torch.split(x[chosen], 10) for x in features), strict=True)
        hsics = torch.stack([unbiased_hsic(part) for part in parts])
        draws = bootstrap_cka(hsics, 200, seed=trial)[:, 0, 1]
        low, high = draws.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        held += low <= true <= high
    assert held >= 24


def test_a_draw_of_the_bootstrap_is_the_cka_of_its_batches() -> None:
    hsics = torch.stack([unbiased_hsic(related(10, seed)) for seed in range(6)])
    generator = torch.Generator().manual_seed(derive_seed(3, "bootstrap-cka"))
    drawn = torch.randint(6, (4, 6), generator=generator)
    expected = torch.stack([cka(hsics[batches]) for batches in drawn])
    torch.testing.assert_close(bootstrap_cka(hsics, 4, seed=3), expected)


def test_the_bootstrap_depends_on_its_seed_alone() -> None:
    hsics = torch.stack([unbiased_hsic(related(10, seed)) for seed in range(6)])
    first, again, other = (bootstrap_cka(hsics, 5, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_every_pair_is_counted_once() -> None:
    rows, columns = pairs([2, 5, 7])
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(2, 5), (2, 7), (5, 7)}


def test_four_images_are_enough_and_three_are_too_few() -> None:
    first, second, _ = features = related(4)
    expected = float(textbook_hsic(first, second))
    assert unbiased_hsic(features)[0, 1] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="needs 4 images, not 3"):
        unbiased_hsic(related(3))
