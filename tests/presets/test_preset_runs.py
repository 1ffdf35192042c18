"""Every preset builds, and learns for two steps: its networks and sizes made small."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from shrunk_runs import put_material, shrunk

from squeezespan.config import DistillConfig
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.prepare import open_stream, prepare
from squeezespan.distillation.stream import Place
from squeezespan.presets import Preset, list_presets
from squeezespan.runs.launch import launch

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("presets")
    put_material(place)
    before = torch.hub.get_dir()
    torch.hub.set_dir(place / "hub")
    yield place
    torch.hub.set_dir(before)


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
