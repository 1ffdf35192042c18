"""Every argument and attribute of the published classes is followed, or refused by its name.

Each entry of the tables is changed in a file. What is inert changes no image; any other attribute
is refused, or followed as the tests below say. A constructor's argument may also stay without
effect, as it does in the original once a network is pickled with its attributes.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files import networks
from checkpoint_files.changing import changed, other
from checkpoint_files.fastgan import fastgan_module
from checkpoint_files.persistence import Part, dump, persistent, snapshot
from checkpoint_files.stylegan import StyleGAN2Parts, StyleGAN3Parts
from checkpoint_files.tensorflow import tensorflow_discriminator, tensorflow_generator
from torch import Tensor, nn

import squeezespan
from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.fastgan.settings import CLASSES as FASTGAN
from squeezespan.generators.published import PublishedClass, Setting
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.generators.stylegan2.settings import CLASSES as STYLEGAN2
from squeezespan.generators.stylegan2.tensorflow_settings import TENSORFLOW_CLASSES
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.generators.stylegan3.settings import CLASSES as STYLEGAN3
from squeezespan.generators.stylegan3.settings import XL_CLASSES
from squeezespan.randomness import StepRandom

RESNET = replace(networks.STYLEGAN2, architecture="resnet")
FOLLOWED = {
    ("SynthesisLayer", "use_noise"),
    ("SynthesisLayer", "conv_clamp"),
    ("SynthesisNetwork", "output_scale"),
    ("SynthesisInput", "bandwidth"),
}
"""Attributes whose other values are followed in a single module."""

Describe = Callable[[str, nn.Module], Part]


def resnet() -> Generator:
    torch.manual_seed(0)
    return networks.randomized(StyleGAN2Generator(RESNET))


def describing(generator: Generator) -> Describe:
    if isinstance(generator, StyleGAN2Generator):
        return StyleGAN2Parts(generator.config)
    assert isinstance(generator, StyleGAN3Generator)
    return StyleGAN3Parts(generator.config)


FAMILIES: dict[str, tuple[Callable[[], Generator], tuple[PublishedClass, ...]]] = {
    "stylegan2": (resnet, STYLEGAN2),
    "stylegan3": (lambda: networks.make_network("stylegan3_t"), STYLEGAN3),
    "stylegan_xl": (lambda: networks.make_network("stylegan_xl"), XL_CLASSES),
}
CASES = [
    (family, known.name, kind, name)
    for family, (_, classes) in FAMILIES.items()
    for known in classes
    for kind in ("arguments", "attributes")
    for name in getattr(known, kind)
    # PyTorch's own embedding is no class of the repository, and is pickled as it is.
    if known.name != "Embedding"
]


def images(opened: Generator, original: Generator) -> Tensor:
    generated: Tensor = opened(original.sample_latents(2, StepRandom(0))).images
    return generated


def with_change(
    known: PublishedClass, kind: str, name: str, generator: Generator
) -> tuple[bytes, bool]:
    """A snapshot in which the first module of a class has another value, and whether it has one."""
    describe, done = describing(generator), list[bool]()

    def described(path: str, module: nn.Module) -> Part:
        part = describe(path, module)
        if done or not known.knows(path, part.class_name):
            return part
        done.append(True)
        return changed(part, kind, name)

    return dump(snapshot(persistent(generator, described))), bool(done)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_entry_is_followed_refused_or_inert(family: str, tmp_path: Path) -> None:
    make, classes = FAMILIES[family]
    original = make()
    expected = images(original, original)
    path = tmp_path / "changed.pkl"
    wrong = []
    for _, class_name, kind, name in (case for case in CASES if case[0] == family):
        known = next(x for x in classes if x.name == class_name)
        setting: Setting = getattr(known, kind)[name]
        data, is_there = with_change(known, kind, name, original)
        assert is_there, f"the file has no {class_name}"
        path.write_bytes(data)
        try:
            found = images(squeezespan.load_generator(path), original)
        except UserError as error:
            if setting.treatment == "inert" or "\n" in str(error):
                wrong.append(f"{class_name}.{name} ({kind}) is inert, but: {error}")
            continue
        if setting.treatment != "inert" and (class_name, name) in FOLLOWED:
            continue
        same = found.shape == expected.shape and torch.equal(found, expected)
        if not same or (setting.treatment != "inert" and kind == "attributes"):
            wrong.append(f"{class_name}.{name} ({kind}) is {setting.treatment}, opened, {same=}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", TENSORFLOW_CLASSES[0].arguments)
def test_tensorflow_s_arguments(name: str, tmp_path: Path) -> None:
    original = networks.make_network("stylegan2")
    usual = {"latent_size": 4, "dlatent_size": 6, "resolution": 8, "num_channels": 3}
    usual |= {"fmap_base": 32, "fmap_max": 8, "mapping_layers": 2, "mapping_fmaps": 6}
    odd = {"fmap_base": 10}
    path, value = tmp_path / "tf.pkl", odd.get(name, other(usual.get(name, 0.5)))
    network = tensorflow_generator(original.state_dict(), **(usual | {name: value}))
    path.write_bytes(dump((network, tensorflow_discriminator(), network), 3))
    setting = TENSORFLOW_CLASSES[0].arguments[name]
    if name == "conv_clamp":
        assert getattr(squeezespan.load_generator(path), "config").conv_clamp == value  # noqa: B009
    # Of an unconditional network's embedding there is no width, and few channels reach no minimum.
    elif setting.treatment == "inert" or name in ("label_fmaps", "fmap_min"):
        found = squeezespan.load_generator(path)
        torch.testing.assert_close(images(found, original), images(original, original))
    else:
        with pytest.raises(UserError, match=rf"{name}|fmap_base"):
            squeezespan.load_generator(path)


def change_everywhere(
    config: StyleGAN2Config, path: Path, change: Callable[[str, Part], dict[str, Any]]
) -> StyleGAN2Generator:
    """Write a network whose attributes are changed as the original's constructor would."""
    generator = networks.randomized(StyleGAN2Generator(config))
    parts = StyleGAN2Parts(config)

    def edited(place: str, module: nn.Module) -> Part:
        part = parts(place, module)
        return replace(part, attributes=part.attributes | change(place, part))

    path.write_bytes(dump(snapshot(persistent(generator, edited))))
    return generator


