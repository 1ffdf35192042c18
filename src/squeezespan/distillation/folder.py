"""The run folder of a student."""

from pathlib import Path

from squeezespan.config import DistillConfig, load_config
from squeezespan.models.student_file import is_finished_student
from squeezespan.runs.run_folder import RunFolder

__all__ = ["distill_folder"]


def distill_folder(path: Path) -> RunFolder[DistillConfig]:
    """The folder of a distillation."""
    return RunFolder(
        path,
        load_config,
        "distillation",
        "student.safetensors",
        ("report.html", "tensorboard", "wandb", "mlflow.db"),
        is_finished=is_finished_student,
    )
