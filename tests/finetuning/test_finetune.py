"""`squeezespan finetune` on a small student and small images of four classes."""

import dataclasses
import json
import shutil
import signal
from functools import partialmethod
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch
from crashes import CrashError, crash_before
from legibility import assert_legible
from pages import read_page
from run_fixtures import server
from safetensors.torch import load_file
from tiny_runs import make_images, make_student_file, read_metrics

import squeezespan
from squeezespan.cli.finetune import run
from squeezespan.cli.main import main
from squeezespan.config import Precision
from squeezespan.data.specs import MEMORY_LIMIT, FoundImages, open_images
from squeezespan.errors import UserError
from squeezespan.evaluation.hits import unpack_hits
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.paired import paired_difference
from squeezespan.evaluation.probe import probe
from squeezespan.finetuning.config import FinetuneConfig, FinetuneTrainConfig, TuningConfig
from squeezespan.finetuning.job import FinetuneJob
from squeezespan.finetuning.run import run_finetuning
from squeezespan.models.classifier_file import load_classifier
from squeezespan.models.student_file import STUDENT_FILE, load_backbone

__all__ = ["server"]

SIDE = 16
FP32: Precision = "fp32"
TRAIN = FinetuneTrainConfig(epochs=1, batch_size=8, device="cpu", precision=FP32, num_workers=0)


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    make_student_file(
        folder / STUDENT_FILE, {"method": "squeeze-span", "saw": ["weights of somebody's"]}
    )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("images")
    spec = make_images(folder, per_class=5)
    shutil.copytree(folder / "train", folder / "test")
    return spec


@pytest.fixture(scope="module")
def config(student: Path, data: str) -> FinetuneConfig:
    return FinetuneConfig(str(student), data, 4, TRAIN)


@pytest.fixture(scope="module")
def saving(config: FinetuneConfig) -> FinetuneConfig:
    """The same, with a checkpoint after every step."""
    train = dataclasses.replace(config.train, checkpoint_minutes=0.0)
    return dataclasses.replace(config, train=train)


@pytest.fixture(scope="module")
def done(config: FinetuneConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_finetuning(config, tmp_path_factory.mktemp("runs") / "done")


def result_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_text())
    return found


def test_the_networks_that_are_left_give_the_scores_that_were_tested(done: Path, data: str) -> None:
    result = result_of(done)
    test = open_images(data, "test")
    classifier = load_classifier(done)
    with torch.no_grad():
        scores = classifier(test.batch(torch.arange(len(test))))
    assert test.labels is not None
    hits = scores.argmax(1) == test.labels
    assert torch.equal(hits, unpack_hits(result["hits"], len(test)))
    assert result["accuracy"] == pytest.approx(float(hits.float().mean()))
    assert result["interval"][0] <= result["accuracy"] <= result["interval"][1]
    assert classifier.class_names == [f"class{label}" for label in range(4)]


def test_the_probe_beside_it_is_the_first_draw_of_few_label_evaluation(
    done: Path, student: Path, data: str
) -> None:
    result = result_of(done)
    options = ProbeOptions(shots=4, draws=2, device="cpu", precision="fp32")
    few = probe(student, data, "fewshot", options)
    assert result["probe"]["hits"] == few["hits"][0]
    mine, before = (unpack_hits(text, 20) for text in (result["hits"], few["hits"][0]))
    difference, interval = paired_difference(mine, before)
    assert result["difference"]["accuracy"] == pytest.approx(difference)
    assert result["difference"]["interval"] == pytest.approx(interval)


