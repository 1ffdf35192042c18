"""The settings of a fine-tuning."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from squeezespan.config import Count, LoggerName, NotNegative, Precision
from squeezespan.errors import UserError
from squeezespan.settings import Range, Seed, Spelling, TestShare, check_ranges, from_file, located

__all__ = [
    "FinetuneConfig",
    "FinetuneMonitorConfig",
    "FinetuneTrainConfig",
    "ImagesPerClass",
    "TuningConfig",
    "load_finetune_config",
    "validate_finetune",
]

ImagesPerClass = Annotated[int, Range(1)] | Literal["all"]
Rate = Annotated[float, Range(0, 1, above=True)]


@dataclass(frozen=True)
class TuningConfig:
    """How the network is changed."""

    learning_rates: tuple[Rate, ...] = (3e-4, 3e-3)
    """Of the head and the last layers (AdamW). Held-out images choose among several, and whether
    the network is changed at all; a single one is taken without asking them."""
    layer_decay: Annotated[float, Range(0, 1, above=True)] = 0.75
    """Each layer learns slower than the one above it by this factor."""
    weight_decay: NotNegative = 0.05
    """Of AdamW, on weights of the network alone: not on biases, normalisation or the head."""
    crop: Annotated[float, Range(0, 1, above=True)] = 0.5
    """Smallest share of an image that a random crop keeps."""
    flip: Annotated[float, Range(0, 1)] = 0.5
    """How often images are mirrored left to right; 0 for letters and numbers."""
    holdout: Annotated[float, Range(0.05, 0.5)] = 0.2
    """Share of the labelled images that the choices are made on."""


@dataclass(frozen=True)
class FinetuneTrainConfig:
    """The loop. These flags have no section prefix on the command line."""

    epochs: Count | None = None
    """Passes over the labelled images; left out, the more the fewer they are."""
    batch_size: Annotated[int, Range(2)] = 64
    """Images of a step, at most."""
    seed: Seed = 0
    """Draws the labelled images (those of the first draw of `probe --protocol fewshot`), the
    held-out ones, order and crops."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Precision = "auto"
    """auto: bf16 where the hardware computes in it natively, else fp32."""
    num_workers: Annotated[int, Range(0)] = 2
    """Image-decoding threads."""
    checkpoint_minutes: NotNegative = 5.0
    """Wall time between checkpoints (0: after every step); one is also written when the run is
    stopped by SIGTERM or Ctrl-C."""


@dataclass(frozen=True)
class FinetuneMonitorConfig:
    """What is logged."""

    loggers: tuple[LoggerName, ...] = ()
    """Besides `metrics.jsonl`, which is always written."""
    log_every: Count = 20
    """Steps between lines in `metrics.jsonl`."""


@dataclass(frozen=True)
class FinetuneConfig:
    """Everything that determines a fine-tuning, saved as `config.json` in its folder."""

    weights: str
    """A run folder, or a student.safetensors file."""
    data: str
    """Data spec with labelled train and test splits."""
    images_per_class: ImagesPerClass = "all"
    """Labelled images of each class that are used."""
    train: FinetuneTrainConfig = field(default_factory=FinetuneTrainConfig)
    tuning: TuningConfig = field(default_factory=TuningConfig)
    monitor: FinetuneMonitorConfig = field(default_factory=FinetuneMonitorConfig)
    test_share: TestShare | None = None
    """Share of every class to test on, where the images have no test split: those of `probe
    --test-share`."""


def load_finetune_config(path: Path) -> FinetuneConfig:
    """Read the `config.json` of a fine-tuning.

    Raises:
        UserError: the file cannot be read, is not JSON, or is not a valid configuration.
    """
    config = from_file(FinetuneConfig, path)
    validate_finetune(config, where=str(path))
    return config


def validate_finetune(
    config: FinetuneConfig, *, where: str = "finetune", spell: Spelling = str
) -> None:
    """Check ranges before anything is read or written.

    Args:
        config: the settings.
        where: what to call the origin in messages; empty where names alone say it.
        spell: how messages name a setting.

    Raises:
        UserError: the message names the setting and says what to change.
    """
    check_ranges(config, where=where, spell=spell)
    for name in ("weights", "data"):
        if not getattr(config, name):
            raise UserError(located(where, f"{spell(name)} is missing"))
    if not config.tuning.learning_rates:
        name = spell("tuning.learning_rates")
        raise UserError(located(where, f"{name} is empty; name one or several"))
