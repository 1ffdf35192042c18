"""From the settings of a run to its method."""

from collections.abc import Mapping

from squeezespan.config import DistillConfig, MethodConfig
from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.methods.base import Method
from squeezespan.methods.emp_ssl import EmpSSL
from squeezespan.methods.encoding import Encoding
from squeezespan.methods.perceptual import PerceptualDistance
from squeezespan.methods.resynthesis import Resynthesis
from squeezespan.methods.simsiam import SimSiam
from squeezespan.methods.squeeze_span import SqueezeSpan
from squeezespan.methods.vicreg import VICReg
from squeezespan.models.backbones import build_backbone, default_stem, num_features
from squeezespan.models.projectors import projector, simsiam_predictor, simsiam_projector
from squeezespan.models.squeeze import Squeeze
from squeezespan.models.targets import RawTarget, StandardizedTarget

__all__ = ["build_method"]

_EMBED_DIM = 2048


def build_method(
    config: DistillConfig,
    source_widths: Mapping[str, int] | None,
    generator: Generator | None = None,
    perceptual: PerceptualDistance | None = None,
    real_widths: Mapping[str, int] | None = None,
) -> Method:
    """Build the method of a run with fresh weights, drawn from torch's global random state.

    Args:
        config: the run's settings, valid in themselves (`config.validate`).
        source_widths: names and widths of what a batch's `source` will hold, in order: pooled
            block features, `{"w": w_dim}` or `{"w+": num_ws * w_dim}` for latents; None where no
            generator is used.
        generator: frozen, on the run's device; `encoding` alone looks into it.
        perceptual: the encoding's distance beside L1, on that device; None for none.
        real_widths: layers and widths of what a batch's `real_source` will hold; None where no
            discriminator teaches.

    Raises:
        UserError: settings that contradict each other, or a backbone that can't be built.
    """
    settings = config.method
    _check(settings, source_widths)
    student, side = config.student, config.images.side
    stem = default_stem(student.arch, side) if student.stem == "auto" else student.stem
    backbone = build_backbone(student.arch, stem, side)
    width = num_features(backbone)
    layers, hidden = settings.projector_layers, settings.projector_dim
    embed_dim = settings.embed_dim or _EMBED_DIM
    if settings.name == "simsiam":
        return SimSiam(
            backbone,
            simsiam_projector(width, embed_dim, layers, hidden),
            simsiam_predictor(embed_dim, settings.predictor_dim),
            settings.alpha,
        )
    if settings.name == "vicreg":
        return VICReg(backbone, projector(width, embed_dim, layers, hidden), settings)
    if settings.name == "emp-ssl":
        # Normalized afterwards, so that a bias is not without effect.
        return EmpSSL(backbone, projector(width, embed_dim, layers, hidden, bias=True), settings)
    if settings.name == "encoding":
        assert generator is not None
        noise = config.source.noise
        resynthesis = Resynthesis(generator, perceptual, noise)
        head = projector(width, resynthesis.width, layers, hidden)
        return Encoding(backbone, head, resynthesis, settings.alpha)
    target: Squeeze | RawTarget | None = None
    if settings.alpha > 0 and source_widths is not None:
        if settings.target == "squeeze":
            target = Squeeze(source_widths, settings.hidden_dim, embed_dim)
        else:
            embed_dim = sum(source_widths.values())
            raw = settings.target == "raw"
            target = RawTarget() if raw else StandardizedTarget(source_widths)
    embed = projector(width, embed_dim, layers, hidden)
    real = None
    if real_widths is not None:
        # After all others, whose first weights are then those of a run without it.
        head = projector(width, sum(real_widths.values()), layers, hidden)
        real = head, StandardizedTarget(real_widths, "discriminator")
    return SqueezeSpan(backbone, embed, target, settings, real)


def _check(settings: MethodConfig, source_widths: Mapping[str, int] | None) -> None:
    if settings.name == "encoding" and source_widths is not None:
        _check_width(settings, source_widths, "with method.name encoding", "w of every layer")
    if settings.name != "squeeze-span":
        return
    if settings.alpha > 0 and not source_widths:
        raise UserError("squeeze-span with method.alpha above 0 needs a generator; give --gan FILE")
    if settings.alpha == 0 or source_widths is None or settings.target == "squeeze":
        return
    if settings.regularize != "student":
        raise UserError(
            f"method.regularize is {settings.regularize}, but with method.target "
            f"{settings.target} there is no squeeze module to regularize; set it to student"
        )
    how = f"with method.target {settings.target}"
    _check_width(settings, source_widths, how, "the generator's features")


def _check_width(
    settings: MethodConfig, source_widths: Mapping[str, int], how: str, what: str
) -> None:
    width = sum(source_widths.values())
    if settings.embed_dim not in (None, width):
        raise UserError(
            f"method.embed_dim is {settings.embed_dim}, but {how} the embedding is as wide as "
            f"{what}, {width}; leave it out"
        )
