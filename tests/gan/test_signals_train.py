"""`gan train` with a student: heads beside the discriminator, and clusters for classes."""

import dataclasses
import json
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import torch
from crashes import CrashError, crash_before
from gan.tiny_projected import make_student
from ranks import run_as_ranks
from safetensors.torch import load_file
from tiny_gans import tiny_gan
from tiny_runs import make_images, read_metrics

from squeezespan.cli.main import main
from squeezespan.discriminators.files import load_discriminator
from squeezespan.errors import UserError
from squeezespan.gan.classes import CLUSTERS_FILE
from squeezespan.gan.clusters import kept_clusters
from squeezespan.gan.combinations import partial_judges
from squeezespan.gan.config import GanAidConfig, GanClustersConfig, GanOriginConfig, GanTrainConfig
from squeezespan.gan.job import GanJob
from squeezespan.gan.train import train_gan
from squeezespan.generators import load_generator, read_generator_header
from squeezespan.generators.base import Latents
from squeezespan.seen import LABELS

SECRET = "labels of another set"
STEPS = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = make_student(tmp_path_factory.mktemp("student"), saw=[SECRET])
    return made.removeprefix("student:")


def aided(data: str, student: str, **train: object) -> GanTrainConfig:
    config = tiny_gan(data, max_steps=STEPS, **train)
    return dataclasses.replace(config, aid=GanAidConfig(backbone=student, weight=0.5, channels=4))


def clustered(data: str, student: str, **train: object) -> GanTrainConfig:
    config = tiny_gan(data, **{"max_steps": STEPS, **train})
    clusters = GanClustersConfig(backbone=student, count=5, smallest=3)
    return dataclasses.replace(config, clusters=clusters)


