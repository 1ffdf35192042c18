"""`finetune` from Python: a backbone and labelled images, few or all, to a tested classifier."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from squeezespan.finetuning.config import FinetuneConfig, FinetuneTrainConfig, TuningConfig
from squeezespan.finetuning.run import run_finetuning
from squeezespan.settings import Setting, from_dict

__all__ = ["finetune"]

_Config = TypeVar("_Config")


def finetune(
    run_or_weights: str | Path,
    data: str,
    out: str | Path,
    *,
    images_per_class: int | Literal["all"] = "all",
    train: FinetuneTrainConfig | Mapping[str, Setting] | None = None,
    tuning: TuningConfig | Mapping[str, Setting] | None = None,
    resume: bool = False,
) -> Path:
    """Fine-tune a backbone on labelled images, and test it beside logistic regression.

    Logistic regression is fitted first; then the whole network is trained from there with a low
    learning rate (Kumar et al. 2022). Images held out of train choose the learning rate, and
    whether the network is changed at all.

    Args:
        run_or_weights: a run folder or a `student.safetensors` file.
        data: spec of a labelled data set with train and test splits.
        out: the folder to make. It gets `student.safetensors`, `classifier.safetensors` (both by
            `load_classifier`), `result.json` and `report.html`.
        images_per_class: labelled images of each class that are used.
        train: epochs, batch, seed, device and the like, such as `{"epochs": 10}`; what is left out
            is as usual.
        tuning: learning rates and augmentation, likewise.
        resume: continue the run in `out`, or begin one where there is none.

    Returns:
        The folder.

    Raises:
        UserError: settings, weights, data or folder are not usable.
        TrainingError: the loss stopped being finite; the last good checkpoint is kept.
        StorageError: the disk is full.
    """
    config = FinetuneConfig(
        str(run_or_weights),
        data,
        images_per_class,
        _settings(FinetuneTrainConfig, train, "finetune: train"),
        _settings(TuningConfig, tuning, "finetune: tuning"),
    )
    return run_finetuning(config, out, resume)


def _settings(
    kind: type[_Config], given: _Config | Mapping[str, Setting] | None, where: str
) -> _Config:
    return given if isinstance(given, kind) else from_dict(kind, given or {}, where=where)
