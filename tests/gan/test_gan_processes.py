"""`gan train` on two processes: what it leaves, how it goes on, and what it refuses."""

import dataclasses
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import torch
from ranks import run_as_ranks
from safetensors.torch import load_file
from tiny_gans import tiny_gan
from tiny_runs import make_images, read_metrics

from squeezespan.gan.train import train_gan


def test_two_processes_stop_go_on_and_end_as_one(server: ForkServerContext, tmp_path: Path) -> None:
    data = make_images(tmp_path / "images")
    short, config = (tiny_gan(data, max_steps=steps) for steps in (2, 4))
    run = tmp_path / "two"
    assert run_as_ranks(server, train_gan, short, run) == [0, 0]
    assert run_as_ranks(server, train_gan, config, run, True) == [0, 0]
    whole = train_gan(config, tmp_path / "one")
    for name in ("generator.safetensors", "discriminator.safetensors"):
        shared, alone = load_file(run / name), load_file(whole / name)
        assert shared.keys() == alone.keys()
        for key, weight in alone.items():
            torch.testing.assert_close(shared[key], weight, rtol=1e-3, atol=1e-3)
    line, expected = (read_metrics(folder)[-1] for folder in (run, whole))
    assert line.pop("kind") == expected.pop("kind")
    assert line == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert sorted(x.name for x in (run / "samples").iterdir()) == [
        "000000.008.png",
        "000000.016.png",
    ]


def test_a_batch_that_cannot_be_shared_ends_both_before_anything_is_written(
    server: ForkServerContext, tmp_path: Path
) -> None:
    config = tiny_gan(make_images(tmp_path / "images"))
    config = dataclasses.replace(
        config, discriminator=dataclasses.replace(config.discriminator, mbstd_group_size=None)
    )
    assert run_as_ranks(server, train_gan, config, tmp_path / "run") == [1, 1]
    assert not (tmp_path / "run").exists()
