"""Each format is opened by its own library, as its card says, and is the same function still."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import timm
import torch
import torchvision
from exports.cards import features_by_the_card
from exports.conftest import NORMALIZATION
from PIL import Image
from torch import nn

from squeezespan import export, load_backbone
from squeezespan.errors import UserError
from squeezespan.exports.formats import FormatName
from squeezespan.exports.torchvision_file import SHARED_RESNETS, write_torchvision
from squeezespan.exports.written import Written, measure_difference
from squeezespan.models.backbones import build_backbone
from squeezespan.models.student_file import Backbone

Student = Callable[..., Path]

pytestmark = pytest.mark.filterwarnings("ignore:Overwriting .* in registry")
"""Two cards make the same name known to timm."""

MINI = ("resnet10-narrow", "cifar", 16)
CASES: list[tuple[FormatName, tuple[str, str, int]]] = [
    *((name, MINI) for name in get_args(FormatName)),
    ("timm", ("resnet10-narrow", "imagenet", 32)),
    ("timm", ("resnet18.a1_in1k", "cifar", 32)),
    ("timm", ("resnet18", "imagenet", 64)),
    ("timm", ("vit_tiny_patch16_224", "imagenet", 32)),
    ("torchvision", ("resnet10-narrow", "imagenet", 32)),
    ("torchvision", ("resnet18", "cifar", 32)),
    ("torchvision", ("resnet18", "imagenet", 64)),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, student: Student) -> Callable[..., Path]:
    """Exports once for all tests that need it: `exported(format, arch, stem, side)`."""
    folder, made = tmp_path_factory.mktemp("exported"), dict[tuple[Any, ...], Path]()

    def make(name: FormatName, arch: str, stem: str, side: int) -> Path:
        if name == "onnx":
            for package in ("onnx", "onnxruntime", "onnxscript"):
                pytest.importorskip(package)
        key = (name, arch, stem, side)
        if key not in made:
            out = folder / "-".join(map(str, key))
            made[key] = export(student(arch, stem, side), name, out)
        return made[key]

    return make


def images_of(side: int, count: int = 5) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize(("name", "built"), CASES, ids=str)
def test_the_lines_in_the_card_give_the_students_features(
    name: FormatName,
    built: tuple[str, str, int],
    exported: Callable[..., Path],
    student: Student,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, images = exported(name, *built), images_of(built[2])
    with torch.no_grad():
        expected = load_backbone(student(*built))(images)
    found = features_by_the_card(folder, images, monkeypatch)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert expected.std(0).max() > 1e-3  # or a constant would do as well


@pytest.mark.parametrize("name", ["onnx", "torch-export"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_graphs_take_any_number_of_images(
    name: FormatName,
    count: int,
    exported: Callable[..., Path],
    student: Student,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = images_of(MINI[2], count)
    found = features_by_the_card(exported(name, *MINI), images, monkeypatch)
    with torch.no_grad():
        expected = load_backbone(student(*MINI))(images)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_onnx_file_says_what_it_is(exported: Callable[..., Path], student: Student) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported("onnx", *MINI) / "model.onnx")
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(told["squeezespan"]) == load_backbone(student(*MINI)).header
    assert "not normalized" in told["input"]


def test_the_program_needs_nothing_of_ours(
    exported: Callable[..., Path], student: Student, tmp_path: Path
) -> None:
    images = images_of(MINI[2])
    with torch.no_grad():
        torch.save((images, load_backbone(student(*MINI))(images)), tmp_path / "pair.pt")
    code = (
        "import sys, torch\n"
        "sys.modules['squeezespan'] = sys.modules['timm'] = None\n"
        "images, expected = torch.load(sys.argv[2])\n"
        "found = torch.export.load(sys.argv[1]).module()(images)\n"
        "torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)\n"
    )
    program = exported("torch-export", *MINI) / "model.pt2"
    subprocess.run([sys.executable, "-c", code, program, tmp_path / "pair.pt"], check=True)


def test_timm_learns_how_images_are_made_ready(
    exported: Callable[..., Path], student: Student
) -> None:
    built = ("resnet18", "imagenet", 64)
    network = timm.create_model(f"local-dir:{exported('timm', *built)}", pretrained=True).eval()
    made_ready: Any = timm.data
    settings = made_ready.resolve_model_data_config(network)
    assert list(settings["input_size"]) == [3, 64, 64]
    assert {name: list(settings[name]) for name in ("mean", "std")} == NORMALIZATION
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ready = made_ready.create_transform(**settings)(Image.fromarray(pixels))
    ours = load_backbone(student(*built))
    with torch.no_grad():
        found = network(ready[None])
        expected = ours(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_timm_makes_a_classifier_or_a_pyramid_of_it(
    exported: Callable[..., Path], student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, images = exported("timm", *MINI), images_of(MINI[2])
    features_by_the_card(folder, images, monkeypatch)  # makes the stem known to timm
    classifier: Any = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=10)
    assert classifier.eval()(images).shape == (5, 10)
    ours = load_backbone(student(*MINI)).network.state_dict()
    assert all(torch.equal(x, ours[n]) for n, x in classifier.state_dict().items() if n in ours)
    pyramid: Any = timm.create_model(f"local-dir:{folder}", pretrained=True, features_only=True)
    sides = [feature.shape[-1] for feature in pyramid.eval()(images)]
    assert [MINI[2] // side for side in sides] == pyramid.feature_info.reduction()


@pytest.mark.parametrize("arch", SHARED_RESNETS)
def test_torchvision_has_the_same_network_under_this_name(arch: str) -> None:
    with torch.device("meta"):
        theirs: Any = torchvision.models.get_model(arch, weights=None)
        ours = timm.create_model(arch, num_classes=0)
    theirs.fc = nn.Identity()
    shapes = [{n: x.shape for n, x in net.state_dict().items()} for net in (ours, theirs)]
    assert shapes[0] == shapes[1]


def test_bottlenecks_compute_the_same(tmp_path: Path) -> None:
    network = build_backbone("resnet50", "cifar", 8)
    header = {"arch": "resnet50", "stem": "cifar", "num_features": 2048, "resolution": 8}
    backbone = Backbone(network, header | {"normalization": NORMALIZATION}).eval()
    written = write_torchvision(backbone, tmp_path)
    assert measure_difference(backbone, written, "torchvision").largest < 1e-5


def test_what_torchvision_lacks_is_refused(student: Student, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vit_tiny_patch16_224 has no counterpart in torchvision"):
        export(student("vit_tiny_patch16_224", "imagenet", 32), "torchvision", tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda features: features + 1e-3, "differ by 1.0e-03"),
        (lambda features: features * torch.nan, "features that are not numbers"),
        (lambda features: features[:1], r"shape \[1, 256\], not \[3, 256\]"),
    ],
)
def test_another_function_is_not_passed_off_as_the_student(
    student: Student, wrong: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    backbone = load_backbone(student(*MINI))
    written = Written({}, "", "", reopen=lambda images: wrong(backbone(images)))
    with pytest.raises(UserError, match=message):
        measure_difference(backbone, written, "onnx")
