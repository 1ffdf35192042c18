"""From the labels that a data set gives, of whatever type, to class numbers, or to why not.

Training looks at no label, so labels that are no classes are no error here: an evaluation, or a
conditional GAN, refuses them with the reason that is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["Labels", "UnreadableLabel", "number_labels", "renumbered"]

_MOST_NUMBERS = 100_000
_LONGEST_NAME = 200
_FEW_TEXTS = 100


@dataclass(frozen=True)
class Labels:
    """The labels of a split."""

    class_names: list[str] = field(default_factory=list)
    """In the order of the class numbers; empty if unlabelled."""
    numbers: list[int] | None = None
    """One for each image, into `class_names`; None if unlabelled."""
    problem: str = "there are none"
    """Why `numbers` is None; empty where they are not."""


@dataclass(frozen=True)
class UnreadableLabel:
    """What stands in the place of a label that cannot be read."""

    problem: str


def number_labels(values: Sequence[object], describe: Callable[[int], str]) -> Labels:
    """Make class numbers of labels.

    Whole numbers from 0 on are class numbers, and their classes are named by them; texts and
    truth values are numbered in sorted order.

    Args:
        values: one for each image, as JSON or a table gives them; None where there is none.
        describe: names the image at an index, for the reason.
    """
    known = [value for value in values if value is not None]
    if not known:
        return Labels()
    if len(known) < len(values):
        without = describe(list(values).index(None))
        return Labels(
            problem=f"only {len(known)} of the {len(values)} images have one; the first without "
            f"is {without}"
        )
    for index, value in enumerate(values):
        problem = _problem(value)
        if problem:
            return Labels(problem=f"that of {describe(index)} {problem}")
    texts = [value for value in values if isinstance(value, str | bool)]
    if not texts:
        numbers = [int(value) for value in values if isinstance(value, int | float)]
        return Labels([str(number) for number in range(max(numbers) + 1)], numbers, "")
    if len(texts) < len(values):
        return Labels(problem="some are numbers and some are texts")
    names = sorted({str(text) for text in texts})
    if len(names) > max(_FEW_TEXTS, len(texts) // 2):
        return Labels(problem=f"they are {len(names)} different texts, which are no classes")
    places = {name: number for number, name in enumerate(names)}
    return Labels(names, [places[str(text)] for text in texts], "")


def renumbered(labels: Labels, train: Labels) -> Labels:
    """Number the classes of a test split as the train split does, whose classes it may lack.

    Labels with classes that train lacks are left as they are, for an evaluation to refuse.
    """
    if labels.numbers is None or not set(labels.class_names) <= set(train.class_names):
        return labels
    places = {name: number for number, name in enumerate(train.class_names)}
    numbers = [places[labels.class_names[number]] for number in labels.numbers]
    return Labels(list(train.class_names), numbers, "")


def _problem(value: object) -> str:
    """Say why a label is not the name or number of a class, if it is not."""
    match value:
        case UnreadableLabel(problem):
            return problem
        case bool():
            return ""
        case str():
            too_long = "is a text too long for a class name"
            return too_long if len(value) > _LONGEST_NAME else ""
        case int() | float():
            # Beyond 2**53 a float is no exact number any more.
            whole = isinstance(value, int) or (abs(value) < 2**53 and value.is_integer())
            if not whole:
                return f"is {value!r}, which is no class number"
            if value < 0:
                return "is negative, which stands for no class"
            return "" if value < _MOST_NUMBERS else "is too large for a class number"
        case list() | tuple() | dict():
            return f"is a {'record' if isinstance(value, dict) else 'list'}, not one class"
        case _:
            return f"is of the type {type(value).__name__}"
