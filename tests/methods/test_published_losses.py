"""Every loss and every logged number of a step, restated from embeddings in NumPy."""

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_methods import make_batch, make_method, measure, shake
from torch import Tensor

from squeezespan.methods.base import Batch, Method
from squeezespan.methods.simsiam import SimSiam
from squeezespan.methods.squeeze_span import SqueezeSpan

Array = NDArray[np.float64]
WEIGHTS: dict[str, Any] = {"invariance": 3.0, "variance": 5.0, "covariance": 7.0}


def array(z: Tensor) -> Array:
    numbers: Array = z.detach().double().numpy()
    return numbers


def invariance(a: Array, b: Array) -> float:
    return float(((a - b) ** 2).mean())


def variance(*views: Array) -> float:
    return sum(
        float(np.maximum(0, 1 - np.sqrt(z.var(axis=0, ddof=1) + 1e-4)).mean()) for z in views
    )


def covariance(*views: Array) -> float:
    total = 0.0
    for z in views:
        matrix = np.cov(z, rowvar=False)
        total += float((matrix**2).sum() - (np.diag(matrix) ** 2).sum()) / z.shape[1]
    return total


def std(*views: Array) -> float:
    return float(np.mean([z.std(axis=0, ddof=1).mean() for z in views]))


def spread(prefix: str, *views: Array) -> dict[str, float]:
    return {f"{prefix}/variance": variance(*views), f"{prefix}/covariance": covariance(*views)}


def embeddings(method: Method, *views: Tensor) -> list[Array]:
    """What the student gives for each view, in a pass of its own."""
    student = copy.deepcopy(method)
    return [array(student.embed(view)) for view in views]


def streams(batch: Batch) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], dict[str, Tensor]]:
    assert batch.real_views is not None
    assert batch.synthetic_views is not None
    assert batch.source is not None
    return batch.real_views, batch.synthetic_views, batch.source


@pytest.mark.parametrize("regularize", ["student", "squeeze", "both"])
@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_squeeze_and_span_with_the_papers_target(alpha: float, regularize: str) -> None:
    method = make_method(alpha=alpha, regularize=regularize, **WEIGHTS)
    shake(method)
    assert isinstance(method, SqueezeSpan)
    real, synthetic, source = streams(make_batch())
    expected: dict[str, float] = {"loss": 0.0}
    deviations = []
    if alpha > 0:
        (student,) = embeddings(method, synthetic[0])
        assert method.target is not None
        target = array(copy.deepcopy(method.target)(source))
        expected["syn/invariance"] = invariance(target, student)
        expected |= spread("syn", student) | spread("squeeze", target)
        expected["target_std"] = std(target)
        sides = {"student": ["syn"], "squeeze": ["squeeze"], "both": ["syn", "squeeze"]}[regularize]
        loss = 3 * expected["syn/invariance"]
        for side in sides:
            loss += 5 * expected[f"{side}/variance"] + 7 * expected[f"{side}/covariance"]
        expected["loss"] += alpha * loss
        deviations.append(std(student))
    if alpha < 1:
        first, second = embeddings(method, *real)
        expected["real/invariance"] = invariance(first, second)
        expected |= spread("real", first, second)
        loss = 3 * expected["real/invariance"]
        loss += 5 * expected["real/variance"] + 7 * expected["real/covariance"]
        expected["loss"] += (1 - alpha) * loss
        deviations.append(std(first, second))
    expected["embedding_std"] = float(np.mean(deviations))
    assert measure(method, make_batch()) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("target", ["raw", "standardized"])
def test_targets_that_are_not_learnt(target: str) -> None:
    method = make_method(alpha=0.25, target=target, **WEIGHTS)
    shake(method)
    assert isinstance(method, SqueezeSpan)
    real, synthetic, source = streams(make_batch())
    source["b4"][:, 1] *= 3
    if method.standardized is not None:
        drawn = make_batch(synthetic=50).source
        assert drawn is not None
        drawn["b4"][:, 2] = source["b4"][:, 2] = 4.0
        method.standardized.measure([drawn])
        features = array(torch.cat(list(drawn.values()), dim=1))
        varying = features.std(axis=0) > 1e-6
        scale = np.where(varying, features.std(axis=0, ddof=1), 1.0)
        wanted = (array(torch.cat(list(source.values()), dim=1)) - features.mean(axis=0)) / scale
    else:
        wanted = array(torch.cat(list(source.values()), dim=1))
        varying = np.ones(wanted.shape[1], dtype=bool)
    (student,) = embeddings(method, synthetic[0])
    first, second = embeddings(method, *real)
    expected = {
        "syn/invariance": invariance(wanted[:, varying], student[:, varying]),
        "real/invariance": invariance(first, second),
        **spread("syn", student),
        **spread("real", first, second),
        "embedding_std": (std(student) / std(wanted) + std(first, second)) / 2,
    }
    real_loss = 3 * expected["real/invariance"]
    real_loss += 5 * expected["real/variance"] + 7 * expected["real/covariance"]
    expected["loss"] = 0.25 * 3 * expected["syn/invariance"] + 0.75 * real_loss
    batch = replace(make_batch(), source=source)
    assert measure(method, batch) == pytest.approx(expected, rel=2e-3, abs=1e-6)


