"""A test split made of a share of the images: the same one everywhere."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import make_gan, make_images, make_student_file, tiny_config

from squeezespan.cli.main import main
from squeezespan.data.sources.files import FileList, list_folder
from squeezespan.data.specs import FoundImages, find_images
from squeezespan.data.test_share import describe_test_share
from squeezespan.distillation.images import open_run_images
from squeezespan.errors import UserError
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.probe import probe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Class folders and no split: 20 images of each of 4 classes, and one of a fifth."""
    make_images(tmp_path / "made")
    folder = tmp_path / "images"
    shutil.move(tmp_path / "made" / "train", folder)
    (folder / "rare").mkdir()
    shutil.copy(folder / "class0" / "0.png", folder / "rare" / "only.png")
    return folder


def names(found: FoundImages) -> list[str]:
    return [found.source.name(index) for index in range(len(found))]


def halves(folder: Path, share: float) -> tuple[list[str], list[str]]:
    spec = f"folder:{folder}"
    return (
        names(find_images(spec, "train", test_share=share)),
        names(find_images(spec, "test", test_share=share)),
    )


def test_every_class_gives_its_share_and_no_image_is_in_both(folder: Path) -> None:
    train, test = halves(folder, 0.2)
    assert sorted([*train, *test]) == names(find_images(f"folder:{folder}", "train"))
    assert not set(train) & set(test)
    assert [sum(name.startswith(f"class{k}/") for name in test) for k in range(4)] == [4] * 4
    # A class of one image keeps it.
    assert "rare/only.png" in train
    found = find_images(f"folder:{folder}", "test", test_share=0.2)
    labels = found.source.labels
    assert labels.class_names == ["class0", "class1", "class2", "class3", "rare"]
    assert labels.numbers == [int(name[5]) for name in test]


def test_the_images_are_those_of_the_whole(folder: Path) -> None:
    found = find_images(f"folder:{folder}", "test", test_share=0.2)
    images = found.load(16)
    for index, name in enumerate(names(found)):
        with Image.open(folder / name) as stored:
            pixels = torch.from_numpy(np.array(stored)).permute(2, 0, 1)
        assert torch.equal(images.batch(torch.tensor([index]))[0], pixels)
        assert found.source.size(index) == (16, 16)
        assert name in found.source.describe(index)


def test_the_split_depends_on_names_alone(folder: Path, tmp_path: Path) -> None:
    before = halves(folder, 0.2)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    assert halves(elsewhere, 0.2) == before
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert halves(Path(archive), 0.2) == before
    # A larger share contains a smaller one; a new image moves no other but at the border.
    assert set(before[1]) < set(halves(folder, 0.4)[1])
    shutil.copy(folder / "class1" / "0.png", folder / "class1" / "new.png")
    after = halves(folder, 0.2)
    assert len(set(before[1]) ^ set(after[1])) <= 2


def test_images_without_classes_are_one(tmp_path: Path) -> None:
    for number in range(10):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.png")
    train, test = halves(tmp_path, 0.3)
    assert (len(train), len(test)) == (7, 3)
    assert find_images(f"folder:{tmp_path}", "train", test_share=0.3).source.labels.numbers is None


def test_what_has_a_test_split_is_not_divided(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "whole" / "train")
    shutil.copytree(tmp_path / "whole" / "train", tmp_path / "whole" / "test")
    with pytest.raises(UserError, match=r"has a test split of its own.*leave --test-share out"):
        find_images(f"folder:{tmp_path / 'whole'}", "train", test_share=0.2)
    (tmp_path / "one").mkdir()
    Image.new("RGB", (16, 16)).save(tmp_path / "one" / "a.png")
    with pytest.raises(UserError, match="has 1 images and no class of two"):
        find_images(f"folder:{tmp_path / 'one'}", "test", test_share=0.2)
    with pytest.raises(UserError, match="there is no folder or archive"):
        find_images(f"folder:{tmp_path / 'nowhere'}", "test", test_share=0.2)


def test_an_archive_beside_another_is_its_test_split(folder: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "pets-train"), "zip", folder)
    assert halves(Path(archive), 0.2) == halves(folder, 0.2)
    shutil.make_archive(str(tmp_path / "pets-val"), "zip", folder)
    with pytest.raises(UserError, match="has a test split of its own"):
        find_images(f"folder:{archive}", "train", test_share=0.2)


def test_a_folder_is_listed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[Path] = []

    def listing(path: Path) -> FileList:
        listed.append(path)
        return list_folder(path)

    monkeypatch.setattr("squeezespan.data.sources.tree.list_folder", listing)
    find_images(f"folder:{folder}", "train", test_share=0.2)
    assert listed == [folder]


def test_training_keeps_out_what_a_probe_tests_on(folder: Path, tmp_path: Path) -> None:
    (folder / "rare" / "only.png").unlink()
    (folder / "rare").rmdir()
    spec = f"folder:{folder}"
    gan = make_gan(tmp_path / "gan.safetensors")
    for seed in (0, 1):
        sections: dict[str, dict[str, Any]] = {
            "images": {"resolution": 16, "test_share": 0.25},
            "train": {"seed": seed},
        }
        config = tiny_config(spec, gan, **sections)
        images = open_run_images(config, torch.device("cpu"))
        assert images.knn is not None
        seen = [images.train, images.knn.neighbors, images.knn.queries]
        pixels = {
            tuple(row)
            for part in seen
            for row in part.batch(torch.arange(len(part))).flatten(1).tolist()
        }
        tested = find_images(spec, "test", test_share=0.25).load(16)
        assert len(tested) == 20
        assert len(pixels) == 60
        for row in tested.batch(torch.arange(20)).flatten(1).tolist():
            assert tuple(row) not in pixels


@pytest.mark.parametrize("held_out", [None, 0.2, 0.3])
def test_a_result_says_how_images_were_divided_and_whether_they_were_learnt_from(
    held_out: float | None,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = f"folder:{folder}"
    facts = {"data": spec} | ({} if held_out is None else {"test_share": held_out})
    student = make_student_file(tmp_path / "student.safetensors", facts)
    result = probe(student, spec, "knn", ProbeOptions(test_share=0.2, k=5, device="cpu"))
    assert (result["n_train"], result["n_test"]) == (65, 16)
    assert (result["test_share"], result["test_images_seen"]) == (0.2, held_out != 0.2)
    capsys.readouterr()
    arguments = ["probe", str(student), "--data", spec, "--protocol", "knn", "--k", "5"]
    assert main([*arguments, "--test-share", "0.2"]) == 0
    told = capsys.readouterr().out
    assert describe_test_share(0.2) in told
    assert ("the student has learnt from them" in told) == (held_out != 0.2)
    assert main(arguments) == 2
