"""`score_gan`: from a generator's file and a data spec to a score."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from squeezespan.data.specs import find_images
from squeezespan.environment import environment
from squeezespan.errors import UserError
from squeezespan.gan.score_options import ScoreOptions
from squeezespan.gan.scoring.features import EfficientNetLite0, FeatureExtractor
from squeezespan.gan.scoring.inception import InceptionV3, find_inception_weights
from squeezespan.gan.scoring.score import score_generator
from squeezespan.generators.choices import Choices
from squeezespan.generators.registry import open_generator, say_assumptions
from squeezespan.hardware import resolve_device
from squeezespan.settings import Setting, from_dict

__all__ = ["GanScore", "score_gan", "score_with"]

_KEPT = ("time", "squeezespan", "commit", "packages")


@dataclass(frozen=True)
class GanScore:
    """How close a generator's images are to real ones, by the features of one network."""

    metric: str
    """What `frechet` is called with these features, such as FID."""
    frechet: float
    kernel: float
    precision: float
    recall: float
    details: dict[str, object]
    """These under names that tell the features, and all that they depend on, ready for JSON."""


def score_gan(gan: str | Path, data: str, **settings: Setting | Mapping[str, Setting]) -> GanScore:
    """Compare a generator's images with real ones.

    The Frechet distance falls with more images: compare scores of equal `num_images` only.

    Args:
        gan: as `load_generator` takes it.
        data: spec of the images that it was trained on; their train split is compared with.
        settings: fields of `ScoreOptions`, such as `num_images` (50,000), `metric` ("fid", or
            "efficientnet-lite0", the usual) or `device`.

    Raises:
        UserError: the generator, the data or a setting is not usable, or weights or a package are
            missing.
    """
    return score_with(gan, data, from_dict(ScoreOptions, settings, where="score_gan"))


def score_with(gan: str | Path, data: str, options: ScoreOptions) -> GanScore:
    """Do what `score_gan` does, with settings that are checked."""
    device = resolve_device(options.device)
    opened = open_generator(gan, device, Choices(**options.opening.choices()))
    extractor = _extractor(options)
    found, side = find_images(data, "train"), opened.generator.info.resolution
    images = found.load(side, device=device, num_workers=options.num_workers)
    score = score_generator(
        opened.generator,
        images,
        num_images=options.num_images,
        num_real=options.num_real,
        seed=options.seed,
        device=device,
        batch_size=options.batch_size,
        extractor=extractor,
        truncation=options.truncation,
        noise=options.noise,
    )
    say_assumptions(gan, opened)
    saw = opened.header.get("provenance", {}).get("saw")
    machine, names = environment(), extractor.names
    return GanScore(
        metric=names.title,
        frechet=score[names.frechet],
        kernel=score[names.kernel],
        precision=score[names.precision],
        recall=score[names.recall],
        details={
            "gan": str(gan),
            **score,
            "real_images": found.sizes.describe(len(images), side),
            **({"saw": saw} if saw else {}),
            **{name: machine[name] for name in _KEPT},
        },
    )


def _extractor(options: ScoreOptions) -> FeatureExtractor:
    weights = options.inception_weights
    if options.metric == "fid":
        return InceptionV3(find_inception_weights(None if weights is None else Path(weights)))
    if weights is not None:
        raise UserError("--inception-weights is for --metric fid: give both or neither")
    return EfficientNetLite0(options.precision)
