"""Which real images a run learns from, and which are kept to watch it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import tiny_config

from squeezespan.data.images import ImageSet
from squeezespan.distillation.images import open_run_images
from squeezespan.presets import find_preset

CPU = torch.device("cpu")


def contents(images: ImageSet) -> set[bytes]:
    return {row.numpy().tobytes() for row in images.batch(torch.arange(len(images)))}


@pytest.fixture
def stl10(tmp_path: Path) -> str:
    random = np.random.default_rng(0)
    for split, count in (("train", 20), ("unlabeled", 30)):
        pixels = random.integers(0, 256, (count, 3, 96, 96), dtype=np.uint8)
        (tmp_path / f"{split}_X.bin").write_bytes(pixels.tobytes())
    (tmp_path / "train_y.bin").write_bytes(bytes([1, 2] * 10))
    (tmp_path / "class_names.txt").write_text("\n".join("abcdefghij"))
    return f"stl10:{tmp_path}"


def test_stl10_learns_from_train_and_unlabelled_and_watches_train_alone(stl10: str) -> None:
    config = replace(find_preset("vicreg-real-stl10").build(), data=stl10)
    config = replace(config, images=replace(config.images, holdout=0.2))
    images = open_run_images(config, CPU)
    assert (len(images.train), images.held_out) == (16 + 30, 4)
    assert images.train.resolution == 96
    assert images.knn is not None
    assert images.knn.neighbors.resolution == images.knn.queries.resolution == 64
    assert (len(images.knn.neighbors), len(images.knn.queries)) == (16, 4)


def test_held_out_images_are_never_learnt_from_and_the_same_for_all_seeds(
    data: str, gan: Path
) -> None:
    runs = [open_run_images(tiny_config(data, gan, train={"seed": n}), CPU) for n in (0, 1)]
    held_out = [contents(run.knn.queries) for run in runs if run.knn is not None]
    assert held_out[0] == held_out[1]
    assert not held_out[0] & contents(runs[0].train)
    assert contents(runs[0].train) == contents(runs[1].train)


def test_the_monitor_looks_at_no_more_images_than_it_may(data: str, gan: Path) -> None:
    config = tiny_config(data, gan, monitor={"knn_images": 12}, images={"holdout": 0.5})
    images = open_run_images(config, CPU)
    assert images.knn is not None
    assert (len(images.knn.neighbors), len(images.knn.queries)) == (12, 12)
    assert images.knn.queries.labels is not None
    assert images.knn.queries.labels.bincount().tolist() == [3, 3, 3, 3]
    assert len(images.train) == 40


def test_a_limit_leaves_the_images_that_are_held_out_and_the_classes_of_the_monitor(
    data: str, gan: Path
) -> None:
    whole, few = (
        open_run_images(tiny_config(data, gan, images={"limit": limit}), CPU)
        for limit in (None, 20)
    )
    assert len(few.train) == 20
    assert contents(few.train) < contents(whole.train)
    assert whole.knn is not None
    assert few.knn is not None
    assert contents(few.knn.queries) == contents(whole.knn.queries)
