"""`squeezespan presets` lists, and prints what `distill --config` takes."""

import json

import pytest

from squeezespan.cli.main import main
from squeezespan.config import config_from_dict
from squeezespan.gan.config import GanTrainConfig
from squeezespan.presets import find_preset, list_presets
from squeezespan.presets.gan import AUTO, GAN_PRESETS
from squeezespan.settings import from_dict


def test_every_preset_is_listed_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "squeezespan distill --preset"
    of_students = lines[1 : len(list_presets()) + 1]
    assert [line.split()[0] for line in of_students] == [preset.name for preset in list_presets()]
    for preset, line in zip(list_presets(), of_students, strict=True):
        assert preset.summary in line
    of_gans = lines[len(list_presets()) + 1 :]
    assert of_gans[0] == "squeezespan gan train --preset"
    assert [line.split()[0] for line in of_gans[1:]] == [AUTO, *GAN_PRESETS]


def test_one_is_printed_as_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "squeeze-span-mini"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert config_from_dict(printed) == find_preset("squeeze-span-mini").build()


def test_one_of_a_gan_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "stylegan2-cpu"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert from_dict(GanTrainConfig, printed, where="test") == GAN_PRESETS["stylegan2-cpu"]()


def test_an_unknown_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "squeeze-mini-span"]) == 2
    assert "there is no preset" in capsys.readouterr().err
