"""A discriminator that teaches on real images: what it is shown, and what is told of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkpoint_files.networks import make_discriminator
from tiny_runs import tiny_config

from squeezespan.config import AugmentConfig, DistillConfig
from squeezespan.data.augment import Augment
from squeezespan.discriminators.files import save_discriminator
from squeezespan.distillation.distill import describe_run, distill
from squeezespan.distillation.prepare import open_stream, prepare
from squeezespan.distillation.stream import Place
from squeezespan.distillation.summary import plan_rows
from squeezespan.errors import UserError
from squeezespan.exports.export import export
from squeezespan.files import file_sha256
from squeezespan.models.student_file import load_backbone
from squeezespan.randomness import StepRandom

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gan") / "discriminator.safetensors"
    save_discriminator(path, make_discriminator(), {"saw": ["a cat"]})
    return path


@pytest.fixture(scope="module")
def judged(data: str, gan: Path, file: Path) -> DistillConfig:
    config = tiny_config(
        data,
        gan,
        train={"max_steps": 2, "epochs": 1},
        source={"statistics_images": 30},
        monitor={"knn_every": 0},
    )
    return replace(config, discriminator=f"discriminator-multi:{file}")


def test_it_is_shown_the_real_images_without_augmentation(judged: DistillConfig) -> None:
    parts = prepare(judged, CPU)
    stream = open_stream(judged, parts, Place(0, 1, CPU))
    batch = stream.batch(1)
    assert batch.real_source is not None
    assert {name: x.shape for name, x in batch.real_source.items()} == {"b8": (8, 8), "fc": (8, 8)}

    other = replace(judged, augment=AugmentConfig(enabled=False))
    plain = open_stream(other, parts, Place(0, 1, CPU)).batch(1)
    assert plain.real_views is not None
    mean, std = (
        torch.tensor(x)[:, None, None] for x in (parts.normalization.mean, parts.normalization.std)
    )
    resize = Augment(AugmentConfig(enabled=False), 8)
    shown = resize(plain.real_views[0] * std + mean, StepRandom(0))
    assert parts.discriminator is not None
    expected = parts.discriminator(shown)
    found = torch.cat(list(batch.real_source.values()), dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_its_statistics_are_those_of_real_images_evenly_spaced(
    judged: DistillConfig, tmp_path: Path
) -> None:
    run = distill(judged, tmp_path / "run")
    parts = prepare(judged, CPU)
    assert parts.discriminator is not None
    rows = torch.arange(30) * len(parts.images.train) // 30
    pixels = Augment(AugmentConfig(enabled=False), 8)(parts.images.train.batch(rows), StepRandom(0))
    said = parts.discriminator(pixels).double()
    kept = load_backbone(run).header["real_target"]
    for name, expected in (("mean", said.mean(dim=0)), ("std", said.std(dim=0))):
        found = torch.tensor([x for layer in kept[name].values() for x in layer])
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)


def test_every_output_names_it_and_what_it_saw(
    judged: DistillConfig, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = distill(judged, tmp_path / "run")
    assert f"{judged.discriminator} weight 25" in capsys.readouterr().err
    told = load_backbone(run).header["provenance"]
    assert told["discriminator"] == judged.discriminator
    assert told["discriminator_sha256"] == file_sha256(file)
    assert told["saw"] == [f"a cat, by way of the discriminator {file}"]
    assert told["method"]["real_teacher"] == 25
    assert told["minibatch_std"]["images"] == 72
    assert f"what {judged.discriminator} says" in (run / "report.html").read_text("utf-8")
    export(run, "safetensors", tmp_path / "exported")
    assert str(file) in (tmp_path / "exported" / "README.md").read_text("utf-8")
    rows = plan_rows(describe_run(judged, tmp_path / "other"))
    assert f"of real images {judged.discriminator}, weight 25" in rows["teacher"]


def test_another_file_under_the_same_name_is_refused(
    judged: DistillConfig, file: Path, tmp_path: Path
) -> None:
    own = tmp_path / "discriminator.safetensors"
    own.write_bytes(file.read_bytes())
    config = replace(judged, discriminator=f"discriminator:{own}")
    run = distill(config, tmp_path / "run")
    (run / "student.safetensors").unlink()
    save_discriminator(own, make_discriminator(), {"saw": ["a dog"]})
    with pytest.raises(UserError, match=r"cannot resume .*discriminator\.safetensors is another"):
        distill(config, run, resume=True)


def test_it_changes_nothing_else_of_a_first_step(judged: DistillConfig) -> None:
    """So that a table shows what it adds, and nothing more."""
    with_it, without = (prepare(one, CPU) for one in (judged, replace(judged, discriminator=None)))
    expected = without.method.state_dict()
    found = with_it.method.state_dict()
    assert {name for name in found if not name.startswith(("real_head", "real_target"))} == set(
        expected
    )
    assert all(found[name].equal(x) for name, x in expected.items())
