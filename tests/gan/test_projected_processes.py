"""Two processes train a Projected GAN, and an aided one, as one does."""

import dataclasses
import re
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import torch
from gan.same_training import known_after
from gan.tiny_projected import make_student, tiny_projected
from ranks import run_as_ranks
from tiny_gans import tiny_gan
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from squeezespan.data.images import ResidentImages
from squeezespan.gan.batches import RealBatches
from squeezespan.gan.config import GanAidConfig, GanTrainConfig
from squeezespan.gan.projected_step import AnyStep, ProjectedStep
from squeezespan.gan.share import Share
from squeezespan.gan.step import GanStep
from squeezespan.losses.gather import global_rank
from squeezespan.runs.launch import launch

CPU = torch.device("cpu")


def configs(student: str) -> Iterator[tuple[str, GanTrainConfig]]:
    """Generators with conditional, plain and no batch norms, and heads that judge as an aid."""
    train = {
        **{"batch_size": 8, "device": "cpu", "precision": "fp32", "num_workers": 0},
        # So that what is rounding in a gradient, which Adam makes a step of, stays small.
        "learning_rate": 1e-6,
    }
    for family, conditional in (("stylegan2", True), ("fastgan", True), ("fastgan-lite", False)):
        config = tiny_projected(student, family=family, conditional=conditional, train=train)
        yield family, config
    aid = GanAidConfig(backbone=student.removeprefix("student:"), channels=4)
    yield "aided", dataclasses.replace(tiny_gan("unused", **train), aid=aid)


def train(config: GanTrainConfig, share: Share) -> dict[str, Tensor]:
    gan: AnyStep
    classes = 3 if config.conditional else 0
    with torch.random.fork_rng([]):
        if config.discriminator.family == "projected":
            gan = ProjectedStep(config, classes, CPU, torch.float32, share)
        else:
            gan = GanStep(config, classes, CPU, torch.float32, share)
        # As they are drawn, heads give the same gradient to all images, which norms take out.
        for network in gan.networks():
            for norm in (m for m in network.modules() if isinstance(m, _BatchNorm)):
                torch.nn.init.normal_(norm.weight)
                torch.nn.init.normal_(norm.bias)
    random = torch.Generator().manual_seed(0)
    side = config.side
    pixels = torch.randint(256, (12, 3, side, side), generator=random, dtype=torch.uint8)
    names = ["a", "b", "c"] if classes else []
    labels = torch.arange(12) % classes if classes else None
    images = ResidentImages("test:noise", names, labels, pixels)
    return known_after(1, gan, RealBatches(config, images, CPU))


def train_as_rank(student: str, folder: Path) -> None:
    torch.set_num_threads(1)
    for name, config in configs(student):
        launch(config.train)
        share = Share(global_rank(), 2)
        torch.save(train(config, share), folder / f"{name}-{share.rank}.pt")


def test_two_processes_give_the_numbers_of_one(server: ForkServerContext, tmp_path: Path) -> None:
    student = make_student(tmp_path / "student")
    assert run_as_ranks(server, train_as_rank, student, tmp_path) == [0, 0]
    for name, config in configs(student):
        first, second = (
            torch.load(tmp_path / f"{name}-{rank}.pt", weights_only=True) for rank in range(2)
        )
        for key, found in first.items():
            assert torch.equal(found, second[key]), (name, key)
        whole = train(config, Share())
        assert first.keys() == whole.keys()
        for kind in ("generator", "discriminator"):
            is_gradient = re.compile(rf"gradient \d+ of the {kind}")
            keys = [key for key in whole if is_gradient.fullmatch(key)]
            ours, expected = (
                torch.cat([known[key].flatten() for key in keys]) for known in (first, whole)
            )
            # Norms of few images magnify rounding; with norms of half a batch it is more than 0.1.
            assert (ours - expected).norm() < 0.02 * expected.norm(), (name, kind)
        for key, expected in whole.items():
            if " moment " not in key and not key.startswith("gradient"):
                torch.testing.assert_close(first[key], expected, rtol=1e-3, atol=1e-5, msg=key)
