"""`train_gan`: from settings to a folder with a trained generator."""

import contextlib
import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from squeezespan.data.images import ImageSet
from squeezespan.data.notices import say
from squeezespan.data.sizes import Sizes
from squeezespan.data.specs import FoundImages, find_images
from squeezespan.errors import UserError
from squeezespan.gan.classes import CLUSTERS_FILE, Classes, find_classes, find_clusters
from squeezespan.gan.clusters import Clusters, keep_clusters, nominal_clusters
from squeezespan.gan.combinations import partial_judges
from squeezespan.gan.config import GanTrainConfig, load_gan_config, validate_gan
from squeezespan.gan.job import BEST_FILE, GanJob, total_steps
from squeezespan.gan.origin import Origin, open_origin, sizes_as_started
from squeezespan.gan.projected_step import AnyStep, ProjectedStep
from squeezespan.gan.resolution import fitting_resolution
from squeezespan.gan.scoring.snapshots import SnapshotScores, hold_out
from squeezespan.gan.share import Share
from squeezespan.gan.speed import measure_speed
from squeezespan.gan.step import GanStep
from squeezespan.hardware import DTYPES, resolve_device
from squeezespan.runs.checkpoint import load_newest_checkpoint
from squeezespan.runs.launch import launch, on_main_process
from squeezespan.runs.loggers import check_installed
from squeezespan.runs.recorder import Recorder, open_recorder
from squeezespan.runs.run_folder import RunFolder, RunState, is_finished_network
from squeezespan.runs.trainer import Pace, Trainer
from squeezespan.settings import to_dict

__all__ = ["describe_gan_run", "gan_folder", "train_gan"]

_ADVICE = (
    "what was saved before is kept; start again in another --out with a lower --learning-rate or "
    "--precision fp32"
)
_MAY_DIFFER = frozenset(
    {"train.kimg", "train.epochs", "train.max_steps", "train.snapshot_kimg", "train.micro_batch"}
)
"""The length of a run is no part of its identity: there is no schedule that depends on it."""


def train_gan(config: GanTrainConfig, out: str | Path, resume: bool = False) -> Path:
    """Train a StyleGAN2-ADA or a Projected GAN; leave it in a folder with all that belongs to it.

    The folder holds `config.json`, `environment.json`, `metrics.jsonl`, `checkpoints/`,
    `samples/` (grids), `snapshots/` (averaged generators on the way), `report.html` and, at the
    end, `generator.safetensors` and `discriminator.safetensors`. A run that was stopped, even by
    SIGKILL, and is resumed ends with the weights it would have had without the stop; on a CPU bit
    for bit.

    Args:
        config: the settings; `squeezespan.presets.gan` has good ones.
        out: the run folder; it must not hold another run.
        resume: continue the run in `out`, or begin one where there is none; a finished run goes
            on if it was asked to be longer.

    Returns:
        The run folder.

    Raises:
        UserError: settings, data or folder are not usable.
        TrainingError: a loss stopped being finite; the last good checkpoint is kept.
        StorageError: the disk is full.
    """
    validate_gan(config)
    check_installed(config.monitor.loggers)
    folder = gan_folder(Path(out))
    config = folder.settle(config, resume=resume)
    fabric = launch(config.train)
    share = Share(fabric.global_rank, fabric.world_size, config.train.micro_batch)
    origin = _open_origin(config, folder, resume=resume)
    config = origin.config
    share.check(config)
    state = on_main_process(fabric, lambda: folder.check(config, resume=resume))
    for judge in partial_judges(config):
        say(
            f"warning: the training learns from the features of {judge}, so that scores by it are "
            "flattered; name another with --monitor.judges"
        )
    if resume and state is RunState.NEW:
        say(f"{folder.path} holds no run to resume; starting one")
    found = find_images(config.data, "train", test_share=config.test_share)
    config = _settle_resolution(config, found.sizes)
    images, scores = hold_out(config, _load(config, found, fabric.device), fabric.device)
    clusters = on_main_process(fabric, lambda: find_clusters(config, images, folder.path))
    classes = find_classes(config, images, clusters)
    gan = _build_step(config, classes, origin, fabric.device, share)
    on_main_process(fabric, lambda: folder.open(config, resume=resume))
    try:
        on_main_process(fabric, lambda: _keep(folder.path / CLUSTERS_FILE, clusters))
        stamp = {"images": images.fingerprint()}
        stamp |= {"clusters": clusters.sha256} if clusters else {}
        _train(fabric, config, folder, classes, found.sizes, gan, scores, stamp)
    finally:
        folder.close()
    return folder.path


