"""What a student's file says of it: how to feed it, and where it comes from."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from squeezespan.config import DistillConfig, MethodConfig
from squeezespan.distillation.prepare import Parts
from squeezespan.environment import project_commit

__all__ = ["student_header"]

_OPTIONAL = ("mixture", "covariance_estimate", "projector_dim")
"""Settings of a method that are named where they are not the default."""


def student_header(
    config: DistillConfig, parts: Parts, step: int, verdicts: Sequence[str] = ()
) -> dict[str, Any]:
    """Give the header of a student's file: how to feed it, and where it comes from.

    Args:
        config: the run's settings.
        parts: of the run.
        step: optimizer steps that the student has seen.
        verdicts: sentences on what has collapsed, kept as `provenance.warnings`.

    Returns:
        What `save_student` writes beside the weights, ready for JSON.
    """
    plan, method = parts.plan, parts.method
    target, real_target = method.standardized, method.real_standardized
    return {
        "arch": config.student.arch,
        "stem": config.student.stem,
        "num_features": method.backbone.num_features,
        "resolution": config.images.side,
        "normalization": dataclasses.asdict(parts.normalization),
        "provenance": {
            "method": _method_settings(config),
            "data": config.data,
            **({"test_share": share} if (share := config.images.test_share) else {}),
            "gan": config.gan if parts.generator is not None else None,
            "gan_sha256": parts.gan_sha256,
            **_discriminator_facts(parts),
            **({"saw": list(parts.saw)} if parts.saw else {}),
            "seed": config.train.seed,
            "epochs": round(step / plan.steps_per_epoch, 4),
            "images_seen": step * config.train.batch_size,
            "finished": step == plan.steps,
            **({"warnings": list(verdicts)} if verdicts else {}),
            "commit": project_commit(),
            "torch": torch.__version__,
        },
        **({"target": target.describe()} if target is not None else {}),
        **({"real_target": real_target.describe()} if real_target is not None else {}),
    }


def _discriminator_facts(parts: Parts) -> dict[str, Any]:
    if parts.discriminator is None:
        return {}
    facts = parts.discriminator.header["provenance"]
    return {
        "discriminator": parts.config.discriminator,
        "discriminator_sha256": parts.discriminator_sha256,
        **({"minibatch_std": facts["minibatch_std"]} if "minibatch_std" in facts else {}),
    }


def _method_settings(config: DistillConfig) -> dict[str, Any]:
    settings, usual = dataclasses.asdict(config.method), MethodConfig()
    # Names of what is not in use would only mislead.
    unused = {name for name in _OPTIONAL if settings[name] == getattr(usual, name)}
    if config.method.name != "encoding":
        unused.add("perceptual")
    if config.discriminator is None:
        unused.add("real_teacher")
    if config.method.name != "emp-ssl":
        unused.update(("patches", "similarity", "coding_rate", "coding_eps"))
    return {name: value for name, value in settings.items() if name not in unused}
