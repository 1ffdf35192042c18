"""What a fine-tuning works with, checked and opened before anything is written."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.data.specs import FoundImages, find_images
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.labels import labels_of
from squeezespan.finetuning.config import (
    FinetuneConfig,
    load_finetune_config,
    validate_finetune,
)
from squeezespan.finetuning.labelled import Labelled, open_labelled
from squeezespan.finetuning.result import RESULT_FILE
from squeezespan.models.classifier_file import CLASSIFIER_FILE
from squeezespan.models.discriminators import DISCRIMINATORS
from squeezespan.models.student_file import (
    STUDENT_FILE,
    Backbone,
    load_backbone,
    student_path,
)
from squeezespan.runs.loggers import check_installed
from squeezespan.runs.run_folder import RunFolder, RunState

__all__ = ["Inputs", "Parts", "check_inputs", "finetune_folder", "open_parts"]


def finetune_folder(path: Path) -> RunFolder[FinetuneConfig]:
    """The folder of a fine-tuning; its student is the last thing that it leaves."""
    leaves = (CLASSIFIER_FILE, RESULT_FILE, "report.html", "tensorboard", "wandb", "mlflow.db")
    return RunFolder(path, load_finetune_config, "fine-tuning", STUDENT_FILE, leaves)


@dataclass(frozen=True)
class Inputs:
    """A fine-tuning that may be begun, or went on with."""

    config: FinetuneConfig
    folder: RunFolder[FinetuneConfig]
    state: RunState

    @cached_property
    def train(self) -> FoundImages:
        """The train split."""
        return find_images(self.config.data, "train", test_share=self.config.test_share)

    @cached_property
    def test(self) -> FoundImages:
        """The test split."""
        return find_images(self.config.data, "test", test_share=self.config.test_share)


def check_inputs(config: FinetuneConfig, out: str | Path, *, resume: bool) -> Inputs:
    """Check everything that can be checked before anything is written or computed.

    Args:
        config: the settings.
        out: the run folder.
        resume: whether to continue a run in it.

    Raises:
        UserError: settings, weights, data or folder are not usable.
    """
    validate_finetune(config)
    if config.weights.startswith(tuple(DISCRIMINATORS)):
        raise UserError(
            f"{config.weights} is no student, which finetune trains further; probe and embed take "
            "a discriminator"
        )
    check_installed(config.monitor.loggers)
    folder = finetune_folder(Path(out))
    config = folder.settle(config, resume=resume)
    state = folder.check(config, resume=resume)
    if state is not RunState.FINISHED:
        student_path(config.weights)
    inputs = Inputs(config, folder, state)
    if state is not RunState.FINISHED:
        for found, split in ((inputs.train, "train"), (inputs.test, "test")):
            labels = found.source.labels
            if labels.numbers is None:
                raise UserError(
                    f"the {split} split of {config.data} has no labels, which a fine-tuning "
                    f"needs: {labels.problem}"
                )
    return inputs


@dataclass(frozen=True)
class Parts:
    """What is worked with, on the device where everything runs."""

    backbone: Backbone
    """As it comes."""
    labelled: Labelled
    test: ImageSet
    test_features: Tensor
    """Of the backbone as it comes, float32 [N, D] on the CPU."""


def open_parts(inputs: Inputs, device: torch.device) -> Parts:
    """Open what is worked with; images that can't be decoded are met before any training.

    Of test images beyond memory, too, as the probe's features of them are computed here.

    Args:
        inputs: from `check_inputs`.
        device: where everything runs.

    Raises:
        UserError: images that can't be decoded, too few of them, or classes that train lacks.
    """
    config = inputs.config
    backbone = load_backbone(config.weights, device)
    backbone.network.to(memory_format=torch.channels_last)
    workers = config.train.num_workers
    test = inputs.test.load(backbone.resolution, device=device, num_workers=workers)
    labelled = open_labelled(config, inputs.train, backbone)
    labels_of(labelled.images, test)
    precision = config.train.precision
    test_features = extract_features(backbone, test, device=device, precision=precision)
    return Parts(backbone, labelled, test, test_features)
