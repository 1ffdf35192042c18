"""From the settings of a fine-tuning to a folder with its result."""

import time
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from squeezespan.data.notices import say
from squeezespan.errors import UserError
from squeezespan.files import file_sha256
from squeezespan.finetuning.choice import Choice, choose_rate
from squeezespan.finetuning.classifier import Classifier
from squeezespan.finetuning.config import FinetuneConfig
from squeezespan.finetuning.job import FinetuneJob
from squeezespan.finetuning.labelled import Labelled, draw_labelled
from squeezespan.finetuning.plan import Plan, plan_finetuning
from squeezespan.finetuning.prepare import Inputs, Parts, check_inputs, open_parts
from squeezespan.finetuning.result import Tuned, leave_result
from squeezespan.hardware import resolve_device
from squeezespan.models.student_file import load_backbone, student_path
from squeezespan.runs.checkpoint import load_newest_checkpoint
from squeezespan.runs.launch import launch
from squeezespan.runs.recorder import Recorder, open_recorder
from squeezespan.runs.run_folder import RunFolder, RunState
from squeezespan.runs.trainer import Pace, Trainer
from squeezespan.settings import to_dict

__all__ = ["describe_finetuning", "run_finetuning"]

_ADVICE = "start again in another --out with a lower --tuning.learning-rates or --precision fp32"


def run_finetuning(config: FinetuneConfig, out: str | Path, resume: bool = False) -> Path:
    """Fine-tune a backbone on labelled images and test it, in a folder.

    A linear probe is fitted first; then the whole network is trained from there with a low
    learning rate (Kumar et al. 2022). Held-out images of train choose the learning rate, and
    whether the network is changed at all. The folder holds `student.safetensors` (the backbone),
    `classifier.safetensors`, `result.json`, `report.html` and what every run has. A run that was
    stopped, even by SIGKILL, and is resumed ends with the weights that it would have had without
    the stop; on a CPU bit for bit.

    Args:
        config: the settings.
        out: the folder; it must not hold another run.
        resume: continue the run in `out`, or begin one where there is none.

    Returns:
        The folder.

    Raises:
        UserError: settings, weights, data or folder are not usable.
        TrainingError: the loss stopped being finite; the last good checkpoint is kept.
        StorageError: the disk is full.
    """
    started = time.perf_counter()
    inputs = check_inputs(config, out, resume=resume)
    folder, config = inputs.folder, inputs.config
    if inputs.state is RunState.FINISHED:
        say(f"{folder.path} holds a finished run; there is nothing to resume")
        return folder.path
    fabric = launch(config.train)
    if fabric.world_size > 1:
        raise UserError("finetune runs on one process; start it without torchrun or srun")
    with torch.random.fork_rng([fabric.device] if fabric.device.type == "cuda" else []):
        parts = open_parts(inputs, fabric.device)
        folder.open(config, resume=resume)
        try:
            _run(fabric, inputs, parts, started)
        finally:
            folder.close()
    return folder.path


def describe_finetuning(
    config: FinetuneConfig, out: str | Path, resume: bool = False
) -> dict[str, Any]:
    """Say what `run_finetuning` would do, after the same checks, without writing anything.

    Returns:
        The resolved settings and the sizes that follow from them, ready for JSON.
    """
    inputs = check_inputs(config, out, resume=resume)
    found = inputs.train
    labels = torch.tensor(found.source.labels.numbers)
    chosen = labels[draw_labelled(inputs.config, labels)]
    plan = plan_finetuning(inputs.config, chosen)
    side = load_backbone(inputs.config.weights).resolution
    last = next(iter(plan.final.values()))
    return {
        "config": to_dict(inputs.config),
        "images": found.sizes.describe(len(chosen), side),
        "classes": len(found.source.labels.class_names),
        "epochs": last.epochs,
        "batch_size": last.batch_size,
        "choosing_steps": plan.choosing_steps,
        "steps": plan.steps,
        "device": str(resolve_device(inputs.config.train.device)),
        "out": str(inputs.folder.path),
        "out_holds": inputs.state.value,
    }


