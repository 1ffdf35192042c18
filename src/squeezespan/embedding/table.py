"""What a file of features holds, read part by part so that it never lies in memory as a whole."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FeatureTable", "Part"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Some rows of a table."""

    rows: Integers
    """Places of the images in the data set, ascending, [n]."""
    features: Floats
    """[n, D]."""


@dataclass(frozen=True)
class FeatureTable:
    """Features of the images of a data set, with their names and labels."""

    name: Callable[[int], str]
    """Gives the name of the image at a place of the data set."""
    labels: Sequence[int] | None
    """Class numbers of all images of the data set; None where they have none."""
    class_names: Sequence[str]
    """In the order of the class numbers."""
    count: int
    """Images in the table."""
    width: int
    """D, the number of features."""
    parts: Callable[[], Iterator[Part]]
    """Reads the parts in order; may be called again."""
    about: dict[str, Any]
    """Where it all comes from, ready for JSON."""

    def names_of(self, part: Part) -> list[str]:
        """Give the names of a part's images."""
        return [self.name(row) for row in part.rows.tolist()]

    def labels_of(self, part: Part) -> list[int]:
        """Give the class numbers of a part's images; only where there are labels."""
        assert self.labels is not None
        return [self.labels[row] for row in part.rows.tolist()]
