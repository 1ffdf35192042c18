"""From a backbone and two labelled sets to an accuracy, by one of four protocols."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.data.images import ImageSet
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.fewshot import fewshot_scores
from squeezespan.evaluation.hits import pack_hits
from squeezespan.evaluation.intervals import mean_interval
from squeezespan.evaluation.judged import accuracies
from squeezespan.evaluation.knn import knn_scores
from squeezespan.evaluation.labels import labels_of
from squeezespan.evaluation.linear import linear_probe_config, train_linear_probe
from squeezespan.evaluation.logistic import logistic_scores
from squeezespan.evaluation.options import FeatureProtocol, ProbeOptions
from squeezespan.evaluation.patches import BagOfPatches
from squeezespan.hardware import resolve_precision
from squeezespan.settings import to_dict

__all__ = [
    "FeatureSplit",
    "evaluate_features",
    "evaluate_linear",
    "extract_split",
    "figures",
    "score_features",
    "score_linear",
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
    if options.patches is not None:
        backbone = BagOfPatches(backbone, options.patches, options.seed)
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
    scores, settings = score_features(split, protocol, options)
    return figures(scores, split.test_y, split.classes, settings)


def score_features(
    split: FeatureSplit, protocol: FeatureProtocol, options: ProbeOptions
) -> tuple[list[Tensor], dict[str, Any]]:
    """Score the test images by cached features; arguments and errors as `evaluate_features`.

    Returns:
        Scores [M, classes], of every draw for few labels, and the settings, ready for JSON.
    """
    scores, settings = _classify(split, protocol, options)
    if options.patches is not None:
        settings["patches"] = options.patches
    return scores, settings


def _classify(
    split: FeatureSplit, protocol: FeatureProtocol, options: ProbeOptions
) -> tuple[list[Tensor], dict[str, Any]]:
    x, y = split.train_x, split.train_y
    if protocol == "fewshot":
        drawn = fewshot_scores(
            x,
            y,
            split.test_x,
            classes=split.classes,
            per_class=options.shots,
            draws=options.draws,
            seed=options.seed,
        )
        return drawn, {"shots": options.shots, "draws": options.draws}
    if protocol == "logistic":
        scores, l2 = logistic_scores(x, y, split.test_x, classes=split.classes, seed=options.seed)
        return [scores], {"l2": l2, "l2_chosen_on": "a tenth held out of train"}
    k = min(options.k, len(x))
    scores = knn_scores(x, y, split.test_x, k=k, temperature=options.temperature)
    return [scores], {"k": k, "temperature": options.temperature}


def figures(
    scores: list[Tensor], labels: Tensor, classes: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """Give what `evaluate_features` gives, from scores of one classifier or of several draws.

    Args:
        scores: [M, classes] each.
        labels: int64 [M] on the same device.
        classes: number of classes.
        settings: to repeat.
    """
    if len(scores) == 1:
        return {**accuracies(scores[0], labels, classes), "settings": settings}
    hits = [one.argmax(1) == labels for one in scores]
    found = [int(right.sum()) / len(right) for right in hits]
    return {
        "accuracy": sum(found) / len(found),
        "interval": [min(max(end, 0.0), 1.0) for end in mean_interval(found)],
        "interval_kind": "95% Student t over the draws",
        "draws": found,
        "hits": [pack_hits(right) for right in hits],
        "settings": settings,
    }


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
    scores, settings = score_linear(backbone, train, test, options, device)
    _, test_y, names = labels_of(train, test)
    return figures([scores], test_y.to(device), len(names), settings)


def score_linear(
    backbone: nn.Module,
    train: ImageSet,
    test: ImageSet,
    options: ProbeOptions,
    device: torch.device,
) -> tuple[Tensor, dict[str, Any]]:
    """Score the test images by the linear probe; arguments and errors as `evaluate_linear`.

    Returns:
        Scores [M, classes] on `device`, and the settings, ready for JSON.
    """
    if options.patches is not None:
        raise UserError(
            "the linear probe draws crops of its own, and none of --patches; choose another "
            "--protocol (knn, logistic, fewshot), or leave --patches out"
        )
    _, _, names = labels_of(train, test)
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
        classes=len(names),
        resolution=test.resolution,
        precision=resolve_precision(options.precision, device),
        seed=options.seed,
        device=device,
    )
    return layer(_features(backbone, test, options, device)), to_dict(config)


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
