"""`export`: from a run, or a student's file, to a folder for other people's code."""

import re
from collections.abc import Sequence
from pathlib import Path

from squeezespan.data.notices import say
from squeezespan.errors import UserError
from squeezespan.exports.card import Card
from squeezespan.exports.formats import FormatName, find_format
from squeezespan.exports.hub import prepare_push
from squeezespan.exports.measured import find_measurements
from squeezespan.exports.onnx_graph import require_onnx
from squeezespan.exports.written import measure_difference
from squeezespan.files import check_new_folder, expanded, new_folder, write_text
from squeezespan.models.discriminators import DISCRIMINATORS
from squeezespan.models.student_file import load_backbone

__all__ = ["export"]

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{1,60}")


def export(
    run_or_file: str | Path,
    format: FormatName,
    out: str | Path,
    *,
    results: Sequence[str | Path] = (),
    license: str | None = None,
    push: str | None = None,
    public: bool = False,
) -> Path:
    """Write a trained backbone as another library opens it, with a model card.

    What was written is opened again by that library and compared with `load_backbone`, feature by
    feature (1e-5 in fp32, of the largest where it is above 1), before the folder is there.

    Args:
        run_or_file: a run folder, finished or not, or a `student.safetensors` file.
        format: "timm" (a folder for `local-dir:`), "torchvision", "safetensors", "onnx",
            "torch-export", or "hub" (timm's folder, for the Hugging Face hub).
        out: the folder to make; it must not hold anything.
        results: files of `squeezespan probe --json` for the card, besides those in the run folder.
        license: for the card, as the hub writes it, such as "apache-2.0".
        push: for "hub", the repository OWNER/NAME to make of the folder, with the user's token.
        public: whether the pushed repository is public.

    Returns:
        The folder.

    Raises:
        UserError: no such student, or it has no such form; a package is missing; there is
            something in `out`; the hub refuses.
        StorageError: the disk is full.
    """
    if str(run_or_file).startswith(tuple(DISCRIMINATORS)):
        raise UserError(f"{run_or_file} is no student; a discriminator has no such form")
    out = expanded(out)
    check_new_folder(out, "--out")
    if format != "hub" and (push is not None or public):
        raise UserError("--push and --public are for --format hub")
    if public and push is None:
        raise UserError("--public says who sees what --push OWNER/NAME makes; give both")
    if license is not None and not _LICENSE.fullmatch(license):
        raise UserError(f"--license takes an identifier such as apache-2.0, not {license!r}")
    if format == "onnx":
        require_onnx()
    pushed = None if push is None else prepare_push(push, public)
    backbone = load_backbone(run_or_file)
    provenance = backbone.header.get("provenance") or {}
    measurements = find_measurements(run_or_file, provenance, [Path(path) for path in results])
    with new_folder(out) as folder:
        written = find_format(format)(backbone, folder)
        difference = measure_difference(backbone, written, format)
        card = Card(backbone, format, written, difference, measurements, license, push)
        write_text(folder / "README.md", card.render())
    say(
        f"{format}: opened again, its features are load_backbone's to {difference.largest:.1e} "
        f"(the largest is {difference.feature:.3g})"
    )
    if pushed is not None:
        say(f"pushed to {pushed.upload(out)}")
    return out
