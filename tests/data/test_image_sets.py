"""Sets of images: kept or decoded on demand, in parts, joined, and with broken files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import encoded, pack, pets, picture, png, write_tree
from PIL import Image

from squeezespan.data.crop import draw_box_numbers
from squeezespan.data.images import ResidentImages, join_images
from squeezespan.data.loading import DecodedImages, OriginalImages
from squeezespan.data.specs import find_images, open_images
from squeezespan.errors import UserError
from squeezespan.randomness import StepRandom


def _tree(root: Path) -> str:
    return f"folder:{write_tree(root, pets(20, 30) | {'unlabeled/0.png': png(500)})}"


@pytest.mark.parametrize("num_workers", [0, 3])
@pytest.mark.parametrize("packed", ["", "a.tar", "a.zip"])
def test_sets_beyond_the_limit_are_decoded_on_demand(
    tmp_path: Path, packed: str, num_workers: int
) -> None:
    spec = f"folder:{pack(tmp_path / packed, pets(20, 30))}" if packed else _tree(tmp_path)
    size = 50 * 3 * 8 * 8
    kept = open_images(spec, "train", memory_limit=size, num_workers=num_workers)
    indices = torch.randperm(50)[:40]
    assert isinstance(kept, ResidentImages)
    decoded = open_images(spec, "train", memory_limit=size - 1, num_workers=num_workers)
    assert isinstance(decoded, DecodedImages)
    assert torch.equal(decoded.batch(indices), kept.batch(indices))
    assert torch.equal(decoded.subset(indices).batch(torch.arange(40)), kept.batch(indices))


@pytest.mark.parametrize("memory_limit", [0, 2**20])
def test_the_fingerprint_is_that_of_the_images(tmp_path: Path, memory_limit: int) -> None:
    spec = _tree(tmp_path)

    def fingerprint() -> str:
        return open_images(spec, "train", memory_limit=memory_limit).fingerprint()

    before = fingerprint()
    assert fingerprint() == before
    images = open_images(spec, "train", memory_limit=memory_limit)
    assert images.subset(torch.arange(49)).fingerprint() != before
    file = sorted((tmp_path / "train").rglob("*.png"))[17]
    file.write_bytes(png(999))
    assert fingerprint() != before


def test_subset(tmp_path: Path) -> None:
    images = open_images(_tree(tmp_path), "train")
    part = images.subset(torch.tensor([40, 3, 7]))
    again = part.subset(torch.tensor([2, 0]))
    assert len(again) == 2
    assert again.labels is not None
    assert again.labels.tolist() == [0, 1]
    assert again.class_names == ["cat", "dog"]
    expected = images.batch(torch.tensor([7, 40]))
    assert torch.equal(again.batch(torch.tensor([0, 1])), expected)


def test_joined_sets(tmp_path: Path) -> None:
    spec = _tree(tmp_path)
    train, unlabeled = open_images(spec, "train"), open_images(spec, "unlabeled")
    joined = join_images([train, unlabeled, train])
    assert len(joined) == 101
    assert joined.labels is None
    batch = joined.batch(torch.tensor([50, 3, 51, 100]))
    first = unlabeled.batch(torch.tensor([0]))
    assert torch.equal(batch, torch.cat([first, train.batch(torch.tensor([3, 0, 49]))]))


def test_joined_sets_must_be_of_one_size(tmp_path: Path) -> None:
    spec = _tree(tmp_path)
    parts = [open_images(spec, "train", resolution=side) for side in (8, 16)]
    with pytest.raises(UserError, match="8 and 16 pixels"):
        join_images(parts)


def test_resolution(tmp_path: Path) -> None:
    spec = _tree(tmp_path)
    assert open_images(spec, "train").resolution == 8
    larger = open_images(spec, "train", resolution=12)
    assert larger.batch(torch.tensor([0])).shape == (1, 3, 12, 12)


def test_images_of_several_sizes_need_a_resolution(tmp_path: Path) -> None:
    write_tree(tmp_path, {"0.png": png(0), "1.png": png(0, 9, 9)})
    with pytest.raises(UserError, match="give a resolution"):
        open_images(f"folder:{tmp_path}", "train")
    assert open_images(f"folder:{tmp_path}", "train", resolution=9).resolution == 9


@pytest.mark.parametrize("memory_limit", [2**30, 0])
@pytest.mark.parametrize("num_workers", [0, 2])
def test_broken_files_are_named_and_counted(
    tmp_path: Path, memory_limit: int, num_workers: int
) -> None:
    broken = encoded(picture(0, 64, 64))[:500]
    files = pets(20, 20) | {f"train/cat/{i}.png": broken for i in range(4, 10)}
    write_tree(tmp_path, files)

    def read() -> None:
        images = open_images(
            f"folder:{tmp_path}",
            "train",
            resolution=8,
            memory_limit=memory_limit,
            num_workers=num_workers,
        )
        images.batch(torch.arange(40))

    named = ", ".join(rf"train/cat/{i}\.png" for i in (5, 6, 7, 8))
    words = rf"cat/4\.png in .*, nor {named}, 1 more: .*truncated"
    with pytest.raises(UserError, match=words) as raised:
        read()
    assert "\n" not in str(raised.value)


def test_images_of_too_many_pixels_are_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    large = {f"train/cat/{i}.png": png(i, 40, 40) for i in (4, 6)}
    large["train/dog/0.jpg"] = encoded(picture(3, 60, 60), "JPEG")
    write_tree(tmp_path, pets(8, 3) | large)
    images = open_images(f"folder:{tmp_path}", "train", resolution=8)
    assert images.labels is not None
    assert images.labels.tolist() == [0] * 6 + [1] * 4
    assert len(images) == 10
    assert "skipped train/cat/4.png in " in (err := capsys.readouterr().err)
    assert " and 1 more: more pixels than is safe to decode" in err
    expected = np.asarray(picture(5)).transpose(2, 0, 1)
    assert np.array_equal(images.batch(torch.tensor([4]))[0].numpy(), expected)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_on_demand_the_nearest_image_of_its_class_stands_in(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    num_workers: int,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    large = {"train/cat/2.png": png(9, 40, 40), "train/dog/0.png": png(9, 40, 40)}
    write_tree(tmp_path, pets(3, 3) | large)
    images = open_images(
        f"folder:{tmp_path}", "train", resolution=8, memory_limit=0, num_workers=num_workers
    )
    assert len(images) == 6
    batch = images.batch(torch.arange(6))
    assert torch.equal(batch[2], batch[1])
    assert torch.equal(batch[3], batch[4])
    assert "skipped train/cat/2.png in " in (err := capsys.readouterr().err)
    assert "train/cat/1.png in " in err
    source = find_images(f"folder:{tmp_path}", "train").source
    originals = OriginalImages("x", source, 8, device=torch.device("cpu"), num_workers=0)
    numbers = draw_box_numbers(1, StepRandom(0), scale=(0.1, 1.0))
    assert torch.equal(
        originals.crops(torch.tensor([2]), numbers), originals.crops(torch.tensor([1]), numbers)
    )


def test_a_set_of_nothing_but_too_large_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    write_tree(tmp_path, pets(1, 1))
    with pytest.raises(UserError, match=r"more .*is safe to decode"):
        open_images(f"folder:{tmp_path}", "train", resolution=8)


def test_empty_file_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 1) | {"train/cat/0.png": b""})
    with pytest.raises(UserError, match=r"cannot decode train/cat/0\.png in "):
        open_images(f"folder:{tmp_path}", "train")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("memory_limit", [2**30, 0])
def test_batches_are_given_on_the_device(tmp_path: Path, memory_limit: int) -> None:
    spec = _tree(tmp_path)
    images = open_images(spec, "train", device="cuda", memory_limit=memory_limit)
    batch = images.batch(torch.tensor([3, 9]))
    assert batch.is_cuda
    assert torch.equal(batch.cpu(), open_images(spec, "train").batch(torch.tensor([3, 9])))
