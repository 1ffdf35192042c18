"""Every argument and attribute of the discriminator's classes is followed, or refused by its name.

As for the generators, each entry of the tables is changed in a file.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files.changing import changed, other
from checkpoint_files.judging import pickled_discriminator
from checkpoint_files.networks import randomized
from checkpoint_files.persistence import Part, dump
from checkpoint_files.tensorflow import tensorflow_discriminator

from squeezespan import UserError, load_discriminator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.discriminators.stylegan2.settings import CLASSES
from squeezespan.discriminators.stylegan2.tensorflow_settings import TENSORFLOW_CLASSES

CONFIG = StyleGAN2DiscriminatorConfig(
    8, 3, 3, 2, channel_base=64, channel_max=8, architecture="skip", conv_clamp=256.0
)
IMAGES = torch.linspace(-1, 1, 4 * 3 * 64).view(4, 3, 8, 8)
LABELS = torch.tensor([0, 2, 1, 0])


def make(config: StyleGAN2DiscriminatorConfig = CONFIG) -> StyleGAN2Discriminator:
    torch.manual_seed(0)
    return randomized(StyleGAN2Discriminator(config))


def test_each_entry_is_followed_refused_or_inert(tmp_path: Path) -> None:
    original, path = make(), tmp_path / "changed.pkl"
    expected = original(IMAGES, LABELS).logits
    wrong = []
    for known in CLASSES:
        for kind in ("arguments", "attributes"):
            for name, setting in getattr(known, kind).items():
                done: list[str] = []

                def change(place: str, part: Part) -> Part:
                    if done or not known.knows(place, part.class_name):  # noqa: B023
                        return part
                    done.append(place)  # noqa: B023
                    return changed(part, kind, name)  # noqa: B023

                content = pickled_discriminator(original, change)
                path.write_bytes(dump({"D": content}))
                assert done, f"the file has no {known.name}"
                try:
                    found = load_discriminator(path)(IMAGES, LABELS).logits
                except UserError as error:
                    if setting.treatment == "inert" or "\n" in str(error):
                        wrong.append(f"{known.name}.{name} ({kind}): {error}")
                    continue
                same = torch.equal(found, expected)
                if not same or (setting.treatment != "inert" and kind == "attributes"):
                    wrong.append(f"{known.name}.{name} ({kind}) opened, {same=}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("place", "attribute", "value"),
    [
        ("b8.conv0", "activation", "relu"),
        ("b8.conv1", "act_gain", 1.0),
        ("b4.conv", "conv_clamp", 0.5),
        ("b4.fc", "activation", "linear"),
        ("b4.out", "weight_gain", 1.0),
        ("mapping.fc1", "bias_gain", 0.1),
        ("b4.mbstd", "num_channels", 2),
        ("b8", "residual", True),
    ],
)
def test_attributes_edited_by_hand_are_named(
    place: str, attribute: str, value: Any, tmp_path: Path
) -> None:
    def change(path: str, part: Part) -> Part:
        edited = {attribute: value} if path == place else {}
        return replace(part, attributes=part.attributes | edited)

    path = tmp_path / "edited.pkl"
    path.write_bytes(dump({"D": pickled_discriminator(make(), change)}))
    with pytest.raises(UserError, match=attribute) as caught:
        load_discriminator(path)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"mapping_lr_multiplier": 0.1},
        {"mbstd_group_size": 2},
        {"mbstd_group_size": None},
        {"mbstd_channels": 0},
        {"mbstd_channels": 2},
        {"conv_clamp": None},
        {"conv_clamp": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("architecture", ["resnet", "skip"])
def test_what_a_pickle_says_is_followed(
    architecture: Any, change: dict[str, Any], tmp_path: Path
) -> None:
    original = make(replace(CONFIG, architecture=architecture, **change))
    path = tmp_path / "D.pkl"
    path.write_bytes(dump({"D": pickled_discriminator(original)}))
    found = load_discriminator(path)
    assert found.config == original.config
    assert torch.equal(found(IMAGES, LABELS).logits, original(IMAGES, LABELS).logits)


@pytest.mark.parametrize("name", TENSORFLOW_CLASSES[0].arguments)
def test_tensorflow_s_arguments(name: str, tmp_path: Path) -> None:
    original = make(replace(CONFIG, mapping_lr_multiplier=0.1))
    usual: dict[str, Any] = {"resolution": 8, "num_channels": 3, "label_size": 3}
    usual |= {"fmap_base": 32, "fmap_max": 8}
    usual |= {"mapping_layers": 2, "mapping_fmaps": 8, "mbstd_group_size": 4, "conv_clamp": 256.0}
    odd = {"fmap_base": 10}
    value = odd.get(name, other(usual.get(name, 0.5)))
    path = tmp_path / "D.pkl"
    network = tensorflow_discriminator(original.state_dict(), **(usual | {name: value}))
    path.write_bytes(dump(network, 3))
    setting = TENSORFLOW_CLASSES[0].arguments[name]
    followed = {"conv_clamp": "conv_clamp", "mbstd_group_size": "mbstd_group_size"}
    followed["mapping_lrmul"] = "mapping_lr_multiplier"
    if name in followed:
        assert getattr(load_discriminator(path).config, followed[name]) == value
    elif setting.treatment == "inert" or name == "fmap_min":
        found = load_discriminator(path)(IMAGES, LABELS).logits
        torch.testing.assert_close(found, original(IMAGES, LABELS).logits)
    else:
        with pytest.raises(UserError, match=rf"{name}|fmap_base"):
            load_discriminator(path)


@pytest.mark.parametrize(
    ("function", "group_size"), [("D_main", None), ("D_stylegan2", 4), ("D_stylegan", 4)]
)
def test_tensorflow_s_functions_have_defaults_of_their_own(
    function: str, group_size: int | None, tmp_path: Path
) -> None:
    original = make(replace(CONFIG, mbstd_group_size=group_size, mapping_lr_multiplier=0.1))
    network = tensorflow_discriminator(original.state_dict(), resolution=8)
    network.build_func_name = function
    path = tmp_path / "D.pkl"
    path.write_bytes(dump(network, 3))
    config = load_discriminator(path).config
    assert (config.mbstd_group_size, config.mapping_lr_multiplier) == (group_size, 0.1)
    network.build_func_name = "D_patch"
    path.write_bytes(dump(network, 3))
    with pytest.raises(UserError, match="build_func_name D_patch"):
        load_discriminator(path)


def test_tensorflow_s_statistic_may_be_off(tmp_path: Path) -> None:
    original = make(replace(CONFIG, mbstd_channels=0, mapping_lr_multiplier=0.1))
    path = tmp_path / "D.pkl"
    network = tensorflow_discriminator(
        original.state_dict(), mbstd_group_size=0, mbstd_num_features=1
    )
    path.write_bytes(dump(network, 3))
    found = load_discriminator(path)(IMAGES, LABELS).logits
    torch.testing.assert_close(found, original(IMAGES, LABELS).logits)
