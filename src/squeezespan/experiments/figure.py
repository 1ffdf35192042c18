"""An experiment's figure: accuracies with their intervals, beside the paper's."""

from functools import partial
from pathlib import Path

from squeezespan.experiments.results import Results
from squeezespan.experiments.table import PROTOCOL_NAMES, paper_key, place_name
from squeezespan.files import atomic_write

__all__ = ["write_figure"]

_FORMATS = ("png", "pdf", "svg")


def write_figure(results: Results, folder: Path) -> None:
    """Draw the accuracies of the first protocol, a panel a data set, as PNG, PDF and SVG.

    Args:
        results: of the experiment, not empty.
        folder: where `figure.png` and its like go.

    Raises:
        StorageError: the disk is full.
    """
    from matplotlib.figure import Figure

    experiment = results.experiment
    protocol = experiment.protocols[0]
    places = results.places()
    arms = [
        arm
        for arm in experiment.arms
        if any(results.get(arm.key, *place, protocol) for place in places)
    ]
    size = (3.2 + 3.0 * len(places), 0.8 + 0.32 * len(arms))
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
    for kind in _FORMATS:
        atomic_write(folder / f"figure.{kind}", partial(figure.savefig, format=kind, dpi=160))
