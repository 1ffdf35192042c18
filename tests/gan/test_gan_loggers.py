"""A GAN's numbers reach the loggers, as a student's do."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_gans import tiny_gan
from tiny_runs import make_images, read_metrics

from squeezespan.gan.config import GanMonitorConfig
from squeezespan.gan.train import train_gan


def test_tensorboard_has_what_the_metrics_have(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    config = tiny_gan(make_images(tmp_path / "images"), max_steps=4)
    monitor = GanMonitorConfig(("tensorboard",), log_every=2)
    run = train_gan(replace(config, monitor=monitor), tmp_path / "run")
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    written = read_metrics(run)
    assert [line["step"] for line in written] == [2, 4]
    for name in ("kimg", "loss/discriminator", "loss/generator", "r1", "augment_p"):
        logged = events.Scalars(f"train/{name}")
        assert [(x.step, x.value) for x in logged] == [
            (line["step"], pytest.approx(line[name])) for line in written
        ]
