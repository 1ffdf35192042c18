"""The run folder of a student."""

from functools import partial
from pathlib import Path

from squeezespan.config import DistillConfig, load_config
from squeezespan.runs.run_folder import RunFolder, is_finished_network

__all__ = ["distill_folder"]


def distill_folder(path: Path) -> RunFolder[DistillConfig]:
    """The folder of a distillation."""
    return RunFolder(
        path,
        load_config,
        "distillation",
        "student.safetensors",
        ("report.html", "tensorboard", "wandb", "mlflow.db"),
        is_finished=partial(is_finished_network, "student"),
    )
