"""A distillation's plan in a few lines."""

from collections.abc import Mapping
from typing import Any

from squeezespan.config import DistillConfig
from squeezespan.plan_rows import changed_settings, cost_rows

__all__ = ["plan_rows"]

_TOLD = (
    *("data", "gan", "method.name", "method.alpha", "method.target", "method.perceptual"),
    *("source.kind", "source.blocks", "source.statistics", "source.latent"),
    *("discriminator", "method.real_teacher"),
    *("student.arch", "student.stem", "images.resolution"),
    *("train.epochs", "train.max_steps", "train.batch_size", "train.device", "train.precision"),
)


def plan_rows(plan: Mapping[str, Any]) -> dict[str, str]:
    """Give the rows of a dry run, by name; the last ones say what the training takes.

    Args:
        plan: what `describe_run` gives.
    """
    config, sizes = plan["config"], plan["plan"]
    method, student = config["method"], config["student"]
    batch = f"{sizes['synthetic_batch']} synthetic, {sizes['real_batch']} real"
    images = f"{sizes['synthetic_batch'] + sizes['real_batch']} images ({batch})"
    return {
        "method": f"{method['name']}, alpha {method['alpha']:g}"
        + f", target {method['target']}" * (method["name"] == "squeeze-span")
        + f", perceptual distance {method['perceptual']}" * (method["name"] == "encoding"),
        "teacher": _teachers(config),
        "student": f"{student['arch']} with the {student['stem']} stem, "
        f"{config['images']['resolution']} pixels",
        "data": config["data"],
        "images": f"{plan['images']}; {sizes['held_out_images']} more held out",
        "settings": changed_settings(DistillConfig, config, _TOLD),
        "length": f"{sizes['steps']} steps of {images}, {sizes['epochs']:.4g} epochs",
        **cost_rows(plan, f"{plan['seconds_per_step']:.3g} s a step"),
    }


def _teachers(config: Mapping[str, Any]) -> str:
    teachers = []
    if config["method"]["alpha"]:
        teachers.append(f"{config['gan']}, {_taken(config['source'])}")
    if config["discriminator"] is not None:
        weight = config["method"]["real_teacher"]
        teachers.append(f"of real images {config['discriminator']}, weight {weight:g}")
    return "; ".join(teachers) or "none, real images alone"


def _taken(source: Mapping[str, Any]) -> str:
    if source["kind"] == "latent":
        return "the latent"
    deviations = ", means and standard deviations" if source["statistics"] == "mean-std" else ""
    latent = ", and the latent" if source["latent"] else ""
    return f"blocks {source['blocks']}{deviations}{latent}"
