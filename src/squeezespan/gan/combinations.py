"""Which settings of a GAN training belong together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from squeezespan.discriminators.projected.choices import STUDENT, check_features
from squeezespan.errors import UserError
from squeezespan.settings import Spelling, located

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


def check_combinations(config: "GanTrainConfig", where: str, spell: Spelling = str) -> None:
    """Refuse settings that the families of networks which a run trains can't follow.

    Args:
        config: the run's settings.
        where: what to call their origin in messages; empty where names alone say it.
        spell: how messages name a setting.

    Raises:
        UserError: the message names the settings and says what to change.
    """
    is_projected = config.discriminator.family == "projected"
    if is_projected:
        check_features(config.projected.features, config.projected.weights)
    problem = _problem_of_generator(config, spell) or (
        _problem_of_projected(config, spell)
        if is_projected
        else _unfollowed("projected", config, _PROJECTED, "the projected discriminator's", spell)
    )
    if problem:
        raise UserError(located(where, problem))


def _problem_of_generator(config: "GanTrainConfig", spell: Spelling) -> str:
    if config.generator.family == "stylegan2":
        return _unfollowed("generator", config, ("base_width",), "FastGAN's", spell)
    if config.discriminator.family != "projected":
        return (
            f"{config.generator.family} learns from the projected discriminator only: give "
            "--discriminator.family projected, or the preset projected-fastgan"
        )
    low, high = _FASTGAN_SIDES
    if isinstance(config.resolution, int) and not low <= config.resolution <= high:
        return (
            f"{spell('resolution')} is {config.resolution}, but FastGAN makes images of {low} to "
            f"{high} pixels; give --resolution, or --generator.family stylegan2"
        )
    return _unfollowed("generator", config, _STYLEGAN2_GENERATOR, "StyleGAN2's", spell)


def _problem_of_projected(config: "GanTrainConfig", spell: Spelling) -> str:
    sizes = _unfollowed("discriminator", config, _STYLEGAN2_DISCRIMINATOR, "StyleGAN2's", spell)
    if sizes:
        return sizes
    if config.init.freeze_d:
        return (
            f"{spell('init.freeze_d')} is for StyleGAN2's discriminator; the projected one's "
            "feature network is always frozen"
        )
    if config.loss.adversarial != "logistic":
        return (
            f"{spell('loss.adversarial')} is {config.loss.adversarial}, but the projected "
            "discriminator trains with the hinge loss: leave it out"
        )
    if unfit := " ".join(_regularizers(config)):
        return (
            "the projected discriminator trains without R1, path lengths, style mixing and ADA: "
            f"give {unfit}, or begin with one of the presets projected-..."
        )
    return ""


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
        yield "--augment.no-enabled"


def _unfollowed(
    section: str, config: "GanTrainConfig", names: tuple[str, ...], whose: str, spell: Spelling
) -> str:
    """Say which values nothing would follow; empty where none is given."""
    values = getattr(config, section)
    usual = type(values)()
    given = [name for name in names if getattr(values, name) != getattr(usual, name)]
    if not given:
        return ""
    flags = ", ".join(spell(f"{section}.{name}") for name in given)
    verb = "are" if len(given) > 1 else "is"
    return f"{flags} {verb} {whose}, which this run doesn't train"
