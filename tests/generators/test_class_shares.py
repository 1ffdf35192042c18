"""Classes drawn as often as a generator's images had them, and the header that tells it."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny_runs import make_gan, make_images, tiny_config

from squeezespan.cli.main import main
from squeezespan.data.specs import open_images
from squeezespan.distillation.distill import distill
from squeezespan.errors import UserError
from squeezespan.gan.scoring.score import score_generator
from squeezespan.generators import load_generator, save_generator
from squeezespan.generators.base import Generator, Latents
from squeezespan.generators.class_shares import draw_classes, read_class_shares
from squeezespan.randomness import Rows, StepRandom

SHARES = (0.0, 0.5, 0.2, 0.3)


@pytest.fixture(scope="module")
def second_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GAN of four classes whose images were all of the second."""
    path = make_gan(tmp_path_factory.mktemp("gan") / "gan.safetensors", num_classes=4)
    generator = load_generator(path)
    generator.class_shares = (0.0, 1.0, 0.0, 0.0)
    save_generator(path, generator, {})
    return path


def classes_drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the classes of all latents that are drawn for images from now on."""
    seen: list[int] = []
    sample = Generator.sample_latents

    def spied(self: Generator, *arguments: object, **named: object) -> Latents:
        latents = sample(self, *arguments, **named)  # type: ignore[arg-type]
        # On the meta device a network is looked at before its weights are there.
        if latents.labels is not None and self.device.type != "meta":
            seen.extend(latents.labels.tolist())
        return latents

    monkeypatch.setattr(Generator, "sample_latents", spied)
    return seen


def test_classes_come_as_often_as_their_shares_say() -> None:
    n = 20_000
    drawn = draw_classes(SHARES, n, StepRandom(0, stream="test")).bincount(minlength=4)
    for share, count in zip(SHARES, drawn.tolist(), strict=True):
        # Five standard deviations.
        assert abs(count - n * share) <= 5 * math.sqrt(n * share * (1 - share))


def test_proportions_count_and_a_last_class_without_a_share_never_comes() -> None:
    one, two = (
        draw_classes(shares, 5000, StepRandom(1, stream="test"))
        for shares in ((1, 2, 0), (0.1, 0.2, 0.0))
    )
    assert torch.equal(one, two)
    assert set(one.tolist()) == {0, 1}


def test_a_part_of_a_batch_has_the_classes_of_the_whole() -> None:
    whole = draw_classes(SHARES, 8, StepRandom(2, stream="test"))
    rows = torch.tensor([5, 0, 7])
    part = draw_classes(SHARES, 3, StepRandom(2, stream="test", rows=Rows(rows, 8)))
    assert torch.equal(part, whole[rows])


def test_shares_survive_their_file_and_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_gan(tmp_path / "gan.safetensors", num_classes=4)
    generator = load_generator(path)
    assert generator.class_shares is None
    generator.class_shares = SHARES
    save_generator(path, generator, {})
    assert load_generator(path).class_shares == SHARES
    copy = tmp_path / "copy.safetensors"
    assert main(["gan", "convert", str(path), "--out", str(copy)]) == 0
    assert load_generator(copy).class_shares == SHARES
    assert main(["gan", "inspect", str(copy), "--batch-size", "1"]) == 0
    assert "4 (0 to 3), drawn as often as in its images: 0% to 50% each" in capsys.readouterr().out


@pytest.mark.parametrize(
    "found",
    [None, "0.5", [], [0.5, 0.5], [1, 1, 1, -1], [0, 0, 0, 0], [1, 1, 1, "1"], [1, 1, 1, math.nan]],
)
def test_shares_that_are_none_are_refused(found: object) -> None:
    with pytest.raises(UserError, match="no shares of 4 classes"):
        read_class_shares(found, 4)


def test_a_damaged_header_is_one_line(second_class: Path, tmp_path: Path) -> None:
    with safe_open(second_class, "pt") as file:
        header = json.loads(file.metadata()["squeezespan"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    damaged = tmp_path / "damaged.safetensors"
    for shares in ([1.0], [1, 1, 1, 10**400]):
        save_file(tensors, damaged, {"squeezespan": json.dumps(header | {"class_shares": shares})})
        with pytest.raises(UserError, match=r"damaged\.safetensors has an odd header"):
            load_generator(damaged)


def test_gan_sample_draws_by_them(second_class: Path, tmp_path: Path) -> None:
    pictures = []
    for name, options in (
        ("shares", []),
        ("second", ["--label", "1"]),
        ("first", ["--label", "0"]),
    ):
        out = tmp_path / f"{name}.png"
        command = ["gan", "sample", str(second_class), "--out", str(out), "--num-images", "4"]
        assert main([*command, *options]) == 0
        pictures.append(out.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


def test_scores_and_teachers_draw_by_them(
    second_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_images(tmp_path / "images")
    seen = classes_drawn(monkeypatch)
    images = open_images(data, "train", resolution=32)
    assert len(images.class_names) == 4
    score_generator(load_generator(second_class), images, num_images=4, num_real=4)
    assert set(seen) == {1}
    seen.clear()
    train = {"epochs": 1, "max_steps": 1, "batch_size": 16, "device": "cpu", "precision": "fp32"}
    distill(tiny_config(data, second_class, train=train), tmp_path / "student")
    assert set(seen) == {1}
