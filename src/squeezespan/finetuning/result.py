"""What a fine-tuning leaves: its networks, and how they and the probe do on test."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.environment import project_commit
from squeezespan.evaluation.circumstances import circumstances
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.judged import Judged, accuracies
from squeezespan.evaluation.labels import labels_of
from squeezespan.evaluation.paired import paired_difference
from squeezespan.files import file_sha256, write_json
from squeezespan.finetuning.choice import Choice
from squeezespan.finetuning.classifier import Classifier
from squeezespan.finetuning.config import FinetuneConfig
from squeezespan.finetuning.labelled import Labelled
from squeezespan.finetuning.plan import Plan
from squeezespan.models.classifier_file import CLASSIFIER_FILE, save_classifier
from squeezespan.models.student_file import (
    STUDENT_FILE,
    save_student,
    student_path,
)
from squeezespan.reports.accuracy import write_accuracy_report
from squeezespan.seen import labels_of_images
from squeezespan.settings import to_dict

__all__ = ["RESULT_FILE", "Tuned", "leave_result"]

RESULT_FILE = "result.json"


@dataclass(frozen=True)
class Tuned:
    """A fine-tuning that is done."""

    config: FinetuneConfig
    labelled: Labelled
    plan: Plan
    choice: Choice
    classifier: Classifier
    outcomes: list[dict[str, float]]
    """Of the trials."""

    def header(self) -> dict[str, Any]:
        """Give the header of its student: where it comes from, and what it has seen."""
        before = dict(self.classifier.backbone.header)
        provenance = dict(before.get("provenance") or {})
        if self.choice.rate is None:
            return before
        config, count = self.config, len(self.labelled.labels)
        saw = labels_of_images(provenance, f"{count} images of {config.data}")
        return before | {
            "provenance": {
                "finetuned": {
                    "data": config.data,
                    **_share(config),
                    "images": count,
                    "images_per_class": config.images_per_class,
                    "learning_rate": self.choice.rate,
                    "seed": config.train.seed,
                    "commit": project_commit(),
                    "torch": torch.__version__,
                },
                "before": provenance,
                "saw": list(saw),
                "finished": True,
            }
        }


def _share(config: FinetuneConfig) -> dict[str, float]:
    return {} if config.test_share is None else {"test_share": config.test_share}


def leave_result(
    out: Path,
    tuned: Tuned,
    test: ImageSet,
    test_features: Tensor,
    test_images: str,
    started: float,
) -> None:
    """Test a fine-tuned network beside its probe, and write everything into the run's folder.

    Args:
        out: the folder.
        tuned: what was done.
        test: labelled images, at the backbone's resolution.
        test_features: of the probe, float32 [N, D] on the CPU.
        test_images: what they are, in words.
        started: when, as `time.perf_counter` gives it.

    Raises:
        UserError: the test split is not usable.
        StorageError: the disk is full.
    """
    config, labelled, classifier = tuned.config, tuned.labelled, tuned.classifier
    device, backbone = classifier.backbone.mean.device, classifier.backbone
    labels = labels_of(labelled.images, test)[1]
    with torch.no_grad():
        tuned_features = extract_features(
            backbone, test, device=device, precision=config.train.precision
        )
        scores = classifier.scores(tuned_features.to(device)).cpu()
    everything = torch.arange(len(labelled.labels))
    probe = labelled.fit(everything)(labelled.standardize(test_features))
    hits, probe_hits = scores.argmax(1) == labels, probe.argmax(1) == labels
    difference, interval = paired_difference(hits, probe_hits)
    classes = len(labelled.class_names)
    last = next(iter(tuned.plan.final.values()))
    result = {
        "protocol": "finetune",
        **accuracies(scores, labels, classes),
        "probe": {**accuracies(probe, labels, classes), "l2": labelled.l2 or 1 / len(everything)},
        "difference": {"accuracy": difference, "interval": list(interval), "kind": "95% paired"},
        "chosen": {
            "learning_rate": tuned.choice.rate,
            "why": tuned.choice.why,
            "held_out": tuned.outcomes,
        },
        "settings": {
            **to_dict(config.tuning),
            "images_per_class": config.images_per_class,
            "epochs": last.epochs,
            "batch_size": last.batch_size,
        },
        "seed": config.train.seed,
        "classes": classes,
        "class_names": labelled.class_names,
        "n_train": len(everything),
        "n_test": len(test),
        "test_images": test_images,
        "data": config.data,
        **_share(config),
        "weights": config.weights,
        "weights_sha256": file_sha256(student_path(config.weights)),
        **circumstances(backbone, device, config.train.precision, started),
    }
    write_json(out / RESULT_FILE, result)
    judged = Judged([scores], labels, labelled.class_names, test)
    write_accuracy_report(out / "report.html", result, judged)
    head = classifier.folded()
    save_classifier(out / CLASSIFIER_FILE, head.weight, head.bias, labelled.class_names)
    save_student(out / STUDENT_FILE, copy.deepcopy(backbone.network).cpu(), tuned.header())
