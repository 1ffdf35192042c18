"""Evaluation of a trained backbone from Python, one function a protocol.

    squeezespan.evaluate.knn("runs/mine", "folder:LABELLED")["accuracy"]

Each function takes a run folder, a `student.safetensors` file or `discriminator:FILE` and the spec
of a labelled data set, and gives the accuracy on the test split with its 95% interval and all that
it depends on.
"""

from pathlib import Path
from typing import cast

from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.probe import probe
from squeezespan.results import ProbeResult
from squeezespan.settings import Setting, from_dict

__all__ = ["fewshot", "knn", "linear", "logistic"]


def knn(run_or_weights: str | Path, data: str, **settings: Setting) -> ProbeResult:
    """Evaluate by nearest neighbours: cosine, k = 200, temperature 0.1, weighted votes.

    Args:
        run_or_weights: a run folder, a `student.safetensors` file or a discriminator, as
            `load_backbone` takes it.
        data: spec of a labelled data set with train and test splits.
        settings: fields of `ProbeOptions`, such as `k`, `temperature` or `device`.

    Returns:
        `accuracy` in [0, 1], its 95% `interval`, settings and provenance, ready for JSON.

    Raises:
        UserError: the weights or the data can't be read, or a setting is not possible.
    """
    return _evaluate("knn", run_or_weights, data, settings)


def linear(run_or_weights: str | Path, data: str, **settings: Setting) -> ProbeResult:
    """Evaluate by the paper's linear probe; arguments and result as for `knn`."""
    return _evaluate("linear", run_or_weights, data, settings)


def logistic(run_or_weights: str | Path, data: str, **settings: Setting) -> ProbeResult:
    """Evaluate by logistic regression on cached features; arguments and result as for `knn`."""
    return _evaluate("logistic", run_or_weights, data, settings)


def fewshot(run_or_weights: str | Path, data: str, **settings: Setting) -> ProbeResult:
    """Evaluate with few labels a class, mean of several draws; arguments as for `knn`."""
    return _evaluate("fewshot", run_or_weights, data, settings)


def _evaluate(
    protocol: Protocol, run_or_weights: str | Path, data: str, settings: dict[str, Setting]
) -> ProbeResult:
    options = from_dict(ProbeOptions, settings, where=f"evaluate.{protocol}")
    return cast(ProbeResult, probe(run_or_weights, data, protocol, options))
