"""`distill`: from settings to a run folder with a trained student."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from squeezespan.config import DistillConfig, validate
from squeezespan.data.notices import say
from squeezespan.distillation.folder import distill_folder
from squeezespan.distillation.header import student_header
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.monitor import KnnMonitor
from squeezespan.distillation.prepare import Parts, open_stream, prepare
from squeezespan.distillation.schedule import run_pace
from squeezespan.distillation.speed import measure_run
from squeezespan.distillation.stream import Place
from squeezespan.distillation.target import measure_targets
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
        named = {
            "gan_sha256": f"{config.gan} is another file than the one",
            "discriminator_sha256": f"{config.discriminator} is another file than the one",
            "images": f"{config.data} has other images than those",
        }
        folder.check_inputs(state["stamp"], stamp, named)
    place = Place(fabric.global_rank, fabric.world_size, fabric.device)
    stream = open_stream(config, parts, place)
    if found is None:
        measure_targets(fabric, parts.method, stream, config.source.statistics_images)
    monitor = None
    if parts.images.knn is not None:
        backbone = Backbone(parts.method.backbone, student_header(config, parts, step))
        monitor = KnnMonitor(fabric, config, parts.plan, backbone, parts.images.knn)
    say(_headline(config, parts, folder, step, fabric))
    recorder = Recorder()
    if fabric.is_global_zero:
        folder.record_environment(str(fabric.device), fabric.world_size)
        seen = (step * config.train.batch_size, parts.plan.images)
        recorder = open_recorder(folder, config, step, seen, state["metrics_bytes"], "distill")

    def publish(done: int, verdicts: Sequence[str]) -> None:
        header = student_header(config, parts, done, verdicts)
        save_student(folder.result, parts.method.backbone, header)
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
    on_main_process(fabric, lambda: job.publish(parts.plan.steps))


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
