"""Batches are a pure function of seed, step and share of the global batch."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import make_gan, tiny_config
from torch import Tensor

from squeezespan.config import AugmentConfig, DistillConfig
from squeezespan.data.augment import Augment
from squeezespan.distillation.prepare import Parts, prepare
from squeezespan.distillation.stream import Place, Stream, Views, source_widths
from squeezespan.generators import load_generator
from squeezespan.generators.base import Latents
from squeezespan.methods.base import Batch
from squeezespan.randomness import StepRandom

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def parts(config: DistillConfig) -> Parts:
    return prepare(config, CPU)


def stream(
    config: DistillConfig, parts: Parts, rank: int = 0, world: int = 1, views: int = 1
) -> Stream:
    return Stream(
        config,
        parts.plan,
        parts.images.train,
        parts.generator,
        parts.normalization,
        Place(rank, world, CPU),
        views=Views(synthetic=views),
        needs_source=views == 1,
    )


def test_a_grey_generator_teaches_by_three_equal_channels(
    config: DistillConfig, tmp_path: Path
) -> None:
    path = make_gan(tmp_path / "grey.safetensors", channels=1)
    grey = replace(config, gan=str(path), augment=replace(config.augment, jitter=0.0))
    made = prepare(grey, CPU)
    views = stream(grey, made).batch(0).synthetic_views
    assert views is not None
    mean, std = (
        torch.tensor(x)[:, None, None] for x in (made.normalization.mean, made.normalization.std)
    )
    pixels = views[0] * std + mean
    assert pixels.shape == (8, 3, 16, 16)
    torch.testing.assert_close(pixels[:, 0], pixels[:, 1])


def tensors(batch: Batch) -> list[Tensor]:
    source = batch.source or {}
    return [*(batch.real_views or ()), *(batch.synthetic_views or ()), *source.values()]


def assert_alike(one: list[Tensor], other: list[Tensor]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_a_batch_has_both_streams_in_the_students_format(
    config: DistillConfig, parts: Parts
) -> None:
    batch = stream(config, parts).batch(0)
    assert batch.real_views is not None
    assert batch.synthetic_views is not None
    assert batch.source is not None
    assert [view.shape for view in batch.real_views] == [(8, 3, 16, 16)] * 2
    assert [view.shape for view in batch.synthetic_views] == [(8, 3, 16, 16)]
    assert {name: x.shape for name, x in batch.source.items()} == {
        name: (8, 16 if name != "b32" else 8) for name in ("b4", "b8", "b16", "b32")
    }
    assert all(x.dtype == torch.float32 for x in tensors(batch))
    assert not torch.equal(*batch.real_views)


def test_deviations_of_maps_and_the_latent_come_besides(
    config: DistillConfig, parts: Parts, gan: Path
) -> None:
    source = replace(config.source, statistics="mean-std", latent=True, blocks="b4,b16")
    wide = replace(config, source=source)
    found = stream(wide, parts).batch(3).source
    assert found is not None
    assert list(found) == ["b4", "b4-std", "b16", "b16-std", "w"]
    generator = load_generator(gan)
    assert {name: x.shape[1] for name, x in found.items()} == source_widths(wide, generator)
    latents, noise = (StepRandom(0, 3, stream=kind) for kind in ("latents", "noise"))
    drawn = generator(generator.sample_latents(8, latents), noise="random", random=noise)
    for block in ("b4", "b16"):
        pixels = drawn.features[block].flatten(2).double().numpy()
        close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-5)
        close(found[block].double(), torch.from_numpy(pixels.mean(axis=2)))
        close(found[f"{block}-std"].double(), torch.from_numpy(pixels.std(axis=2)))
    assert torch.equal(found["w"], drawn.w[:, 0])


@pytest.mark.parametrize("target", ["squeeze", "standardized"])
def test_each_of_them_is_part_of_the_target(target: str, data: str, gan: Path) -> None:
    config = tiny_config(
        data,
        gan,
        method={"alpha": 1.0, "target": target, "embed_dim": None},
        source={"statistics": "mean-std", "latent": True},
    )
    made = prepare(config, CPU)
    batches = stream(config, made)
    if made.method.standardized is not None:
        made.method.standardized.measure(batches.sources(20))
    made.method.train()
    batch = batches.batch(0)
    whole = made.method(batch)["syn/invariance"]
    assert batch.source is not None
    for name, x in batch.source.items():
        other = replace(batch, source=batch.source | {name: x.flip(0)})
        assert made.method(other)["syn/invariance"] != whole, name


@pytest.mark.parametrize("views", [1, 2])
def test_the_last_view_is_of_a_latent_nearby_and_the_source_is_not(
    views: int, config: DistillConfig, parts: Parts, gan: Path
) -> None:
    plain = replace(config, augment=replace(config.augment, enabled=False))

    def batch(nearby: float) -> Batch:
        settings = replace(plain, source=replace(plain.source, nearby=nearby, noise="const"))
        made = Stream(
            settings,
            parts.plan,
            parts.images.train,
            parts.generator,
            parts.normalization,
            Place(0, 1, CPU),
            views=Views(real=2, synthetic=views),
            needs_source=True,
        )
        return made.batch(3)

    found, usual, nearer = (batch(nearby) for nearby in (0.5, 0.0, 0.1))
    assert found.source is not None
    assert usual.source is not None
    assert all(torch.equal(x, usual.source[name]) for name, x in found.source.items())
    assert found.synthetic_views is not None
    assert usual.synthetic_views is not None
    assert nearer.synthetic_views is not None
    assert all(
        torch.equal(a, b)
        for a, b in zip(found.synthetic_views[:-1], usual.synthetic_views[:-1], strict=True)
    )
    generator = load_generator(gan)
    latents = generator.sample_latents(8, StepRandom(0, 3, stream="latents"))
    z = latents.z + 0.5 * StepRandom(0, 3, stream="nearby").normal(8, 16)
    drawn = generator(Latents(z, None)).images
    resized = Augment(AugmentConfig(enabled=False), 16)((drawn + 1).clamp(0, 2) / 2, StepRandom(0))
    expected = parts.normalization.normalize(resized)
    torch.testing.assert_close(found.synthetic_views[-1], expected, rtol=1e-4, atol=1e-4)
    far, near = (
        distance(one.synthetic_views[-1], usual.synthetic_views[-1]).mean()
        for one in (found, nearer)
        if one.synthetic_views is not None
    )
    assert far > 2 * near > 0


def test_a_latent_nearby_is_of_the_same_class() -> None:
    latents = Latents(torch.zeros(4000, 3), torch.arange(4000) % 5)
    near = latents.nearby(0.3, StepRandom(0))
    assert near.labels is latents.labels
    assert float(near.z.std()) == pytest.approx(0.3, rel=0.05)


def test_synthetic_images_are_augmented_more_weakly_and_real_ones_as_ever(
    config: DistillConfig, parts: Parts
) -> None:
    def views(**augment: Any) -> tuple[Tensor, ...]:
        changed = replace(config, augment=replace(config.augment, **augment))
        batch = stream(changed, parts, views=2).batch(2)
        assert batch.real_views is not None
        assert batch.synthetic_views is not None
        return (*batch.real_views, *batch.synthetic_views)

    plain, usual = views(enabled=False), views()
    distances = {}
    for strength in (1.0, 0.5, 0.0):
        found = views(synthetic=strength)
        assert all(torch.equal(a, b) for a, b in zip(found[:2], usual[:2], strict=True))
        # A mirrored image is as near to its original as it can be.
        mirrored = [
            torch.minimum(distance(a, b), distance(a, b.flip(3)))
            for a, b in zip(found[2:], plain[2:], strict=True)
        ]
        distances[strength] = float(torch.stack(mirrored).mean())
    assert all(torch.equal(a, b) for a, b in zip(views(synthetic=1.0), usual, strict=True))
    assert distances[1.0] > 1.2 * distances[0.5] > 0
    assert distances[0.0] < 1e-6


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Of each image, float [B]."""
    return (one - other).square().mean(dim=(1, 2, 3))