@pytest.fixture(scope="module")
def whole_aided(data: str, student: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_gan(aided(data, student), tmp_path_factory.mktemp("runs") / "aided")


@pytest.fixture(scope="module")
def whole_clustered(data: str, student: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_gan(clustered(data, student), tmp_path_factory.mktemp("runs") / "clustered")


def assert_same(run: Path, reference: Path) -> None:
    for name in ("generator.safetensors", "discriminator.safetensors"):
        ours, theirs = load_file(run / name), load_file(reference / name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert read_metrics(run)[-1] == read_metrics(reference)[-1]


def broken_off(config: GanTrainConfig, run: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that breaks off after its second and its third step and goes on."""
    moments = [2, 3]
    crash_before(monkeypatch, GanJob, moments)
    while moments:
        with pytest.raises(CrashError):
            train_gan(config, run, resume=True)
    return train_gan(config, run, resume=True)


def test_an_aided_run_says_who_judged_and_what_that_one_saw(
    whole_aided: Path, student: str, capsys: pytest.CaptureFixture[str]
) -> None:
    provenance = read_generator_header(whole_aided)["provenance"]
    assert provenance["aid"]["network"] == f"student:{student}"
    assert provenance["aid"]["weight"] == 0.5
    assert provenance["saw"] == [f"{SECRET}, by way of student {student}"]
    assert load_discriminator(whole_aided).config.resolution == 16
    line = read_metrics(whole_aided)[-1]
    assert {"loss/aid_generator", "loss/aid_discriminator", "logits/aid_real"} <= line.keys()
    page = (whole_aided / "report.html").read_text()
    assert SECRET in page
    assert f"judged by the features of {student}, too" in page
    assert main(["gan", "inspect", str(whole_aided), "--batch-size", "1"]) == 0
    assert SECRET in capsys.readouterr().out


def test_an_aided_run_that_broke_off_ends_as_undisturbed(
    whole_aided: Path, data: str, student: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = aided(data, student)
    run = broken_off(config, tmp_path / "run", monkeypatch)
    assert_same(run, whole_aided)
    last = f"checkpoints/step-{STEPS:09d}.pt"
    heads = [
        torch.load(folder / last, weights_only=True)["state"]["job"]["gan"]["aid"]
        for folder in (run, whole_aided)
    ]
    assert heads[0]["heads"].keys() == heads[1]["heads"].keys()
    assert all(torch.equal(heads[0]["heads"][x], weight) for x, weight in heads[1]["heads"].items())


def test_the_aid_changes_what_is_learnt_and_little_else(
    whole_aided: Path, data: str, tmp_path: Path
) -> None:
    plain = train_gan(tiny_gan(data, max_steps=STEPS), tmp_path / "plain")
    ours, theirs = (load_file(run / "generator.safetensors") for run in (whole_aided, plain))
    assert ours.keys() == theirs.keys()
    assert not all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert "aid" not in read_generator_header(plain)["provenance"]
    assert "saw" not in read_generator_header(plain)["provenance"]


def test_another_student_under_the_same_name_is_refused(data: str, tmp_path: Path) -> None:
    student = make_student(tmp_path / "student").removeprefix("student:")
    short = aided(data, student)
    short = dataclasses.replace(short, train=dataclasses.replace(short.train, max_steps=1))
    run = train_gan(short, tmp_path / "run")
    make_student(tmp_path / "student", seed=1)
    with pytest.raises(
        UserError, match=r"^cannot resume: .* has other weights than when the run began"
    ):
        train_gan(aided(data, student), run, resume=True)


def test_clusters_are_classes_drawn_as_often_as_they_occur(
    whole_clustered: Path, student: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clusters = kept_clusters(whole_clustered / CLUSTERS_FILE)
    assert clusters is not None
    sizes = clusters.assigned.bincount()
    assert int(sizes.sum()) == 80
    assert int(sizes.min()) >= 3
    generator = load_generator(whole_clustered)
    assert generator.info.num_classes == len(sizes) > 1
    assert generator.class_shares == pytest.approx((sizes / 80).tolist())
    assert load_discriminator(whole_clustered).config.num_classes == len(sizes)
    provenance = read_generator_header(whole_clustered)["provenance"]
    assert provenance["clusters"]["backbone"] == student
    assert provenance["clusters"]["count"] == len(sizes)
    assert provenance["saw"] == [f"{SECRET}, by way of student {student}"]
    assert LABELS not in provenance["saw"]
    assert SECRET in (whole_clustered / "report.html").read_text()
    assert main(["gan", "inspect", str(whole_clustered), "--batch-size", "1"]) == 0
    assert SECRET in capsys.readouterr().out


def test_a_clustered_run_that_broke_off_goes_on_without_the_backbone(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = make_student(tmp_path / "student", seed=2).removeprefix("student:")
    config = clustered(data, student)
    reference = train_gan(config, tmp_path / "undisturbed")
    train_gan(clustered(data, student, max_steps=1), tmp_path / "run")
    (Path(student) / "student.safetensors").unlink()
    assert_same(broken_off(config, tmp_path / "run", monkeypatch), reference)


def test_other_clusters_or_images_are_refused(data: str, student: str, tmp_path: Path) -> None:
    run = train_gan(clustered(data, student, max_steps=1), tmp_path / "run")
    other = clustered(data, student, max_steps=1, seed=5)
    theirs = train_gan(other, tmp_path / "other") / CLUSTERS_FILE
    assert theirs.read_bytes() != (run / CLUSTERS_FILE).read_bytes()
    (run / CLUSTERS_FILE).write_bytes(theirs.read_bytes())
    with pytest.raises(UserError, match=r"cannot resume .*clusters\.safetensors has other"):
        train_gan(clustered(data, student), run, resume=True)
    # What is missing is made anew, and is the same.
    (run / CLUSTERS_FILE).unlink()
    train_gan(clustered(data, student), run, resume=True)
    more = make_images(tmp_path / "images", per_class=21)
    moved = run.rename(tmp_path / "moved")
    for file in (*(moved / "checkpoints").iterdir(), moved / "config.json"):
        file.unlink()
    (moved / "config.json").write_text(
        (theirs.parent / "config.json").read_text().replace(json.dumps(data), json.dumps(more))
    )
    config = dataclasses.replace(other, data=more)
    with pytest.raises(UserError, match="has the clusters of other images"):
        train_gan(config, moved, resume=True)


def test_clusters_start_from_a_gan_without_classes(data: str, student: str, tmp_path: Path) -> None:
    plain = train_gan(tiny_gan(data, max_steps=1), tmp_path / "plain")
    start = GanOriginConfig(str(plain), str(plain / "discriminator.safetensors"), warmup_kimg=1)
    config = dataclasses.replace(clustered(data, student, max_steps=1), init=start)
    old, new = (load_generator(run) for run in (plain, train_gan(config, tmp_path / "run")))
    z = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    found = new(Latents(z, torch.tensor([0, 1, 0]))).images
    torch.testing.assert_close(found, old(Latents(z, None)).images, rtol=1e-4, atol=1e-5)


def test_two_processes_have_the_same_clusters_and_end_as_one(
    server: ForkServerContext, data: str, student: str, tmp_path: Path
) -> None:
    config = clustered(data, student, max_steps=2)
    assert run_as_ranks(server, train_gan, config, tmp_path / "two") == [0, 0]
    train_gan(config, tmp_path / "one")
    names = ("generator.safetensors", CLUSTERS_FILE)
    for name in names:
        shared, alone = (load_file(tmp_path / run / name) for run in ("two", "one"))
        assert shared.keys() == alone.keys()
        for key, weight in alone.items():
            torch.testing.assert_close(shared[key], weight, rtol=1e-3, atol=1e-3)
    line, expected = (read_metrics(tmp_path / run)[-1] for run in ("two", "one"))
    assert line.pop("kind") == expected.pop("kind")
    assert line == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_small_clusters_are_told_and_too_small_ones_refused(
    data: str, student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = clustered(data, student, max_steps=1)
    many = GanClustersConfig(backbone=student, count=30, smallest=6)
    train_gan(dataclasses.replace(config, clusters=many), tmp_path / "many")
    assert "of 30 had less than 6 images, which joined their nearest" in capsys.readouterr().err
    for clusters, words in (
        (GanClustersConfig(backbone=student, count=2, smallest=80), "only one cluster of"),
        (GanClustersConfig(backbone=student, count=81), r"count 81 is more than the 80 images"),
        (GanClustersConfig(backbone=str(tmp_path / "none"), count=4), "run folder"),
    ):
        with pytest.raises(UserError, match=words):
            train_gan(dataclasses.replace(config, clusters=clusters), tmp_path / "refused")
        assert not (tmp_path / "refused").exists()


def test_classes_of_labels_follow_the_images_unless_told_otherwise(tmp_path: Path) -> None:
    data = make_images(tmp_path / "images")
    for surplus in sorted((tmp_path / "images" / "train" / "class1").glob("*.png"))[5:]:
        surplus.unlink()
    config = dataclasses.replace(tiny_gan(data, max_steps=1), conditional=True)
    followed = train_gan(config, tmp_path / "followed")
    expected = [20 / 65, 5 / 65, 20 / 65, 20 / 65]
    assert load_generator(followed).class_shares == pytest.approx(expected)
    assert read_generator_header(followed)["provenance"]["saw"] == [LABELS]
    uniform = train_gan(dataclasses.replace(config, class_draw="uniform"), tmp_path / "uniform")
    assert load_generator(uniform).class_shares is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--aid.weight", "2"], "aid.weight is for a run with --aid.backbone"),
        (["--clusters.count", "7"], "clusters.count is for a run with --clusters.backbone"),
        (["--aid.backbone", "S", "--micro-batch", "8"], "batch norms of the heads"),
        (["--aid.backbone", "S", "--aid.side", "16"], "--aid.side"),
        (["--aid.backbone", "nowhere"], "nowhere"),
        (["--clusters.backbone", "S", "--conditional"], "give one of them"),
        (["--clusters.backbone", "S", "--class-draw", "uniform"], "as often as they occur"),
        (["--class-draw", "uniform"], "there are no classes"),
        (["--preset", "projected-cpu", "--aid.backbone", "S"], "--projected.features student:RUN"),
        (["--clusters.backbone", "S", "--clusters.count", "90", "--dry-run"], "the 80 images"),
    ],
)
def test_what_does_not_go_together_gets_one_line(
    options: list[str],
    message: str,
    data: str,
    student: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "none"
    named = [student if option == "S" else option for option in options]
    begin = ["gan", "train", "--data", data, "--out", str(out), "--batch-size", "16"]
    assert main([*begin, *named]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not out.exists()


def test_a_dry_run_makes_no_clusters(
    data: str, student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none"
    options = ["--clusters.backbone", student, "--clusters.count", "6", "--aid.backbone", student]
    options += ["--preset", "stylegan2-cpu", "--resolution", "16", "--batch-size", "8"]
    assert (
        main(["gan", "train", "--data", data, "--out", str(out), *options, "--dry-run", "--json"])
        == 0
    )
    shown = json.loads(capsys.readouterr().out)
    assert shown["config"]["clusters"]["count"] == 6
    assert not out.exists()


def test_a_judge_that_helps_to_train_is_told(student: str) -> None:
    for config in (aided("unused", student), clustered("unused", student)):
        monitor = dataclasses.replace(config.monitor, judges=(student,), score_images=100)
        assert partial_judges(dataclasses.replace(config, monitor=monitor)) == [student]
        assert partial_judges(config) == []
