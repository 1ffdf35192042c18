"""Settings of a distillation that have no meaning together, said before anything is read."""

from typing import TYPE_CHECKING

from squeezespan.models.discriminators import DISCRIMINATORS
from squeezespan.settings import Spelling

if TYPE_CHECKING:
    from squeezespan.config import DistillConfig

__all__ = ["contradiction"]


def contradiction(config: "DistillConfig", spell: Spelling) -> str:
    """Say which settings can't go together; empty where all can.

    Args:
        config: each of whose settings is within its range.
        spell: how messages name a setting.
    """
    method = config.method
    if method.alpha > 0 and config.gan is None:
        alpha = spell("method.alpha")
        return (
            f"{alpha} is {method.alpha:g}, which needs a generator; give --gan FILE, or set "
            f"{alpha} to 0 for real images alone"
        )
    if method.projector_dim is not None and method.projector_layers == 1:
        return (
            f"{spell('method.projector_dim')} is {method.projector_dim}, but with "
            f"{spell('method.projector_layers')} 1 the projector has no hidden layer; leave it out"
        )
    for find in _FINDERS:
        if problem := find(config, spell):
            return problem
    for name in ("crop_scale", "crop_ratio", "blur_sigma"):
        pair = getattr(config.augment, name)
        if pair[0] > pair[1]:
            return f"{spell(f'augment.{name}')} is {pair}, but must go from low to high"
    if config.optim.nesterov and not config.optim.momentum:
        return f"{spell('optim.nesterov')} needs {spell('optim.momentum')} above 0"
    if config.optim.warmup_epochs > config.train.epochs:
        return (
            f"{spell('optim.warmup_epochs')} is {config.optim.warmup_epochs:g}, longer than the "
            f"{config.train.epochs} epochs of the run"
        )
    if config.monitor.knn_every and not config.images.holdout:
        every = spell("monitor.knn_every")
        return (
            f"{every} is {config.monitor.knn_every}, but {spell('images.holdout')} is 0 and leaves "
            f"no images to check on; set {every} to 0"
        )
    return ""


def _encoding_problem(config: "DistillConfig", spell: Spelling) -> str:
    """Say what the encoding can't be done with; empty where it can, or isn't asked for."""
    source = config.source
    if config.method.name != "encoding":
        return ""
    if config.method.alpha == 0:
        return (
            f"{spell('method.alpha')} is 0, but {spell('method.name')} encoding learns latents "
            "from synthetic images; raise it"
        )
    if source.kind == "latent" and source.noise != "random":
        return ""
    return (
        f"{spell('method.name')} encoding predicts the latent of an image and makes the image "
        f"again, so it needs {spell('source.kind')} latent (not {source.kind}) and "
        f"{spell('source.noise')} const or none (not {source.noise}), as the presets that begin "
        "with encoding have"
    )


def _mixture_problem(config: "DistillConfig", spell: Spelling) -> str:
    method = config.method
    if method.mixture == "joint" or (method.name == "vicreg" and 0 < method.alpha < 1):
        return ""
    return (
        f"{spell('method.mixture')} separate is for {spell('method.name')} vicreg with real and "
        f"synthetic images, not for {method.name} with {spell('method.alpha')} {method.alpha:g}; "
        "leave it out"
    )


def _source_problem(config: "DistillConfig", spell: Spelling) -> str:
    source, method = config.source, config.method
    if source.statistics == "mean" and not source.latent:
        return ""
    names = [spell(f"source.{name}") for name in ("statistics", "latent")]
    name = f"{names[0]} {source.statistics}" if source.statistics != "mean" else f"{names[1]} true"
    if method.name != "squeeze-span" or not method.alpha:
        return (
            f"{name} has no use, as {method.name} with {spell('method.alpha')} {method.alpha:g} "
            "looks at no block of the generator; leave it out"
        )
    if source.kind == "latent":
        return f"{name} has no use where {spell('source.kind')} is latent; leave one of them out"
    return ""


def _nearby_problem(config: "DistillConfig", spell: Spelling) -> str:
    method, nearby = config.method, config.source.nearby
    if not nearby or (method.alpha and method.name in ("squeeze-span", "vicreg", "simsiam")):
        return ""
    return (
        f"{spell('source.nearby')} {nearby:g} has no use, as {method.name} with "
        f"{spell('method.alpha')} {method.alpha:g} compares no two synthetic images; leave it out"
    )


def _strength_problem(config: "DistillConfig", spell: Spelling) -> str:
    strength = config.augment.synthetic
    name = f"{spell('augment.synthetic')} {strength:g} has no use"
    if strength == 1:
        return ""
    if not config.augment.enabled:
        return f"{name} where {spell('augment.enabled')} is false; leave it out"
    if not config.method.alpha:
        return f"{name}, as {spell('method.alpha')} 0 has no synthetic images; leave it out"
    return ""


def _estimate_problem(config: "DistillConfig", spell: Spelling) -> str:
    method = config.method
    if method.covariance_estimate == "sample":
        return ""
    name = f"{spell('method.covariance_estimate')} {method.covariance_estimate}"
    if method.name not in ("squeeze-span", "vicreg"):
        return f"{name} has no use, as {method.name} has no covariance term; leave it out"
    if not method.covariance:
        return f"{name} has no use where {spell('method.covariance')} is 0; leave it out"
    if method.name == "squeeze-span" and method.alpha == 1 and method.target != "squeeze":
        return (
            f"{name} has no use: with {spell('method.target')} {method.target} synthetic images "
            "have no covariance term, and there are no others; leave it out"
        )
    return ""


def _discriminator_problem(config: "DistillConfig", spell: Spelling) -> str:
    method, given, weight = config.method, config.discriminator, spell("method.real_teacher")
    if given is None:
        if method.real_teacher == type(method)().real_teacher:
            return ""
        return (
            f"{weight} is {method.real_teacher:g}, but there is no discriminator that it would "
            f"weigh; give {spell('discriminator')} discriminator:FILE"
        )
    name = f"{spell('discriminator')} is {given}"
    if not given.startswith(tuple(DISCRIMINATORS)):
        return f"{name}, but must be {' or '.join(f'{kind}FILE' for kind in DISCRIMINATORS)}"
    if method.name != "squeeze-span" or method.alpha == 1:
        return (
            f"{name}, which teaches the real images of {spell('method.name')} squeeze-span; "
            f"{method.name} with {spell('method.alpha')} {method.alpha:g} has no use for it"
        )
    if not method.real_teacher:
        return f"{name}, but {weight} 0 leaves nothing of it; raise it, or leave both out"
    return ""


_FINDERS = (
    _encoding_problem,
    _mixture_problem,
    _source_problem,
    _nearby_problem,
    _strength_problem,
    _estimate_problem,
    _discriminator_problem,
)
