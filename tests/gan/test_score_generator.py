"""A tiny generator scored against a few images."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.errors import UserError
from squeezespan.gan.scoring import score_generator
from squeezespan.gan.scoring.features import FeatureExtractor, MetricNames
from squeezespan.gan.scoring.statistics import cache_folder
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator

SIDE = 8


class MeanColors(FeatureExtractor):
    """Features that a person can check: the means of the four quarters' colours."""

    key = "mean-colors"
    num_features = 12
    names = MetricNames("Frechet distance (colours)", "frechet", "kernel", "precision", "recall")

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1 / 255), requires_grad=False)
        self.seen = 0

    def forward(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.uint8
        assert images.shape[1:] == (3, SIDE, SIDE)
        self.seen += len(images)
        return torch.nn.functional.avg_pool2d(images.float() * self.scale, SIDE // 2).flatten(1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUEEZESPAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pixels() -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(256, (40, 3, SIDE, SIDE), dtype=torch.uint8, generator=random)


@pytest.fixture
def images(pixels: Tensor) -> ImageSet:
    return ResidentImages("test:images", [], None, pixels)


@pytest.fixture
def generator() -> StyleGAN2Generator:
    torch.manual_seed(0)
    config = StyleGAN2Config(
        resolution=SIDE, z_dim=16, w_dim=16, channel_base=64, channel_max=8, mapping_layers=2
    )
    return StyleGAN2Generator(config)


def _score(generator: StyleGAN2Generator, images: ImageSet, **options: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"num_images": 50, "extractor": MeanColors(), "noise": "const"}
    return score_generator(generator, images, **(defaults | options))


def _numbers(score: dict[str, Any]) -> dict[str, Any]:
    return {name: score[name] for name in ("frechet", "kernel", "precision", "recall")}


def test_score_says_what_it_depends_on(generator: StyleGAN2Generator, images: ImageSet) -> None:
    generator.train()
    score = _score(generator, images, seed=5)
    assert score["metric"] == "Frechet distance (colours)"
    assert score["frechet"] > 0
    assert score | {"data": "test:images", "num_images": 50, "num_real": 40, "seed": 5} == score
    assert generator.training


def test_score_depends_on_the_seed_and_not_on_the_batch_size(
    generator: StyleGAN2Generator, images: ImageSet
) -> None:
    first = _numbers(_score(generator, images, batch_size=64))
    assert _numbers(_score(generator, images, batch_size=7)) == pytest.approx(first, rel=1e-4)
    assert _numbers(_score(generator, images, seed=1)) != pytest.approx(first, rel=1e-4)


def test_real_statistics_are_computed_once(generator: StyleGAN2Generator, images: ImageSet) -> None:
    first, second = MeanColors(), MeanColors()
    score = _numbers(_score(generator, images, extractor=first))
    assert _numbers(_score(generator, images, extractor=second)) == score
    assert first.seen - second.seen == len(images)


def test_a_changed_image_or_a_damaged_cache_is_noticed(
    generator: StyleGAN2Generator, images: ImageSet, pixels: Tensor
) -> None:
    before = _numbers(_score(generator, images))
    files = list((cache_folder() / "scores").iterdir())
    assert len(files) == 1
    files[0].write_bytes(files[0].read_bytes()[:100])
    assert _numbers(_score(generator, images)) == before
    pixels[7] = 0
    assert _numbers(_score(generator, images)) != before


def test_other_resolution(generator: StyleGAN2Generator) -> None:
    large = ResidentImages("test:large", [], None, torch.zeros(9, 3, 16, 16, dtype=torch.uint8))
    with pytest.raises(UserError, match="8 pixel images, the real ones have 16"):
        _score(generator, large)


def test_a_broken_generator_has_no_score(generator: StyleGAN2Generator, images: ImageSet) -> None:
    with torch.no_grad():
        next(generator.synthesis.parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="not finite numbers"):
        _score(generator, images)


def test_a_cache_that_cannot_be_written_costs_only_time(
    generator: StyleGAN2Generator,
    images: ImageSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    taken = tmp_path / "file"
    taken.write_text("not a folder")
    monkeypatch.setenv("SQUEEZESPAN_CACHE", str(taken))
    assert _score(generator, images)["frechet"] > 0
    assert "not kept for next time" in capsys.readouterr().err
