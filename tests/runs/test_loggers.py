"""Loggers take the numbers of `metrics.jsonl`; one that is not installed is named."""

import importlib.util
from pathlib import Path

import pytest
from tiny_runs import read_metrics, tiny_config

from squeezespan.distillation.distill import distill
from squeezespan.errors import UserError
from squeezespan.runs.loggers import open_loggers


def test_a_missing_package_names_its_extra(
    data: str, gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    config = tiny_config(data, gan, monitor={"loggers": ["wandb"]})
    with pytest.raises(UserError, match=r"pip install 'squeezespan\[wandb\]'"):
        distill(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_tensorboard_has_the_numbers_of_the_metrics_file(
    data: str, gan: Path, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    config = tiny_config(
        data, gan, train={"max_steps": 4}, monitor={"loggers": ["tensorboard"], "knn_every": 1}
    )
    distill(config, tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    for kind, name in (("train", "loss"), ("train", "lr"), ("knn", "knn_accuracy")):
        written = [x for x in read_metrics(tmp_path / "run") if x["kind"] == kind]
        logged = events.Scalars(f"{kind}/{name}")
        assert [(x.step, x.value) for x in logged] == [
            (x["step"], pytest.approx(x[name])) for x in written
        ]


def test_a_logger_that_cannot_be_opened_is_named(data: str, gan: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("in the way")
    config = tiny_config(data, gan, monitor={"loggers": ["tensorboard"]})
    with pytest.raises(UserError, match=r"has tensorboard, which can't be opened \("):
        open_loggers(tmp_path, config, ("tensorboard",), 0)


def test_weights_and_biases_takes_the_numbers(
    data: str, gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = tiny_config(
        data, gan, train={"max_steps": 4}, monitor={"loggers": ["wandb"], "knn_every": 1}
    )
    run = distill(config, tmp_path / "run")
    assert list((run / "wandb").glob("offline-run-*/*.wandb"))


# Its own dependencies warn of each other.
@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_the_numbers_of_the_metrics_file(data: str, gan: Path, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    config = tiny_config(
        data, gan, train={"max_steps": 4}, monitor={"loggers": ["mlflow"], "knn_every": 1}
    )
    run = distill(config, tmp_path / "run")
    client = mlflow.MlflowClient(f"sqlite:///{run / 'mlflow.db'}")
    (experiment,) = [x for x in client.search_experiments() if x.name == "squeezespan"]
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.info.status == "FINISHED"
    losses = client.get_metric_history(logged.info.run_id, "train/loss")
    written = [x for x in read_metrics(run) if x["kind"] == "train"]
    assert [(x.step, x.value) for x in losses] == [
        (x["step"], pytest.approx(x["loss"])) for x in written
    ]
