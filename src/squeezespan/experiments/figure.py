"""An experiment's figure: accuracies with their intervals, beside the paper's."""

from pathlib import Path
from typing import TYPE_CHECKING

from squeezespan.experiments.experiment import Arm
from squeezespan.experiments.results import Results
from squeezespan.experiments.table import PROTOCOL_NAMES, has_paper, paper_key, place_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_figures"]


def write_figures(results: Results, folder: Path) -> None:
    """Draw the accuracies of the first protocol, and the curves, as PNG, PDF and SVG.

    Args:
        results: of the experiment, not empty.
        folder: where `figure.png`, `curves.png` and their like go.

    Raises:
        StorageError: the disk is full.
    """
    from squeezespan.reports.charts import save_chart, style

    with style():
        figures = {"figure": _over_teachers(results) if results.teachers else _by_arm(results)}
        if results.curves():
            figures["curves"] = _over_passes(results)
        for name, figure in figures.items():
            save_chart(figure, folder / name)


def _by_arm(results: Results) -> "Figure":
    """A row an arm, a panel a data set; beside ours, the paper's number as a diamond."""
    from matplotlib.figure import Figure

    experiment = results.experiment
    protocol = experiment.protocols[0]
    places = results.places()
    arms = _measured_arms(results)
    size = (3.2 + 3.0 * len(places), 1.1 + 0.32 * len(arms))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
    for panel, place in zip(panels, places, strict=True):
        for height, arm in enumerate(reversed(arms)):
            found = results.get(arm.key, *place, protocol)
            if found is not None:
                low, high = found.interval
                panel.plot([low * 100, high * 100], [height] * 2, color="C0", linewidth=1.5)
                panel.plot(found.accuracy * 100, height, "o", color="C0", markersize=4)
            number = experiment.paper.get(arm.key, {}).get(paper_key(place))
            if number is not None:
                panel.plot(number, height, "D", color="C1", markersize=4, fillstyle="none")
        panel.set_title(place_name(place), fontsize=9)
        panel.set_xlabel(f"{PROTOCOL_NAMES[protocol]}, %", fontsize=8)
        panel.tick_params(labelsize=8)
        panel.grid(axis="x", linewidth=0.4)
        panel.set_axisbelow(True)
    panels[0].set_yticks(range(len(arms)), [arm.title for arm in reversed(arms)])
    panels[0].set_ylim(-0.6, len(arms) - 0.4)
    if any(has_paper(results, place) for place in places):
        panels[0].plot([], [], "o", color="C0", markersize=4, label="ours, 95% interval")
        panels[0].plot([], [], "D", color="C1", markersize=4, fillstyle="none", label="the paper's")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def _over_teachers(results: Results) -> "Figure":
    """A line an arm, over the Frechet distance of the generators; better ones to the right."""
    from matplotlib.figure import Figure

    protocol = results.experiment.protocols[0]
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    panel = figure.subplots()
    for number, arm in enumerate(_measured_arms(results)):
        points = [
            (results.teachers[place[0]].frechet, found)
            for place in results.places()
            if (found := results.get(arm.key, *place, protocol)) is not None
        ]
        points.sort(key=lambda point: -point[0])
        color = f"C{number}"
        heights = [found.accuracy * 100 for _, found in points]
        panel.plot(
            [x for x, _ in points], heights, "o-", color=color, label=arm.title, markersize=4
        )
        for x, found in points:
            panel.plot([x, x], [end * 100 for end in found.interval], color=color, linewidth=1)
    panel.set_xscale("log")
    panel.invert_xaxis()
    panel.set_xlabel(
        "Frechet distance of the generator (EfficientNet-Lite0), log scale", fontsize=8
    )
    panel.set_ylabel(f"{PROTOCOL_NAMES[protocol]}, %", fontsize=8)
    panel.tick_params(labelsize=8, which="both")
    panel.grid(linewidth=0.4)
    panel.legend(fontsize=8)
    return figure


def _over_passes(results: Results) -> "Figure":
    """Checks on held-out images over passes through the student: a line a training."""
    from matplotlib.figure import Figure

    curves = results.curves()
    columns = list(dict.fromkeys(point["trained_on"] for point in curves))
    figure = Figure(figsize=(0.6 + 4.6 * len(columns), 4.0), layout="constrained")
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for panel, column in zip(panels, columns, strict=True):
        for number, arm in enumerate(_measured_arms(results)):
            points = [one for one in curves if (one["arm"], one["trained_on"]) == (arm.key, column)]
            seeds = list(dict.fromkeys(point["seed"] for point in points))
            for place, seed in enumerate(seeds):
                own = [point for point in points if point["seed"] == seed]
                panel.plot(
                    [point["passes"] / 1000 for point in own],
                    [point["held_out_knn"] * 100 for point in own],
                    color=f"C{number}",
                    linewidth=1.2,
                    label=arm.title if place == 0 else None,
                )
        panel.set_title(column, fontsize=9)
        panel.set_xlabel("thousand passes through the student", fontsize=8)
        panel.tick_params(labelsize=8)
        panel.grid(linewidth=0.4)
    panels[0].set_ylabel("kNN on images held out of train, %", fontsize=8)
    panels[0].legend(fontsize=7)
    return figure


def _measured_arms(results: Results) -> list[Arm]:
    measured = {found.arm for found in results.found.values()}
    return [arm for arm in results.experiment.arms if arm.key in measured]
