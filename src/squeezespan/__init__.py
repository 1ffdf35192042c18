"""Squeezespan: turn a pretrained GAN generator into an image backbone, without labels.

- Train: `find_preset`, `distill`; a GAN by `find_gan_preset`, `train_gan`.
- Look at a GAN: `load_generator`, `load_discriminator`, `register_generator` (one of your own),
  `sample_images`, `score_gan`.
- Use a backbone: `load_backbone`, `evaluate`, `embed`, `finetune` and `load_classifier`, `export`.
- See what came of it: `report`, `analyze`. Images of any data spec: `open_images`.

The names are loaded when they are first used, so that importing the package takes no time.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from squeezespan import analyze, evaluate
    from squeezespan.config import DistillConfig
    from squeezespan.data.specs import open_images
    from squeezespan.discriminators.files import load_discriminator
    from squeezespan.distillation.distill import distill
    from squeezespan.embedding.embed import embed
    from squeezespan.errors import StorageError, TrainingError, UserError
    from squeezespan.exports.export import export
    from squeezespan.finetuning.finetune import finetune
    from squeezespan.gan.config import GanTrainConfig
    from squeezespan.gan.samples import sample_images
    from squeezespan.gan.scoring.score_gan import score_gan
    from squeezespan.gan.train import train_gan
    from squeezespan.generators.registered import register_generator
    from squeezespan.generators.registry import load_generator
    from squeezespan.models.classifier_file import load_classifier
    from squeezespan.models.student_file import load_backbone
    from squeezespan.presets.gan import find_gan_preset
    from squeezespan.presets.registry import find_preset
    from squeezespan.randomness import StepRandom
    from squeezespan.reports.report import report

__all__ = [
    "DistillConfig",
    "GanTrainConfig",
    "StepRandom",
    "StorageError",
    "TrainingError",
    "UserError",
    "analyze",
    "distill",
    "embed",
    "evaluate",
    "export",
    "find_gan_preset",
    "find_preset",
    "finetune",
    "load_backbone",
    "load_classifier",
    "load_discriminator",
    "load_generator",
    "open_images",
    "register_generator",
    "report",
    "sample_images",
    "score_gan",
    "train_gan",
]

__version__ = "0.1.0"

_HOMES = {
    "DistillConfig": "config",
    "GanTrainConfig": "gan.config",
    "StepRandom": "randomness",
    "StorageError": "errors",
    "TrainingError": "errors",
    "UserError": "errors",
    "analyze": "analyze",
    "distill": "distillation.distill",
    "embed": "embedding.embed",
    "evaluate": "evaluate",
    "export": "exports.export",
    "find_gan_preset": "presets.gan",
    "find_preset": "presets",
    "finetune": "finetuning.finetune",
    "load_backbone": "models.student_file",
    "load_classifier": "models.classifier_file",
    "load_discriminator": "discriminators.files",
    "load_generator": "generators",
    "open_images": "data.specs",
    "register_generator": "generators",
    "report": "reports.report",
    "sample_images": "gan.samples",
    "score_gan": "gan.scoring.score_gan",
    "train_gan": "gan.train",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home: object = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    return home if _HOMES[name] == name else getattr(home, name)


def __dir__() -> list[str]:
    """List the public names, loaded or not, and no others."""
    return list(__all__)