def _run(fabric: Fabric, inputs: Inputs, parts: Parts, started: float) -> None:
    config, folder, labelled = inputs.config, inputs.folder, parts.labelled
    found = load_newest_checkpoint(folder.checkpoints)
    step, state = found or (0, {"metrics_bytes": 0})
    stamp = {
        "weights_sha256": file_sha256(student_path(config.weights)),
        "images": labelled.images.fingerprint(),
    }
    if found is not None:
        named = {
            "weights_sha256": f"{config.weights} has other weights than those",
            "images": f"{config.data} has other images than those",
        }
        folder.check_inputs(state["stamp"], stamp, named)
    plan = plan_finetuning(config, labelled.labels)
    say(_headline(config, labelled, plan, fabric, folder, step))
    classes = len(labelled.class_names)
    classifier = Classifier(parts.backbone, labelled.standardize, classes).to(fabric.device)
    job = FinetuneJob(fabric, config, plan, labelled, classifier)
    folder.record_environment(str(fabric.device))
    batch = next(iter(plan.final.values())).batch_size
    seen = (step * batch, plan.steps * batch)
    recorder = open_recorder(folder, config, step, seen, state["metrics_bytes"], "finetune")
    try:
        choice = _train(fabric, config, plan, job, recorder, folder, stamp, (step, state))
    finally:
        recorder.close()
    say(choice.why)
    tuned = Tuned(config, labelled, plan, choice, classifier, list(job.outcomes.values()))
    words = inputs.test.sizes.describe(len(parts.test), parts.backbone.resolution)
    leave_result(folder.path, tuned, parts.test, parts.test_features, words, started)


def _train(
    fabric: Fabric,
    config: FinetuneConfig,
    plan: Plan,
    job: FinetuneJob,
    recorder: Recorder,
    folder: RunFolder[FinetuneConfig],
    stamp: dict[str, str],
    begin: tuple[int, dict[str, Any]],
) -> Choice:
    """Run the trials that choose, then the training that was chosen, if one was."""
    step, state = begin
    batch = next(iter(plan.final.values())).batch_size

    def trainer(steps: int) -> Trainer:
        pace = Pace(steps, batch, config.monitor.log_every, config.train.checkpoint_minutes)
        return Trainer(fabric, pace, job, recorder, folder.checkpoints, stamp, _ADVICE)

    if plan.choosing:
        if step <= plan.choosing_steps:
            choosing = trainer(plan.choosing_steps)
            if step:
                choosing.load(step, state)
            choosing.run()
            step, state = plan.choosing_steps, choosing.standing()
        else:
            job.outcomes = dict(state["job"]["outcomes"])
        choice = choose_rate(job.outcomes.values())
    else:
        choice = _without_trials(plan)
    if choice.rate is None:
        job.begin_final()
        return choice
    job.choose(choice.rate)
    last = trainer(plan.steps)
    if step:
        last.load(step, state)
    last.run()
    return choice


def _without_trials(plan: Plan) -> Choice:
    if len(plan.final) == 1:
        rate = next(iter(plan.final))
        return Choice(rate, f"the learning rate is {rate:g}, the only one that was given")
    return Choice(
        None,
        "no class has two labelled images, one of which could be held out to judge a training by: "
        "the network stays as it is",
    )


def _headline(
    config: FinetuneConfig,
    labelled: Labelled,
    plan: Plan,
    fabric: Fabric,
    folder: RunFolder[FinetuneConfig],
    step: int,
) -> str:
    last = next(iter(plan.final.values()))
    epochs = f"{last.epochs} {'pass' if last.epochs == 1 else 'passes'}"
    steps = f"{plan.steps} {'step' if plan.steps == 1 else 'steps'}"
    begun = f"resumed after step {step} of at most {plan.steps}" if step else steps
    trials = f" ({plan.choosing_steps} to choose the learning rate)" if plan.choosing else ""
    images = f"{len(labelled.labels)} images of {len(labelled.class_names)} classes"
    return (
        f"{config.weights} on {images}, "
        f"{epochs}: {begun}{trials}, {fabric.device} in {config.train.precision}, "
        f"{folder.path}"
    )
