"""`squeezespan embed`: files that other libraries read, made part by part."""

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from checkpoint_files.networks import make_discriminator
from image_files import encoded, picture, write_tree
from PIL import Image
from tiny_runs import make_student_file

from squeezespan.cli.embed import run
from squeezespan.cli.main import main
from squeezespan.data.specs import Split, find_images, open_images
from squeezespan.discriminators.files import save_discriminator
from squeezespan.embedding import embed as module
from squeezespan.errors import UserError
from squeezespan.evaluation.features import compute_features
from squeezespan.hardware import ResolvedPrecision
from squeezespan.models.student_file import STUDENT_FILE, load_backbone, save_student

SIDE = 16
PLAIN = ["--device", "cpu", "--precision", "fp32"]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    make_student_file(folder / STUDENT_FILE, {"method": "squeeze-span"})
    return folder


def _odd_images() -> dict[str, bytes]:
    """Every format and mode that a folder from the field mixes."""
    base = picture(3, 20, 24)
    clear = base.convert("RGBA")
    clear.putalpha(128)
    return {
        "cat/a.jpg": encoded(base, "JPEG"),
        "cat/b.png": encoded(base),
        "cat/c.webp": encoded(base, "WEBP"),
        "cat/d.gif": encoded(base, "GIF"),
        "dog/a.tiff": encoded(base, "TIFF"),
        "dog/gray.png": encoded(base.convert("L")),
        "dog/alpha.png": encoded(clear),
        'dog/é, "quoted".png': encoded(picture(4, SIDE, SIDE)),
    }


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight images."""
    files = {f"train/{name}": data for name, data in _odd_images().items()}
    return write_tree(tmp_path_factory.mktemp("odd"), files)


def _from_npz(path: Path) -> tuple[list[str], list[str], npt.NDArray[np.float32]]:
    with np.load(path) as arrays:
        labels = arrays["class_names"][arrays["labels"]].tolist()
        return arrays["names"].tolist(), labels, arrays["features"]


def _from_parquet(path: Path) -> tuple[list[str], list[str], npt.NDArray[np.float32]]:
    pq = pytest.importorskip("pyarrow.parquet")
    columns = pq.read_table(path).to_pydict()
    features = np.array(columns["features"], np.float32)
    return columns["name"], columns["label_name"], features


def _from_csv(path: Path) -> tuple[list[str], list[str], npt.NDArray[np.float32]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    features = np.array([[row[f"f{i}"] for i in range(256)] for row in rows], np.float32)
    return [row["name"] for row in rows], [row["label_name"] for row in rows], features


READERS: dict[str, Callable[[Path], tuple[list[str], list[str], npt.NDArray[np.float32]]]] = {
    ".npz": _from_npz,
    ".parquet": _from_parquet,
    ".csv": _from_csv,
}


@pytest.mark.parametrize("suffix", READERS)
def test_each_format_holds_what_the_backbone_gives(
    suffix: str, student: Path, odd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / f"features{suffix}"
    run([str(student), "--data", f"folder:{odd}", "--out", str(out), *PLAIN])
    assert capsys.readouterr().out == f"{out}\n"
    names, labels, features = READERS[suffix](out)
    assert names == sorted(f"train/{name}" for name in _odd_images())
    assert labels == [name.split("/")[1] for name in names]
    images = open_images(f"folder:{odd}", "train", resolution=SIDE).batch(torch.arange(8))
    with torch.no_grad():
        expected = load_backbone(student)(images).numpy()
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_where_a_table_comes_from_stands_in_it(student: Path, odd: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    for suffix in (".npz", ".parquet"):
        out = tmp_path / f"features{suffix}"
        run([str(student), "--data", f"folder:{odd}", "--out", str(out), *PLAIN])
    with np.load(tmp_path / "features.npz") as arrays:
        about = json.loads(str(arrays["about"]))
        assert "cat" in arrays["class_names"]
    assert about["data"] == f"folder:{odd}"
    assert (about["split"], about["images"], about["left_out"]) == ("train", 8, 0)
    assert about["provenance"] == {"method": "squeeze-span"}
    metadata = pq.read_schema(tmp_path / "features.parquet").metadata
    assert json.loads(metadata[b"squeezespan"]) == about


def test_a_share_becomes_the_test_split(student: Path, tmp_path: Path) -> None:
    files = {f"{kind}/{i}.png": encoded(picture(i)) for kind in ("cat", "dog") for i in range(8)}
    data = f"folder:{write_tree(tmp_path / 'images', files)}"
    found: dict[Split, list[str]] = {}
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        out = tmp_path / f"{split}.npz"
        share = ["--split", split, "--test-share", "0.25"]
        run([str(student), "--data", data, "--out", str(out), *share, *PLAIN])
        found[split], _, _ = _from_npz(out)
        with np.load(out) as arrays:
            assert json.loads(str(arrays["about"]))["test_share"] == 0.25
        source = find_images(data, split, test_share=0.25).source
        assert found[split] == [source.name(i) for i in range(len(source))]
    assert len(found["test"]) == 4
    assert sorted(found["train"] + found["test"]) == sorted(files)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Ten unlabelled images, in parts of four."""
    return write_tree(tmp_path / "many", {f"{i:02}.png": encoded(picture(i)) for i in range(10)})


