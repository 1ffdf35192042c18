"""`squeezespan gan score` on a tiny generator and a folder of images."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import squeezespan
from squeezespan.cli.gan.score import run
from squeezespan.errors import UserError
from squeezespan.generators.registry import save_generator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator


@pytest.fixture
def gan(tmp_path: Path) -> str:
    torch.manual_seed(0)
    config = StyleGAN2Config(
        resolution=8, z_dim=16, w_dim=16, channel_base=64, channel_max=8, mapping_layers=2
    )
    path = tmp_path / "gan.safetensors"
    save_generator(path, StyleGAN2Generator(config), {})
    return str(path)


@pytest.fixture
def data(tmp_path: Path) -> str:
    folder = tmp_path / "images" / "train"
    folder.mkdir(parents=True)
    random = torch.Generator().manual_seed(0)
    for number in range(6):
        pixels = torch.randint(256, (8, 8, 3), dtype=torch.uint8, generator=random)
        Image.fromarray(pixels.numpy()).save(folder / f"{number}.png")
    return f"folder:{tmp_path / 'images'}"


def test_a_score_is_printed_and_written_and_never_called_fid(
    gan: str,
    data: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SQUEEZESPAN_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "score.json"
    run([gan, "--data", data, "--num-images", "8", "--json", str(out), "--device", "cpu"])
    score = json.loads(out.read_text())
    assert score["frechet_efficientnet_lite0"] > 0
    assert score | {"gan": gan, "data": data, "num_images": 8, "num_real": 6} == score
    again = squeezespan.score_gan(gan, data, num_images=8, device="cpu")
    assert again.frechet == score["frechet_efficientnet_lite0"]
    assert again.details["kernel_efficientnet_lite0"] == again.kernel
    printed = capsys.readouterr().out
    assert "Frechet distance (EfficientNet-Lite0)" in printed
    assert not any("fid" in text.lower() for text in (*score, score["metric"], printed))


def test_wrong_options(
    gan: str, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    base = [gan, "--data", data, "--device", "cpu"]
    for arguments, message in [
        ([*base, "--metric", "fid"], "FID needs the Inception weights"),
        ([*base, "--inception-weights", "x.pth"], "--metric fid"),
        ([*base, "--num-images", "1"], "--num-images is 1, but must be at least 4"),
        ([*base, "--json", gan], "exists already"),
        (["absent.pkl", "--data", data], "absent.pkl"),
    ]:
        with pytest.raises(UserError, match=message) as raised:
            run(arguments)
        assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match=r"^score_gan: unknown setting num_image \(did you"):
        squeezespan.score_gan(gan, data, num_image=8)
