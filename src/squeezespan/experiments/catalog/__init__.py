"""Every table of the paper, and our own, as data."""

from squeezespan.errors import UserError
from squeezespan.experiments.catalog.ablation import ABLATION
from squeezespan.experiments.catalog.baselines import BASELINES
from squeezespan.experiments.catalog.beyond import BEYOND
from squeezespan.experiments.catalog.blocks import TABLE6
from squeezespan.experiments.catalog.fig4 import FIG4
from squeezespan.experiments.catalog.methods import METHODS
from squeezespan.experiments.catalog.search import SEARCH, SEARCH_DEMO
from squeezespan.experiments.catalog.table1 import TABLE1
from squeezespan.experiments.catalog.table2 import TABLE2
from squeezespan.experiments.catalog.table7 import TABLE7
from squeezespan.experiments.catalog.transfer import TABLE5
from squeezespan.experiments.catalog.when import WHEN
from squeezespan.experiments.catalog.why import WHY
from squeezespan.experiments.experiment import Experiment
from squeezespan.settings import closest

__all__ = ["EXPERIMENTS", "find_experiment"]

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        TABLE1,
        TABLE2,
        ABLATION,
        FIG4,
        TABLE5,
        TABLE6,
        TABLE7,
        METHODS,
        WHEN,
        WHY,
        BEYOND,
        BASELINES,
        SEARCH,
        SEARCH_DEMO,
    )
}


def find_experiment(name: str) -> Experiment:
    """Give the experiment called `name`.

    Raises:
        UserError: there is none; the message lists them.
    """
    if name not in EXPERIMENTS:
        known = list(EXPERIMENTS)
        raise UserError(
            f"there is no table {name!r}{closest(name, known)}; there are {', '.join(known)}"
        )
    return EXPERIMENTS[name]
