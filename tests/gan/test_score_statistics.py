"""Statistics of features: the ones that are kept, and their way to the disk and back."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from squeezespan.gan.scoring.statistics import (
    cache_folder,
    load_statistics,
    save_statistics,
    summarize,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SQUEEZESPAN_CACHE", str(tmp_path))
    return tmp_path


def test_the_first_ten_thousand_vectors_are_kept() -> None:
    vectors = torch.arange(10_003, dtype=torch.float64)[:, None] / 3
    statistics = summarize(torch.split(vectors, [6_000, 3_999, 3, 1]))
    assert torch.equal(statistics.features, vectors[:10_000].float())
    assert statistics.count == 10_003
    assert statistics.mean.tolist() == pytest.approx([10_002 / 6])
    assert statistics.covariance.tolist() == [pytest.approx([10_003 * 10_004 / 12 / 9])]
    for number in (statistics.mean, statistics.covariance):
        assert number.dtype == torch.float64


def test_two_vectors_are_enough() -> None:
    statistics = summarize([torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 8.0]])])
    assert statistics.mean.tolist() == [2.0, 5.0]
    assert statistics.covariance.tolist() == [[2.0, 6.0], [6.0, 18.0]]


def test_statistics_come_back_under_their_key_alone(cache: Path) -> None:
    random = torch.Generator().manual_seed(0)
    statistics = summarize([torch.randn(9, 4, generator=random)])
    path = save_statistics("images of a set", statistics)
    assert path.parent == cache / "scores"
    found = load_statistics("images of a set")
    assert found is not None
    assert torch.equal(found.mean, statistics.mean)
    assert torch.equal(found.covariance, statistics.covariance)
    assert torch.equal(found.features, statistics.features)
    assert found.count == 9
    assert load_statistics("images of another") is None
    assert save_statistics("images of another", statistics) != path


def test_a_file_of_another_key_or_of_none_is_not_taken(cache: Path) -> None:
    statistics = summarize([torch.ones(3, 2)])
    path = save_statistics("mine", statistics)
    tensors = {"mean": statistics.mean, "covariance": statistics.covariance}
    tensors["features"] = statistics.features
    for metadata in ({"key": "theirs", "count": "3"}, None):
        save_file(tensors, path, metadata)
        assert load_statistics("mine") is None
    path.write_bytes(b"damaged")
    assert load_statistics("mine") is None


def test_the_cache_is_where_the_variables_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SQUEEZESPAN_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "squeezespan"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "squeezespan"
    monkeypatch.setenv("SQUEEZESPAN_CACHE", "~/own")
    assert cache_folder() == tmp_path / "own"
