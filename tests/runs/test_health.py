"""A training that goes wrong says so in plain words and spoils nothing."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import read_metrics, tiny_config

from squeezespan.config import DistillConfig, MethodConfig
from squeezespan.distillation.collapse import watches_of
from squeezespan.distillation.distill import distill
from squeezespan.errors import TrainingError
from squeezespan.exports.export import export
from squeezespan.models.student_file import load_backbone
from squeezespan.runs.checkpoint import load_newest_checkpoint
from squeezespan.runs.health import CollapseWatch, check_weights


def _shrinking(
    data: str, gan: Path, method: dict[str, Any], knn_every: int = 0, **monitor: int
) -> DistillConfig:
    """Give settings whose weight decay draws all embeddings to one point."""
    return tiny_config(
        data,
        gan,
        train={"epochs": 8, "checkpoint_minutes": 5},
        method=method,
        optim={"base_lr": 0.05, "weight_decay": 20},
        monitor={"knn_every": knn_every, **monitor},
    )


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_good_weights(
    data: str, gan: Path, tmp_path: Path
) -> None:
    config = tiny_config(data, gan, optim={"base_lr": 1e12})
    with pytest.raises(TrainingError, match=r"at step \d+.*saved before is kept.*--optim.base-lr"):
        distill(config, tmp_path / "run")
    for path in (tmp_path / "run" / "checkpoints").glob("*.pt"):
        tensors = torch.load(path, weights_only=True)["state"]["job"]["method"].values()
        assert all(bool(tensor.isfinite().all()) for tensor in tensors)
    assert not (tmp_path / "run" / "student.safetensors").exists()


def test_weights_that_are_no_numbers_are_not_saved() -> None:
    check_weights(3, [torch.ones(2), torch.tensor(1)], "try less")
    with pytest.raises(TrainingError, match=r"by step 3.*try less"):
        check_weights(3, [torch.ones(2), torch.tensor([1.0, float("inf")])], "try less")


def test_a_collapse_is_reported_in_plain_words_and_in_the_metrics(
    data: str, gan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    method = {"name": "vicreg", "alpha": 0.0, "variance": 0.0, "covariance": 0.0}
    config = _shrinking(data, gan, method)
    distill(config, tmp_path / "run")
    assert capfd.readouterr().err.count("the student has collapsed") == 1
    lines = read_metrics(tmp_path / "run")
    assert not lines[0]["collapsed"]
    assert lines[-1]["collapsed"]
    assert load_newest_checkpoint(tmp_path / "run" / "checkpoints") is not None


def test_a_squeeze_module_that_shrinks_is_reported_in_plain_words_and_in_the_metrics(
    data: str, gan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = _shrinking(data, gan, {"alpha": 1.0, "regularize": "student"})
    distill(config, tmp_path / "run")
    written = capfd.readouterr().err
    assert written.count("the squeeze module has shrunk") == 1
    assert "--method.target standardized" in written
    lines = read_metrics(tmp_path / "run")
    assert not lines[0]["target_collapsed"]
    assert lines[-1]["target_collapsed"]
    assert lines[-1]["target_std"] < 0.15


def test_a_target_that_is_not_learnt_is_not_watched(data: str, gan: Path, tmp_path: Path) -> None:
    method = {"alpha": 1.0, "target": "standardized", "embed_dim": None}
    config = tiny_config(data, gan, train={"epochs": 1}, method=method)
    distill(config, tmp_path / "run")
    assert not any("target_std" in line for line in read_metrics(tmp_path / "run"))
    page = (tmp_path / "run" / "report.html").read_text()
    assert "std of the embedding" in page
    assert "squeeze module" not in page
    assert "std of the target" not in page


@pytest.mark.parametrize(
    ("method", "advice"),
    [
        ({"name": "vicreg", "alpha": 0.0}, "raise --method.variance, "),
        ({"alpha": 1.0, "target": "squeeze"}, "raise --method.variance, "),
        ({"alpha": 0.5, "target": "standardized"}, "raise --method.variance, "),
        ({"alpha": 1.0, "target": "standardized"}, ""),
        ({"name": "simsiam", "alpha": 0.0}, ""),
        ({"name": "emp-ssl", "alpha": 0.0}, "raise --method.coding-rate, "),
    ],
)
def test_only_a_weight_that_the_loss_has_is_to_be_raised(
    method: dict[str, Any], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = watches_of(MethodConfig(**method))[0]
    watch.observe(10, 0.001, last=True)
    assert f"is worth nothing; {advice}lower --optim.base-lr" in capsys.readouterr().err


def _watch() -> CollapseWatch:
    return CollapseWatch("std", "flat", 0.02, 3, "it is flat.", "flat by step {step} ({std:.2g})")


def test_a_short_dip_is_no_collapse(capsys: pytest.CaptureFixture[str]) -> None:
    watch = _watch()
    stds = [0.01, 0.01, 0.5, 0.01]
    assert not any(watch.observe(step, std, last=False) for step, std in enumerate(stds))
    assert capsys.readouterr().err == ""


def test_what_is_flat_at_the_last_step_has_collapsed_however_short_the_training(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = _watch()
    assert not watch.observe(20, 0.3, last=False)
    assert watch.observe(40, 0.01, last=True)
    assert capsys.readouterr().err == "warning: flat by step 40 (0.01)\n"
    healthy = _watch()
    assert not healthy.observe(40, 0.02, last=True)
    assert capsys.readouterr().err == ""


def test_one_process_warns_and_a_resumed_run_warns_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loud, silent = _watch(), _watch()
    for step in range(9):
        assert loud.observe(step, 0.0, last=False) == (step >= 2)
        assert silent.observe(step, 0.0, last=False, loud=False) == (step >= 2)
    assert capsys.readouterr().err.count("flat by step 2") == 1
    resumed = _watch()
    resumed.low_in_a_row = loud.low_in_a_row
    assert resumed.collapsed(last=False)
    assert resumed.observe(9, 0.0, last=False)
    assert "flat by step 9" in capsys.readouterr().err


def test_the_student_and_its_page_say_that_the_squeeze_module_has_shrunk(
    data: str, gan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where the last line of the metrics is the monitor's, and few were logged."""
    method = {"alpha": 1.0, "variance": 0.0, "regularize": "both"}
    config = _shrinking(data, gan, method, knn_every=4, log_every=1000)
    run = distill(config, tmp_path / "run")
    assert "Raise --method.variance" in capfd.readouterr().err
    assert [line["kind"] for line in read_metrics(run)][-2:] == ["train", "knn"]
    warnings = load_backbone(run).header["provenance"]["warnings"]
    shrunk = "The squeeze module has shrunk: it says nearly the same of every generated image"
    assert any(words.startswith(shrunk) for words in warnings)
    page = (run / "report.html").read_text()
    assert shrunk in page
    assert "std of the target" in page
    card = export(run, "safetensors", tmp_path / "exported") / "README.md"
    assert shrunk in card.read_text("utf-8")


def test_nothing_is_said_of_a_healthy_run(
    data: str, gan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = distill(tiny_config(data, gan), tmp_path / "run")
    assert "warning" not in capfd.readouterr().err
    assert "warnings" not in load_backbone(run).header["provenance"]
    assert "has shrunk" not in (run / "report.html").read_text()
