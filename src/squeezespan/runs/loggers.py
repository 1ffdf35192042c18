"""TensorBoard, Weights & Biases and MLflow beside `metrics.jsonl`; each is an extra to install."""

import hashlib
import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from squeezespan.errors import UserError
from squeezespan.settings import flatten

__all__ = ["Logger", "check_installed", "open_loggers"]

_PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
_PROJECT = "squeezespan"


class Logger(Protocol):
    """Somewhere that takes numbers by step."""

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Record `numbers` after `step` optimiser steps."""

    def close(self) -> None:
        """Hand in what is left."""


def check_installed(names: tuple[str, ...]) -> None:
    """Make sure that the loggers' packages are there, before anything is written.

    Raises:
        UserError: one is not; the message names the extra to install.
    """
    for name in names:
        if importlib.util.find_spec(_PACKAGES[name]) is None:
            raise UserError(
                f"monitor.loggers has {name}, but it is not installed; "
                f"run `pip install 'squeezespan[{name}]'`"
            )


def open_loggers(out: Path, config: Any, names: tuple[str, ...], step: int) -> list[Logger]:
    """Open the loggers that the settings ask for.

    Args:
        out: the run folder, with its `config.json`; TensorBoard and MLflow write inside it, the
            latter unless MLFLOW_TRACKING_URI names another place.
        config: the run's settings, a dataclass.
        names: of the loggers.
        step: where the run continues; TensorBoard hides what was logged from there on.

    Raises:
        UserError: one can't be opened.
    """
    kinds: dict[str, Callable[[Path, Any, int], Logger]] = {
        "tensorboard": _TensorBoard,
        "wandb": _WeightsAndBiases,
        "mlflow": _MLflow,
    }
    return [_open(name, kinds[name], out, config, step) for name in names]


def _open(
    name: str,
    kind: Callable[[Path, Any, int], Logger],
    out: Path,
    config: Any,
    step: int,
) -> Logger:
    try:
        return kind(out, config, step)
    # Missing log-ins, servers that don't answer, databases of another version: each has a type
    # of its own.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"monitor.loggers has {name}, which can't be opened ({reason}); mend it, or leave it "
            "out and continue with --resume"
        ) from error


def _identity(out: Path) -> str:
    """Name a run so that its continuation has the same name."""
    begun_with = (out / "config.json").read_text(encoding="utf-8")
    return hashlib.blake2b(f"{out.resolve()}\n{begun_with}".encode(), digest_size=8).hexdigest()


class _TensorBoard:
    def __init__(self, out: Path, config: Any, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(out / "tensorboard"), purge_step=step or None)

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        for name, number in numbers.items():
            self._writer.add_scalar(name, number, step)

    def close(self) -> None:
        self._writer.close()


class _WeightsAndBiases:
    def __init__(self, out: Path, config: Any, step: int) -> None:
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=out.name,
            id=_identity(out),
            dir=out,
            config=flatten(config),
            resume="allow",
        )

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        self._run.finish()


class _MLflow:
    def __init__(self, out: Path, config: Any, step: int) -> None:
        import mlflow

        place = f"sqlite:///{out.resolve() / 'mlflow.db'}"
        self._client = mlflow.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI", place))
        experiment = self._client.get_experiment_by_name(_PROJECT)
        number = (
            experiment.experiment_id if experiment else self._client.create_experiment(_PROJECT)
        )
        tag = _identity(out)
        found: list[Any] = self._client.search_runs([number], f"tags.squeezespan = '{tag}'")
        if found:
            self._id = found[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            return
        run = self._client.create_run(number, run_name=out.name, tags={"squeezespan": tag})
        self._id = run.info.run_id
        for name, value in flatten(config).items():
            self._client.log_param(self._id, name, value)

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        for name, number in numbers.items():
            self._client.log_metric(self._id, name, number, step=step)

    def close(self) -> None:
        self._client.set_terminated(self._id)
