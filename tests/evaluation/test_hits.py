"""Hits survive being written as text."""

import pytest
import torch

from squeezespan.evaluation.hits import pack_hits, unpack_hits


@pytest.mark.parametrize("count", [1, 8, 13, 10_000])
def test_what_was_packed_is_unpacked(count: int) -> None:
    random = torch.Generator().manual_seed(count)
    hits = torch.rand(count, generator=random) < 0.6
    unpacked = unpack_hits(pack_hits(hits), count)
    assert unpacked.dtype == torch.bool
    assert torch.equal(unpacked, hits)


def test_hits_of_another_set_are_refused() -> None:
    with pytest.raises(ValueError, match="100 images take 13 bytes, not 2"):
        unpack_hits(pack_hits(torch.ones(16, dtype=torch.bool)), 100)


def test_what_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_hits("/w==!", 8)
