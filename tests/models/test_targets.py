"""The targets that are not learnt: their statistics, and what they refuse."""

import pytest
import torch

from squeezespan.errors import UserError
from squeezespan.models.targets import RawTarget, StandardizedTarget

WIDTHS = {"b4": 3, "b8": 2}


def draw(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {name: torch.randn(count, width, generator=random) for name, width in WIDTHS.items()}


def test_raw_features_are_concatenated_in_their_order() -> None:
    source = draw(4)
    expected = torch.cat([source["b4"], source["b8"]], dim=1)
    assert torch.equal(RawTarget()(source), expected)


def test_statistics_are_those_of_all_batches_together() -> None:
    whole = draw(100)
    whole["b4"] = whole["b4"] * 0.01 + 1000
    target = StandardizedTarget(WIDTHS)
    target.measure({name: x[i : i + 30] for name, x in whole.items()} for i in range(0, 100, 30))
    features = RawTarget()(whole).double()
    torch.testing.assert_close(target.mean.double(), features.mean(dim=0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(target.std.double(), features.std(dim=0), rtol=1e-5, atol=0)
    # Near 1000 a float32 is good to 6e-5, half a hundredth of the deviation.
    standard = target(whole)
    torch.testing.assert_close(standard.mean(dim=0), torch.zeros(5), rtol=0, atol=0.01)
    torch.testing.assert_close(standard.std(dim=0), torch.ones(5), rtol=0, atol=0.01)


def test_a_target_that_was_not_measured_gives_no_numbers() -> None:
    assert bool(StandardizedTarget(WIDTHS)(draw(4)).isnan().all())


def test_channels_that_never_vary_are_named_and_zero() -> None:
    source = draw(50)
    source["b4"][:, 1] = 0.1
    source["b8"][:, 0] = 0.0
    target = StandardizedTarget(WIDTHS)
    target.measure([source])
    assert target.left_out == ["b4:1", "b8:0"]
    assert target.varying.tolist() == [True, False, True, False, True]
    assert bool((target(draw(4, seed=1))[:, [1, 3]] == 0).all())
    described = target.describe()
    assert described["left_out"] == ["b4:1", "b8:0"]
    assert described["std"]["b4"] == pytest.approx(target.std[:3].tolist())
    assert described["mean"]["b8"] == pytest.approx(target.mean[3:].tolist())


def test_a_small_variation_beside_a_large_mean_is_one() -> None:
    source = draw(50)
    source["b4"][:, 1] = 100 + 0.01 * source["b4"][:, 1]
    target = StandardizedTarget(WIDTHS)
    target.measure([source])
    assert target.left_out == []


def test_nothing_to_learn_from_is_refused() -> None:
    constant = {name: torch.ones(10, width) for name, width in WIDTHS.items()}
    with pytest.raises(UserError, match="differs between images"):
        StandardizedTarget(WIDTHS).measure([constant])
    broken = draw(10)
    broken["b8"][3, 1] = float("nan")
    with pytest.raises(UserError, match=r"not finite numbers.*--precision fp32"):
        StandardizedTarget(WIDTHS).measure([broken])