def test_a_step_gives_the_same_batch_whatever_came_before(
    config: DistillConfig, parts: Parts
) -> None:
    warm = stream(config, parts)
    for step in (0, 7, 3):
        warm.batch(step)
    again, fresh = warm.batch(5), stream(config, parts).batch(5)
    assert all(torch.equal(a, b) for a, b in zip(tensors(again), tensors(fresh), strict=True))
    assert not torch.equal(tensors(again)[0], tensors(warm.batch(6))[0])


def test_seeds_give_other_batches(config: DistillConfig, parts: Parts) -> None:
    other = replace(config, train=replace(config.train, seed=1))
    pairs = zip(
        tensors(stream(config, parts).batch(0)),
        tensors(stream(other, parts).batch(0)),
        strict=True,
    )
    assert not any(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("nearby", [0.0, 0.3])
@pytest.mark.parametrize("shares", [(2, 1), (1, 4), (2, 2)])
def test_shares_of_processes_and_micro_batches_make_up_the_whole_batch(
    shares: tuple[int, int], nearby: float, config: DistillConfig, parts: Parts
) -> None:
    world, accumulate = shares
    config = replace(config, source=replace(config.source, nearby=nearby))
    split = replace(config, optim=replace(config.optim, accumulate=accumulate))
    pieces = [
        tensors(stream(split, parts, rank, world).batch(3, part))
        for rank in range(world)
        for part in range(accumulate)
    ]
    joined = [torch.cat(rows) for rows in zip(*pieces, strict=True)]
    assert_alike(joined, tensors(stream(config, parts).batch(3)))


def test_a_pass_shows_every_real_image_at_most_once(data: str, gan: Path) -> None:
    config = tiny_config(data, gan, augment={"enabled": False})
    parts = prepare(config, CPU)
    source = stream(config, parts)
    steps = parts.plan.train_images // parts.plan.real_batch
    passes: list[list[bytes]] = []
    for number in range(2):
        batches = [source.batch(number * steps + step).real_views for step in range(steps)]
        rows = torch.cat([views[0] for views in batches if views is not None])
        passes.append([row.numpy().tobytes() for row in rows])
    assert len(passes[0]) == len(set(passes[0])) == 72
    assert set(passes[0]) == set(passes[1])
    assert passes[0] != passes[1]


@pytest.mark.parametrize(
    ("method", "views", "expected"),
    [
        ({"name": "vicreg", "alpha": 0.0}, 0, (2, 0, 0)),
        ({"name": "vicreg", "alpha": 1.0}, 2, (0, 2, 0)),
        ({"name": "squeeze-span", "alpha": 1.0}, 1, (0, 1, 4)),
    ],
)
def test_a_share_of_nothing_is_left_out(
    method: dict[str, Any], views: int, expected: tuple[int, int, int], data: str, gan: Path
) -> None:
    config = tiny_config(data, gan, method=method)
    batch = stream(config, prepare(config, CPU), views=views).batch(0)
    found = (batch.real_views, batch.synthetic_views, batch.source)
    assert tuple(len(x) if x is not None else 0 for x in found) == expected


def test_the_latent_source_is_w(data: str, gan: Path) -> None:
    config = tiny_config(data, gan, source={"kind": "latent"})
    batch = stream(config, prepare(config, CPU)).batch(0)
    assert batch.source is not None
    assert {name: x.shape for name, x in batch.source.items()} == {"w": (8, 16)}
