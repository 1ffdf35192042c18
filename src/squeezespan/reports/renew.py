"""The report of a run that is finished, going on or stopped, written anew from its folder."""

import json
from pathlib import Path
from typing import Literal

import torch

from squeezespan.config import load_config
from squeezespan.data.images import ImageSet
from squeezespan.data.notices import say
from squeezespan.data.specs import find_images
from squeezespan.errors import UserError
from squeezespan.gan.config import load_gan_config
from squeezespan.generators.base import Generator
from squeezespan.generators.registry import load_generator
from squeezespan.reports.gan import REAL_SHOWN, write_gan_report
from squeezespan.reports.run import write_run_report

__all__ = ["RunKind", "kind_of_run", "renew_report"]

RunKind = Literal["student", "gan"]


def kind_of_run(run: Path) -> RunKind:
    """Tell whether a folder is a student's run or a GAN's.

    Raises:
        UserError: it is neither.
    """
    path = run / "config.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{run} is no run folder: it has no config.json that can be read ({error})"
        ) from error
    if isinstance(settings, dict):
        if "student" in settings:
            return "student"
        if "discriminator" in settings:
            return "gan"
    raise UserError(f"{path} is the settings of neither a student's run nor a GAN's")


def renew_report(run: Path) -> Path:
    """Write a run's `report.html` anew; without pictures of images that are not there any more.

    Args:
        run: the folder, of `distill` or `gan train`.

    Returns:
        The page's path.

    Raises:
        UserError: it is no run folder, or has a damaged file.
        StorageError: the disk is full.
    """
    if kind_of_run(run) == "student":
        config = load_config(run / "config.json")
        images = (
            _images(config.data, config.images.side, config.images.test_share)
            if config.method.alpha < 1
            else None
        )
        generator = _generator(config.gan) if config.gan and config.method.alpha else None
        return write_run_report(run, images, generator)
    settings = load_gan_config(run / "config.json")
    if not any((run / "samples").glob("[0-9]*.png")):
        raise UserError(f"{run} holds no snapshot yet, which a GAN's report shows; wait for one")
    found = _images(settings.data, settings.side, settings.test_share)
    if found is None:
        return write_gan_report(run, None)
    chosen = torch.randperm(len(found), generator=torch.Generator().manual_seed(0))
    return write_gan_report(run, found.batch(chosen[:REAL_SHOWN]).cpu())


def _images(spec: str, side: int, test_share: float | None) -> ImageSet | None:
    try:
        return find_images(spec, "train", test_share=test_share).load(side)
    except UserError as error:
        say(f"the report shows no real images: {error}")
        return None


def _generator(gan: str) -> Generator | None:
    try:
        return load_generator(gan)
    except UserError as error:
        say(f"the report shows no generated images: {error}")
        return None