def describe_gan_run(
    config: GanTrainConfig, out: str | Path, resume: bool = False
) -> dict[str, Any]:
    """Say what `train_gan` would do and take, after the same checks, without writing anything.

    Seconds and memory are measured on a few of the run's own steps, on this machine.
    """
    validate_gan(config)
    check_installed(config.monitor.loggers)
    folder = gan_folder(Path(out))
    config = folder.settle(config, resume=resume)
    share = Share(micro_batch=config.train.micro_batch)
    origin = _open_origin(config, folder, resume=resume)
    config = origin.config
    share.check(config)
    state = folder.check(config, resume=resume)
    found = find_images(config.data, "train", test_share=config.test_share)
    config = _settle_resolution(config, found.sizes)
    device = resolve_device(config.train.device)
    whole = _load(config, found, device)
    images, _ = hold_out(config, whole, device)
    nominal = None
    if config.clusters.backbone is not None:
        nominal = nominal_clusters(config.clusters, images)
    classes = find_classes(config, images, nominal)
    step = _build_step(config, classes, origin, device, share)
    steps = total_steps(config, len(images))
    speed = measure_speed(config, step, classes.images)
    return {
        "config": to_dict(config),
        "images": len(images),
        "held_out_images": len(whole) - len(images),
        "sizes": found.sizes.describe(len(images), config.side),
        "steps": steps,
        "seconds_per_kimg": round(speed.seconds_per_kimg, 2),
        "hours": round(steps * config.train.batch_size * speed.seconds_per_kimg / 3.6e6, 2),
        "memory_gb": None if speed.memory is None else round(speed.memory / 1e9, 2),
        "device": str(device),
        "generator_parameters": sum(x.numel() for x in step.generator.parameters()),
        "discriminator_parameters": sum(x.numel() for x in step.discriminator.parameters()),
        "out": str(folder.path),
        "out_holds": state.value,
    }


def _train(
    fabric: Fabric,
    config: GanTrainConfig,
    folder: RunFolder[GanTrainConfig],
    classes: Classes,
    sizes: Sizes,
    gan: AnyStep,
    scores: SnapshotScores | None,
    stamp: dict[str, str],
) -> None:
    found = on_main_process(fabric, lambda: load_newest_checkpoint(folder.checkpoints))
    step, state = found or (0, {"metrics_bytes": 0})
    if found is not None:
        named = {
            "images": f"{config.data} has other images than those",
            "clusters": f"{folder.path / CLUSTERS_FILE} has other clusters than those",
        }
        folder.check_inputs(state["stamp"], stamp, named)
    count = len(classes.images)
    train, steps = config.train, total_steps(config, count)
    processes = f" on {fabric.world_size} processes" if fabric.world_size > 1 else ""
    say(
        f"{config.data}: {sizes.describe(count, config.side)}, {steps} steps of "
        f"{train.batch_size} in {train.precision} on {fabric.device}{processes}, {folder.path}",
    )
    origins = [file for file in (config.init.generator, config.init.discriminator) if file]
    if origins:
        say(f"started from {', '.join(origins)}")
    job = GanJob(config, classes, gan, folder, steps, scores)
    pace = Pace(steps, train.batch_size, config.monitor.log_every, train.checkpoint_minutes)
    seen = (step * train.batch_size, steps * train.batch_size)
    recorder = Recorder()
    if fabric.is_global_zero:
        folder.record_environment(str(fabric.device), fabric.world_size)
        recorder = open_recorder(folder, config, step, seen, state["metrics_bytes"], "gan")
    with contextlib.closing(recorder):
        trainer = Trainer(fabric, pace, job, recorder, folder.checkpoints, stamp, _ADVICE)
        if found is not None:
            trainer.load(step, state)
        trainer.run()
    on_main_process(fabric, lambda: job.publish(steps))


def gan_folder(path: Path) -> RunFolder[GanTrainConfig]:
    """The folder of a GAN training."""
    return RunFolder(
        path,
        load_gan_config,
        "GAN training",
        "generator.safetensors",
        (
            "discriminator.safetensors",
            BEST_FILE,
            CLUSTERS_FILE,
            "samples",
            "snapshots",
            "report.html",
            "tensorboard",
            "wandb",
            "mlflow.db",
        ),
        _MAY_DIFFER,
        partial(is_finished_network, "generator"),
    )


def _open_origin(
    config: GanTrainConfig, folder: RunFolder[GanTrainConfig], *, resume: bool
) -> Origin:
    """Open what a new run starts from; one that goes on doesn't need these files any more."""
    if resume and next(folder.checkpoints.glob("step-*"), None) is not None:
        return Origin(sizes_as_started(config, folder.saved()), None, None)
    origin = open_origin(config)
    validate_gan(origin.config)
    return origin


def _settle_resolution(config: GanTrainConfig, sizes: Sizes) -> GanTrainConfig:
    """Put a number in the place of `auto`, and warn where most pixels are thrown away."""
    fitting = fitting_resolution(sizes.side)
    if config.resolution == "auto":
        config = dataclasses.replace(config, resolution=fitting)
        validate_gan(config)
    if lost := sizes.lost(config.side):
        hint = f"; --resolution {fitting} keeps them" if fitting > config.side else ""
        say(f"warning: {lost} of the pixels of {config.data} are thrown away{hint}")
    return config


def _load(config: GanTrainConfig, found: FoundImages, device: torch.device) -> ImageSet:
    images = found.load(config.side, device=device, num_workers=config.train.num_workers)
    if config.conditional and images.labels is None:
        raise UserError(
            f"{config.data} has no labels, which a conditional GAN needs: {images.label_problem}"
        )
    return images


def _build_step(
    config: GanTrainConfig,
    classes: Classes,
    origin: Origin,
    device: torch.device,
    share: Share,
) -> AnyStep:
    with torch.random.fork_rng([]):
        dtype = DTYPES[config.train.precision]
        step: AnyStep
        if config.discriminator.family == "projected":
            step = ProjectedStep(config, classes.num_classes, device, dtype, share)
        else:
            step = GanStep(config, classes.num_classes, device, dtype, share)
        origin.start(step)
    for generator in (step.generator, step.average):
        generator.class_shares = classes.shares
    return step


def _keep(path: Path, clusters: Clusters | None) -> None:
    if clusters is not None and not path.exists():
        keep_clusters(path, clusters)
