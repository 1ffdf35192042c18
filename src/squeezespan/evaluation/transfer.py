"""Backbones judged on data sets that they were not trained on (Table 5 of the appendix)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from squeezespan.data.specs import find_images
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.probe import probe_all
from squeezespan.models.student_file import load_backbone

__all__ = ["transfer"]


def transfer(
    runs: Sequence[str | Path],
    data: Sequence[str],
    protocol: Protocol = "linear",
    options: ProbeOptions | None = None,
) -> list[dict[str, Any]]:
    """Evaluate every backbone on every data set.

    Args:
        runs: run folders or `student.safetensors` files.
        data: specs of labelled data sets with train and test splits.
        protocol: by which; the paper's is `linear`.
        options: settings of the protocol; the paper's if None.

    Returns:
        What `probe` gives for each pair, backbone by backbone, with `own_data` beside it: whether
        the backbone was trained on images of this spec.

    Raises:
        UserError: weights or data can't be used. All are opened before the first is evaluated.
    """
    own = [(load_backbone(run).header.get("provenance") or {}).get("data") for run in runs]
    share = options.test_share if options is not None else None
    for spec in data:
        find_images(spec, "train", test_share=share)
        find_images(spec, "test", test_share=share)
    return [
        {**probe_all(run, spec, (protocol,), options)[protocol], "own_data": spec == trained_on}
        for run, trained_on in zip(runs, own, strict=True)
        for spec in data
    ]
