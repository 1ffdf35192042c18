"""Which settings of a GAN training belong together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from squeezespan.discriminators.projected.choices import STUDENT, check_features
from squeezespan.errors import UserError

if TYPE_CHECKING:
    from squeezespan.gan.config import GanTrainConfig

__all__ = ["check_combinations", "partial_judge"]

_FASTGAN_SIDES = (64, 1024)
_STYLEGAN2_GENERATOR = ("w_dim", "channel_base", "channel_max", "mapping_layers", "conv_clamp")
_STYLEGAN2_DISCRIMINATOR = (
    "channel_base",
    "channel_max",
    "architecture",
    "mbstd_group_size",
    "conv_clamp",
)
_PROJECTED = ("features", "weights", "side", "channels", "separable", "diffaugment")


def check_combinations(config: "GanTrainConfig", where: str) -> None:
    """Refuse settings that the families of networks which a run trains can't follow.

    Args:
        config: the run's settings.
        where: what to call their origin in messages.

    Raises:
        UserError: the message names the settings and says what to change.
    """
    is_projected = config.discriminator.family == "projected"
    if config.generator.family == "stylegan2":
        _refuse(where, "generator", config.generator, ("base_width",), "FastGAN's")
    else:
        if not is_projected:
            raise UserError(
                f"{where}: {config.generator.family} learns from the projected discriminator only: "
                "give --discriminator.family projected, or the preset projected-fastgan"
            )
        _refuse(where, "generator", config.generator, _STYLEGAN2_GENERATOR, "StyleGAN2's")
        _check_fastgan_side(config.resolution, where)
    if not is_projected:
        whose = "the projected discriminator's"
        _refuse(where, "projected", config.projected, _PROJECTED, whose)
        return
    sizes = config.discriminator
    _refuse(where, "discriminator", sizes, _STYLEGAN2_DISCRIMINATOR, "StyleGAN2's")
    if config.init.freeze_d:
        raise UserError(
            f"{where}: init.freeze_d is for StyleGAN2's discriminator; the projected one's feature "
            "network is always frozen"
        )
    check_features(config.projected.features, config.projected.weights)
    if config.loss.adversarial != "logistic":
        raise UserError(
            f"{where}: loss.adversarial is {config.loss.adversarial}, but the projected "
            "discriminator trains with the hinge loss: leave it out"
        )
    if unfit := " ".join(_regularizers(config)):
        raise UserError(
            f"{where}: the projected discriminator trains without R1, path lengths, style mixing "
            f"and ADA: give {unfit}, or begin with one of the presets projected-..."
        )


def partial_judge(config: "GanTrainConfig") -> str | None:
    """Give the judge of snapshots that is the discriminator's own feature network, if one is.

    Args:
        config: the run's settings.
    """
    if config.discriminator.family != "projected" or not config.monitor.score_images:
        return None
    own = config.projected.features.removeprefix(STUDENT)
    return next((judge for judge in config.monitor.judges if judge == own), None)


def _regularizers(config: "GanTrainConfig") -> Iterator[str]:
    """Flags that switch off what is on."""
    loss = config.loss
    for name in ("r1_gamma", "r2_gamma", "path_length_weight", "style_mixing"):
        if getattr(loss, name):
            yield f"--loss.{name.replace('_', '-')} 0"
    if config.augment.enabled:
        yield "--augment.enabled False"


def _check_fastgan_side(resolution: int | str, where: str) -> None:
    low, high = _FASTGAN_SIDES
    if isinstance(resolution, int) and not low <= resolution <= high:
        raise UserError(
            f"{where}: resolution is {resolution}, but FastGAN makes images of {low} to {high} "
            "pixels; give --resolution, or --generator.family stylegan2"
        )


def _refuse(where: str, section: str, values: Any, names: tuple[str, ...], whose: str) -> None:
    """Refuse values that nothing would follow."""
    usual = type(values)()
    given = [name for name in names if getattr(values, name) != getattr(usual, name)]
    if given:
        flags = ", ".join(f"{section}.{name}" for name in given)
        verb = "are" if len(given) > 1 else "is"
        raise UserError(f"{where}: {flags} {verb} {whose}, which this run doesn't train")