def _small_parts(monkeypatch: pytest.MonkeyPatch, fails_at: int | None = None) -> list[int]:
    """Keep parts of four, count the images that are computed, and fail where it is asked for."""
    computed: list[int] = []

    def counting(
        backbone: torch.nn.Module, images: torch.Tensor, precision: ResolvedPrecision
    ) -> torch.Tensor:
        if fails_at is not None and sum(computed) >= fails_at:
            raise KeyboardInterrupt
        computed.append(len(images))
        return compute_features(backbone, images, precision)

    monkeypatch.setattr(module, "_PART", 4)
    monkeypatch.setattr(module, "compute_features", counting)
    return computed


def test_a_stopped_work_goes_on_where_it_was(
    student: Path,
    many: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [str(student), "--data", f"folder:{many}", *PLAIN, "--batch-size", "2"]
    with monkeypatch.context() as whole:
        computed = _small_parts(whole)
        run([*arguments, "--out", str(tmp_path / "whole.npz")])
    assert computed == [2] * 5
    out = tmp_path / "stopped.npz"
    with monkeypatch.context() as breaks:
        _small_parts(breaks, fails_at=6)
        assert main(["embed", *arguments, "--out", str(out)]) == 130
    assert not out.exists()
    with monkeypatch.context() as goes_on:
        computed = _small_parts(goes_on)
        run([*arguments, "--out", str(out)])
    assert computed == [2] * 3
    assert "going on after 4 of them" in capsys.readouterr().err
    with np.load(tmp_path / "whole.npz") as one, np.load(out) as other:
        assert one.files == other.files == ["names", "features", "about"]
        assert all(np.array_equal(one[name], other[name]) for name in one.files)
        assert len(one["names"]) == 10
    assert not out.with_name("stopped.npz.partial").exists()


def test_parts_of_other_features_are_not_gone_on_with(
    student: Path, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "features.csv"
    arguments = [str(student), "--data", f"folder:{many}", "--out", str(out), *PLAIN]
    _small_parts(monkeypatch, fails_at=4)
    with pytest.raises(KeyboardInterrupt):
        run(arguments)
    (many / "10.png").write_bytes(encoded(picture(10)))
    with pytest.raises(UserError, match=r"another work: images was 10 there and is 11 now"):
        run(arguments)
    (many / "10.png").unlink()
    network = load_backbone(student)
    other = tmp_path / "other.safetensors"
    save_student(other, network.network, network.header | {"note": "trained on"})
    (student / "kept").write_bytes((student / STUDENT_FILE).read_bytes())
    try:
        (student / STUDENT_FILE).write_bytes(other.read_bytes())
        with pytest.raises(UserError, match="weights_sha256"):
            run(arguments)
    finally:
        (student / "kept").replace(student / STUDENT_FILE)
    assert not out.exists()


def test_a_broken_image_is_refused_or_left_out_as_asked(
    student: Path, many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = many / "05.png"
    broken.write_bytes(broken.read_bytes()[:60])
    out = tmp_path / "features.npz"
    arguments = [str(student), "--data", f"folder:{many}", "--out", str(out), *PLAIN]
    assert main(["embed", *arguments]) == 2
    assert "05.png" in (said := capsys.readouterr().err)
    assert "--skip-broken" in said
    assert not out.exists()
    run([*arguments, "--skip-broken"])
    assert "left out 05.png in" in capsys.readouterr().err
    with np.load(out) as arrays:
        assert len(arrays["names"]) == len(arrays["features"]) == 9
        assert "05.png" not in arrays["names"]
        assert json.loads(str(arrays["about"]))["left_out"] == 1


def test_an_image_of_too_many_pixels_gets_nobody_elses_features(
    student: Path, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (many / "03.png").write_bytes(encoded(picture(3, 64, 64)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    out = tmp_path / "features.npz"
    run([str(student), "--data", f"folder:{many}", "--out", str(out), *PLAIN])
    with np.load(out) as arrays:
        assert len(arrays["features"]) == 9
        assert "03.png" not in arrays["names"]


def test_names_that_are_not_utf8_are_kept(student: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    folder = tmp_path / "images"
    inside = folder / os.fsdecode(b"\xe9t\xe9")
    try:
        inside.mkdir(parents=True)
        (folder / "dog").mkdir()
        (folder / "dog" / "1.png").write_bytes(encoded(picture(1)))
        (inside / name).write_bytes(encoded(picture(0)))
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    out = tmp_path / "features.csv"
    run([str(student), "--data", f"folder:{folder}", "--out", str(out), *PLAIN])
    assert b"\n\xe9t\xe9/caf\xe9.png,1,\xe9t\xe9," in out.read_bytes()
    pq = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "features.parquet"
    run([str(student), "--data", f"folder:{folder}", "--out", str(out), *PLAIN])
    columns = pq.read_table(out).to_pydict()
    assert columns["name"] == ["dog/1.png", r"\udce9t\udce9/caf\udce9.png"]
    assert columns["label_name"] == ["dog", r"\udce9t\udce9"]


def test_what_is_refused(
    student: Path, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "mine.npz"
    taken.write_text("mine")
    base = [str(student), "--data", f"folder:{many}", "--out"]
    for arguments, message in [
        ([*base, str(taken)], "exists already"),
        ([*base, "features.txt"], r"no known format; give --out a name in \.npz, \.parquet, \.csv"),
        ([*base, "x.npz", "--split", "test"], "no test split"),
        ([*base, "x.npz", "--batch-size", "0"], "--batch-size is 0"),
        ([*base, "x.npz", "--split", "unlabeled", "--test-share", "0.2"], "has no part in it"),
        ([str(tmp_path), "--data", "folder:x", "--out", "x.npz"], STUDENT_FILE),
    ]:
        with pytest.raises(UserError, match=message):
            run(arguments)
    assert taken.read_text() == "mine"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'squeezespan\[parquet\]'"):
        run([*base, "x.parquet"])


def test_a_discriminator_is_measured_on_train_before_it_embeds_test(
    odd: Path, tmp_path: Path
) -> None:
    file = tmp_path / "discriminator.safetensors"
    save_discriminator(file, make_discriminator(), {})
    both = tmp_path / "both"
    for split in ("train", "test"):
        shutil.copytree(odd / "train", both / split)
    (both / "test" / "cat" / "a.jpg").unlink()
    weights = f"discriminator:{file}"
    out = tmp_path / "features.npz"
    run([weights, "--data", f"folder:{both}", "--split", "test", "--out", str(out), *PLAIN])
    backbone = load_backbone(weights)
    backbone.prepare(open_images(f"folder:{both}", "train", resolution=backbone.resolution))
    images = open_images(f"folder:{both}", "test", resolution=backbone.resolution)
    with torch.no_grad():
        expected = backbone(images.batch(torch.arange(7))).numpy()
    with np.load(out) as arrays:
        np.testing.assert_allclose(arrays["features"], expected, rtol=1e-4, atol=1e-5)
        about = json.loads(str(arrays["about"]))
    assert about["provenance"]["minibatch_std"]["images"] == 8
