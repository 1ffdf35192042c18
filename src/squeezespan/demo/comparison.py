"""What the table says when two of its rows are compared."""

from collections.abc import Mapping
from typing import Any

from squeezespan.demo.evaluation import Outcome
from squeezespan.demo.rows import RANDOM
from squeezespan.evaluation.paired import paired_difference

__all__ = ["compare_rows", "compared_in_words"]

_PAIRS = (
    ("squeeze-span", "vicreg-real"),
    ("squeeze-span", "vicreg-mixed"),
    ("squeeze-span", "squeeze"),
    ("squeeze-span", RANDOM),
)
_PROTOCOL_NAMES = {"knn": "kNN", "logistic": "logistic regression"}


def compare_rows(outcomes: Mapping[str, Outcome]) -> list[dict[str, Any]]:
    """Compare the rows that the demo is about, image by image.

    Args:
        outcomes: method to what its test said; all on the same test images.

    Returns:
        For each pair that there is: `method`, `against`, and for each protocol `difference` and
        its 95% `interval`.
    """
    return [
        {
            "method": method,
            "against": other,
            **{
                protocol: _difference(outcomes[method], outcomes[other], protocol)
                for protocol in _PROTOCOL_NAMES
            },
        }
        for method, other in _PAIRS
        if method in outcomes and other in outcomes
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


def _difference(outcome: Outcome, other: Outcome, protocol: str) -> dict[str, Any]:
    difference, interval = paired_difference(outcome.correct[protocol], other.correct[protocol])
    return {"difference": difference, "interval": list(interval)}
