"""A discriminator's hidden layers where a trained student can stand."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_files.networks import make_discriminator
from tiny_runs import make_images

from squeezespan import UserError, evaluate, load_backbone
from squeezespan.cli.main import main
from squeezespan.data.specs import find_images
from squeezespan.discriminators.features import DiscriminatorBackbone, DiscriminatorFeatures
from squeezespan.discriminators.files import save_discriminator
from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.probe import probe
from squeezespan.exports.export import export
from squeezespan.files import file_sha256
from squeezespan.gan.scoring.judges import open_judges

SIDE = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("images")
    spec = make_images(folder, per_class=12)
    shutil.copytree(folder / "train", folder / "test")
    return spec


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gan") / "discriminator.safetensors"
    save_discriminator(path, make_discriminator(), {})
    return path


def images(count: int = 6) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, SIDE, SIDE), generator=random).to(torch.uint8)


def scaled(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.float() / 127.5 - 1


@pytest.mark.parametrize("multi", [False, True])
def test_an_images_features_do_not_depend_on_its_neighbours(
    multi: bool, file: Path, data: str
) -> None:
    backbone = load_backbone(f"discriminator{'-multi' if multi else ''}:{file}")
    backbone.prepare(find_images(data, "train").load(SIDE))
    pixels = images()
    together = backbone(pixels)
    assert together.shape == (6, backbone.num_features) == (6, 16 if multi else 8)
    alone = torch.cat([backbone(pixels[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(alone, together)
    torch.testing.assert_close(backbone(pixels.flip(0)).flip(0), together)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_fixed_deviation_is_that_of_all_images_as_one_batch(channels: int) -> None:
    """As the authors take it, where a batch holds the whole set."""
    torch.manual_seed(0)
    config = replace(make_discriminator().config, mbstd_group_size=None, mbstd_channels=channels)
    discriminator = StyleGAN2Discriminator(config).eval()
    pixels = scaled(images(12))
    features = DiscriminatorFeatures(discriminator, multi=True)
    features.measure(torch.split(pixels, 5))
    expected = discriminator(pixels).features
    assert features.layers == ("b8", "fc")
    whole = torch.cat([expected["b8"].mean((2, 3)), expected["fc"]], dim=1)
    torch.testing.assert_close(features(pixels), whole)
    assert features.statistic.shape == (channels,)


def test_several_layers_match_the_reference(shared: Path) -> None:
    folder = shared / "golden" / "stylegan2_discriminator"
    vectors = {name: torch.from_numpy(x) for name, x in np.load(folder / "io.npz").items()}
    backbone = load_backbone(f"discriminator-multi:{folder / 'weights.safetensors'}")
    assert isinstance(backbone, DiscriminatorBackbone)
    backbone.network.measure([vectors["input_image"]])
    found, expected = backbone.network(vectors["input_image"]), vectors["features_concat_gap"]
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("protocol", ["knn", "logistic", "linear", "fewshot"])
def test_every_protocol_takes_one(
    protocol: Protocol, file: Path, data: str, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ProbeOptions(
        k=5, shots=3, draws=2, epochs=1, batch_size=16, device="cpu", precision="fp32"
    )
    result = probe(f"discriminator:{file.parent}", data, protocol, options)
    assert result["resolution"] == SIDE
    assert result["arch"] == "StyleGAN2 discriminator, fc"
    assert result["train_images"] == "48 images of 16 pixels, brought to 8"
    told = result["provenance"]["minibatch_std"]
    assert (told["images"], told["data"]) == (48, data)
    assert result["weights_sha256"] == result["provenance"]["sha256"] == file_sha256(file)
    assert "is fixed to that of 48 train images" in capfd.readouterr().err


def test_the_command_and_the_function_agree(
    file: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"discriminator-multi:{file}"
    arguments = ["--data", data, "--protocol", "knn", "--k", "5", "--precision", "fp32"]
    assert main(["probe", spec, *arguments]) == 0
    accuracy = evaluate.knn(spec, data, k=5, precision="fp32")["accuracy"]
    assert f"{accuracy:.2%}" in capsys.readouterr().out


def test_half_precision_is_that_of_training(file: Path, data: str) -> None:
    backbone = load_backbone(f"discriminator:{file}")
    backbone.prepare(find_images(data, "train").load(SIDE))
    exact = backbone(images())
    with torch.autocast("cpu", torch.bfloat16):
        rounded = backbone(images())
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).abs().max() < 0.05 * exact.abs().max()


def test_a_forgotten_measurement_is_told(file: Path) -> None:
    with pytest.raises(UserError, match=r"call backbone\.prepare\(images\)"):
        load_backbone(f"discriminator:{file}")(images())


def test_a_discriminator_without_the_deviation_needs_none(tmp_path: Path) -> None:
    config = replace(make_discriminator().config, mbstd_channels=0)
    save_discriminator(tmp_path / "d.safetensors", StyleGAN2Discriminator(config), {})
    backbone = load_backbone(f"discriminator:{tmp_path / 'd.safetensors'}")
    assert backbone(images()).shape == (6, 8)


def test_what_it_saw_is_repeated_and_classes_are_not_asked_for(tmp_path: Path, data: str) -> None:
    path = tmp_path / "d.safetensors"
    config = replace(make_discriminator().config, num_classes=3)
    save_discriminator(path, StyleGAN2Discriminator(config), {"saw": ["a cat"]})
    backbone = load_backbone(f"discriminator:{path}")
    backbone.prepare(find_images(data, "train").load(SIDE))
    assert backbone.header["provenance"]["saw"] == ["class labels of the images", "a cat"]
    assert backbone(images()).isfinite().all()


def test_what_can_not_be_used_is_refused(tmp_path: Path, file: Path) -> None:
    grey = tmp_path / "grey.safetensors"
    config = replace(make_discriminator().config, channels=1)
    save_discriminator(grey, StyleGAN2Discriminator(config), {})
    with pytest.raises(UserError, match="judges images of 1 channels"):
        load_backbone(f"discriminator:{grey}")
    with pytest.raises(UserError, match=r"there is no checkpoint file absent"):
        load_backbone("discriminator:absent")
    with pytest.raises(UserError, match="is no student; a discriminator"):
        export(f"discriminator:{file}", "safetensors", tmp_path / "out")
    with pytest.raises(UserError, match="can't judge a GAN"):
        open_judges((f"discriminator:{file}",))
