"""What the table says when two of its rows are compared."""

from collections.abc import Mapping
from typing import Any

from squeezespan.demo.evaluation import PROTOCOLS, Outcome
from squeezespan.evaluation.hits import unpack_hits
from squeezespan.evaluation.options import Protocol
from squeezespan.experiments.catalog.demo import DEMO
from squeezespan.experiments.results import Found, Results, difference

__all__ = ["compare_rows", "compared_in_words"]

_PLACE = ("demo", "demo")
_PROTOCOL_NAMES = {"knn": "kNN", "logistic": "logistic regression"}


def compare_rows(outcomes: Mapping[str, Outcome], seed: int) -> list[dict[str, Any]]:
    """Compare the rows that the demo is about, image by image.

    Args:
        outcomes: key of an arm to what its test said; all on the same test images.
        seed: of the trainings.

    Returns:
        For each of the demo's claims that there are rows for: `method`, `against`, and for each
        protocol `difference` and its 95% `interval`.
    """
    results = _results(outcomes, seed)
    return [
        {
            "method": claim.better,
            "against": claim.than,
            **{
                protocol: _told(results, claim.better, claim.than, protocol)
                for protocol in PROTOCOLS
            },
        }
        for claim in DEMO.claims
        if claim.better in outcomes and claim.than in outcomes
    ]


def compared_in_words(comparison: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Say a comparison in one sentence, without claiming more than its intervals do.

    Args:
        comparison: from `compare_rows`.
        titles: method to how it is spoken of.
    """
    parts = []
    for protocol, name in _PROTOCOL_NAMES.items():
        points = comparison[protocol]["difference"] * 100
        low, high = (end * 100 for end in comparison[protocol]["interval"])
        verdict = "higher" if low > 0 else "lower" if high < 0 else "not clearly different"
        parts.append(f"{name} {points:+.1f} points ({low:+.1f} to {high:+.1f}): {verdict}")
    return (
        f"{titles[comparison['method']]} beside {titles[comparison['against']]}: "
        f"{'; '.join(parts)}."
    )


def _results(outcomes: Mapping[str, Outcome], seed: int) -> Results:
    found: dict[tuple[str, str, str, Protocol], Found] = {}
    for key, outcome in outcomes.items():
        for protocol, evaluation in outcome.evaluations.items():
            hits = unpack_hits(evaluation["hits"], len(outcome.features.test_y)).double()
            found[key, *_PLACE, protocol] = Found(key, *_PLACE, protocol, {seed: hits}, {}, {})
    return Results(DEMO, found)


def _told(results: Results, method: str, other: str, protocol: Protocol) -> dict[str, Any]:
    gap = difference(results, method, other, _PLACE, protocol)
    assert gap is not None
    return {"difference": gap.difference, "interval": list(gap.interval)}
