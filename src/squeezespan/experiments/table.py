"""An experiment's table: ours beside the paper's, as Markdown, CSV and LaTeX."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from squeezespan.evaluation.options import Protocol
from squeezespan.experiments.results import Found, Results, Verdict, difference, verdicts

__all__ = ["PROTOCOL_NAMES", "as_csv", "as_latex", "as_markdown", "differences_csv", "records"]

PROTOCOL_NAMES: dict[Protocol, str] = {
    "knn": "kNN",
    "linear": "linear probe",
    "logistic": "logistic regression",
    "fewshot": "few labels",
}
_NOTHING = "-"


def records(results: Results) -> list[dict[str, Any]]:
    """Give one flat record for every accuracy, in the order of the arms.

    Args:
        results: of the experiment.
    """
    order = {arm.key: place for place, arm in enumerate(results.experiment.arms)}
    return [
        _record(results, found)
        for found in sorted(results.found.values(), key=lambda found: order[found.arm])
    ]


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Write records as CSV.

    Args:
        rows: at least one, all with the same names.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def differences_csv(results: Results) -> str:
    """Write the difference of every two arms as CSV; empty where there are no two."""
    keys = [arm.key for arm in results.experiment.arms]
    rows = []
    for place in results.places():
        for protocol in results.experiment.protocols:
            for number, one in enumerate(keys):
                for other in keys[number + 1 :]:
                    found = difference(results, one, other, place, protocol)
                    if found is not None:
                        low, high = found.interval
                        rows.append(
                            {
                                "trained_on": found.column,
                                "judged_on": found.target,
                                "protocol": protocol,
                                "arm": one,
                                "against": other,
                                "seeds": " ".join(map(str, found.seeds)),
                                "difference": f"{found.difference:.4f}",
                                "low": f"{low:.4f}",
                                "high": f"{high:.4f}",
                                "interval": found.interval_kind,
                            }
                        )
    return as_csv(rows) if rows else ""


def as_markdown(results: Results) -> str:
    """Write the table, protocol by protocol, and what became of the claims."""
    experiment = results.experiment
    parts = [f"# {experiment.title}", experiment.about]
    for number, protocol in enumerate(experiment.protocols):
        rows = _grid(results, protocol, with_paper=number == 0)
        if len(rows) > 1:
            parts.append(f"## By {PROTOCOL_NAMES[protocol]}, %\n\n{_markdown(rows)}")
    parts.append(_small_print(results))
    if results.teachers:
        parts.append(f"## The generators\n\n{_markdown(_teacher_rows(results))}")
    if experiment.claims or experiment.teacher_claims:
        parts.append(f"## Claims\n\n{_markdown([_CLAIM_HEADER, *_claim_rows(results)])}")
    return "\n\n".join(parts) + "\n"


def as_latex(results: Results) -> str:
    """Write the table of the first protocol for LaTeX (booktabs)."""
    protocol = results.experiment.protocols[0]
    header, *rows = _grid(results, protocol, with_paper=True)
    lines = [
        f"% {results.experiment.title}; needs the package booktabs",
        rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
        r"\toprule",
        _latex_row(header),
        r"\midrule",
        *(_latex_row(row) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


_CLAIM_HEADER = ("claim", "data", "difference, points", "verdict")


def _grid(results: Results, protocol: Protocol, *, with_paper: bool) -> list[tuple[str, ...]]:
    experiment = results.experiment
    places = [
        place
        for place in results.places()
        if any(results.get(arm.key, *place, protocol) for arm in experiment.arms)
    ]
    header = ["method"]
    for place in places:
        header.append(place_name(place))
        if with_paper and has_paper(results, place):
            header.append(f"paper, {place_name(place)}")
    rows = [tuple(header)]
    for arm in experiment.arms:
        row = [arm.title]
        for place in places:
            found = results.get(arm.key, *place, protocol)
            row.append(_NOTHING if found is None else _percent(found))
            if with_paper and has_paper(results, place):
                number = experiment.paper.get(arm.key, {}).get(paper_key(place))
                row.append(_NOTHING if number is None else f"{number:.2f}")
        if any(cell != _NOTHING for cell in row[1:]):
            rows.append(tuple(row))
    return rows if places else rows[:1]


def place_name(place: tuple[str, str]) -> str:
    """Name a data set of training and one of judging."""
    column, target = place
    return column if target == column else f"{column} > {target}"


def paper_key(place: tuple[str, str]) -> str:
    """Name them as in `Experiment.paper`."""
    column, target = place
    return column if target == column else f"{column}>{target}"


def has_paper(results: Results, place: tuple[str, str]) -> bool:
    """Tell whether the paper has numbers for a data set of training and one of judging."""
    return any(paper_key(place) in numbers for numbers in results.experiment.paper.values())


def _percent(found: Found) -> str:
    low, high = found.interval
    return f"{found.accuracy * 100:.1f} ({low * 100:.1f} to {high * 100:.1f})"


def _small_print(results: Results) -> str:
    founds = list(results.found.values())
    seeds = sorted({len(found.hits) for found in founds})
    kinds = " or ".join(sorted({found.interval_kind for found in founds}))
    paper = ""
    if any(has_paper(results, place) for place in results.places()):
        paper = f" The paper's numbers are of its own scale: {results.experiment.paper_protocol}."
    return (
        f"In brackets: 95% intervals, {kinds}; {' to '.join(map(str, seeds))} "
        f"seed{'s' if seeds[-1:] != [1] else ''} an arm.{paper}"
    )


def _teacher_rows(results: Results) -> list[tuple[str, ...]]:
    """The generators, the best last."""
    header: tuple[str, ...] = (
        "data",
        "Frechet distance",
        "kernel distance x 1000",
        "precision",
        "recall",
        "images",
    )
    ordered = sorted(results.teachers.items(), key=lambda item: -item[1].frechet)
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{score.frechet:.2f}",
            f"{score.kernel * 1000:.2f}",
            f"{score.precision:.3f}",
            f"{score.recall:.3f}",
            str(score.images),
        )
        for name, score in ordered
    ]
    return [header, *rows]


def _claim_rows(results: Results) -> Iterable[tuple[str, ...]]:
    for place, verdict in verdicts(results):
        yield verdict.claim.text, place_name(place), _gap(verdict), verdict.verdict


def _gap(verdict: Verdict) -> str:
    if verdict.difference is None:
        return _NOTHING
    low, high = (end * 100 for end in verdict.difference.interval)
    bar = f", claimed more than {verdict.claim.by:+g}" if verdict.claim.by else ""
    return f"{verdict.difference.difference * 100:+.1f} ({low:+.1f} to {high:+.1f}){bar}"


def _record(results: Results, found: Found) -> dict[str, Any]:
    low, high = found.interval
    arm = results.experiment.arm(found.arm)
    place = (found.column, found.target)
    paper = results.experiment.paper.get(found.arm, {}).get(paper_key(place))
    is_first = found.protocol == results.experiment.protocols[0]
    trainings = [found.trainings[seed] for seed in found.seeds]
    sessions = [session for training in trainings for session in training["sessions"]]
    return {
        "arm": found.arm,
        "title": arm.title,
        "trained_on": found.column,
        "judged_on": found.target,
        "protocol": found.protocol,
        "seeds": " ".join(map(str, found.seeds)),
        "accuracy": f"{found.accuracy:.4f}",
        "low": f"{low:.4f}",
        "high": f"{high:.4f}",
        "interval": found.interval_kind,
        "paper": "" if paper is None or not is_first else f"{paper / 100:.4f}",
        "steps": _same(training["steps"] for training in trainings),
        "images": _same(training["images_seen"] for training in trainings),
        "passes": _same(training["passes"] for training in trainings),
        "train_seconds": " ".join(str(round(training["seconds"])) for training in trainings),
        "device": _same(_device(session) for session in sessions),
        "precision": _same(
            _precision(found.trainings[seed], found.evaluations[seed]) for seed in found.seeds
        ),
        "torch": _same(session["packages"]["torch"] for session in sessions),
        "commit": _same((session["commit"] or "")[:10] for session in sessions),
        "date": max(session["time"][:10] for session in sessions),
    }


def _precision(training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """That the student was trained in, or of what was never trained, evaluated."""
    config = training["config"]
    found: str = config["train"]["precision"] if config else evaluation.get("precision", "")
    return found


def _device(session: dict[str, Any]) -> str:
    name: str = session["cpu"]["name"] if session["device"] == "cpu" else session["gpus"][0]
    return name


def _same(values: Iterable[Any]) -> str:
    return " / ".join(dict.fromkeys(map(str, values)))


def _markdown(rows: Sequence[tuple[str, ...]]) -> str:
    header, *body = rows
    lines = [header, ("---",) * len(header), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _latex_row(cells: Iterable[str]) -> str:
    escaped = [
        cell.replace("\\", r"\textbackslash{}")
        .replace("&", r"\&")
        .replace("%", r"\%")
        .replace("_", r"\_")
        .replace("#", r"\#")
        .replace(">", "$>$")
        for cell in cells
    ]
    return " & ".join(escaped) + r" \\"
