"""From two labelled sets to an accuracy: each protocol's numbers, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, top_k_accuracy_score
from torch import Tensor, nn

from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.errors import UserError
from squeezespan.evaluation.fewshot import fewshot_scores
from squeezespan.evaluation.hits import pack_hits
from squeezespan.evaluation.intervals import mean_interval, wilson
from squeezespan.evaluation.knn import knn_scores
from squeezespan.evaluation.linear import linear_probe_config, train_linear_probe
from squeezespan.evaluation.logistic import logistic_scores
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.protocols import (
    FeatureSplit,
    evaluate_features,
    evaluate_linear,
    extract_split,
)
from squeezespan.settings import to_dict

CPU = torch.device("cpu")


def split_of(classes: int) -> FeatureSplit:
    """Features that are hard to tell apart."""
    random = torch.Generator().manual_seed(0)
    train_y, test_y = torch.arange(220) % classes, torch.arange(77) % classes
    centers = torch.randn(classes, 6, generator=random)
    return FeatureSplit(
        centers[train_y] + torch.randn(220, 6, generator=random),
        train_y,
        centers[test_y] + torch.randn(77, 6, generator=random),
        test_y,
        classes,
    )


@pytest.mark.parametrize("classes", [10, 11])
@pytest.mark.parametrize("protocol", ["knn", "logistic"])
def test_accuracy_and_top_five_are_scikit_learns(protocol: Any, classes: int) -> None:
    split = split_of(classes)
    options = ProbeOptions(k=9, temperature=0.5, seed=3)
    result = evaluate_features(split, protocol, options)
    x, y, test_x = split.train_x, split.train_y, split.test_x
    if protocol == "knn":
        scores = knn_scores(x, y, test_x, k=9, temperature=0.5)
        assert result["settings"] == {"k": 9, "temperature": 0.5}
    else:
        scores, l2 = logistic_scores(x, y, test_x, classes=classes, seed=3)
        assert result["settings"] == {"l2": l2, "l2_chosen_on": "a tenth held out of train"}
    expected = accuracy_score(split.test_y, scores.argmax(1))
    assert 0.2 < expected < 0.95
    assert result["accuracy"] == pytest.approx(expected)
    assert result["interval"] == list(wilson(round(77 * expected), 77))
    assert result["interval_kind"] == "95% Wilson"
    assert result["hits"] == pack_hits(scores.argmax(1) == split.test_y)
    assert ("top5" in result) == ("top5_interval" in result) == (classes > 10)
    if classes > 10:
        top5 = top_k_accuracy_score(split.test_y, scores, k=5, labels=np.arange(classes))
        # scikit-learn breaks ties of votes otherwise.
        tolerance = 0.05 if protocol == "knn" else 1e-9
        assert result["top5"] == pytest.approx(top5, abs=tolerance)
        assert result["top5"] > result["accuracy"]
        assert result["top5_interval"] == list(wilson(round(77 * result["top5"]), 77))


def test_no_more_neighbours_vote_than_there_are() -> None:
    result = evaluate_features(split_of(3), "knn", ProbeOptions(k=500))
    assert result["settings"]["k"] == 220


def test_few_labels_give_a_mean_over_draws_with_students_interval() -> None:
    split = split_of(4)
    options = ProbeOptions(shots=3, draws=4, seed=5)
    result = evaluate_features(split, "fewshot", options)
    drawn = fewshot_scores(
        split.train_x, split.train_y, split.test_x, classes=4, per_class=3, draws=4, seed=5
    )
    hits = [scores.argmax(1) == split.test_y for scores in drawn]
    draws = [float(right.double().mean()) for right in hits]
    assert result == {
        "accuracy": pytest.approx(np.mean(draws)),
        "interval": pytest.approx(list(mean_interval(draws))),
        "interval_kind": "95% Student t over the draws",
        "draws": pytest.approx(draws),
        "hits": [pack_hits(right) for right in hits],
        "settings": {"shots": 3, "draws": 4},
    }


def test_an_interval_stays_within_zero_and_one() -> None:
    """Two draws that differ say so little that Student's interval is wider than that."""
    result = evaluate_features(split_of(2), "fewshot", ProbeOptions(shots=1, draws=2, seed=4))
    low, high = mean_interval(result["draws"])
    assert low < 0
    assert high > 1
    assert result["interval"] == [0.0, 1.0]


