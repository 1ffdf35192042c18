"""Opening a generator by path or builtin name, whatever its family."""

import copy
import dataclasses
import sys
from importlib import resources
from pathlib import Path
from typing import Any, Unpack

import torch

from squeezespan.errors import UserError
from squeezespan.files import check_file, expanded, file_sha256
from squeezespan.generators.base import Generator
from squeezespan.generators.checkpoints.reader import read_checkpoint
from squeezespan.generators.choices import ChoiceArguments, Choices
from squeezespan.generators.families import find_family
from squeezespan.generators.opening import Opened, describe_foreign, open_foreign, open_own
from squeezespan.generators.registered import PREFIX, find_registered, registered_sha256
from squeezespan.hardware import resolve_device
from squeezespan.untrusted.safetensors import network_kind, own_header, save_network

__all__ = [
    "BUILTIN",
    "generator_sha256",
    "load_generator",
    "open_generator",
    "read_generator_header",
    "resolve_path",
    "save_generator",
    "say_assumptions",
]

_ENDINGS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".pkl")

BUILTIN = {"builtin:stylegan2-cifar10": "stylegan2-cifar10.safetensors"}


def resolve_path(gan: str | Path) -> Path:
    """Give the file that `gan`, a path or a builtin name, stands for.

    Raises:
        UserError: an unknown builtin, a missing file or a folder.
    """
    text = str(gan)
    if not text:
        raise UserError(f"no generator is named; give a checkpoint file or {', '.join(BUILTIN)}")
    if text.startswith("builtin:"):
        if text not in BUILTIN:
            raise UserError(f"there is no {text}; the shipped GAN is {', '.join(BUILTIN)}")
        return Path(str(resources.files("squeezespan") / "assets" / BUILTIN[text]))
    if "://" in text:
        raise UserError(f"{text} is an address; download the file and give its path")
    path = expanded(gan)
    if path.is_dir():
        inside = path / "generator.safetensors"
        if inside.is_file():
            return inside
        held = sorted(x.name for x in path.iterdir() if x.suffix in _ENDINGS and x.is_file())
        foreign = [x for x in held if network_kind(path / x) in (None, "generator")]
        if foreign:
            raise UserError(
                f"{path} is a folder; give the checkpoint in it, such as {path / foreign[0]}"
            )
        if held:
            return path / held[0]  # which says itself what it is
        raise UserError(
            f"{path} is a folder without generator.safetensors; give the folder of a finished "
            "GAN training or a generator's checkpoint file"
        )
    check_file(path, "checkpoint file")
    return path


def generator_sha256(gan: str | Path) -> str:
    """Give what tells a generator from another under the same name, in hexadecimal.

    Args:
        gan: as for `load_generator`.

    Raises:
        UserError: there is no such file or registered generator, or it cannot be read.
    """
    if str(gan).startswith(PREFIX):
        return registered_sha256(str(gan))
    return file_sha256(resolve_path(gan))


def load_generator(
    gan: str | Path,
    device: torch.device | str = "cpu",
    **choices: Unpack[ChoiceArguments],
) -> Generator:
    """Open a pretrained generator of any supported family, frozen and in eval mode.

    Nothing that the file holds is run: pickles are read as data.

    Args:
        gan: a checkpoint file, the folder of `squeezespan gan train`,
            `builtin:stylegan2-cifar10`, or what `register_generator` returned.
        device: where its parameters go.
        choices: what the file cannot say, see `squeezespan.generators.choices.Choices`:
            `genotype` of an AutoGAN super-network (14 numbers or a variant's letter);
            `batch_statistics` lets BigGAN normalize by each batch's; `conv_clamp` of StyleGANs, 0
            for none (state dicts tell none, and 256 is assumed); of DCGANs `activation`, `output`,
            `strides`, `paddings`, `output_paddings` and `classes`, the last of FastGANs, too.

    Raises:
        UserError: a missing, unreadable or foreign file, or a choice that its family doesn't have.
    """
    opened = open_generator(gan, device, Choices(**choices))
    say_assumptions(gan, opened)
    return opened.generator


def say_assumptions(gan: str | Path, opened: Opened) -> None:
    """Say on the standard error, in a line, what a foreign file left open and was assumed."""
    assumed = opened.header.get("provenance", {}).get("assumed")
    if opened.is_foreign and assumed:
        print(f"{gan} doesn't tell all; assumed: {'; '.join(assumed)}", file=sys.stderr)


def open_generator(gan: str | Path, device: torch.device | str, choices: Choices) -> Opened:
    """Open a generator as `load_generator`, with its header.

    Raises:
        UserError: as `load_generator`.
    """
    device = resolve_device(device) if isinstance(device, str) else device
    if str(gan).startswith(PREFIX):
        generator = copy.deepcopy(find_registered(str(gan)))
        choices.check(generator.info.family)
        opened = Opened(generator, _registered_header(generator))
    else:
        checkpoint = read_checkpoint(resolve_path(gan))
        opened = (open_own if checkpoint.metadata else open_foreign)(checkpoint, choices)
    return dataclasses.replace(opened, generator=opened.generator.freeze().to(device))


def read_generator_header(gan: str | Path) -> dict[str, Any]:
    """Give a generator's family, config and provenance; of foreign files only the provenance.

    Raises:
        UserError: a missing, unreadable or foreign file.
    """
    if str(gan).startswith(PREFIX):
        return _registered_header(find_registered(str(gan)))
    checkpoint = read_checkpoint(resolve_path(gan))
    if checkpoint.metadata:
        return own_header(checkpoint.path, checkpoint.metadata, "generator")
    return describe_foreign(checkpoint)


def _registered_header(generator: Generator) -> dict[str, Any]:
    network = getattr(generator, "network", generator)
    provenance = {"class": f"{type(network).__module__}.{type(network).__qualname__}"}
    return {"kind": "generator", "family": generator.info.family, "provenance": provenance}


def save_generator(path: Path, generator: Generator, provenance: dict[str, Any]) -> None:
    """Write a generator as safetensors with its configuration and provenance, atomically.

    Raises:
        UserError: the generator is of no known family.
        StorageError: the disk is full or read-only.
    """
    family = find_family(generator.info.family)
    config = getattr(generator, "config", None)
    if family is None or config is None:
        raise UserError(
            f"a generator of the family {generator.info.family} cannot be written as safetensors"
        )
    header: dict[str, Any] = {
        "kind": "generator",
        "family": family.name,
        "config": dataclasses.asdict(config),
        "provenance": provenance,
    }
    if generator.class_shares is not None:
        header["class_shares"] = list(generator.class_shares)
    save_network(path, generator, header)
