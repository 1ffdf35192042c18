"""Choosing blocks by name and pooling their feature maps."""

from collections.abc import Sequence

import torch
from torch import Tensor

from squeezespan.errors import UserError

__all__ = ["pool_features", "select_blocks"]


def select_blocks(spec: str | Sequence[str], names: Sequence[str]) -> list[str]:
    """Give the blocks that `spec` names, coarse to fine.

    Args:
        spec: `all`, a range (`b4-b8`), one name, a comma-separated list of names and ranges, or a
            sequence of such.
        names: the generator's blocks, coarse to fine.

    Raises:
        UserError: a block that the generator does not have.
    """
    text = spec if isinstance(spec, str) else ",".join(spec)
    if text.strip() == "all":
        return list(names)
    names = list(names)
    chosen: set[str] = set()
    for part in text.split(","):
        ends = [end.strip() for end in part.split("-")]
        for end in ends:
            if end not in names:
                raise UserError(
                    f"there is no block {end!r} in this generator; it has {', '.join(names)}"
                )
        first, last = names.index(ends[0]), names.index(ends[-1])
        if len(ends) > 2 or first > last:
            raise UserError(
                f"{part!r} is not a range of blocks; write it like {names[0]}-{names[-1]}"
            )
        chosen.update(names[first : last + 1])
    return [name for name in names if name in chosen]


def pool_features(
    features: dict[str, Tensor],
    blocks: str | Sequence[str] = "all",
    *,
    deviations: bool = False,
) -> dict[str, Tensor]:
    """Average each chosen map [B, C, H, W] over its area, float32 [B, C].

    Args:
        features: as a generator gives them.
        blocks: see `select_blocks`.
        deviations: whether each block is followed by the standard deviations over its area (of the
            area itself, not of a larger one that it is a sample of), under its name and `-std`.

    Raises:
        UserError: a block that the generator does not have.
    """
    chosen = select_blocks(blocks, list(features))
    pooled = {}
    for name in chosen:
        pooled[name] = features[name].mean(dim=(2, 3), dtype=torch.float32)
        if deviations:
            pooled[f"{name}-std"] = features[name].float().std(dim=(2, 3), correction=0)
    return pooled
