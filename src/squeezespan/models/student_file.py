"""`student.safetensors`: a trained backbone with a JSON header that says how to use it."""

import copy
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from squeezespan.data.images import ImageSet
from squeezespan.errors import UserError
from squeezespan.files import check_file
from squeezespan.models.backbones import build_backbone
from squeezespan.models.discriminators import named_discriminator
from squeezespan.untrusted.safetensors import load_weights, read_network, save_network

__all__ = [
    "STUDENT_FILE",
    "Backbone",
    "load_backbone",
    "save_student",
    "student_path",
    "weights_path",
]

STUDENT_FILE = "student.safetensors"

_KIND = "student"
_FIELDS: dict[str, type] = {
    "arch": str,
    "stem": str,
    "num_features": int,
    "resolution": int,
    "normalization": dict,
}


class Backbone(nn.Module):
    """A trained backbone that takes plain images and gives features.

    Args:
        network: normalized images float [B, 3, R, R] to features [B, num_features].
        header: the file's header.

    Attributes:
        network: the timm module itself.
        num_features: width of the features.
        resolution: side of the images that it was trained on, pixels.
        normalization: "mean" and "std" of each channel, for images in [0, 1].
        header: everything that the file says, `provenance` included.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, header: dict[str, Any]) -> None:
        super().__init__()
        self.network = network
        self.header = header
        self.num_features: int = header["num_features"]
        self.resolution: int = header["resolution"]
        self.normalization: dict[str, list[float]] = header["normalization"]
        for name in ("mean", "std"):
            values = torch.tensor(self.normalization[name]).view(3, 1, 1)
            self.register_buffer(name, values, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Compute features; the images are normalized here.

        Args:
            images: uint8 in [0, 255] or float in [0, 1], [B, 3, H, W], RGB, best at `resolution`.

        Returns:
            Float [B, num_features].

        Raises:
            UserError: not a batch of RGB images.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise UserError(
                f"the backbone takes RGB images [B, 3, H, W], not shape {list(images.shape)}"
            )
        if images.dtype == torch.uint8:
            images = images.to(self.mean.dtype) / 255
        elif not images.is_floating_point():
            raise UserError(
                f"the backbone takes images in uint8 or float in [0, 1], not {images.dtype}"
            )
        features: Tensor = self.network((images - self.mean) / self.std)
        return features

    @property
    def unprepared(self) -> bool:
        """Whether `prepare` must come before the first image."""
        return False

    def prepare(self, images: ImageSet) -> None:
        """Measure what features depend on besides the weights: of a student's, nothing.

        Args:
            images: to learn from, never test images.
        """


def save_student(path: Path, backbone: nn.Module, header: dict[str, Any]) -> None:
    """Write a backbone and its header, atomically.

    Args:
        path: the file to make or replace.
        backbone: from `build_backbone`; floats are stored as float32.
        header: JSON-serializable; `arch`, `stem`, `num_features`, `resolution`, `normalization`
            ({"mean": [3], "std": [3]}) and whatever tells the provenance.

    Raises:
        StorageError: the disk is full or read-only.
        ValueError: the header lacks an entry that `load_backbone` needs.
    """
    problem = _problem(header)
    if problem:
        raise ValueError(f"the student's header {problem}")
    save_network(path, copy.deepcopy(backbone).float(), {"kind": _KIND, **header})


def load_backbone(run_or_file: str | Path, device: torch.device | str = "cpu") -> Backbone:
    """Open a trained backbone in eval mode.

    Args:
        run_or_file: a run folder, or a `student.safetensors` file. A run that is still going on,
            or was stopped, gives the student of its last checkpoint. Or the features of a StyleGAN2
            discriminator, whose file (as for `load_discriminator`) follows `discriminator:` for
            its last hidden layer, `discriminator-multi:` for the pooled maps of its blocks, too;
            these need `prepare` before the first image.
        device: where its parameters go.

    Raises:
        UserError: missing, not a student's file, or damaged.
    """
    if discriminator := named_discriminator(str(run_or_file)):
        # Which builds on this module.
        from squeezespan.discriminators.features import load_discriminator_backbone

        return load_discriminator_backbone(*discriminator, device)
    path = student_path(run_or_file)
    tensors, header = read_network(path, _KIND)
    problem = _problem(header)
    if problem:
        raise UserError(f"{path} has a squeezespan header that {problem}")
    stem = cast(Literal["cifar", "imagenet"], header["stem"])
    try:
        network = build_backbone(header["arch"], stem, header["resolution"])
    except UserError as error:
        raise UserError(f"{path} has a backbone that cannot be built: {error}") from error
    load_weights(network, tensors, path)
    return Backbone(network, header).eval().to(device)


def weights_path(run_or_file: str | Path) -> Path:
    """Give the file that `load_backbone` opens.

    Raises:
        UserError: there is none.
    """
    if discriminator := named_discriminator(str(run_or_file)):
        from squeezespan.discriminators.projected.files import discriminator_file

        return discriminator_file(discriminator[0])
    return student_path(run_or_file)


def student_path(run_or_file: str | Path) -> Path:
    """Give the student's file in a run folder, or the file itself.

    Raises:
        UserError: there is none.
    """
    path = Path(run_or_file)
    if path.is_dir():
        inside = path / STUDENT_FILE
        if not inside.is_file():
            raise UserError(
                f"{path} holds no {STUDENT_FILE}: give a file, or the folder of a run that has "
                "one (a run leaves its first with its first checkpoint)"
            )
        return inside
    check_file(path, f"run folder or {STUDENT_FILE}")
    return path


def _problem(header: dict[str, Any]) -> str | None:
    """Say what a header lacks, None if it is complete."""
    for name, kind in _FIELDS.items():
        if not isinstance(header.get(name), kind):
            return f"has no valid {name!r}"
    if header["stem"] not in ("cifar", "imagenet"):
        return f"has an unknown stem {header['stem']!r}"
    for name in ("mean", "std"):
        values = header["normalization"].get(name)
        if not isinstance(values, list | tuple) or len(values) != 3:
            return f"has no normalization {name!r} of three numbers"
        if not all(isinstance(value, int | float) for value in values):
            return f"has a normalization {name!r} that is not numbers"
    return None
