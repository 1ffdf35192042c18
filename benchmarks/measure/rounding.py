"""What bf16 costs in accuracy: the errors of images and block features, and their table."""

from collections.abc import Mapping

import torch
from torch import Tensor

from squeezespan.generators.base import Generated
from squeezespan.generators.blocks import pool_features
from squeezespan.hardware import DTYPES, resolve_precision

__all__ = ["BlockErrors", "block_errors", "error_rows", "native_dtypes"]

BlockErrors = dict[str, dict[str, float]]


def native_dtypes(device: str) -> dict[str, torch.dtype]:
    """Give fp32, and bf16 where the device computes in it, by name."""
    half = resolve_precision("auto", torch.device(device)) == "bf16"
    return {name: DTYPES[name] for name in (("fp32", "bf16") if half else ("fp32",))}


def block_errors(rounded: Generated, reference: Generated) -> BlockErrors:
    """Give the error of images, maps and their means, as a share of the reference's spread.

    Args:
        rounded: what the network made in bf16.
        reference: the same in float32.
    """
    pooled, expected = (pool_features(found.features) for found in (rounded, reference))
    errors = {"image": {"map": _error(rounded.images, reference.images)}}
    for name, feature in reference.features.items():
        errors[name] = {
            "map": _error(rounded.features[name], feature),
            "pooled": _error(pooled[name], expected[name]),
        }
    return errors


def error_rows(
    title: str, errors: Mapping[str, Mapping[str, float]], suffix: str = ""
) -> list[list[str]]:
    """Give the rows of a table of errors, its heading first.

    Args:
        title: of the first column.
        errors: from `block_errors`.
        suffix: what stands behind `map` and `pooled`.
    """
    rows = [[title, *errors]]
    for kind in ("map", "pooled"):
        cells = (f"{error[kind]:.2%}" if kind in error else "" for error in errors.values())
        rows.append([f"{kind}{suffix}", *cells])
    return rows


def _error(found: Tensor, expected: Tensor) -> float:
    return float((found.float() - expected).std() / expected.std())