class Mean(nn.Module):
    """The mean colour of an image in [0, 1]; how many images it was given at a time, and how."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))
        self.sizes: list[int] = []
        self.sides: set[int] = set()
        self.autocast: set[bool] = set()

    def forward(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        self.sides.add(images.shape[-1])
        self.autocast.add(torch.is_autocast_enabled("cpu"))
        floats = images.float() / 255 if images.dtype == torch.uint8 else images
        return floats.mean((2, 3)) * self.scale


def colours(count: int, seed: int, names: list[str] | None = None, *, side: int = 8) -> ImageSet:
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    colors = 60 + 120 * torch.eye(3)[labels] + 60 * torch.rand(count, 3, generator=random)
    pixels = colors.byte()[:, :, None, None].expand(-1, -1, side, side).contiguous()
    return ResidentImages("test:colours", names or ["red", "green", "blue"], labels, pixels)


def test_features_of_both_sets_are_cut_into_batches() -> None:
    backbone = Mean()
    train, test = colours(10, 0), colours(7, 1)
    split = extract_split(backbone, train, test, ProbeOptions(batch_size=4), CPU)
    assert backbone.sizes == [4, 4, 2, 4, 3]
    assert torch.equal(split.train_y, torch.arange(10) % 3)
    assert torch.equal(split.test_y, torch.arange(7) % 3)
    assert split.classes == 3
    for x, images in ((split.train_x, train), (split.test_x, test)):
        expected = images.batch(torch.arange(len(images))).float().mean((2, 3)) / 255
        torch.testing.assert_close(x, expected)


def test_512_images_at_a_time_are_the_default() -> None:
    backbone = Mean()
    extract_split(backbone, colours(513, 0), colours(512, 1), ProbeOptions(), CPU)
    assert backbone.sizes == [512, 1, 512]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_backbone_computes_in_the_precision_that_is_named(precision: Any) -> None:
    options = ProbeOptions(precision=precision, epochs=1)
    train, test, backbone = colours(6, 0), colours(6, 1), Mean()
    extract_split(backbone, train, test, options, CPU)
    assert backbone.autocast == {precision == "bf16"}
    backbone.autocast.clear()
    evaluate_linear(backbone, train, test, options, CPU)
    assert backbone.autocast == {precision == "bf16"}


def test_the_linear_probe_is_that_of_its_settings() -> None:
    backbone = Mean()
    train, test = colours(12, 0), colours(9, 1)
    options = ProbeOptions(epochs=2, batch_size=5, copies=2, seed=4, precision="fp32")
    result = evaluate_linear(backbone, train, test, options, CPU)
    config = linear_probe_config(8, epochs=2, batch_size=5, copies=2)
    layer = train_linear_probe(backbone, train, config, classes=3, seed=4)
    x = test.batch(torch.arange(9)).float().mean((2, 3)) / 255
    assert test.labels is not None
    right = layer(x).argmax(1) == test.labels
    correct = int(right.sum())
    assert result == {
        "accuracy": correct / 9,
        "interval": list(wilson(correct, 9)),
        "interval_kind": "95% Wilson",
        "hits": pack_hits(right),
        "settings": to_dict(config),
    }


def test_crops_of_larger_images_are_as_large_as_the_test_images() -> None:
    backbone = Mean()
    train, test = colours(6, 0, side=20), colours(6, 1)
    evaluate_linear(backbone, train, test, ProbeOptions(epochs=1), CPU)
    assert backbone.sides == {8}


def test_sets_that_cannot_be_evaluated_are_refused() -> None:
    good, options = colours(6, 0), ProbeOptions()
    nameless = ResidentImages("test:x", [], None, good.batch(torch.arange(6)))
    with pytest.raises(UserError, match=r"^the train split of test:x has no labels, which an eval"):
        extract_split(Mean(), nameless, good, options, CPU)
    with pytest.raises(UserError, match=r"^the test split of test:x has no labels, which an eval"):
        evaluate_linear(Mean(), good, nameless, options, CPU)
    with pytest.raises(UserError, match=r"^the test split of test:colours has no images to eval"):
        extract_split(Mean(), good, colours(0, 0), options, CPU)
    with pytest.raises(UserError, match=r"features of test:colours that are not numbers \(NaN\)"):
        extract_split(Mean(float("nan")), good, good, options, CPU)


def test_test_images_of_some_classes_are_numbered_as_trains() -> None:
    train, test = colours(6, 0), colours(6, 1, ["green", "red", "blue"])
    split = extract_split(Mean(), train, test, ProbeOptions(), CPU)
    assert split.test_y.tolist() == [1, 0, 2, 1, 0, 2]
    assert split.classes == 3
    unknown = colours(6, 1, ["red", "teal", "green", "pink", "plum", "rose"])
    with pytest.raises(UserError, match=r"test split.* lacks: pink, plum, rose and 1 more; name"):
        extract_split(Mean(), train, unknown, ProbeOptions(), CPU)
    three = colours(6, 1, ["teal", "pink", "plum"])
    with pytest.raises(UserError, match=r"lacks: pink, plum, teal; name the classes alike$"):
        extract_split(Mean(), train, three, ProbeOptions(), CPU)
