"""A training that goes wrong says so in plain words and spoils nothing."""

from pathlib import Path

import pytest
import torch
from tiny_runs import read_metrics, tiny_config

from squeezespan.distillation.distill import distill
from squeezespan.errors import TrainingError
from squeezespan.runs.checkpoint import load_newest_checkpoint
from squeezespan.runs.health import CollapseWatch, check_weights


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
    config = tiny_config(
        data,
        gan,
        train={"epochs": 8, "checkpoint_minutes": 5},
        method={"name": "vicreg", "alpha": 0.0, "variance": 0.0, "covariance": 0.0},
        optim={"base_lr": 0.05, "weight_decay": 20},
        monitor={"knn_every": 0},
    )
    distill(config, tmp_path / "run")
    assert capfd.readouterr().err.count("the student has collapsed") == 1
    lines = read_metrics(tmp_path / "run")
    assert not lines[0]["collapsed"]
    assert lines[-1]["collapsed"]
    assert load_newest_checkpoint(tmp_path / "run" / "checkpoints") is not None


def test_a_squeeze_module_that_shrinks_is_reported_in_plain_words_and_in_the_metrics(
    data: str, gan: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tiny_config(
        data,
        gan,
        train={"epochs": 8, "checkpoint_minutes": 5},
        method={"alpha": 1.0, "regularize": "student"},
        optim={"base_lr": 0.05, "weight_decay": 20},
        monitor={"knn_every": 0},
    )
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


def test_a_short_dip_is_no_collapse(capsys: pytest.CaptureFixture[str]) -> None:
    watch = CollapseWatch("std", "collapsed", threshold=0.02, patience=3, warning="collapsed")
    assert not any(watch.observe(step, std) for step, std in enumerate([0.01, 0.01, 0.5, 0.01]))
    assert capsys.readouterr().err == ""
