"""Folders for the hub: read by its library, pushed to a server here, opened from there by timm."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import timm
import torch
from exports.hub_server import Hub, local_hub
from huggingface_hub import ModelCard

from squeezespan import export, load_backbone
from squeezespan.cli.main import main

PLAIN = ("resnet10-narrow", "imagenet", 32)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with local_hub(monkeypatch, str(tmp_path / "cache")) as hub:
        yield hub


@pytest.fixture
def command(student: Callable[..., Path], tmp_path: Path) -> list[str]:
    return ["export", str(student(*PLAIN)), "--format", "hub", "--out", str(tmp_path / "out")]


def test_what_is_pushed_opens_by_its_name(
    hub: Hub, command: list[str], student: Callable[..., Path]
) -> None:
    assert main([*command, "--push", "me/birds", "--license", "mit"]) == 0
    assert sorted(hub.files["me/birds"]) == ["README.md", "config.json", "model.safetensors"]
    assert hub.settings["me/birds"].get("private", True)
    assert hub.settings["me/birds"].get("visibility", "private") == "private"
    network = timm.create_model("hf_hub:me/birds", pretrained=True).eval()
    ours = load_backbone(student(*PLAIN))
    images = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        found = network((images - ours.mean) / ours.std)
        torch.testing.assert_close(found, ours(images), atol=1e-5, rtol=1e-5)
    assert 'create_model("hf_hub:me/birds"' in hub.files["me/birds"]["README.md"].decode()


def test_a_repository_that_exists_is_left_as_it_is(
    hub: Hub, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.files["me/birds"] = {"model.safetensors": b"precious"}
    assert main([*command, "--push", "me/birds", "--public"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "me/birds exists already" in line
    assert f"hf upload me/birds {tmp_path / 'out'}" in line
    assert hub.files["me/birds"] == {"model.safetensors": b"precious"}
    assert (tmp_path / "out" / "config.json").is_file()


def test_a_hub_out_of_reach_is_told_in_a_line(
    hub: Hub, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.server_close()
    assert main([*command, "--push", "me/birds"]) == 2
    assert "error: not pushed: " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--push", "birds"], "--push takes a repository such as OWNER/NAME, not birds"),
        (["--push", "me/birds"], "needs a token of yours"),
        (["--public"], "--public says who sees what --push"),
        (["--license", "all mine"], "--license takes an identifier such as apache-2.0"),
    ],
)
def test_what_cannot_be_pushed_is_told_before_any_work(
    command: list[str],
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert main([*command, *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_hub_reads_the_card(student: Callable[..., Path], tmp_path: Path) -> None:
    folder = export(student(*PLAIN), "hub", tmp_path / "out", license="apache-2.0")
    card = ModelCard.load(folder / "README.md")
    told = card.data.to_dict()
    assert told["license"] == "apache-2.0"
    assert told["library_name"] == "timm"
    assert told["pipeline_tag"] == "image-feature-extraction"
