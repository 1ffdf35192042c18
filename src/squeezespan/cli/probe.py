"""Evaluate a trained backbone: kNN, linear probe, logistic regression or few labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional
from squeezespan.cli.tables import percent
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.files import check_new_file, write_json
from squeezespan.untrusted.wording import shown

__all__ = ["Options", "run"]

_PROG = "squeezespan probe"


@dataclass(frozen=True, kw_only=True)
class Options(ProbeOptions):
    """What `squeezespan probe` takes."""

    weights: Positional[str]
    """A run folder, a student.safetensors file, or a GAN's own discriminator: discriminator:FILE
    (its last hidden layer) or discriminator-multi:FILE (its blocks, too)."""
    data: str
    """Data spec with labelled train and test splits, such as cifar10:DIR or folder:PATH."""
    protocol: Protocol
    """How the features are judged; `linear` is the paper's probe."""
    json: Path | None = None
    """A new file for the result and all that it depends on."""
    report: Path | None = None
    """A new HTML file: accuracy, what is taken for what, class by class, the worst mistakes."""


def run(argv: list[str]) -> None:
    """Run `squeezespan probe`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the weights or the data are not usable.
        StorageError: the result could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    check_new_file(options.json, "--json")
    check_new_file(options.report, "--report")
    from squeezespan.evaluation.probe import examine

    found = examine(options.weights, options.data, (options.protocol,), options)
    result, judged = found[options.protocol]
    print(_table(result))
    if options.report is not None:
        from squeezespan.reports.accuracy import write_accuracy_report

        write_accuracy_report(options.report, result, judged)
    if options.json is not None:
        write_json(options.json, result)


def _table(result: dict[str, Any]) -> str:
    from squeezespan.data.test_share import describe_test_share
    from squeezespan.evaluation.probe import describe_protocol

    rows = [
        ("protocol", describe_protocol(result)),
        ("top-1", percent(result["accuracy"], result["interval"])),
        ("data", result["data"]),
        ("train", result["train_images"]),
        ("test", result["test_images"]),
        ("weights", f"{result['weights']} ({result['arch']}, {result['resolution']} pixels)"),
        ("run", f"{result['seconds']:g} s, {result['device']}, {result['precision']}"),
    ]
    if (share := result.get("test_share")) is not None:
        seen = "; the student has learnt from them" if result["test_images_seen"] else ""
        rows.insert(5, ("divided", f"{describe_test_share(share)}{seen}"))
    saw = (result["provenance"] or {}).get("saw") or ()
    rows += [("it saw", shown(item, 300)) for item in saw]
    if "top5" in result:
        rows.insert(2, ("top-5", percent(result["top5"], result["top5_interval"])))
    return "\n".join(f"{name:10}{value}" for name, value in rows)
