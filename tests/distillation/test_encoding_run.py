"""A student that predicts latents, trained from the settings to its file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from crashes import CrashError, crash_before
from safetensors.torch import load_file
from tiny_runs import make_gan, read_metrics, tiny_config

from squeezespan.cli.main import main
from squeezespan.config import DistillConfig
from squeezespan.distillation.distill import distill
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.prepare import open_stream, prepare
from squeezespan.distillation.stream import Place
from squeezespan.models.student_file import load_backbone
from squeezespan.settings import flatten

CPU = torch.device("cpu")
SECTIONS: dict[str, dict[str, Any]] = {
    "source": {"kind": "latent", "noise": "const"},
    "augment": {"enabled": False},
    "train": {"max_steps": 6},
    "monitor": {"knn_every": 0},
}


def encoding(data: str, gan: Path, **method: Any) -> DistillConfig:
    settings = {"name": "encoding", "embed_dim": None, "perceptual": "none", **method}
    return tiny_config(data, gan, method=settings, **SECTIONS)


def test_a_batch_has_the_images_and_the_latents_of_every_layer(data: str, gan: Path) -> None:
    config = encoding(data, gan)
    augmented = replace(config, augment=replace(config.augment, enabled=True))
    batches = []
    for settings in (config, augmented):
        parts = prepare(settings, CPU)
        stream = open_stream(settings, parts, Place(0, 1, CPU))
        batches.append(stream.batch(0))
    plain, viewed = batches
    assert parts.generator is not None
    info = parts.generator.info
    assert plain.source is not None
    assert {name: x.shape for name, x in plain.source.items()} == {
        "w+": (8, info.num_ws * info.w_dim)
    }
    for images, other, views in (
        (plain.real_images, viewed.real_images, plain.real_views),
        (plain.synthetic_images, viewed.synthetic_images, plain.synthetic_views),
    ):
        assert images is not None
        assert other is not None
        assert views is not None
        assert torch.equal(images, other)
        assert images.shape == (8, 3, 16, 16)
        torch.testing.assert_close(parts.normalization.normalize(images), views[0])


def test_a_broken_off_run_ends_like_one_that_was_not(
    data: str, gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = encoding(data, gan)
    whole = distill(config, tmp_path / "whole")
    moments = [2, 3]
    crash_before(monkeypatch, StudentJob, moments)
    while moments:
        with pytest.raises(CrashError):
            distill(config, tmp_path / "run", resume=True)
    run = distill(config, tmp_path / "run", resume=True)
    assert read_metrics(run) == read_metrics(whole)
    weights = [load_file(folder / "student.safetensors") for folder in (run, whole)]
    assert all(torch.equal(x, weights[1][name]) for name, x in weights[0].items())
    assert {name for name in read_metrics(run)[-1] if "/" in name} == {
        "real/l1",
        "syn/l1",
        "syn/latent",
    }


def test_every_output_names_the_distance_and_what_it_saw(
    data: str, gan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = encoding(data, gan, perceptual="efficientnet-lite0")
    config = replace(config, train=replace(config.train, max_steps=1))
    run = distill(config, tmp_path / "run")
    assert "perceptual distance efficientnet-lite0" in capfd.readouterr().err
    assert {"syn/efficientnet_lite0", "real/efficientnet_lite0"} <= read_metrics(run)[-1].keys()
    provenance = load_backbone(run).header["provenance"]
    assert provenance["method"]["perceptual"] == "efficientnet-lite0"
    (saw,) = provenance["saw"]
    assert saw.startswith("ImageNet with its labels (efficientnet-lite0")
    page = (run / "report.html").read_text()
    assert "compared by efficientnet-lite0" in page


def test_a_student_of_another_method_names_no_distance(
    data: str, gan: Path, tmp_path: Path
) -> None:
    config = tiny_config(data, gan, train={"max_steps": 1}, monitor={"knn_every": 0})
    method = load_backbone(distill(config, tmp_path / "run")).header["provenance"]["method"]
    assert "perceptual" not in method
    assert method["name"] == "squeeze-span"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([], "needs --source.kind latent (not feature)"),
        (["--source.kind", "latent"], "--source.noise const or none (not random)"),
        (["--method.alpha", "0"], "--method.alpha is 0, but --method.name encoding"),
    ],
)
def test_settings_that_it_has_no_use_for_end_in_one_line(
    changes: list[str],
    message: str,
    data: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--method.name", "encoding", "--data", data, "--out", str(tmp_path / "run")]
    assert main(["distill", *arguments, *changes]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_generator_without_a_mapping_ends_in_one_line(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from checkpoint_files.networks import make_network

    path = tmp_path / "dcgan.pt"
    torch.save({"G": make_network("dcgan").state_dict()}, path)
    arguments = ["--preset", "encoding-syn-mini", "--data", data, "--gan", str(path)]
    more = ["--out", str(tmp_path / "run"), "--batch-size", "4", "--images.resolution", "16"]
    assert main(["distill", *arguments, *more]) == 2
    assert "encoding predicts the w of every layer" in capsys.readouterr().err.splitlines()[-1]


def test_a_grey_generator_is_compared_by_three_equal_channels(data: str, tmp_path: Path) -> None:
    path = make_gan(tmp_path / "grey.safetensors", channels=1)
    config = encoding(data, path)
    run = distill(replace(config, train=replace(config.train, max_steps=1)), tmp_path / "run")
    assert read_metrics(run)[-1]["syn/l1"] > 0
    assert json.loads((run / "config.json").read_text())["method"]["name"] == "encoding"
    assert flatten(config)["method.perceptual"] == "none"
