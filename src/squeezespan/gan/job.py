"""The training of a GAN: its steps, kept generators and grids, and what its log says."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from squeezespan.discriminators.files import save_discriminator
from squeezespan.environment import project_commit
from squeezespan.gan.batches import RealBatches
from squeezespan.gan.classes import Classes
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.projected_step import AnyStep
from squeezespan.gan.samples import sample_images, save_grid
from squeezespan.gan.scoring.snapshots import SnapshotScores
from squeezespan.generators.registry import save_generator
from squeezespan.reports.gan import REAL_SHOWN, write_gan_report
from squeezespan.runs.run_folder import RunFolder

__all__ = ["BEST_FILE", "GanJob", "total_steps"]

BEST_FILE = "best.safetensors"
"""The snapshot with the best score, in the run folder."""

_GRID_IMAGES = 100


class GanJob:
    """Trains a GAN in a folder.

    Args:
        config: the run's settings.
        classes: real images of the resolution that `config` names, and their classes.
        gan: networks and optimizers.
        folder: the run's; it is open.
        steps: of the whole training.
        scores: measures snapshots; None measures none.
    """

    check_kind = "snapshot"
    shown: tuple[str, ...] = ("loss/generator", "loss/discriminator")

    def __init__(
        self,
        config: GanTrainConfig,
        classes: Classes,
        gan: AnyStep,
        folder: RunFolder[GanTrainConfig],
        steps: int,
        scores: SnapshotScores | None = None,
    ) -> None:
        self._config = config
        self._images = classes.images
        self._class_facts = classes.facts
        self._gan = gan
        self._out = folder.path
        self._result = folder.result
        self._steps = steps
        self._batches = RealBatches(config, classes.images, gan.device)
        self._seconds = 0.0
        self._scores = scores
        self._best: float | None = None

    def optimise(self, step: int) -> Mapping[str, Tensor]:
        """Train both networks on one batch."""
        began = time.monotonic()
        numbers = self._gan.run(step, *self._batches.batch(step, self._gan.rows()))
        self._seconds += time.monotonic() - began
        return numbers

    def record(self, step: int, numbers: Mapping[str, float]) -> dict[str, float]:
        """Give the line of the log."""
        return {"kimg": self._kimg(step), **numbers}

    def check_due(self, step: int) -> bool:
        """Tell whether a step went over a multiple of `train.snapshot_kimg`, or was the last."""
        size, kimg = self._config.train.batch_size, self._config.train.snapshot_kimg * 1000
        return step * size // kimg > (step - 1) * size // kimg or step == self._steps

    def check(self, step: int) -> Mapping[str, float]:
        """Keep this moment's averaged generator and a grid of its images; score it where asked."""
        if self._gan.share.rank:
            return {}
        kimg = self._kimg(step)
        # Moments less than a thousand images apart need names of their own.
        fine = self._config.train.snapshot_kimg < 1
        name = f"{kimg:010.3f}" if fine else f"{round(kimg):06d}"
        images = sample_images(self._gan.average, _GRID_IMAGES)
        save_grid(self._out / "samples" / f"{name}.png", images)
        path = self._out / "snapshots" / f"generator-{name}.safetensors"
        save_generator(path, self._gan.average, self._provenance(step))
        self._report()
        return {} if self._scores is None else {"kimg": kimg, **self._score(self._scores, step)}

    def _score(self, scores: SnapshotScores, step: int) -> dict[str, float]:
        """Measure the averaged generator, and keep it where it is the best so far."""
        measured = scores.measure(self._gan.average)
        distance = measured[scores.headline]
        if self._best is None or distance < self._best:
            self._best = distance
            provenance = self._provenance(step) | {
                "scores": measured,
                "chosen_by": f"lowest {scores.headline}, {self._config.monitor.judges[0]}",
            }
            save_generator(self._result.with_name(BEST_FILE), self._gan.average, provenance)
        return measured

    def publish(self, step: int) -> None:
        """Leave both networks for others to use."""
        provenance = self._provenance(step)
        path = self._result.with_name("discriminator.safetensors")
        save_discriminator(path, self._gan.discriminator, provenance)
        save_generator(self._result, self._gan.average, provenance)
        self._report()

    def weights(self) -> Iterable[Tensor]:
        """Give the tensors of all networks."""
        for network in self._gan.networks():
            yield from network.state_dict().values()

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {"gan": self._gan.state(), "step_seconds": self._seconds, "best": self._best}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""
        self._gan.load(state["gan"])
        self._seconds = state["step_seconds"]
        self._best = state.get("best")

    def _report(self) -> None:
        """Renew the page, once there are images to show on it."""
        if not any((self._out / "samples").glob("*.png")):
            return
        chosen = torch.randperm(len(self._images), generator=torch.Generator().manual_seed(0))
        write_gan_report(self._out, self._images.batch(chosen[:REAL_SHOWN]).cpu())

    def _kimg(self, step: int) -> float:
        return step * self._config.train.batch_size / 1000

    def _provenance(self, step: int) -> dict[str, Any]:
        stories = (self._class_facts, self._gan.provenance, self._gan.origin)
        classes, own, origin = stories
        saw = list(dict.fromkeys(item for story in stories for item in story.get("saw", ())))
        return {
            "data": self._config.data,
            "mirror": self._config.mirror,
            "kimg": self._kimg(step),
            "total_kimg": round(self._kimg(step) + (origin.get("kimg") or 0), 3),
            **({"init": origin} if origin else {}),
            **{name: fact for name, fact in (classes | own).items() if name != "saw"},
            **({"saw": saw} if saw else {}),
            "seed": self._config.train.seed,
            "seconds": round(self._seconds),
            "finished": step == self._steps,
            "device": str(self._gan.device),
            "commit": project_commit(),
            "torch": torch.__version__,
        }


def total_steps(config: GanTrainConfig, num_images: int) -> int:
    """Give the number of steps of a run on `num_images` images."""
    train = config.train
    images = train.kimg * 1000 if train.epochs is None else train.epochs * num_images
    steps = max(math.ceil(images / train.batch_size), 1)
    return steps if train.max_steps is None else min(steps, train.max_steps)
