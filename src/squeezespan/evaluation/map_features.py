"""Maps of what a generator, its discriminator and students say of images, by class."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from squeezespan.data.order import epoch_order
from squeezespan.data.specs import find_images
from squeezespan.environment import environment
from squeezespan.errors import UserError
from squeezespan.evaluation.analysis_options import MapOptions, kept_settings
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.labels import labels_of, require_labels
from squeezespan.evaluation.logistic import Standardizer, logistic_scores
from squeezespan.evaluation.maps import (
    check_method,
    lay_out,
    neighbor_hits,
    silhouette,
)
from squeezespan.evaluation.network_features import of_generated, of_real, of_student
from squeezespan.evaluation.networks import Networks
from squeezespan.models.student_file import Backbone
from squeezespan.settings import check_ranges

__all__ = ["map_features"]

Kind = Literal["generated", "real"]


@dataclass(frozen=True)
class _Views:
    """Images of one kind, their classes, and what each network says of them."""

    kind: Kind
    labels: Tensor
    """int64 [N]."""
    features: dict[str, Tensor]
    """float32 [N, D] on the CPU, by what gives them."""


@dataclass(frozen=True)
class _Labelling:
    """Where the classes of generated images come from."""

    class_names: list[str]
    words: str
    accuracy: float | None
    """Of the probe on real test images; None where the generator itself was told the class."""


def map_features(options: MapOptions) -> dict[str, Any]:
    """Lay the features of the same images out on a plane, network by network.

    Features are standardized and brought to unit length; figures beside a map are measured there
    and not on the map: the accuracy of neighbours and the silhouette of the classes.

    Args:
        options: which networks, images and method.

    Returns:
        `maps`, each with `features` (whose), `images` (generated or real), `dimensions`,
        `knn` with its 95% `knn_interval`, `silhouette`, `places` and `labels`; `class_names`,
        `classes` (where those of generated images come from), settings and provenance, ready for
        JSON.

    Raises:
        UserError: networks, images or labels are missing or don't fit.
    """
    check_ranges(options, where="analyze map")
    check_method(options.method)
    _check(options)
    started = time.perf_counter()
    networks = Networks.open(options)
    views, labelling = _views(networks, options)
    maps = [
        _map(view.kind, name, x, view.labels, options)
        for view in views
        for name, x in view.features.items()
    ]
    return {
        "maps": maps,
        "class_names": labelling.class_names,
        "classes": labelling.words,
        "probe_accuracy": labelling.accuracy,
        "settings": kept_settings(options, MapOptions),
        "device": str(networks.device),
        "seconds": round(time.perf_counter() - started, 2),
        "environment": environment(),
    }


def _check(options: MapOptions) -> None:
    if options.gan is None and options.discriminator is None and not options.student:
        raise UserError("no network is named: give --gan, --discriminator or --student")
    if options.gan is None and options.data is None:
        raise UserError("without --gan the images must be named: give --data")


def _map(kind: Kind, name: str, x: Tensor, labels: Tensor, options: MapOptions) -> dict[str, Any]:
    if not bool(x.isfinite().all()):
        raise UserError(f"{name} gives numbers that are not finite")
    standardized = Standardizer(x)(x)
    hits = neighbor_hits(standardized, labels, options.k)
    correct = int(hits.sum())
    return {
        "features": name,
        "images": kind,
        "dimensions": x.shape[1],
        "knn": correct / len(hits),
        "knn_interval": list(wilson(correct, len(hits))),
        "silhouette": silhouette(standardized, labels),
        "places": lay_out(standardized, options.method, options.seed).tolist(),
        "labels": labels.tolist(),
    }


def _views(networks: Networks, options: MapOptions) -> tuple[list[_Views], _Labelling]:
    real = None
    if options.data is not None and (networks.students or networks.discriminator):
        found = networks.find_real(options.data, "test")
        require_labels(found, "test")
        chosen = epoch_order(len(found), 0, options.seed)[: options.num_images]
        real = found.subset(chosen)
    views = []
    real_names = [] if real is None else real.class_names
    labelling = _Labelling(real_names, "as the data says", None)
    if networks.generator is not None:
        features, own = of_generated(networks, options.num_images)
        labels, labelling = _classes_of_generated(networks, options, features, own, real_names)
        views.append(_Views("generated", labels, features))
    if real is not None:
        labels = require_labels(real, "test")
        if sorted(labelling.class_names) != sorted(real_names):
            raise UserError(f"{options.data} has other classes than the generator; leave it out")
        labels = torch.tensor([labelling.class_names.index(x) for x in real_names])[labels]
        views.append(_Views("real", labels, of_real(networks, real)))
    return views, labelling


def _classes_of_generated(
    networks: Networks,
    options: MapOptions,
    features: dict[str, Tensor],
    own: Tensor | None,
    real_names: list[str],
) -> tuple[Tensor, _Labelling]:
    """Classes of generated images: the generator's own, else those that a probe sees in them.

    Args:
        networks: what is compared.
        options: of the maps.
        features: of the generated images, by what gives them.
        own: the classes that the generator was told, int64 [N].
        real_names: of the real images' classes; empty without any. The generator's have these
            names where they are as many.
    """
    assert networks.generator is not None
    if own is not None:
        count = networks.generator.info.num_classes
        names = real_names if len(real_names) == count else [f"class {i}" for i in range(count)]
        return own, _Labelling(names, "as the generator was told", None)
    if options.data is None or not networks.students:
        raise UserError(
            f"{options.gan} makes images without classes, which a probe on a student has to see "
            "in them: give --student and labelled --data"
        )
    name, backbone = next(iter(networks.students.items()))
    return _probed(name, backbone, options, features[of_student(name)])


def _probed(
    name: str, backbone: Backbone, options: MapOptions, generated: Tensor
) -> tuple[Tensor, _Labelling]:
    """Class generated images by logistic regression on a student's features of real ones."""
    assert options.data is not None
    train, test = (
        find_images(options.data, split).load(
            backbone.resolution, device=backbone.mean.device, num_workers=options.num_workers
        )
        for split in ("train", "test")
    )
    labels_of(train, test)
    train, test = (
        images.subset(epoch_order(len(images), 0, options.seed)[: options.probe_images])
        for images in (train, test)
    )
    train_y, test_y, names = labels_of(train, test)
    train_x, test_x = (
        extract_features(backbone, images, device=backbone.mean.device, precision="fp32")
        for images in (train, test)
    )
    scores, _ = logistic_scores(
        train_x, train_y, torch.cat([test_x, generated]), classes=len(names), seed=options.seed
    )
    predicted = scores.argmax(1)
    accuracy = float((predicted[: len(test_y)] == test_y).float().mean())
    words = (
        f"as logistic regression on student {name} sees them, which is right for {accuracy:.1%} "
        f"of {len(test_y):,} real test images"
    )
    return predicted[len(test_y) :], _Labelling(names, words, accuracy)
