"""A batch in micro-batches, or on two processes, trains a GAN as the undivided one does."""

import dataclasses
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch
from gan.same_training import assert_same, known_after
from ranks import run_as_ranks
from torch import Tensor

from squeezespan.data.images import ResidentImages
from squeezespan.discriminators.stylegan2.network import minibatch_std
from squeezespan.errors import UserError
from squeezespan.gan.batches import RealBatches
from squeezespan.gan.config import (
    GanAugmentConfig,
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanLossConfig,
    GanRunConfig,
    GanTrainConfig,
    validate_gan,
)
from squeezespan.gan.share import Share, path_length_batch
from squeezespan.gan.step import GanStep
from squeezespan.losses.gather import global_rank
from squeezespan.runs.launch import launch

BATCH = 8
CPU = torch.device("cpu")
CONFIG = GanTrainConfig(
    resolution=8,
    conditional=True,
    mirror=True,
    train=GanRunConfig(batch_size=BATCH, learning_rate=0.003, seed=5),
    generator=GanGeneratorConfig(
        z_dim=8, w_dim=6, channel_base=64, channel_max=8, mapping_layers=2
    ),
    discriminator=GanDiscriminatorConfig(channel_base=64, channel_max=8, mbstd_group_size=2),
    loss=GanLossConfig(
        adversarial="relativistic",
        r1_gamma=3.0,
        r2_gamma=2.0,
        r1_interval=1,
        path_length_weight=2.0,
        path_length_interval=1,
        ema_kimg=0.02,
    ),
    augment=GanAugmentConfig(initial=0.6, interval=1, speed_kimg=0.1),
)


def train(share: Share, steps: int = 2) -> dict[str, Tensor]:
    """What one process knows after some steps: numbers, gradients, averages, probabilities."""
    gan = GanStep(CONFIG, 3, CPU, torch.float32, share)
    for block in gan.generator.synthesis.blocks():
        torch.nn.init.constant_(block.conv1.noise_strength, 0.3)
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (20, 3, 8, 8), generator=random, dtype=torch.uint8)
    images = ResidentImages("test:noise", ["a", "b", "c"], torch.arange(20) % 3, pixels)
    known = known_after(steps, gan, RealBatches(CONFIG, images, CPU))
    return known | {"path mean": gan.path_mean, "overfitting": torch.tensor(gan.ada.overfitting)}


@pytest.mark.parametrize("micro_batch", [2, 4])
def test_micro_batches_give_the_numbers_of_the_whole(micro_batch: int) -> None:
    assert_same(train(Share(micro_batch=micro_batch)), train(Share()))


@pytest.mark.parametrize("micro_batch", [2, 4])
def test_no_more_than_a_micro_batch_is_computed_at_once(micro_batch: int) -> None:
    gan = GanStep(CONFIG, 3, CPU, torch.float32, Share(micro_batch=micro_batch))
    made, judged = [], []
    gan.generator.mapping.register_forward_pre_hook(lambda _, args: made.append(len(args[0])))
    gan.discriminator.register_forward_pre_hook(lambda _, args: judged.append(len(args[0])))
    gan.run(0, torch.zeros(BATCH, 3, 8, 8), torch.zeros(BATCH, dtype=torch.int64))
    assert set(judged) == set(made) == {micro_batch}
    assert sum(judged) % BATCH == 0


def train_as_rank(folder: Path) -> None:
    torch.set_num_threads(1)
    launch(CONFIG.train)
    for micro_batch in (None, 2):
        share = Share(global_rank(), 2, micro_batch)
        torch.save(train(share), folder / f"{micro_batch}-{share.rank}.pt")


def test_two_processes_give_the_numbers_of_one(server: ForkServerContext, tmp_path: Path) -> None:
    assert run_as_ranks(server, train_as_rank, tmp_path) == [0, 0]
    whole = train(Share())
    for micro_batch in (None, 2):
        first, second = (
            torch.load(tmp_path / f"{micro_batch}-{rank}.pt", weights_only=True)
            for rank in range(2)
        )
        for name, found in first.items():
            assert torch.equal(found, second[name]), name
        assert_same(first, whole)


