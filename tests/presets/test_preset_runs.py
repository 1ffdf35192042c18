"""Every preset builds, and learns for two steps: its networks and sizes made small."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_alexnet import put_alexnet
from tiny_runs import make_gan, make_images

from squeezespan.config import DistillConfig
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.prepare import open_stream, prepare
from squeezespan.distillation.stream import Place
from squeezespan.presets import Preset, list_presets
from squeezespan.runs.launch import launch

CPU = torch.device("cpu")
SMALL = {"resolution": 32, "channel_base": 256, "channel_max": 8}
LARGE = {"resolution": 128, "channel_base": 256, "channel_max": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With images, two generators and AlexNet."""
    place = tmp_path_factory.mktemp("presets")
    make_images(place / "images", per_class=6)
    make_gan(place / "32.safetensors", **SMALL)
    make_gan(place / "128.safetensors", **LARGE)
    put_alexnet(place / "hub")
    before = torch.hub.get_dir()
    torch.hub.set_dir(place / "hub")
    yield place
    torch.hub.set_dir(before)


def shrunk(config: DistillConfig, folder: Path) -> DistillConfig:
    """The same with a narrow student, a tiny batch and whatever images and GAN are there."""
    method = config.method
    follows = method.target != "squeeze" or method.name == "encoding"
    side = 32 if config.images.resolution == "auto" else config.images.resolution
    gan = folder / ("32.safetensors" if side <= 32 else "128.safetensors")
    return replace(
        config,
        data=f"folder:{folder / 'images'}",
        gan=str(gan) if method.alpha > 0 else None,
        train=replace(
            config.train, batch_size=4, device="cpu", precision="fp32", num_workers=0, max_steps=2
        ),
        method=replace(method, embed_dim=None if follows else 16, hidden_dim=16, predictor_dim=8),
        student=replace(config.student, arch="resnet10-narrow"),
        images=replace(config.images, unlabeled=False, resolution=side),
        monitor=replace(config.monitor, knn_every=0),
    )


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: str(preset.name))
def test_two_steps(preset: Preset[DistillConfig], folder: Path) -> None:
    config = shrunk(preset.build(), folder)
    fabric = launch(config.train)
    parts = prepare(config, CPU)
    method = parts.method
    stream = open_stream(parts.config, parts, Place(0, 1, CPU))
    if method.standardized is not None:
        method.standardized.measure(stream.sources(8))
    before = [x.clone() for x in method.backbone.parameters()]
    job = StudentJob(fabric, parts.config, parts.plan, method, stream, None)
    for step in range(2):
        losses = job.optimise(step)
        assert all(bool(loss.isfinite()) for loss in losses.values()), losses
    moved = [
        not torch.equal(a, b) for a, b in zip(before, method.backbone.parameters(), strict=True)
    ]
    assert any(moved)
