"""The demo from its first measurement to its last page."""

import dataclasses
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from squeezespan.demo.configs import Sizes, demo_config
from squeezespan.demo.evaluation import Examiner, Outcome
from squeezespan.demo.evidence import NAMER, SHOWN, gather_evidence
from squeezespan.demo.folder import RESULT, demo_folder, find_plan
from squeezespan.demo.plan import Budget, Speed, plan_lengths
from squeezespan.demo.result import build_result, spoken_accuracy
from squeezespan.demo.settings import DemoOptions, DemoPlan
from squeezespan.distillation.distill import distill
from squeezespan.distillation.prepare import Parts, prepare
from squeezespan.distillation.speed import measure_step, steps_to_measure
from squeezespan.errors import UserError
from squeezespan.experiments.catalog.demo import DEMO, RANDOM
from squeezespan.files import write_json
from squeezespan.generators.base import Generator
from squeezespan.generators.registry import generator_sha256, load_generator
from squeezespan.hardware import resolve_device, resolve_precision
from squeezespan.models.backbones import num_features
from squeezespan.models.student_file import Backbone, load_backbone
from squeezespan.reports.demo import Evidence, write_demo_report
from squeezespan.settings import check_ranges

__all__ = ["run_demo"]

_LARGEST_STUDENT_IMAGES = 64
_LARGEST_BATCH = 128
_SECONDS_FOR_END = 15.0
_HELD_OUT = 0.1
_JUDGING_TRAINED = 0.4
"""Of the seconds that judging the untrained student took, at most what a trained one's takes: its
features are fitted in a quarter of the iterations."""


@dataclass(frozen=True)
class _Setting:
    """What every part of a demo needs."""

    options: DemoOptions
    """With the precision resolved."""
    device: torch.device
    generator: Generator
    gan_sha256: str
    examiner: Examiner
    resolution: int
    batch_size: int


def run_demo(options: DemoOptions, out: str | Path, began: float | None = None) -> dict[str, Any]:
    """Train the methods for equally long each, test them, and leave the demo's folder.

    A demo that was stopped goes on where it was, with the plan that it had. A finished one is left
    as it is.

    Args:
        options: what to compare on, and how long it may take.
        out: the folder; new, empty, or of a demo with the same options.
        began: what `time.monotonic` gave when the time began to run; now if None.

    Returns:
        What `demo.json` holds: `rows`, `comparisons`, `seconds`, and what they depend on.

    Raises:
        UserError: the options, the data, the generator or the folder are not usable.
        TrainingError: a training broke down.
        StorageError: the disk is full.
    """
    began = time.monotonic() if began is None else began
    check_ranges(options, where="demo")
    folder = demo_folder(Path(out))
    sha256 = generator_sha256(options.gan)
    found = find_plan(folder, options, sha256)
    if found is not None and folder.result.exists():
        _say(f"{folder.path} holds this demo, finished before; for a new one give another --out")
        result: dict[str, Any] = json.loads(folder.result.read_text(encoding="utf-8"))
        return result
    setting = _prepare(options, found, sha256)
    start = _first_parts(setting)
    _say("testing the student before any training")
    untrained = setting.examiner.examine(_untrained(start, setting))
    _say(f"random init: {spoken_accuracy(untrained)}")
    plan = found or _measure_and_plan(setting, start, untrained, began)
    left = options.minutes - (time.monotonic() - began) / 60
    _say(_planned(plan, left if found is None else None))
    folder.open(plan, resume=True)
    try:
        outcomes = {RANDOM.key: untrained, **_train_all(setting, plan, folder.path)}
        _say("drawing the report")
        result = build_result(
            setting.examiner, plan, outcomes, folder.path, str(setting.device), found is not None
        )
        write_demo_report(folder.path, result, _evidence(setting, plan, outcomes, folder.path))
        result["seconds"] = round(time.monotonic() - began, 1)
        write_json(folder.path / RESULT, result)
    finally:
        folder.close()
    return result


