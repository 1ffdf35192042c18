"""`distill`: from settings to a run folder with a trained student."""

import dataclasses
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from squeezespan.config import DistillConfig, MethodConfig, validate
from squeezespan.data.notices import say
from squeezespan.distillation.folder import distill_folder
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.monitor import KnnMonitor
from squeezespan.distillation.prepare import Parts, open_stream, prepare
from squeezespan.distillation.schedule import run_pace
from squeezespan.distillation.speed import measure_run
from squeezespan.distillation.stream import Place
from squeezespan.distillation.target import measure_targets
from squeezespan.environment import project_commit
from squeezespan.hardware import resolve_device
from squeezespan.models.student_file import Backbone, save_student
from squeezespan.reports.run import write_run_report
from squeezespan.runs.checkpoint import load_newest_checkpoint
from squeezespan.runs.launch import launch, on_main_process
from squeezespan.runs.loggers import check_installed
from squeezespan.runs.recorder import Recorder, open_recorder
from squeezespan.runs.run_folder import RunFolder, RunState
from squeezespan.runs.trainer import Trainer
from squeezespan.settings import to_dict

__all__ = ["describe_run", "distill"]

_ADVICE = (
    "what was saved before is kept; start again in another --out with a lower "
    "--optim.base-lr, --optim.clip-grad-norm 1 or --precision fp32"
)

_OPTIONS = ("mixture", "covariance_estimate", "projector_dim")
"""Settings of a method that a student's file names where they are not the default."""


def distill(config: DistillConfig, out: str | Path, resume: bool = False) -> Path:
    """Train a student and leave it, with all that belongs to the run, in a folder.

    A run that was stopped, even by SIGKILL, and is resumed ends with the weights that it would
    have had without the stop; on a CPU bit for bit.

    Args:
        config: the settings; `squeezespan.presets` has good ones.
        out: the run folder; it must not hold another run.
        resume: continue the run in `out`, or begin one where there is none. A finished run is
            left as it is.

    Returns:
        The run folder; `student.safetensors` in it is the backbone.

    Raises:
        UserError: settings, data, generator or folder are not usable.
        TrainingError: the loss stopped being finite; the last good checkpoint is kept.
        StorageError: the disk is full.
    """
    validate(config)
    check_installed(config.monitor.loggers)
    folder = distill_folder(Path(out))
    config = folder.settle(config, resume=resume)
    fabric = launch(config.train)
    state = on_main_process(fabric, lambda: folder.check(config, resume=resume))
    if state is RunState.FINISHED:
        say(f"{folder.path} holds a finished run; there is nothing to resume")
        return folder.path
    if resume and state is RunState.NEW:
        say(f"{folder.path} holds no run to resume; starting one")
    gpus = [fabric.device] if fabric.device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        parts = prepare(config, fabric.device, fabric.world_size)
        config = parts.config
        on_main_process(fabric, lambda: folder.open(config, resume=resume))
        try:
            _train(fabric, config, folder, parts)
        finally:
            folder.close()
    return folder.path


def describe_run(config: DistillConfig, out: str | Path, resume: bool = False) -> dict[str, Any]:
    """Say what `distill` would do and take, after the same checks, without writing anything.

    Seconds and memory are measured on a few of the run's own steps, on this machine.

    Args:
        config: the settings.
        out: the run folder.
        resume: as for `distill`.

    Returns:
        The resolved settings, the sizes that follow from them, and the cost, ready for JSON.

    Raises:
        UserError: as `distill`.
    """
    validate(config)
    check_installed(config.monitor.loggers)
    folder = distill_folder(Path(out))
    config = folder.settle(config, resume=resume)
    state = folder.check(config, resume=resume)
    device = resolve_device(config.train.device)
    with torch.random.fork_rng([]):
        parts = prepare(config, device)
        speed = measure_run(parts, device)
    return {
        "config": to_dict(parts.config),
        "images": parts.sizes.describe(parts.plan.train_images),
        "plan": {
            **dataclasses.asdict(parts.plan),
            "epochs": parts.plan.epochs,
            "images": parts.plan.images,
            "held_out_images": parts.images.held_out,
        },
        "seconds_per_step": round(speed.step, 4),
        "hours": round(speed.seconds / 3600, 3),
        "memory_gb": None if speed.memory is None else round(speed.memory / 1e9, 2),
        "device": str(device),
        "out": str(folder.path),
        "out_holds": state.value,
    }