def test_what_it_has_seen_stands_in_its_file(config: FinetuneConfig, tmp_path: Path) -> None:
    one_rate = dataclasses.replace(config, tuning=TuningConfig((1e-3,)))
    out = run_finetuning(one_rate, tmp_path / "run")
    provenance = load_backbone(out).header["provenance"]
    labels = f"labels of 16 images of {config.data}"
    assert provenance["saw"] == ["weights of somebody's", labels]
    assert provenance["finetuned"]["learning_rate"] == 1e-3
    assert provenance["before"]["method"] == "squeeze-span"
    before = load_backbone(config.weights).state_dict()
    after = load_backbone(out).state_dict()
    name = "network.layer4.0.conv2.weight"
    assert not torch.equal(before[name], after[name])
    assert torch.equal(before["network.bn1.running_mean"], after["network.bn1.running_mean"])


def test_where_held_out_images_speak_against_it_the_network_stays(
    config: FinetuneConfig, tmp_path: Path
) -> None:
    harmful = dataclasses.replace(config, tuning=TuningConfig((1.0, 0.5), layer_decay=1.0))
    out = run_finetuning(harmful, tmp_path / "run")
    result = result_of(out)
    assert result["chosen"]["learning_rate"] is None
    assert "stays as it is" in result["chosen"]["why"]
    assert result["hits"] == result["probe"]["hits"]
    assert result["difference"]["accuracy"] == 0
    before, after = load_backbone(config.weights), load_backbone(out)
    assert after.header["provenance"] == before.header["provenance"]
    for name, tensor in before.state_dict().items():
        assert torch.equal(tensor, after.state_dict()[name])


def test_the_choice_does_not_look_at_test(
    config: FinetuneConfig, data: str, done: Path, tmp_path: Path
) -> None:
    """With the test images' labels turned round, the same network comes out."""
    folder = tmp_path / "images"
    shutil.copytree(data.removeprefix("folder:"), folder)
    for label in range(4):
        (folder / "test" / f"class{label}").rename(folder / "test" / f"old{label}")
    for label in range(4):
        (folder / "test" / f"old{label}").rename(folder / "test" / f"class{(label + 1) % 4}")
    turned = dataclasses.replace(config, data=f"folder:{folder}")
    out = run_finetuning(turned, tmp_path / "turned")
    assert result_of(out)["chosen"] == result_of(done)["chosen"]
    assert_equal_files(out / STUDENT_FILE, done / STUDENT_FILE)
    assert result_of(out)["accuracy"] != result_of(done)["accuracy"]


def assert_equal_files(one: Path, other: Path) -> None:
    left, right = load_file(one), load_file(other)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def assert_same_run(run_: Path, reference: Path) -> None:
    for name in (STUDENT_FILE, "classifier.safetensors"):
        assert_equal_files(run_ / name, reference / name)
    assert read_metrics(run_) == read_metrics(reference)
    clock = {"seconds", "date", "commit"}
    left, right = (
        {k: v for k, v in result_of(x).items() if k not in clock} for x in (run_, reference)
    )
    assert left == right