def _prepare(options: DemoOptions, found: DemoPlan | None, sha256: str) -> _Setting:
    device = resolve_device(options.device)
    if found is not None:
        options = found.options
    precision = resolve_precision(options.precision, device)
    options = dataclasses.replace(options, precision=precision)
    generator = load_generator(options.gan, device)
    resolution = min(generator.info.resolution, _LARGEST_STUDENT_IMAGES)
    examiner = Examiner(options, resolution, device)
    learnt_from = int(examiner.n_train * (1 - _HELD_OUT))
    batch_size = min(_LARGEST_BATCH, 2 ** ((learnt_from // 2).bit_length() - 1))
    if batch_size < 8:
        raise UserError(f"{options.data} has only {examiner.n_train} train images; that is too few")
    _say(
        f"{options.data}: {examiner.stored.describe(examiner.n_train, resolution)}, "
        f"{examiner.n_test} test images, "
        f"{options.gan}, {device} in {precision}"
    )
    return _Setting(options, device, generator, sha256, examiner, resolution, batch_size)


def _first_parts(setting: _Setting) -> Parts:
    """Give a run's parts before its first step; the weights are those all methods start from."""
    sizes = Sizes(1, setting.batch_size, setting.resolution)
    config = demo_config(RANDOM, setting.options, sizes)
    with torch.random.fork_rng([]):
        return prepare(config, setting.device)


def _untrained(parts: Parts, setting: _Setting) -> Backbone:
    network = parts.method.backbone
    header = {
        "num_features": num_features(network),
        "resolution": setting.resolution,
        "normalization": dataclasses.asdict(parts.normalization),
    }
    return Backbone(network, header).to(setting.device)


def _measure_and_plan(setting: _Setting, start: Parts, random: Outcome, began: float) -> DemoPlan:
    options, device = setting.options, setting.device
    _say("measuring how fast this machine is")
    sizes = Sizes(steps_to_measure(device.type), setting.batch_size, setting.resolution)
    speeds: dict[str, Speed] = {}
    opening = []
    for arm in DEMO.arms:
        config = demo_config(arm, options, sizes)
        opened = time.monotonic()
        with torch.random.fork_rng([]):
            parts = prepare(config, device)
            opening.append(time.monotonic() - opened)
            measured = measure_step(config, parts)
        speeds[arm.key] = Speed(measured.step, measured.target)
    checked = 2000 + min(2000, setting.examiner.n_train * _HELD_OUT)
    tested = len(setting.examiner.train) + len(setting.examiner.test)
    budget = Budget(
        left=options.minutes * 60 - (time.monotonic() - began),
        speeds=speeds,
        row=max(opening) + random.extracting + _JUDGING_TRAINED * random.judging + 1.0,
        check=random.extracting * checked / tested,
        end=_SECONDS_FOR_END,
    )
    lengths = plan_lengths(budget, start.plan.steps_per_epoch)
    if lengths.too_slow:
        _say(
            f"{options.minutes:g} minutes are too short here; training the fewest steps that "
            "show anything"
        )
    return DemoPlan(
        options=options,
        gan_sha256=setting.gan_sha256,
        methods=tuple(lengths.methods),
        left_out=lengths.left_out,
        steps=tuple(length.steps for length in lengths.methods.values()),
        batch_size=setting.batch_size,
        resolution=setting.resolution,
        steps_per_epoch=start.plan.steps_per_epoch,
        knn_every=tuple(length.knn_every for length in lengths.methods.values()),
        step_seconds=tuple(round(speeds[key].step, 5) for key in lengths.methods),
    )


def _train_all(setting: _Setting, plan: DemoPlan, out: Path) -> dict[str, Outcome]:
    outcomes = {}
    for number, key in enumerate(plan.methods, start=1):
        arm = DEMO.arm(key)
        _say(f"[{number}/{len(plan.methods)}] {arm.title}")
        options = dataclasses.replace(plan.options, device=setting.options.device)
        begun = (out / key).exists()
        distill(demo_config(arm, options, _sizes(plan, key)), out / key, resume=begun)
        _say("testing it")
        outcomes[key] = setting.examiner.examine(_trained(out, key, setting.device))
        _say(f"[{number}/{len(plan.methods)}] {arm.title}: {spoken_accuracy(outcomes[key])}")
    return outcomes


def _evidence(
    setting: _Setting, plan: DemoPlan, outcomes: Mapping[str, Outcome], out: Path
) -> Evidence:
    config = demo_config(SHOWN, plan.options, _sizes(plan, SHOWN.key))
    students = {arm.key: _trained(out, arm.key, setting.device) for arm in (SHOWN, NAMER)}
    return gather_evidence(config, setting.generator, setting.examiner, outcomes, students)


def _trained(out: Path, key: str, device: torch.device) -> Backbone:
    backbone = load_backbone(out / key, device)
    backbone.network.to(memory_format=torch.channels_last)
    return backbone


def _sizes(plan: DemoPlan, method: str) -> Sizes:
    return Sizes(
        plan.steps_of(method),
        plan.batch_size,
        plan.resolution,
        plan.steps_per_epoch,
        plan.knn_every_of(method),
    )


def _planned(plan: DemoPlan, minutes_left: float | None) -> str:
    """Say the plan; `minutes_left` is None for a demo that goes on."""
    begun = "going on with the plan of before" if minutes_left is None else "the plan"
    left_out = f"; no time for {', '.join(plan.left_out)}" if plan.left_out else ""
    until = f"; about {minutes_left:.1f} min" if minutes_left and minutes_left > 0.1 else ""
    return (
        f"{begun}: {len(plan.methods)} methods in equal time, {min(plan.steps)} to "
        f"{max(plan.steps)} steps of {plan.batch_size} images{left_out}{until}"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