def _train(
    fabric: Fabric, config: DistillConfig, folder: RunFolder[DistillConfig], parts: Parts
) -> None:
    found = on_main_process(fabric, lambda: load_newest_checkpoint(folder.checkpoints))
    step, state = found or (0, {"metrics_bytes": 0})
    stamp = {"gan_sha256": parts.gan_sha256, "images": parts.images.train.fingerprint()}
    if parts.discriminator is not None:
        stamp["discriminator_sha256"] = parts.discriminator_sha256
    if found is not None:
        saved = state["stamp"]
        gan = f"{config.gan} is another file than the one"
        folder.check_input(gan, saved.get("gan_sha256"), stamp["gan_sha256"])
        discriminator = f"{config.discriminator} is another file than the one"
        now = parts.discriminator_sha256
        folder.check_input(discriminator, saved.get("discriminator_sha256"), now)
        images = f"{config.data} has other images than those"
        folder.check_input(images, saved.get("images"), stamp["images"])
    place = Place(fabric.global_rank, fabric.world_size, fabric.device)
    stream = open_stream(config, parts, place)
    if found is None:
        measure_targets(fabric, parts.method, stream, config.source.statistics_images)
    monitor = None
    if parts.images.knn is not None:
        backbone = Backbone(parts.method.backbone, _header(config, parts, step))
        monitor = KnnMonitor(fabric, config, parts.plan, backbone, parts.images.knn)
    say(_headline(config, parts, folder, step, fabric))
    recorder = Recorder()
    if fabric.is_global_zero:
        folder.record_environment(str(fabric.device), fabric.world_size)
        seen = (step * config.train.batch_size, parts.plan.images)
        recorder = open_recorder(folder, config, step, seen, state["metrics_bytes"], "distill")

    def publish(done: int) -> None:
        save_student(folder.result, parts.method.backbone, _header(config, parts, done))
        write_run_report(folder.path, parts.images.train, parts.generator)

    try:
        job = StudentJob(fabric, config, parts.plan, parts.method, stream, monitor, publish)
        pace = run_pace(config, parts.plan)
        trainer = Trainer(fabric, pace, job, recorder, folder.checkpoints, stamp, _ADVICE)
        if found is not None:
            trainer.load(step, state)
        trainer.run()
    finally:
        recorder.close()
    on_main_process(fabric, lambda: publish(parts.plan.steps))


def _header(config: DistillConfig, parts: Parts, step: int) -> dict[str, Any]:
    plan, method = parts.plan, parts.method
    target, real_target = method.standardized, method.real_standardized
    return {
        "arch": config.student.arch,
        "stem": config.student.stem,
        "num_features": parts.method.backbone.num_features,
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
    unused = {name for name in _OPTIONS if settings[name] == getattr(usual, name)}
    if config.method.name != "encoding":
        unused.add("perceptual")
    if config.discriminator is None:
        unused.add("real_teacher")
    if config.method.name != "emp-ssl":
        unused.update(("patches", "similarity", "coding_rate", "coding_eps"))
    return {name: value for name, value in settings.items() if name not in unused}


def _headline(
    config: DistillConfig, parts: Parts, folder: RunFolder[DistillConfig], step: int, fabric: Fabric
) -> str:
    plan, method = parts.plan, config.method
    begun = f"resumed after step {step} of {plan.steps}" if step else f"{plan.steps} steps"
    how = f", perceptual distance {method.perceptual}" if method.name == "encoding" else ""
    if config.discriminator is not None:
        how += f", {config.discriminator} weight {method.real_teacher:g}"
    return (
        f"{method.name} (alpha {method.alpha:g}{how}) into {config.student.arch}: {begun}, "
        f"{plan.epochs:.4g} epochs of {parts.sizes.describe(plan.train_images)}, {fabric.device} "
        f"in {config.train.precision}, {folder.path}"
    )
