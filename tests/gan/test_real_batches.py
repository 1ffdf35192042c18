"""The real images of each step of GAN training: their order, range, labels and mirroring."""

import pytest
import torch
from torch import Tensor

from squeezespan.data.images import ResidentImages
from squeezespan.data.order import epoch_order
from squeezespan.gan.batches import RealBatches
from squeezespan.gan.config import GanRunConfig, GanTrainConfig
from squeezespan.randomness import Rows, StepRandom

COUNT, BATCH = 20, 8


def pixels() -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(256, (COUNT, 3, 8, 8), generator=random, dtype=torch.uint8)


def batches(
    steps: int, *, mirror: bool = False, conditional: bool = False
) -> list[tuple[Tensor, Tensor | None]]:
    """What `steps` steps would train on."""
    config = GanTrainConfig(
        mirror=mirror, conditional=conditional, train=GanRunConfig(batch_size=BATCH, seed=2)
    )
    names = [str(label) for label in range(5)]
    images = ResidentImages("test:noise", names, torch.arange(COUNT) % 5, pixels())
    real = RealBatches(config, images, torch.device("cpu"))
    return [real.batch(number, Rows(torch.arange(BATCH), BATCH)) for number in range(steps)]


def places(batch: Tensor, among: Tensor) -> list[int | None]:
    """Which of `among` each image of a batch is."""
    found: list[int | None] = []
    for image in batch:
        equal = (image == among).flatten(1).all(1).nonzero()[:, 0].tolist()
        found.append(equal[0] if equal else None)
    return found


@pytest.mark.parametrize("mirror", [False, True])
def test_half_of_the_real_images_are_mirrored_where_it_is_asked_for(mirror: bool) -> None:
    expected = pixels() / 127.5 - 1
    mirrored = 0
    for batch, labels in batches(50, mirror=mirror):
        assert labels is None
        assert batch.shape == (BATCH, 3, 8, 8)
        straight, turned = places(batch, expected), places(batch, expected.flip(3))
        assert all((a is None) != (b is None) for a, b in zip(straight, turned, strict=True))
        mirrored += sum(place is not None for place in turned)
    assert mirrored == pytest.approx(200 if mirror else 0, abs=40 if mirror else 0)


def test_every_image_comes_once_an_epoch_with_its_label() -> None:
    seen: list[int] = []
    expected = pixels() / 127.5 - 1
    for batch, labels in batches(10, conditional=True):
        assert labels is not None
        where = places(batch, expected)
        assert labels.tolist() == [place % 5 for place in where if place is not None]
        seen += [place for place in where if place is not None]
    epochs = [seen[start : start + COUNT] for start in range(0, len(seen), COUNT)]
    assert len(epochs) == 4
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_order_and_mirroring_are_the_seeds_at_every_step() -> None:
    expected = pixels() / 127.5 - 1
    order = torch.cat([epoch_order(COUNT, epoch, 2) for epoch in range(4)])
    for step, (batch, _) in enumerate(batches(10, mirror=True)):
        images = expected[order[step * BATCH : (step + 1) * BATCH]]
        flips = StepRandom(2, step, stream="mirror").uniform(BATCH) < 0.5
        mirrored = torch.where(flips[:, None, None, None], images.flip(3), images)
        assert torch.equal(batch, mirrored)


def test_a_part_of_a_batch_is_what_the_whole_has_there() -> None:
    config = GanTrainConfig(
        mirror=True, conditional=True, train=GanRunConfig(batch_size=BATCH, seed=2)
    )
    names = [str(label) for label in range(5)]
    images = ResidentImages("test:noise", names, torch.arange(COUNT) % 5, pixels())
    real = RealBatches(config, images, torch.device("cpu"))
    whole, labels = real.batch(3, Rows(torch.arange(BATCH), BATCH))
    own = torch.tensor([6, 1, 4])
    part, own_labels = real.batch(3, Rows(own, BATCH))
    assert labels is not None
    assert own_labels is not None
    assert torch.equal(part, whole[own])
    assert torch.equal(own_labels, labels[own])