def test_broken_off_again_and_again(
    saving: FinetuneConfig, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Six trials that choose, of two steps each, and two steps of the last training.
    assert sum(line["kind"] == "choice" for line in read_metrics(done)) == 6
    moments = [1, 2, 3, 11, 12, 13]
    crash_before(monkeypatch, FinetuneJob, moments)
    while moments:
        with pytest.raises(CrashError):
            run_finetuning(saving, tmp_path / "run", resume=True)
    run_finetuning(saving, tmp_path / "run", resume=True)
    assert_same_run(tmp_path / "run", done)


def test_killed(
    server: ForkServerContext, saving: FinetuneConfig, done: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for step in (3, 8):
        process = server.Process(target=run_finetuning, args=(saving, out, True))
        process.start()
        while process.is_alive() and not any((out / "checkpoints").glob(f"step-*{step:02}.pt")):
            process.join(0.002)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    run_finetuning(saving, out, resume=True)
    assert_same_run(out, done)


def test_the_page_shows_what_was_measured(done: Path, tmp_path: Path) -> None:
    page = read_page(done / "report.html")
    assert page.sections == ["accuracy", "classes", "confusion", "mistakes", "provenance"]
    assert page.is_self_contained
    result = result_of(done)
    assert f"<b>{result['accuracy'] * 100:.1f}%</b>" in page.text
    assert "Logistic regression on the same labels" in page.text
    assert_legible(done / "report.html", tmp_path)


def test_eight_images_of_which_one_class_has_one(student: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    spec = make_images(folder, per_class=2)
    shutil.copytree(folder / "train", folder / "test")
    (folder / "train" / "class3" / "1.png").unlink()
    arguments = ["--data", spec, "--device", "cpu", "--precision", "fp32", "--epochs", "1"]
    run([str(student), *arguments, "--out", str(tmp_path / "run")])
    assert result_of(tmp_path / "run")["n_train"] == 7
    assert load_backbone(tmp_path / "run").num_features == 256
    # Nothing can be held out of one image a class.
    run([str(student), *arguments, "--images-per-class", "1", "--out", str(tmp_path / "one")])
    result = result_of(tmp_path / "one")
    assert result["chosen"]["learning_rate"] is None
    assert "no class has two labelled images" in result["chosen"]["why"]


def test_what_is_refused(config: FinetuneConfig, done: Path, tmp_path: Path) -> None:
    base = [config.weights, "--data", config.data, "--device", "cpu"]
    mine = ["--images-per-class", "4", "--epochs", "1", "--batch-size", "8", "--seed", "4"]
    for arguments, message in [
        ([*base, "--out", str(done)], "already holds a run"),
        ([*base, "--out", "x", "--images-per-class", "99"], "smaller --images-per-class"),
        ([*base, "--out", "x", "--images-per-class", "0"], "--images-per-class is 0"),
        ([*base, "--out", "x", "--tuning.holdout", "0.9"], "--tuning.holdout is 0.9"),
        ([str(tmp_path), "--data", config.data, "--out", "x"], STUDENT_FILE),
        (["discriminator:d", "--data", config.data, "--out", "x"], "is no student"),
        ([*base, "--out", str(done), "--resume", *mine], r"cannot resume .*--seed is"),
    ]:
        with pytest.raises(UserError, match=message) as raised:
            run(arguments)
        assert "\n" not in str(raised.value)


def test_from_python_settings_are_named_as_in_files(config: FinetuneConfig) -> None:
    with pytest.raises(UserError, match=r"^finetune: train: unknown setting epoch \(did you mean"):
        squeezespan.finetune(config.weights, config.data, "out", train={"epoch": 1})


@pytest.mark.parametrize("limit", [0, MEMORY_LIMIT])
def test_unlabelled_or_broken_images_are_met_before_training(
    limit: int, student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = partialmethod(FoundImages.load, memory_limit=limit)
    monkeypatch.setattr(FoundImages, "load", load)
    folder = tmp_path / "images"
    spec = make_images(folder, per_class=3)
    shutil.copytree(folder / "train", folder / "test")
    broken = folder / "test" / "class1" / "1.png"
    broken.write_bytes(broken.read_bytes()[:50])
    arguments = [str(student), "--data", spec, "--device", "cpu", "--out", str(tmp_path / "run")]
    with pytest.raises(UserError, match=r"cannot decode test/class1/1\.png"):
        run(arguments)
    assert not (tmp_path / "run").exists()
    shutil.rmtree(folder / "test")
    (folder / "test").mkdir()
    shutil.copy(folder / "train" / "class0" / "0.png", folder / "test" / "0.png")
    with pytest.raises(UserError, match="no labels, which a fine-tuning needs"):
        run(arguments)


def test_a_dry_run_tells_the_plan_and_writes_nothing(
    config: FinetuneConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    arguments = [config.weights, "--data", config.data, "--out", str(out), "--dry-run", "--json"]
    assert main(["finetune", *arguments, "--images-per-class", "4", "--device", "cpu"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["config"]["images_per_class"] == 4
    assert (plan["classes"], plan["out_holds"]) == (4, "nothing")
    assert plan["steps"] > plan["choosing_steps"] > 0
    assert not out.exists()
