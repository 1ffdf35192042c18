"""Measure how close a generator's images are to real ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening, open_with
from squeezespan.cli.options import Positional
from squeezespan.errors import UserError
from squeezespan.files import check_new_file, write_json
from squeezespan.opening import OpeningConfig
from squeezespan.settings import Range, Seed
from squeezespan.untrusted.wording import shown

__all__ = ["Options", "run"]

_PROG = "squeezespan gan score"

_Count = Annotated[int, Range(4)]


@dataclass(frozen=True)
class Options:
    """What `squeezespan gan score` takes."""

    gan: Positional[str]
    """A generator's checkpoint, or builtin:stylegan2-cifar10."""
    data: str
    """Data spec of the images that it was trained on; their train split is compared with."""
    num_images: _Count = 50_000
    """Generated images; compare scores of equal numbers only."""
    num_real: _Count | None = None
    """Real images, chosen at random; all if left out."""
    metric: Literal["efficientnet-lite0", "fid"] = "efficientnet-lite0"
    """The features that images are compared by; `fid` needs the Inception weights."""
    inception_weights: Path | None = None
    """File of torch-fidelity's Inception weights for `--metric fid`; torch hub's cache if left
    out."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of EfficientNet-Lite0; bf16 is faster on some CPUs and gives slightly other distances."""
    truncation: Annotated[float, Range(0, 1)] = 1.0
    """Pulls w towards its average; 1 leaves it alone."""
    noise: Literal["const", "random", "none"] = "random"
    """Per-pixel noise of families that have it."""
    seed: Seed = 0
    """Draws latents, noise and the kernel distance's subsets."""
    batch_size: Annotated[int, Range(1)] = 64
    """Images at a time."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    num_workers: Annotated[int, Range(0)] = 0
    """Image-decoding workers, where images aren't kept in memory."""
    json: Path | None = None
    """A new file for the result and all that it depends on."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan gan score`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the generator or the data are not usable, or weights are missing.
        StorageError: the result could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    check_new_file(options.json, "--json")
    from squeezespan.data.specs import find_images
    from squeezespan.environment import environment
    from squeezespan.gan.scoring import score_generator
    from squeezespan.generators.registry import say_assumptions
    from squeezespan.hardware import resolve_device

    device = resolve_device(options.device)
    opened = open_with(options.opening, options.gan, device)
    generator = opened.generator
    extractor = _extractor(options)
    found, side = find_images(options.data, "train"), generator.info.resolution
    images = found.load(side, device=device, num_workers=options.num_workers)
    score = score_generator(
        generator,
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
    machine = environment()
    kept = {name: machine[name] for name in ("time", "squeezespan", "commit", "packages")}
    stored = found.sizes.describe(len(images), side)
    saw = opened.header.get("provenance", {}).get("saw")
    result = {
        "gan": options.gan,
        **score,
        "real_images": stored,
        **({"saw": saw} if saw else {}),
        **kept,
    }
    say_assumptions(options.gan, opened)
    print(_table(result, extractor.names))
    if options.json is not None:
        write_json(options.json, result)


def _extractor(options: Options) -> Any:
    from squeezespan.gan.scoring.features import EfficientNetLite0
    from squeezespan.gan.scoring.inception import InceptionV3, find_inception_weights

    if options.metric == "fid":
        return InceptionV3(find_inception_weights(options.inception_weights))
    if options.inception_weights is not None:
        raise UserError("--inception-weights is for --metric fid: give both or neither")
    return EfficientNetLite0(options.precision)


def _table(result: dict[str, Any], names: Any) -> str:
    rows = [
        (result["metric"], f"{result[names.frechet]:.3f}"),
        ("kernel distance x 1000", f"{1000 * result[names.kernel]:.3f}"),
        ("precision", f"{result[names.precision]:.2%}"),
        ("recall", f"{result[names.recall]:.2%}"),
        ("images", f"{result['num_images']} generated, {result['num_real']} real"),
        ("data", f"{result['data']}: {result['real_images']}"),
        ("run", f"seed {result['seed']}, {result['seconds']:g} s, {result['device']}"),
    ]
    rows += [("it saw", shown(item, 300)) for item in result.get("saw", ())]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)
