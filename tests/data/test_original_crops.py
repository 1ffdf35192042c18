"""Random crops come from the images as stored, however they are stored."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import encoded, pack, picture, png, write_tree
from PIL import Image
from torchvision.transforms.functional import resized_crop as torchvisions

from squeezespan.data.crop import draw_box_numbers, draw_boxes, place_boxes, resized_crop
from squeezespan.data.decode import decode_crop
from squeezespan.data.encoded import BrokenImageError
from squeezespan.data.images import ResidentImages
from squeezespan.data.loading import OriginalImages
from squeezespan.data.sources.base import ArraySource
from squeezespan.data.specs import find_images
from squeezespan.errors import UserError
from squeezespan.randomness import StepRandom

_BOX = (5, 20, 30, 40)


def _choose(*sizes: tuple[int, int]) -> Callable[[int, int], tuple[int, int, int, int]]:
    def choose(height: int, width: int) -> tuple[int, int, int, int]:
        assert (height, width) in sizes
        return _BOX

    return choose


def _smooth(width: int, height: int) -> Image.Image:
    return picture(0, 6, 5).resize((width, height), Image.Resampling.BICUBIC)


def test_a_part_is_torchvisions() -> None:
    image = _smooth(90, 60)
    expected = np.asarray(torchvisions(image, *_BOX, [16, 16]))
    assert np.array_equal(decode_crop(encoded(image), _choose((60, 90)), 16), expected)
    array = ArraySource("x", np.asarray(image)[None])
    assert np.array_equal(array.crop(0, _choose((60, 90)), 16), expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_part_is_one_of_the_upright_image(kind: str, orientation: int) -> None:
    upright = _smooth(90, 60)
    stored = upright.rotate({1: 0, 3: 180, 6: 90, 8: 270}[orientation], expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 98} if kind == "JPEG" else {"lossless": True}
    part = decode_crop(encoded(stored, kind, exif=exif, **options), _choose((60, 90)), 16)
    expected = np.asarray(torchvisions(upright, *_BOX, [16, 16])).astype(int)
    assert np.abs(part - expected).mean() < 3


def test_a_part_of_a_large_photo_is_decoded_by_draft_and_close_to_the_whole() -> None:
    photo = _smooth(1800, 1200)
    part = decode_crop(encoded(photo, "JPEG", quality=95), lambda _, __: (100, 400, 600, 800), 16)
    expected = np.asarray(torchvisions(photo, 100, 400, 600, 800, [16, 16])).astype(int)
    assert np.abs(part - expected).max() <= 4


def test_broken_files_say_why() -> None:
    with pytest.raises(BrokenImageError, match="known format"):
        decode_crop(b"hello", _choose(), 8)


def test_boxes_of_one_image_are_those_of_the_batch() -> None:
    numbers = draw_box_numbers(6, StepRandom(3), scale=(0.08, 1.0))
    together = draw_boxes(6, 40, 100, StepRandom(3), scale=(0.08, 1.0))
    assert torch.equal(place_boxes(numbers, 40, 100), together)
    for row in range(6):
        assert torch.equal(place_boxes(numbers[row : row + 1], 40, 100)[0], together[row])


def _folder(root: Path, files: dict[str, bytes]) -> str:
    return f"folder:{write_tree(root / 'images', files)}"


def _archive(suffix: str) -> Callable[[Path, dict[str, bytes]], str]:
    return lambda root, files: f"folder:{pack(root / f'images{suffix}', files)}"


def _shard(root: Path, files: dict[str, bytes]) -> str:
    return f"wds:{pack(root / 'images.tar', files)}"


def _table(root: Path, files: dict[str, bytes]) -> str:
    datasets = pytest.importorskip("datasets", reason="needs the extra squeezespan[data]")
    rows = {"image": [{"bytes": data, "path": None} for data in files.values()]}
    features = datasets.Features({"image": datasets.Image()})
    (root / "set").mkdir()
    table = datasets.Dataset.from_dict(rows, features=features)
    table.to_parquet(root / "set" / "train.parquet")
    return f"hf:{root / 'set'}"


READERS = {
    "folder": _folder,
    "zip": _archive(".zip"),
    "tar": _archive(".tar"),
    "compressed": _archive(".tar.gz"),
    "shards": _shard,
    "hub": _table,
}


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("reader", READERS)
def test_images_of_several_sizes(
    tmp_path: Path, reader: str, num_workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    shapes = [(40, 30), (64, 64), (30, 50)]
    files = {f"{n}.png": encoded(_smooth(*shape)) for n, shape in enumerate(shapes)}
    found = find_images(READERS[reader](tmp_path, files), "train")
    images = found.load_originals(16, num_workers=num_workers)
    assert isinstance(images, OriginalImages)
    assert images.resolution == 16
    rows = torch.tensor([2, 0, 1, 2])
    numbers = draw_box_numbers(4, StepRandom(0), scale=(0.08, 1.0))
    crops = images.crops(rows, numbers)
    for place, row in enumerate(rows.tolist()):
        width, height = shapes[row]
        box = place_boxes(numbers[place : place + 1], height, width)[0].tolist()
        expected = np.asarray(torchvisions(_smooth(width, height), *box, [16, 16]))
        assert np.array_equal(crops[place].numpy(), expected.transpose(2, 0, 1))


def test_squares_of_one_size_are_kept_as_they_are(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{n}.png": png(n, 24, 24) for n in range(3)})
    images = find_images(f"folder:{tmp_path}", "train").load_originals(16)
    assert isinstance(images, ResidentImages)
    assert images.resolution == 24


def test_both_ways_give_the_same_crops(tmp_path: Path) -> None:
    picture_ = _smooth(96, 96)
    write_tree(tmp_path, {"0.png": encoded(picture_)})
    source = find_images(f"folder:{tmp_path}", "train").source
    images = OriginalImages("x", source, 64, device=torch.device("cpu"), num_workers=0)
    numbers = draw_box_numbers(5, StepRandom(1), scale=(0.08, 1.0))
    theirs = images.crops(torch.zeros(5, dtype=torch.int64), numbers).float() / 255
    batch = torch.from_numpy(np.array(picture_).transpose(2, 0, 1)).expand(5, -1, -1, -1)
    ours = resized_crop(batch, place_boxes(numbers, 96, 96), 64)
    assert (ours - theirs).abs().max() < 1.6 / 255


def test_broken_images_are_named(tmp_path: Path) -> None:
    files = {"0.png": png(0, 9, 8), "1.png": encoded(_smooth(50, 40))[:300]}
    images = find_images(f"folder:{write_tree(tmp_path, files)}", "train").load_originals(8)
    assert isinstance(images, OriginalImages)
    numbers = draw_box_numbers(2, StepRandom(0), scale=(0.08, 1.0))
    with pytest.raises(UserError, match=r"cannot decode 1\.png"):
        images.crops(torch.arange(2), numbers)