@pytest.mark.parametrize("family", ["stylegan2", "stylegan3_t", "stylegan_xl"])
def test_the_mapping_s_multiplier_is_followed(family: str, tmp_path: Path) -> None:
    usual = networks.make_network(family)
    config = replace(usual.config, mapping_lr_multiplier=1.0)  # type: ignore[type-var]
    original = type(usual)(config)
    original.load_state_dict(usual.state_dict())
    original.eval()
    path = tmp_path / "multiplier.pkl"
    path.write_bytes(dump(snapshot(persistent(original, describing(original)))))
    opened = squeezespan.load_generator(path)
    assert torch.equal(images(opened, original), images(original, original))
    # w is a hundred times the usual network's for the weights, and the biases' share of it.
    latents = original.sample_latents(2, StepRandom(0))
    assert not torch.allclose(opened(latents).w, usual(latents).w)


def test_a_superresolution_network_keeps_its_stem_s_arguments(tmp_path: Path) -> None:
    generator = networks.make_network("stylegan_xl_superresolution")
    describe = describing(generator)
    stem = {"mapping": {"num_ws": 7}, "synthesis": {"img_resolution": 16}}

    def described(place: str, module: nn.Module) -> Part:
        part = describe(place, module)
        return replace(part, arguments=part.arguments | stem.get(place, {}))

    path = tmp_path / "superresolution.pkl"
    path.write_bytes(dump(snapshot(persistent(generator, described))))
    opened = squeezespan.load_generator(path)
    assert torch.equal(images(opened, generator), images(generator, generator))


def test_noise_that_is_off_in_one_layer(tmp_path: Path) -> None:
    path = tmp_path / "quiet.pkl"
    layer = "synthesis.b8.conv1"
    generator = change_everywhere(
        networks.STYLEGAN2,
        path,
        lambda place, part: {"use_noise": False} if place == layer else {},
    )
    opened = squeezespan.load_generator(path)
    assert float(opened.get_parameter(f"{layer}.noise_strength")) == 0
    with torch.no_grad():
        generator.get_parameter(f"{layer}.noise_strength").zero_()
    assert torch.equal(images(opened, generator), images(generator, generator))


@pytest.mark.parametrize(
    ("place", "attribute", "value"),
    [
        ("synthesis.b4.conv1", "conv_clamp", 0.5),
        ("synthesis.b8.torgb", "conv_clamp", None),
        ("synthesis.b8.conv0", "act_gain", 1.0),
        ("synthesis.b4.torgb", "weight_gain", 1.0),
        ("synthesis.b4.conv1.affine", "weight_gain", 0.1),
        ("mapping.fc1", "bias_gain", 0.1),
        ("mapping.fc0", "activation", "relu"),
        ("synthesis.b8.conv1", "activation", torch.zeros(3)),
        ("synthesis.b8", "extra_skip", True),
    ],
)
def test_attributes_edited_by_hand_are_named(
    place: str, attribute: str, value: Any, tmp_path: Path
) -> None:
    path = tmp_path / "edited.pkl"
    change_everywhere(
        networks.STYLEGAN2, path, lambda name, _: {attribute: value} if name == place else {}
    )
    with pytest.raises(UserError, match=attribute) as caught:
        squeezespan.load_generator(path)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("place", "attribute", "value"),
    [
        ("synthesis.feat_8.3", "eps", 1e-3),
        ("synthesis.to_big", "padding", (0, 0)),
        ("synthesis.init.init.1", "track_running_stats", False),
        ("synthesis.se_64.main.1", "stride", (2, 2)),
        ("", "z_dim", 5),
        ("", "residual", True),
    ],
)
def test_fastgan_s_attributes_are_named(
    place: str, attribute: str, value: Any, tmp_path: Path
) -> None:
    generator = networks.make_network("fastgan")
    assert isinstance(generator, FastGANGenerator)
    module = fastgan_module(generator.state_dict(), generator.config)
    target = module
    for part in filter(None, place.split(".")):
        target = target._modules[part]
    target.__dict__[attribute] = value
    path = tmp_path / "edited.pkl"
    path.write_bytes(dump(snapshot(module)))
    with pytest.raises(UserError, match=attribute):
        squeezespan.load_generator(path)


def test_every_class_of_fastgan_is_known() -> None:
    assert {x.name for x in FASTGAN} >= {"Generator", "DummyMapping", "Conv2d", "BatchNorm2d"}