def test_a_target_that_never_varies_gives_no_infinite_ratio() -> None:
    method = make_method(alpha=1.0, target="raw")
    batch = make_batch()
    source = {name: torch.zeros_like(x) for name, x in (batch.source or {}).items()}
    losses = measure(method, replace(batch, source=source))
    (student,) = embeddings(method, streams(batch)[1][0])
    assert losses["embedding_std"] == pytest.approx(std(student) / 1e-12, rel=1e-4)


@pytest.mark.parametrize(("alpha", "name"), [(0.0, "real"), (1.0, "syn"), (0.5, "mixed")])
def test_vicreg(alpha: float, name: str) -> None:
    method = make_method(name="vicreg", alpha=alpha, **WEIGHTS)
    shake(method)
    real, synthetic, _ = streams(make_batch(real=10, synthetic=6))
    pairs = {
        "real": real,
        "syn": synthetic,
        "mixed": tuple(torch.cat(pair) for pair in zip(real, synthetic, strict=True)),
    }
    first, second = embeddings(method, *pairs[name])
    expected = {
        f"{name}/invariance": invariance(first, second),
        **spread(name, first, second),
        "embedding_std": std(first, second),
    }
    expected["loss"] = sum(weight * expected[f"{name}/{term}"] for term, weight in WEIGHTS.items())
    if name == "mixed":
        for stream, rows in (("real", slice(0, 10)), ("syn", slice(10, 16))):
            expected[f"{stream}/invariance"] = invariance(first[rows], second[rows])
            expected |= spread(stream, first[rows], second[rows])
    found = measure(method, make_batch(real=10, synthetic=6))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 0.5])
def test_simsiam(alpha: float) -> None:
    method = make_method(name="simsiam", alpha=alpha)
    shake(method)
    assert isinstance(method, SimSiam)
    real, synthetic, _ = streams(make_batch(real=10, synthetic=6))
    sizes = {0.0: {"real": 10}, 1.0: {"syn": 6}, 0.5: {"real": 10, "syn": 6}}[alpha]
    pairs = {"real": real, "syn": synthetic}
    views = [torch.cat([pairs[stream][i] for stream in sizes]) for i in range(2)]
    student = copy.deepcopy(method)
    z = [student.embed(view) for view in views]
    p = [array(student.predictor(one)) for one in z]
    targets = [array(one) for one in z]

    def cosine(a: Array, b: Array) -> float:
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return float(((a * b).sum(axis=1) / norms).mean())

    expected: dict[str, float] = {"loss": 0.0}
    units = []
    start = 0
    for stream, size in sizes.items():
        rows = slice(start, start + size)
        start += size
        similarity = cosine(p[0][rows], targets[1][rows]) + cosine(p[1][rows], targets[0][rows])
        expected[f"{stream}/negative_cosine"] = -similarity / 2
        expected["loss"] -= similarity / 2 * size / sum(sizes.values())
        scaled = [
            t[rows] / np.linalg.norm(t[rows], axis=1, keepdims=True) * math.sqrt(t.shape[1])
            for t in targets
        ]
        expected |= spread(stream, *scaled)
        units += scaled
    expected["embedding_std"] = std(*units)
    found = measure(method, make_batch(real=10, synthetic=6))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_simsiams_targets_get_no_gradient() -> None:
    method = make_method(name="simsiam", alpha=0.0)
    shake(method)
    assert isinstance(method, SimSiam)
    real, _, _ = streams(make_batch())
    z = [method.embed(view) for view in real]
    p = [method.predictor(one) for one in z]
    loss = -sum(
        torch.nn.functional.cosine_similarity(a, b.detach(), dim=1).mean() / 2
        for a, b in ((p[0], z[1]), (p[1], z[0]))
    )
    assert isinstance(loss, Tensor)
    expected = torch.autograd.grad(loss, list(method.parameters()))
    again = make_method(name="simsiam", alpha=0.0)
    shake(again)
    found = torch.autograd.grad(again(make_batch())["loss"], list(again.parameters()))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["squeeze-span", "vicreg", "simsiam"])
def test_what_a_batch_must_hold_is_asked_for(name: str) -> None:
    method = make_method(name=name, alpha=0.5)
    whole = make_batch()
    with pytest.raises(ValueError, match=r"needs 2 views of the real images of a batch"):
        method(replace(whole, real_views=None))
    count = 1 if name == "squeeze-span" else 2
    with pytest.raises(ValueError, match=rf"needs {count} views of the syn images of a batch"):
        method(replace(whole, synthetic_views=None))
    if name == "squeeze-span":
        with pytest.raises(ValueError, match="needs the generator's features of the synthetic"):
            method(replace(whole, source=None))
    else:
        with pytest.raises(ValueError, match="needs 2 views of the syn"):
            method(replace(whole, synthetic_views=(whole.synthetic_views or ())[:1]))


def test_two_images_of_each_stream_are_enough() -> None:
    for name in ("squeeze-span", "vicreg", "simsiam"):
        losses = measure(make_method(name=name, alpha=0.5), make_batch(real=2, synthetic=2))
        assert math.isfinite(losses["loss"])
