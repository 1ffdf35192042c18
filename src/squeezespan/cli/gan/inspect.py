"""Show a generator's family, sizes, blocks and speed."""

import time
from dataclasses import dataclass, field
from typing import Annotated, Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening, open_with
from squeezespan.cli.options import Positional
from squeezespan.cli.tables import two_columns
from squeezespan.opening import OpeningConfig
from squeezespan.settings import Range

__all__ = ["Options", "run"]

_PROG = "squeezespan gan inspect"


@dataclass(frozen=True)
class Options:
    """What `squeezespan gan inspect` takes."""

    gan: Positional[str]
    """A generator's checkpoint, or builtin:stylegan2-cifar10."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: str = "auto"
    """auto: bf16 where the hardware computes in it natively, else fp32."""
    batch_size: Annotated[int, Range(1)] | None = None
    """Images at a time while the speed is measured; as many as memory usually holds, and 32 at
    most, if left out."""
    seconds: Annotated[float, Range(0, 3600)] = 1.0
    """How long the speed is measured; 0 leaves it out."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan gan inspect`.

    Args:
        argv: the arguments after `gan inspect`.

    Raises:
        UserError: an option or the checkpoint is not usable.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")

    from squeezespan.generators.batches import usual_batch
    from squeezespan.generators.outline import measure
    from squeezespan.hardware import DTYPES, resolve_device, resolve_precision

    device = resolve_device(options.device)
    precision = resolve_precision(options.precision, device)
    opened = open_with(options.opening, options.gan, device)
    generator = opened.generator
    batch_size = options.batch_size or min(32, usual_batch(generator.info))
    shapes, flops = measure(generator)
    generator.set_compute_dtype(DTYPES[precision])
    rows = _sizes(generator)
    size, unit = (1e9, "G") if flops >= 1e8 else (1e6, "M")
    rows["FLOPs an image"] = f"{flops / size:.3g} {unit} (multiply and add counted as two)"
    if options.seconds:
        rate = _images_per_second(generator, batch_size, options.seconds)
        rows["speed"] = f"{rate:.3g} images/s ({device}, {precision}, batch {batch_size})"
    print("\n".join(two_columns(rows | _story(opened.header.get("provenance", {})))))
    print("\n" + "\n".join(_block_table(generator, shapes)))


def _story(provenance: dict[str, Any]) -> dict[str, str]:
    """The provenance as rows; what it tells of one matter is a row for each part."""
    rows: dict[str, str] = {}
    for name, value in provenance.items():
        if isinstance(value, dict):
            rows |= {f"{name}: {part}": _spoken(x) for part, x in value.items()}
        elif value != "":
            rows[str(name)] = _spoken(value)
    return rows


def _spoken(value: Any) -> str:
    """Words for a value of the provenance, which may hold others."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_spoken(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_spoken, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _sizes(generator: Any) -> dict[str, str]:
    from squeezespan.generators.families import find_family

    info = generator.info
    family, config = find_family(info.family), getattr(generator, "config", None)
    has_mapping = info.num_ws > 1
    mapping = f"w {info.w_dim} for each of {info.num_ws} layers"
    classes = f"{info.num_classes} (0 to {info.num_classes - 1})"
    if shares := generator.class_shares:
        least, most = (f"{100 * share / sum(shares):.3g}%" for share in (min(shares), max(shares)))
        classes += f", drawn as often as in its images: {least} to {most} each"
    rows = {
        "family": info.family,
        "variant": family.describe(config) if family and config else "",
        "image": f"{info.channels} x {info.resolution} x {info.resolution}",
        "parameters": f"{sum(x.numel() for x in generator.parameters()):,}",
        "latents": f"z {info.z_dim}, {mapping if has_mapping else 'no mapping network: w is z'}",
        "classes": classes if info.num_classes else "none, it is unconditional",
    }
    return {name: value for name, value in rows.items() if value}


def _block_table(generator: Any, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Blocks with their shapes, and where several layers share a resolution, which one is taken."""
    layers = getattr(getattr(generator, "config", None), "block_layers", {})
    lines = ["block  channels  map" + " " * 10 * bool(layers) + "layer" * bool(layers)]
    for name, (channels, height, breadth) in shapes.items():
        line = f"{name:5}  {channels:8}  {f'{height} x {breadth}':11}"
        if name in layers:
            margin = (layers[name].out_size - height) // 2
            cropped = f", cropped by {margin} pixels a side" if margin else ""
            line += f"  {layers[name].name}{cropped}"
        lines.append(line.rstrip())
    return lines


def _images_per_second(generator: Any, batch_size: int, seconds: float) -> float:
    """Measure for about so many seconds, after one batch to warm up."""
    import torch

    latents = _latents(generator, batch_size)
    on_gpu = latents.z.device.type == "cuda"
    with torch.no_grad():
        generator(latents)
        if on_gpu:
            torch.cuda.synchronize()
        began, images = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            generator(latents)
            if on_gpu:
                torch.cuda.synchronize()
            images += batch_size
    return images / (time.perf_counter() - began)


def _latents(generator: Any, n: int) -> Any:
    from squeezespan.randomness import StepRandom

    return generator.sample_latents(n, StepRandom(0, stream="inspect")).to(generator.device)
