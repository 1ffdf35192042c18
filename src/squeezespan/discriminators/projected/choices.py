"""The names by which settings choose a feature network."""

from squeezespan.errors import UserError

__all__ = ["LITE0", "STUDENT", "TIMM", "check_features"]

LITE0 = "efficientnet-lite0"
TIMM = "timm:"
STUDENT = "student:"


def check_features(name: str, weights: str | None) -> None:
    """Refuse a name that stands for no kind of feature network, without opening anything.

    Raises:
        UserError: the message says what there is.
    """
    if name != LITE0 and not name.startswith((TIMM, STUDENT)):
        raise UserError(
            f"projected.features is {name!r}, but must be {LITE0}, {TIMM}NAME or {STUDENT}RUN"
        )
    if weights is not None and name.startswith(STUDENT):
        raise UserError("a student has its weights with it: leave projected.weights out")
