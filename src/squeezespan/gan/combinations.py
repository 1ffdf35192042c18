"""Which settings of a GAN training belong together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from squeezespan.discriminators.projected.choices import STUDENT, check_features
from squeezespan.errors import UserError
from squeezespan.settings import Spelling, located

if TYPE_CHECKING:
    from squeezespan.gan.config import GanTrainConfig

__all__ = ["check_combinations", "partial_judges"]

_FASTGAN_SIDES = (64, 1024)
_STYLEGAN2_GENERATOR = ("w_dim", "channel_base", "channel_max", "mapping_layers", "conv_clamp")
_STYLEGAN2_DISCRIMINATOR = (
    "channel_base",
    "channel_max",
    "architecture",
    "mbstd_group_size",
    "conv_clamp",
)
_BESIDE = (("aid", ("weight", "channels", "side")), ("clusters", ("count", "smallest")))
"""Sections that a backbone switches on, and what else is in them."""
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
    problem = (
        _problem_of_classes(config, spell)
        or _problem_of_students(config, spell)
        or _problem_of_generator(config, spell)
        or (
            _problem_of_projected(config, spell)
            if is_projected
            else _unfollowed(
                "projected", config, _PROJECTED, "the projected discriminator's", spell
            )
        )
    )
    if problem:
        raise UserError(located(where, problem))


def _problem_of_classes(config: "GanTrainConfig", spell: Spelling) -> str:
    clustered = config.clusters.backbone is not None
    if clustered and config.conditional:
        return (
            f"{spell('conditional')} takes the images' labels for classes, "
            f"{spell('clusters.backbone')} makes classes without labels; give one of them"
        )
    if config.class_draw == "uniform" and not config.conditional:
        why = "clusters are drawn as often as they occur" if clustered else "there are no classes"
        return f"{spell('class_draw')} is uniform, but {why}; leave it out"
    return ""


def _problem_of_students(config: "GanTrainConfig", spell: Spelling) -> str:
    for section, names in _BESIDE:
        if getattr(config, section).backbone is None:
            given = _changed(section, config, names, spell)
            if given:
                return f"{given} for a run with {spell(f'{section}.backbone')}"
    if config.discriminator.family == "projected" and config.aid.backbone is not None:
        return (
            f"{spell('aid.backbone')} judges beside StyleGAN2's discriminator, but this run's is "
            "projected: give the student as --projected.features student:RUN, or leave it out"
        )
    return ""


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


def partial_judges(config: "GanTrainConfig") -> list[str]:
    """Give the judges of snapshots that the training learns from itself, which flatter it.

    Args:
        config: the run's settings.
    """
    if not config.monitor.score_images:
        return []
    own = [config.aid.backbone, config.clusters.backbone]
    if config.discriminator.family == "projected":
        own.append(config.projected.features.removeprefix(STUDENT))
    return [judge for judge in config.monitor.judges if judge in own]


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
    given = _changed(section, config, names, spell)
    return f"{given} {whose}, which this run doesn't train" if given else ""


def _changed(
    section: str, config: "GanTrainConfig", names: tuple[str, ...], spell: Spelling
) -> str:
    """Name the values that are not the usual ones, with a verb; empty where all are."""
    values = getattr(config, section)
    usual = type(values)()
    given = [name for name in names if getattr(values, name) != getattr(usual, name)]
    flags = ", ".join(spell(f"{section}.{name}") for name in given)
    return f"{flags} {'are' if len(given) > 1 else 'is'}" if given else ""
