"""Every snippet of "Bring your own GAN" runs, on files of the kinds that it names."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files.fastgan import fastgan_module
from checkpoint_files.foreign import stand_in
from checkpoint_files.judging import pickled_discriminator
from checkpoint_files.networks import make_network, randomized
from checkpoint_files.persistence import dump, persistent, snapshot
from checkpoint_files.rosinality import rosinality_state
from checkpoint_files.stylegan import StyleGAN2Parts, StyleGAN3Parts
from checkpoint_files.tensorflow import tensorflow_discriminator, tensorflow_generator

from squeezespan.cli.main import main
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.generators.autogan import AutoGANConfig, AutoGANGenerator
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator

_PAGE = Path(__file__).parents[1] / "docs" / "generators.md"
_SIZES: dict[str, Any] = {
    "resolution": 16,
    "z_dim": 4,
    "w_dim": 6,
    "channel_base": 64,
    "channel_max": 8,
    "mapping_layers": 2,
}


def write_files(folder: Path) -> None:
    """Make a file of each name on the page."""
    torch.manual_seed(0)
    for name, classes in (("stylegan2", 0), ("stylegan2-conditional", 3)):
        config = StyleGAN2Config(**_SIZES, num_classes=classes)
        generator = randomized(StyleGAN2Generator(config))
        discriminator = StyleGAN2Discriminator(
            StyleGAN2DiscriminatorConfig(resolution=16, channel_base=64, channel_max=8)
        )
        content = snapshot(
            persistent(generator, StyleGAN2Parts(config)),
            pickled_discriminator(discriminator),
        )
        (folder / f"{name}.pkl").write_bytes(dump(content))
        if not classes:
            state = generator.state_dict()
            torch.save({"G_ema": state}, folder / "stylegan2-state.pt")
            torch.save({"g_ema": rosinality_state(state)}, folder / "rosinality.pt")
            flat = persistent(generator, StyleGAN2Parts(config, flat=True))
            (folder / "stylegan2-projected.pkl").write_bytes(dump(snapshot(flat)))
            networks = tensorflow_generator(state, resolution=16), tensorflow_discriminator()
            tensorflow = (networks[0], networks[1], networks[0])
            (folder / "stylegan2-tensorflow.pkl").write_bytes(dump(tensorflow))
    for name, file in (
        ("stylegan3_r", "stylegan3-r"),
        ("stylegan_xl_superresolution", "stylegan_xl-superres"),
    ):
        network = make_network(name)
        assert isinstance(network, StyleGAN3Generator)
        stand_in("torch_utils.persistence", "_reconstruct_persistent_obj")
        content = snapshot(persistent(network, StyleGAN3Parts(network.config)))
        (folder / f"{file}.pkl").write_bytes(dump(content))
    fastgan = make_network("fastgan")
    assert isinstance(fastgan, FastGANGenerator)
    module = fastgan_module(fastgan.state_dict(), fastgan.config)
    (folder / "fastgan.pkl").write_bytes(dump(snapshot(module)))
    for name in ("biggan", "autogan", "dcgan"):
        torch.save(make_network(name).state_dict(), folder / f"{name}.pth")
    search = AutoGANGenerator(AutoGANConfig(z_dim=4, width=4, search_network=True))
    torch.save(search.state_dict(), folder / "autogan-derived.pth")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_files(folder)
    return folder


def snippets(language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", _PAGE.read_text("utf-8"), re.S)
    return found


def test_python_snippets_run_one_after_the_other(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    names: dict[str, Any] = {}
    for snippet in snippets("python"):
        exec(compile(snippet, str(_PAGE), "exec"), names)
    assert list(names["judged"].features) == ["b16", "b8", "fc"]
    assert names["config"].gan == "registered:mine"


def test_commands_run(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    commands = [line for snippet in snippets("sh") for line in snippet.splitlines()]
    assert len(commands) >= 6
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "squeezespan"
        assert main(arguments) == 0, capsys.readouterr().err


def test_every_family_has_a_section_with_a_snippet() -> None:
    sections = re.split(r"^### ", _PAGE.read_text("utf-8"), flags=re.M)[1:]
    assert len(sections) == 7
    assert all("```python" in section for section in sections)
