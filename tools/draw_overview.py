"""Draw the picture of the README: what goes where, with images of the shipped GAN and data.

python tools/draw_overview.py docs/images/overview.png
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from squeezespan import StepRandom, load_generator
from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.data.specs import open_images
from squeezespan.generators import Generated

_INK, _QUIET = "#1d2733", "#6b7785"
_GENERATOR, _SQUEEZE, _STUDENT = "#c77d0a", "#b3256e", "#2462c9"
_SEED = 3


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description="Draw the README's picture.")
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    mpl.rcParams["font.size"] = 10
    generated = _generate()
    fake = (generated.images + 1) / 2
    real = open_images("builtin:cifar10-mini", "train").batch(torch.arange(6) * 1500).float() / 255
    augment = Augment(AugmentConfig(), 32)

    figure = Figure(figsize=(10, 4.5), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 100), ylim=(0, 45))
    axes.axis("off")

    _heading(axes, 43, "Squeeze", "the GAN draws, and its feature maps are the lesson")
    _box(axes, (3, 29), (13, 8), "frozen GAN\ngenerator", _GENERATOR)
    _feature_maps(axes, generated.features)
    _arrow(axes, (16.5, 34), (20, 36))
    _arrow(axes, (16.5, 32), (20, 27.5))
    _box(axes, (50, 33), (13, 6), "squeeze\nmodule T", _SQUEEZE)
    _arrow(axes, (43.5, 36), (49.5, 36))
    _images(axes, fake, (21, 24), "it draws")
    _images(axes, augment(fake, StepRandom(_SEED, stream="view")), (47, 24), "one view of each")
    _arrow(axes, (42.3, 25.6), (46.5, 25.6))

    _heading(axes, 17.5, "Span", "two views of a real image should look the same")
    _images(axes, real, (3, 5), "your images, without labels")
    for number, bottom in enumerate((8.6, 1.4)):
        view = augment(real, StepRandom(_SEED, stream=f"span{number}"))
        _images(axes, view, (31, bottom), "two views of each" if number == 0 else "")
        _arrow(axes, (24.5, 6.6), (30.5, bottom + 1.6))
        _arrow(axes, (52.5, bottom + 1.6), (73.5, 18 - 1.5 * number))

    _box(axes, (74, 14.5), (13, 8), "student\nbackbone S", _STUDENT)
    _arrow(axes, (68.5, 25.2), (73.5, 21.5))
    _arrow(axes, (63.5, 36), (75.5, 33.5))
    _arrow(axes, (80.5, 23), (80.5, 30.5))
    axes.text(80.5, 32.5, "predicts", ha="center", va="center", color=_INK, weight="bold")
    _arrow(axes, (80.5, 14), (80.5, 9.5))
    use = "yours to keep: probes, neighbours, few labels"
    axes.text(80.5, 7.5, use, ha="center", va="center", color=_INK)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, facecolor="white")


def _generate() -> Generated:
    generator = load_generator("builtin:stylegan2-cifar10")
    with torch.no_grad():
        generated: Generated = generator(generator.sample_latents(6, StepRandom(_SEED)))
    return generated


def _feature_maps(axes: Axes, features: dict[str, Tensor]) -> None:
    """One square a block, wider from coarse to fine, each with a channel of its own feature map."""
    left = 21.0
    for name, block in features.items():
        side = 3.4 + 0.9 * list(features).index(name)
        strongest = block[0].var(dim=(1, 2)).argmax()
        extent = (left, left + side, 35 - side / 2, 35 + side / 2)
        pixels = block[0, strongest].float().numpy()
        axes.imshow(pixels, cmap="magma", extent=extent, aspect="auto", interpolation="nearest")
        axes.text(left + side / 2, 31, name, ha="center", color=_QUIET, fontsize=8)
        left += side + 0.8


def _images(axes: Axes, images: Tensor, corner: tuple[float, float], title: str) -> None:
    """Six images in a row, 20.8 wide and 3.3 high."""
    left, bottom = corner
    for number, image in enumerate(images):
        x = left + number * 3.5
        pixels = image.clamp(0, 1).permute(1, 2, 0).numpy()
        axes.imshow(pixels, extent=(x, x + 3.3, bottom, bottom + 3.3), aspect="auto")
    axes.text(left, bottom + 4.0, title, color=_QUIET, fontsize=9)


def _heading(axes: Axes, y: float, title: str, text: str) -> None:
    axes.text(3, y, title, color=_INK, fontsize=13, weight="bold", va="center")
    axes.text(13, y, text, color=_INK, fontsize=10.5, va="center")


def _box(
    axes: Axes, corner: tuple[float, float], size: tuple[float, float], text: str, color: str
) -> None:
    axes.add_patch(
        FancyBboxPatch(corner, *size, boxstyle="round,pad=0,rounding_size=1", color=color)
    )
    center = corner[0] + size[0] / 2, corner[1] + size[1] / 2
    axes.text(*center, text, ha="center", va="center", color="white", weight="bold")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=_INK, linewidth=1.2)
    )


if __name__ == "__main__":
    main()
