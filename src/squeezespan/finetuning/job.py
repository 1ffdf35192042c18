"""The trainings of a fine-tuning one after the other, as one job of the loop."""

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from timm.optim import param_groups_layer_decay  # type: ignore[attr-defined]
from torch import Tensor

from squeezespan.data.order import epoch_order
from squeezespan.evaluation.logistic import LinearClassifier
from squeezespan.finetuning.classifier import Classifier
from squeezespan.finetuning.config import FinetuneConfig
from squeezespan.finetuning.labelled import Labelled
from squeezespan.finetuning.plan import Plan, Trial
from squeezespan.randomness import StepRandom, derive_seed

__all__ = ["FinetuneJob"]

_WARMUP = 0.1


class FinetuneJob:
    """Trains the classifier in every trial of a plan, each from the beginning.

    Norms keep the statistics that they come with, so that the first step is taken from exactly the
    probe, and few images don't disturb them.

    Args:
        fabric: launched, one process.
        config: the run's settings.
        plan: its trials.
        labelled: the images.
        classifier: trained in place, on Fabric's device; as it is, every trial begins.
    """

    check_kind = "choice"
    shown: tuple[str, ...] = ("loss", "held_out_accuracy")

    def __init__(
        self,
        fabric: Fabric,
        config: FinetuneConfig,
        plan: Plan,
        labelled: Labelled,
        classifier: Classifier,
    ) -> None:
        self._fabric = fabric
        self._config = config
        self._plan = plan
        self._labelled = labelled
        self._classifier = classifier.eval()
        self._initial = copy.deepcopy(classifier.state_dict())
        self._own = self._build_optimizer()
        self._module, self._optimizer = fabric.setup(classifier, self._own)
        self._chosen: float | None = None
        self.outcomes: dict[str, dict[str, float]] = {}
        """What each trial gave on its held-out images, beside the probe."""

    def choose(self, rate: float) -> None:
        """Settle which training follows the trials that choose."""
        self._chosen = rate

    def optimise(self, step: int) -> Mapping[str, Tensor]:
        """Do one step of the trial that it falls in; its first begins the trial."""
        trial, done = self._place(step)
        if done == 0:
            self._begin(trial)
        for group in self._optimizer.param_groups:
            group["lr"] = trial.rate * group["lr_scale"] * _schedule(done, trial.steps)
        # Layers that draw depend on the step alone.
        torch.manual_seed(derive_seed(self._config.train.seed, step, "layers"))
        rows = self._rows(trial, done)
        random = StepRandom(self._config.train.seed, step, stream="finetune")
        images = self._labelled.views(rows, random)
        labels = self._labelled.labels[rows].to(images.device)
        loss = F.cross_entropy(self._module(images), labels)
        self._fabric.backward(loss)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return {"loss": loss.detach()}

    def record(self, step: int, numbers: Mapping[str, float]) -> dict[str, float]:
        """Give the line of the log."""
        trial, _ = self._place(step - 1)
        return {"trial_rate": trial.rate, "trial_split": trial.split, **numbers}

    def check_due(self, step: int) -> bool:
        """Tell whether a trial that chooses has ended and was not judged yet."""
        if step > self._plan.choosing_steps:
            return False
        trial, done = self._place(step - 1)
        return done == trial.steps - 1 and _name(trial) not in self.outcomes

    def check(self, step: int) -> Mapping[str, float]:
        """Judge a trial, and the probe that it began with, on the trial's held-out images."""
        trial, _ = self._place(step - 1)
        labelled, rows = self._labelled, trial.held_out
        labels = labelled.labels[rows]
        features = labelled.compute_features(self._classifier.backbone, rows)
        with torch.no_grad():
            tuned = self._classifier.scores(features.to(self._fabric.device)).cpu()
        probe = labelled.scores(self._probe(trial), rows).cpu()
        right, before = tuned.argmax(1) == labels, probe.argmax(1) == labels
        outcome = {
            "rate": trial.rate,
            "images": len(rows),
            "held_out_accuracy": float(right.float().mean()),
            "probe_accuracy": float(before.float().mean()),
            "won": int((right & ~before).sum()),
            "lost": int((before & ~right).sum()),
            "loss": float(F.cross_entropy(tuned, labels)),
            "probe_loss": float(F.cross_entropy(probe.clamp(min=-1e4), labels)),
        }
        self.outcomes[_name(trial)] = outcome
        return outcome

    def publish(self, step: int) -> None:
        """Nothing: what is left before the end is no one's backbone."""

    def weights(self) -> Iterable[Tensor]:
        """Give the parameters and buffers."""
        return self._classifier.state_dict().values()

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {
            "classifier": self._classifier.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "precision": self._fabric.strategy.precision.state_dict(),
            "outcomes": self.outcomes,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""
        self._classifier.load_state_dict(state["classifier"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        self.outcomes = dict(state["outcomes"])

    def begin_final(self) -> None:
        """Put the probe on all labelled images into the classifier, as no training follows."""
        self._begin(next(iter(self._plan.final.values())))

    def _begin(self, trial: Trial) -> None:
        self._classifier.load_state_dict(self._initial)
        self._classifier.set_layer(self._probe(trial))
        self._own.state.clear()

    def _probe(self, trial: Trial) -> LinearClassifier:
        return self._labelled.fit(trial.learnt)

    def _place(self, step: int) -> tuple[Trial, int]:
        """Give the trial that a step falls in, and the steps of it that are done."""
        for trial in self._plan.choosing:
            if step < trial.steps:
                return trial, step
            step -= trial.steps
        assert self._chosen is not None
        return self._plan.final[self._chosen], step

    def _rows(self, trial: Trial, done: int) -> Tensor:
        """Places of a step's images among the labelled ones."""
        epoch, position = divmod(done, trial.steps_per_epoch)
        seed = derive_seed(self._config.train.seed, "finetune-order", trial.split)
        order = epoch_order(len(trial.learnt), epoch, seed)
        size = trial.batch_size
        return trial.learnt[order[position * size : (position + 1) * size]]

    def _build_optimizer(self) -> torch.optim.AdamW:
        tuning = self._config.tuning
        groups = param_groups_layer_decay(
            self._classifier.backbone.network, tuning.weight_decay, layer_decay=tuning.layer_decay
        )
        head = {
            "params": list(self._classifier.layer.parameters()),
            "lr_scale": 1.0,
            "weight_decay": 0.0,
        }
        return torch.optim.AdamW([*groups, head], lr=0.0)


def _name(trial: Trial) -> str:
    return f"rate {trial.rate:g}, split {trial.split}"


def _schedule(step: int, steps: int) -> float:
    """Rise over a tenth of the steps, then a cosine to 0; the rate's factor."""
    warmup = round(_WARMUP * steps)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))
