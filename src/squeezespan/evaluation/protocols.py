"""From a backbone and two labelled sets to an accuracy, by one of four protocols."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.data.images import ImageSet
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.fewshot import fewshot_hits
from squeezespan.evaluation.hits import pack_hits
from squeezespan.evaluation.intervals import mean_interval, wilson
from squeezespan.evaluation.knn import knn_scores
from squeezespan.evaluation.labels import labels_of
from squeezespan.evaluation.linear import linear_probe_config, train_linear_probe
from squeezespan.evaluation.logistic import logistic_scores
from squeezespan.evaluation.options import FeatureProtocol, ProbeOptions
from squeezespan.hardware import resolve_precision
from squeezespan.settings import to_dict

__all__ = [
    "FeatureSplit",
    "evaluate_features",
    "evaluate_linear",
    "extract_split",
]

_FEATURE_BATCH = 512


@dataclass(frozen=True)
class FeatureSplit:
    """Features and labels of train and test, on the device where they are evaluated."""

    train_x: Tensor
    """float32 [N, D]."""
    train_y: Tensor
    """int64 [N]."""
    test_x: Tensor
    """float32 [M, D]."""
    test_y: Tensor
    """int64 [M]."""
    classes: int


def extract_split(
    backbone: nn.Module,
    train: ImageSet,
    test: ImageSet,
    options: ProbeOptions,
    device: torch.device,
    *,
    progress: bool = True,
) -> FeatureSplit:
    """Compute the features of two labelled sets.

    Args:
        backbone: on `device`, takes uint8 [B, 3, R, R].
        train: labelled images to learn from, as `train_linear_probe` takes them.
        test: labelled images of these classes to test on, at the backbone's resolution.
        options: batch size and precision.
        device: where features are computed and left.
        progress: whether to show it.

    Raises:
        UserError: a set without labels, or test classes that train lacks; features that are not
            finite.
    """
    train_y, test_y, names = labels_of(train, test)
    sides = [_features(backbone, images, options, device, progress) for images in (train, test)]
    return FeatureSplit(sides[0], train_y.to(device), sides[1], test_y.to(device), len(names))


def evaluate_features(
    split: FeatureSplit, protocol: FeatureProtocol, options: ProbeOptions
) -> dict[str, Any]:
    """Evaluate cached features.

    Args:
        split: from `extract_split`.
        protocol: which one.
        options: its settings.

    Returns:
        `accuracy` in [0, 1] with its 95% `interval`, `top5` and `top5_interval` beyond ten
        classes, `hits` (`evaluation.hits`; of every draw for few labels), and `settings`, ready for
        JSON.

    Raises:
        UserError: fewer train images in a class than shots.
    """
    x, y = split.train_x, split.train_y
    if protocol == "fewshot":
        hits = fewshot_hits(
            x,
            y,
            split.test_x,
            split.test_y,
            classes=split.classes,
            per_class=options.shots,
            draws=options.draws,
            seed=options.seed,
        )
        accuracies = [int(right.sum()) / len(right) for right in hits]
        return {
            "accuracy": sum(accuracies) / len(accuracies),
            "interval": [min(max(end, 0.0), 1.0) for end in mean_interval(accuracies)],
            "interval_kind": "95% Student t over the draws",
            "draws": accuracies,
            "hits": [pack_hits(right) for right in hits],
            "settings": {"shots": options.shots, "draws": options.draws},
        }
    if protocol == "logistic":
        scores, l2 = logistic_scores(x, y, split.test_x, classes=split.classes, seed=options.seed)
        settings: dict[str, Any] = {"l2": l2, "l2_chosen_on": "a tenth held out of train"}
    else:
        k = min(options.k, len(x))
        scores = knn_scores(x, y, split.test_x, k=k, temperature=options.temperature)
        settings = {"k": k, "temperature": options.temperature}
    return {**_accuracies(scores, split.test_y, split.classes), "settings": settings}


def evaluate_linear(
    backbone: nn.Module,
    train: ImageSet,
    test: ImageSet,
    options: ProbeOptions,
    device: torch.device,
) -> dict[str, Any]:
    """Train the paper's linear probe on `train` and test its last epoch.

    Args:
        backbone: on `device`, takes uint8, or float in [0, 1], [B, 3, R, R].
        train: labelled images to learn from, as `train_linear_probe` takes them.
        test: labelled images of these classes to test on, at the backbone's resolution.
        options: settings.
        device: where everything runs.

    Returns:
        As `evaluate_features`.

    Raises:
        UserError: a set without labels, or test classes that train lacks; features that are not
            finite.
    """
    _, test_y, names = labels_of(train, test)
    classes = len(names)
    config = linear_probe_config(
        test.resolution,
        epochs=options.epochs,
        batch_size=options.batch_size,
        copies=options.copies,
    )
    layer = train_linear_probe(
        backbone,
        train,
        config,
        classes=classes,
        resolution=test.resolution,
        precision=resolve_precision(options.precision, device),
        seed=options.seed,
        device=device,
    )
    scores = layer(_features(backbone, test, options, device))
    return {**_accuracies(scores, test_y.to(device), classes), "settings": to_dict(config)}


def _features(
    backbone: nn.Module,
    images: ImageSet,
    options: ProbeOptions,
    device: torch.device,
    progress: bool = True,
) -> Tensor:
    features = extract_features(
        backbone,
        images,
        batch_size=options.batch_size or _FEATURE_BATCH,
        device=device,
        precision=options.precision,
        progress=progress,
    ).to(device)
    if not features.isfinite().all():
        raise UserError(
            f"the backbone gives features of {images.name} that are not numbers (NaN): its "
            "training broke down"
        )
    return features


def _accuracies(scores: Tensor, labels: Tensor, classes: int) -> dict[str, Any]:
    total = len(labels)
    right = scores.argmax(1) == labels
    correct = int(right.sum())
    result: dict[str, Any] = {"accuracy": correct / total, "interval": list(wilson(correct, total))}
    result["interval_kind"] = "95% Wilson"
    result["hits"] = pack_hits(right)
    if classes > 10:
        among = int((scores.topk(5).indices == labels[:, None]).any(1).sum())
        result["top5"] = among / total
        result["top5_interval"] = list(wilson(among, total))
    return result
