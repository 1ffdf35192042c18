"""The model card: what a student is, how it is opened, what it learnt from and how good it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from squeezespan import __version__
from squeezespan.errors import UserError
from squeezespan.exports.formats import FormatName
from squeezespan.exports.measured import Measurement
from squeezespan.exports.written import Difference, Written
from squeezespan.generators.registry import generator_sha256
from squeezespan.models.student_file import Backbone
from squeezespan.reports.provenance import describe_generator
from squeezespan.untrusted.wording import shown

__all__ = ["Card", "hub_metadata"]

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST = 300
_LIBRARIES = {"timm": "timm", "hub": "timm", "onnx": "onnx"}


@dataclass(frozen=True)
class Card:
    """What the card is written from."""

    backbone: Backbone
    format: FormatName
    written: Written
    difference: Difference
    measurements: Sequence[Measurement]
    license: str | None
    repository: str | None

    def render(self) -> str:
        """Give the card as Markdown, with the hub's metadata at its head."""
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["text"] = _text
        environment.filters["code"] = _code
        environment.filters["percent"] = lambda share: f"{share:.2%}"
        header = self.backbone.header
        provenance: Mapping[str, Any] = header.get("provenance") or {}
        saw, warnings = provenance.get("saw"), provenance.get("warnings")
        return environment.get_template("card.md.j2").render(
            card=self,
            metadata=hub_metadata(self.format, self.license),
            arch=_text(header["arch"]),
            stem=header["stem"],
            side=self.backbone.resolution,
            width=self.backbone.num_features,
            mean=list(self.backbone.normalization["mean"]),
            std=list(self.backbone.normalization["std"]),
            method=_method_name(provenance),
            teacher=provenance.get("gan"),
            finished=provenance.get("finished"),
            facts=[*_facts(provenance), *_teacher(provenance)],
            saw=saw if isinstance(saw, list) else [],
            warnings=warnings if isinstance(warnings, list) else [],
            versions=f"squeezespan {__version__}, torch {torch.__version__}",
        )


def hub_metadata(format: FormatName, license: str | None) -> str:
    """Give what the hub reads at a card's head, as YAML.

    Args:
        format: the format, which decides on the library.
        license: as the hub writes it; None leaves it out.
    """
    from huggingface_hub import ModelCardData

    return ModelCardData(
        library_name=_LIBRARIES.get(format, "pytorch"),
        license=license,
        pipeline_tag="image-feature-extraction",
        tags=["image-feature-extraction", "squeezespan", "self-supervised"],
    ).to_yaml()


def _method_name(provenance: Mapping[str, Any]) -> object:
    method = provenance.get("method")
    return method.get("name") if isinstance(method, Mapping) else method


def _facts(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what the student's own file says, whatever it says."""
    method = provenance.get("method")
    if isinstance(method, Mapping):
        told = (name for name in ("alpha", "target", "squeeze", "regularize") if name in method)
        settings = ", ".join(f"{name} {shown(method[name])}" for name in told)
        method = f"{shown(method.get('name'))} ({settings})"
    rows = [
        ("Method", method),
        ("Images (data)", provenance.get("data")),
        ("Teacher (GAN)", provenance.get("gan") or "none"),
        ("SHA-256 of the teacher's file", provenance.get("gan_sha256")),
        ("Teacher of real images", provenance.get("discriminator")),
        ("SHA-256 of its file", provenance.get("discriminator_sha256")),
        ("Images through the student", provenance.get("images_seen")),
        ("Epochs", provenance.get("epochs")),
        ("Seed", provenance.get("seed")),
        ("Commit of Squeezespan", provenance.get("commit")),
        ("torch", provenance.get("torch")),
    ]
    return [(name, _text(value)) for name, value in rows if value is not None]


def _teacher(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Repeat what the GAN's own file says, where it is still there and the same."""
    gan, sha256 = provenance.get("gan"), provenance.get("gan_sha256")
    if not isinstance(gan, str) or not sha256:
        return []
    try:
        if generator_sha256(gan) != sha256:
            return [("Teacher's own file", "another one stands in its place now")]
    except UserError:
        return [("Teacher's own file", "not where it was; what it says is unknown")]
    return [(name.replace("GAN", "Teacher", 1), _text(x)) for name, x in describe_generator(gan)]


def _text(value: object) -> str:
    """Make text of a stranger's harmless in a table of Markdown."""
    clean = shown(value, _LONGEST)
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("`", "'"), ("[", "\\[")):
        clean = clean.replace(sign, instead)
    return clean


def _code(value: object) -> str:
    """Make a command fit a cell."""
    return f"`{shown(value, 1000).replace('`', chr(39)).replace('|', chr(92) + '|')}`"
