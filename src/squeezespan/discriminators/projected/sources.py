"""Opening a feature network: EfficientNet-Lite0, any of timm's, or a student of ours."""

import contextlib
from pathlib import Path
from typing import Any

import timm
from timm.models import get_pretrained_cfg
from torch import Tensor, nn

from squeezespan.discriminators.projected.choices import LITE0, STUDENT, TIMM, check_features
from squeezespan.discriminators.projected.features import FeatureNetwork, Origin, measure_maps
from squeezespan.errors import UserError
from squeezespan.files import check_file, expanded
from squeezespan.generators.checkpoints.reader import read_checkpoint
from squeezespan.models.backbones import RESNET10_NARROW, suggest_architecture
from squeezespan.models.efficientnet import (
    EFFICIENTNET_LITE0,
    LITE0_SAW,
    PACKAGE,
    efficientnet_lite0_names,
    packaged_efficientnet_lite0,
)
from squeezespan.models.student_file import load_backbone
from squeezespan.seen import inherited
from squeezespan.untrusted.safetensors import load_weights

__all__ = ["open_features", "open_student_features"]

_IMAGENET_SIDE = 224


def open_features(
    name: str, resolution: int, *, weights: str | None = None, side: int | None = None
) -> FeatureNetwork:
    """Open a frozen network for a projected discriminator, on the CPU.

    Args:
        name: `efficientnet-lite0`, `timm:NAME`, or `student:RUN` with a run folder or file of ours.
        resolution: side of the images that are judged.
        weights: file with the weights of the first two; None takes the package's of
            EfficientNet-Lite0, and those that timm has, which it fetches.
        side: to which images are resized for it; None is at least 224, a student's own resolution
            for a student, and never less than `resolution`.

    Raises:
        UserError: no such network, its weights can't be had, or it gives no four maps.
    """
    check_features(name, weights)
    if name.startswith(STUDENT):
        return open_student_features(name.removeprefix(STUDENT), resolution, side=side)
    side = side or max(resolution, _IMAGENET_SIDE)
    if name == LITE0 and weights is None:
        network, source = packaged_efficientnet_lite0(), PACKAGE
        saw: tuple[str, ...] = (LITE0_SAW,)
    else:
        architecture = EFFICIENTNET_LITE0 if name == LITE0 else name.removeprefix(TIMM)
        network, source = _open_timm(architecture, side, weights)
        saw = (f"what the weights of {name} were trained on ({source})",)
    published: Any = network.pretrained_cfg
    normalization = (published["mean"], published["std"])
    return FeatureNetwork(network, normalization, side, Origin(name, source, saw))


def open_student_features(
    run: str, resolution: int, *, side: int | None = None, section: str = "projected"
) -> FeatureNetwork:
    """Open a student of ours as a frozen feature network, on the CPU.

    Args:
        run: its run folder or file.
        resolution: side of the images that are judged.
        side: to which they are resized for it; None is its own resolution, but at least theirs.
        section: of the settings that choose it, for messages.

    Raises:
        UserError: no such student, or it gives no four maps.
    """
    backbone = load_backbone(expanded(run))
    normalization = (backbone.normalization["mean"], backbone.normalization["std"])
    side = side or max(resolution, backbone.resolution)
    saw = inherited(backbone.header.get("provenance"), f"student {run}")
    origin = Origin(f"{STUDENT}{run}", run, saw)
    return FeatureNetwork(backbone.network, normalization, side, origin, section)


def _open_timm(architecture: str, side: int, weights: str | None) -> tuple[nn.Module, str]:
    """Give the network and where its weights come from."""
    if architecture == RESNET10_NARROW or not timm.is_model(architecture):
        raise UserError(
            f"timm has no architecture {architecture!r}{suggest_architecture(architecture)}"
        )
    published: Any = get_pretrained_cfg(architecture)
    sizing: dict[str, Any] = {"img_size": side} if published and published.fixed_input_size else {}
    if weights is None:
        # What can't be used is not fetched.
        plain = timm.create_model(architecture, pretrained=False, num_classes=0, **sizing)
        measure_maps(plain.eval(), f"timm:{architecture}", side)
    try:
        network: Any = timm.create_model(
            architecture, pretrained=weights is None, num_classes=0, **sizing
        )
    # No network, no such file at the other end, no weights at all: each has an error of its own.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"timm can't give {architecture} with weights ({reason[:160]}); give a file of them "
            "with --projected.weights"
        ) from error
    if weights is None:
        tag = network.pretrained_cfg.get("tag")
        return network, f"timm {architecture.partition('.')[0]}{f'.{tag}' if tag else ''}"
    _load_file(network, expanded(weights))
    return network, weights


def _load_file(network: Any, path: Path) -> None:
    """Give a network the weights of a file in timm's names, or the package's."""
    check_file(path, "file of weights")
    found = read_checkpoint(path).networks
    if len(found) != 1:
        names = ", ".join(map(str, found))
        raise UserError(f"{path} holds {len(found)} networks ({names[:120]}); give a file of one")
    (state,) = (network_found.state for network_found in found.values())
    own = network.state_dict()
    classifier = network.pretrained_cfg.get("classifier") or ()
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    kept: dict[str, Tensor] = {
        key: x for key, x in state.items() if key in own or key.rpartition(".")[0] not in heads
    }
    if not own.keys() & kept.keys():
        # Of neither layout: the names that timm's network lacks are told below.
        with contextlib.suppress(ValueError):
            kept = efficientnet_lite0_names(kept, network)
    counters = {key: x for key, x in own.items() if key.endswith(".num_batches_tracked")}
    load_weights(network, counters | kept, path)
