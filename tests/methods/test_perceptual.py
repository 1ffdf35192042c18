"""Distances that a trained network sees: what they are, and what happens without its weights."""

import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from tiny_alexnet import put_alexnet

from squeezespan.data.specs import find_images
from squeezespan.errors import UserError
from squeezespan.methods.perceptual import EfficientNetDistance, Lpips, open_perceptual

lpips = pytest.importorskip("lpips")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Path]:
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    yield tmp_path
    torch.hub.set_dir(before)


def draw(count: int = 3, side: int = 32) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.rand(count, 3, side, side, generator=random) * 2 - 1


def test_lpips_is_that_of_its_package(hub: Path) -> None:
    put_alexnet(hub)
    a, b = torch.split(draw(6), 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net="alex", verbose=False)
    ours = open_perceptual("lpips", 32)
    assert isinstance(ours, Lpips)
    assert torch.equal(ours(a, b), theirs(a, b).flatten())
    a.requires_grad_()
    ours(a, b).sum().backward()
    assert a.grad is not None
    assert bool(a.grad.abs().sum((1, 2, 3)).gt(0).all())
    assert not any(parameter.requires_grad for parameter in ours.parameters())


def test_without_alexnets_weights_one_line_says_what_to_do(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise URLError("no such host")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    with pytest.raises(UserError, match=r"can't be had .*no such host") as caught:
        open_perceptual("lpips", 32)
    assert str(hub / "checkpoints") in str(caught.value)
    assert "efficientnet-lite0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_images_too_small_for_lpips_are_refused() -> None:
    with pytest.raises(UserError, match="32 pixels and more, not 16"):
        open_perceptual("lpips", 16)


def test_efficientnets_distance_grows_with_what_is_done_to_an_image() -> None:
    distance = open_perceptual("efficientnet-lite0", 32)
    assert isinstance(distance, EfficientNetDistance)
    images = find_images("builtin:cifar10-mini", "test").load(32).batch(torch.arange(6))
    a = images.float() / 127.5 - 1
    noise = torch.randn(a.shape, generator=torch.Generator().manual_seed(1))
    noisy = [distance(a, a + scale * noise) for scale in (0.0, 0.05, 0.2, 0.8)]
    assert bool((noisy[0].abs() < 1e-5).all())
    for weaker, stronger in itertools.pairwise(noisy):
        assert bool((weaker < stronger).all())
    # A shift by a pixel is less than another image.
    assert bool((distance(a, a.roll(1, 3)) < distance(a, a.roll(1, 0))).all())
    torch.testing.assert_close(distance(a, a.flip(0)), distance(a.flip(0), a))


def test_gradients_reach_an_image_through_it() -> None:
    distance = EfficientNetDistance()
    a, b = torch.split(draw(2, side=70), 1)
    a.requires_grad_()
    distance(a, b).sum().backward()
    assert a.grad is not None
    assert bool(a.grad.abs().sum() > 0)
    assert all(parameter.grad is None for parameter in distance.parameters())


def test_none_is_none() -> None:
    assert open_perceptual("none", 8) is None