@pytest.mark.parametrize("micro_batch", [None, 2, 4])
def test_groups_of_the_minibatch_standard_deviation_stay_whole(micro_batch: int | None) -> None:
    maps = torch.rand(16, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    whole = minibatch_std(maps, 2, 1)
    seen: list[int] = []
    for rank in range(2):
        for rows in Share(rank, 2, micro_batch).grouped(16, 2):
            torch.testing.assert_close(minibatch_std(maps[rows.indices], 2, 1), whole[rows.indices])
            assert rows.total == 16
            assert len(rows) == (micro_batch or 8)
            seen += rows.indices.tolist()
    assert sorted(seen) == list(range(16))


def test_every_sample_of_a_smaller_batch_is_somebodys() -> None:
    parts = [part for rank in range(3) for part in Share(rank, 3, 2).plain(8)]
    assert sorted(i for part in parts for i in part.indices.tolist()) == list(range(8))
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert max(map(len, parts)) <= 2


def changed(section: str, **settings: Any) -> GanTrainConfig:
    values = dataclasses.replace(getattr(CONFIG, section), **settings)
    return dataclasses.replace(CONFIG, **{section: values})


@pytest.mark.parametrize(
    ("share", "config", "words"),
    [
        (Share(0, 3), CONFIG, "--batch-size 8 can't be shared by 3 processes"),
        (Share(0, 2, 3), CONFIG, "--micro-batch 3 doesn't divide the 4 images"),
        (Share(0, 1, 16), CONFIG, "--micro-batch 16 doesn't divide the 8 images"),
        (
            Share(0, 4, 1),
            CONFIG,
            r"1 images at a time can't keep the groups .* \(2 images\) whole",
        ),
        (
            Share(0, 2),
            changed("discriminator", mbstd_group_size=None),
            r"can't keep the groups of the minibatch standard deviation \(the whole batch\)",
        ),
        (
            Share(0, 8),
            changed("discriminator", mbstd_group_size=1),
            "uses 4 images, which 8 processes can't share",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(
    share: Share, config: GanTrainConfig, words: str
) -> None:
    validate_gan(config)
    with pytest.raises(UserError, match=words):
        share.check(config)


def test_a_group_of_all_is_fine_for_one_process() -> None:
    Share().check(changed("discriminator", mbstd_group_size=None))


@pytest.mark.parametrize("share", [Share(1, 2), Share(0, 2, 2), Share(0, 1, 4)])
def test_whole_groups_are_fine_for_any_process(share: Share) -> None:
    share.check(CONFIG)


def test_batch_norms_of_heads_take_several_processes_but_no_micro_batches() -> None:
    projected = changed("discriminator", family="projected")
    for config in (projected, changed("aid", backbone="run")):
        for share in (Share(0, 2), Share(1, 2, 4), Share(0, 1, 8)):
            share.check(config)
        for share in (Share(0, 1, 4), Share(0, 2, 2)):
            with pytest.raises(UserError, match=r"batch norms .* leave out --micro-batch"):
                share.check(config)
    # There are no groups of a minibatch standard deviation to keep whole.
    Share(0, 8).check(projected)


def test_path_lengths_are_taken_of_half_a_batch_and_of_one_image_at_least() -> None:
    assert [path_length_batch(batch) for batch in (1, 2, 3, 8)] == [1, 1, 1, 4]


def test_numbers_and_gradients_of_all_processes_are_added_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With another process that has ten times as much."""
    monkeypatch.setattr("torch.distributed.all_reduce", lambda own: own.mul_(11))
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1, bias=False))
    names = [name for name, _ in network.named_parameters()]
    assert Share(0, 2).sum_gradients(network) == []
    for skipped in (None, "0.bias"):
        own = {
            name: torch.arange(1.0, weight.numel() + 1).view_as(weight)
            for name, weight in network.named_parameters()
            if name != skipped
        }
        for processes in (1, 2):
            for name, weight in network.named_parameters():
                weight.grad = own[name].clone() if name in own else None
            summed = Share(0, processes).sum_gradients(network)
            assert len(summed) == len(own)
            for name in names:
                gradient = network.get_parameter(name).grad
                assert (gradient is None) == (name == skipped)
                if gradient is not None:
                    assert torch.equal(gradient, own[name] * (1 if processes == 1 else 11))
    numbers = {"a": torch.tensor(1.0), "b": torch.tensor(3.0)}
    assert {k: float(x) for k, x in Share(0, 2).sum_numbers(numbers.items()).items()} == {
        "a": 11.0,
        "b": 33.0,
    }
    assert {k: float(x) for k, x in Share().sum_numbers(numbers.items()).items()} == {
        "a": 1.0,
        "b": 3.0,
    }
