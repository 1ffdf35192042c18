"""The settings of a distillation run; presets fill them, the command line overrides them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from squeezespan.contradictions import contradiction
from squeezespan.errors import UserError
from squeezespan.opening import OpeningConfig
from squeezespan.settings import (
    Range,
    Seed,
    Spelling,
    TestShare,
    check_ranges,
    from_dict,
    from_file,
    located,
)

__all__ = [
    "AugmentConfig",
    "CovarianceEstimate",
    "DistillConfig",
    "ImagesConfig",
    "MethodConfig",
    "MonitorConfig",
    "OptimConfig",
    "Perceptual",
    "SourceConfig",
    "StudentConfig",
    "TrainConfig",
    "config_from_dict",
    "load_config",
    "validate",
]

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Perceptual = Literal["lpips", "efficientnet-lite0", "none"]
CovarianceEstimate = Literal["sample", "unbiased"]
LoggerName = Literal["tensorboard", "wandb", "mlflow"]

Share = Annotated[float, Range(0, 1)]
NotNegative = Annotated[float, Range(0)]
Count = Annotated[int, Range(1, 1_000_000_000)]


@dataclass(frozen=True)
class MethodConfig:
    """What is learnt from what. `squeeze` alone is squeeze-span with alpha 1."""

    name: Literal["squeeze-span", "vicreg", "simsiam", "emp-ssl", "encoding"] = "squeeze-span"
    """`simsiam` and `vicreg` learn from two views of an image, `emp-ssl` from many;
    `squeeze-span` also from a generator, whose latents `encoding` predicts."""
    alpha: Share = 0.5
    """Share of synthetic images in the batch and weight of their loss, 0 to 1."""
    invariance: NotNegative = 25.0
    """lambda, weight of the mean squared error."""
    variance: NotNegative = 25.0
    """mu, weight of the variance term."""
    covariance: NotNegative = 1.0
    """nu, weight of the covariance term."""
    regularize: Literal["student", "squeeze", "both"] = "student"
    """Whose embedding of the synthetic images the variance and covariance terms see."""
    target: Literal["squeeze", "standardized", "raw"] = "squeeze"
    """What is regressed: `squeeze`, what the squeeze module learns to make of the generator's
    features (the paper's); `standardized`, those features, each channel with mean 0 and standard
    deviation 1; `raw`, the features as they are (vanilla distillation)."""
    embed_dim: Count | None = None
    """Width of the embedding; None: 2048, or that of the generator's features where they are the
    target."""
    hidden_dim: Count = 2048
    """Width of the squeeze module."""
    projector_layers: Count = 5
    """Linear layers of the student's projector (SimSiam: 2 for CIFAR, 3 for larger images)."""
    projector_dim: Count | None = None
    """Width of the projector's hidden layers; None: as wide as the backbone's features."""
    predictor_dim: Count = 512
    """Hidden width of SimSiam's predictor."""
    patches: Annotated[int, Range(2, 1000)] = 20
    """emp-ssl: views of an image, each of them a pass through the student."""
    similarity: NotNegative = 200.0
    """emp-ssl: weight of the cosine of an image's patches with their mean."""
    coding_rate: NotNegative = 1.0
    """emp-ssl: weight of the total coding rate, which keeps embeddings from collapsing."""
    coding_eps: Annotated[float, Range(0, above=True)] = 0.2
    """emp-ssl: squared distortion of the coding rate."""
    perceptual: Perceptual = "lpips"
    """encoding: what the re-synthesised image is compared by, besides its pixels. `lpips`, the
    paper's, fetches AlexNet's weights; `efficientnet-lite0`, another distance, by the network of
    `gan score`; both have seen ImageNet's labels, which the student's file then says."""
    mixture: Literal["joint", "separate"] = "joint"
    """vicreg on real and synthetic images: `joint`, one batch of both, with one set of batch
    statistics and one loss; `separate`, each stream in passes of its own with its own statistics
    and loss, weighed by alpha, where only real images enter the running statistics."""
    covariance_estimate: CovarianceEstimate = "sample"
    """What the covariance term squares: `sample`, the covariances of the batch, as VICReg does;
    `unbiased` takes off what independent dimensions have by chance, variance times variance /
    (images - 1), so that what is left estimates the squared covariances of all images."""
    real_teacher: NotNegative = 25.0
    """Weight, in the loss of real images, of the mean squared error from the features of the
    `discriminator`, where there is one."""


@dataclass(frozen=True)
class SourceConfig:
    """What is taken from the generator."""

    kind: Literal["feature", "latent"] = "feature"
    """`feature`: maps of the generator's blocks; `latent`: the w (z without a mapping network)."""
    blocks: str = "all"
    """`all`, a range (`b4-b8`) or a comma-separated list (`b4,b16`)."""
    truncation: Share = 1.0
    """Pulls w towards its average: 1 leaves it alone, smaller is less varied."""
    noise: Literal["const", "random", "none"] = "random"
    """Per-pixel noise of families that have it: drawn anew, always the same, or left out."""
    statistics: Literal["mean", "mean-std"] = "mean"
    """What is taken of a block's map: the mean over its area, or the standard deviation over it,
    too, as an input of its own (`b4-std`)."""
    latent: bool = False
    """Take the w (z without a mapping network) besides the maps, as an input of its own."""
    nearby: NotNegative = 0.0
    """Standard deviation of what is added to z, whose own is 1, for the last view of a synthetic
    image: that view is of another image, made nearby. 0: all views are of the same image."""
    reuse: Count = 1
    """Steps that each synthetic image serves in, every time in other views; 1 draws new ones for
    every step. Saves the time of the generator, which for large ones is most of a step's."""
    statistics_images: Annotated[int, Range(2, 1_000_000_000)] = 5000
    """Images that the standardized target is measured on, drawn before the first step."""


@dataclass(frozen=True)
class StudentConfig:
    """The backbone."""

    arch: str = "resnet18"
    """A name of timm's, or `resnet10-narrow` (our small one for CPUs)."""
    stem: Literal["auto", "cifar", "imagenet"] = "auto"
    """`cifar`: 3x3 stride-1 first convolution and no max-pool (ResNets only). `auto`: that for
    ResNets up to 32 pixels, else the architecture's own."""


@dataclass(frozen=True)
class ImagesConfig:
    """How real images are read."""

    resolution: Annotated[int, Range(8)] | Literal["auto"] = "auto"
    """Side of the square that the student sees, pixels. `auto`: the smaller of the images' (the
    median of their short sides) and the GAN's, and 256 at most."""
    load_resolution: Annotated[int, Range(8)] | None = None
    """Side at which real images are kept; augmentation crops from there to `resolution`. None:
    as the data set's own, or `resolution` where its images differ in size."""
    unlabeled: bool = False
    """Also train on the data set's unlabelled split (STL-10 has one)."""
    holdout: Annotated[float, Range(0, 0.9)] = 0.1
    """Share of train kept out of training for monitors and selections; never test data. The
    split depends on the data alone, so that runs of different seeds train on the same images."""
    test_share: TestShare | None = None
    """Share of every class that is kept out of training and its monitors, where the images have no
    test split: those that `probe --test-share` of the same share tests on. None: nothing."""
    limit: Annotated[int, Range(2, 1_000_000_000)] | None = None
    """At most this many real images to learn from, drawn from those not held out; more contain
    fewer, and all seeds have the same. None: all."""

    @property
    def side(self) -> int:
        """`resolution` as a number.

        Raises:
            ValueError: it is `auto` and not settled yet, as preparing a run does.
        """
        if self.resolution == "auto":
            raise ValueError("images.resolution is auto; preparing a run settles it")
        return self.resolution


@dataclass(frozen=True)
class AugmentConfig:
    """MoCo-v2's augmentation, drawn per image."""

    enabled: bool = True
    """Show two augmented views of an image; without, the image itself twice."""
    crop_scale: Annotated[tuple[float, float], Range(0, 1, above=True)] = (0.2, 1.0)
    """Smallest and largest share of an image's area that a random crop takes."""
    crop_ratio: Annotated[tuple[float, float], Range(0, above=True)] = (3 / 4, 4 / 3)
    """Smallest and largest width of a crop over its height; 1 and 1 are squares."""
    flip: Share = 0.5
    """Probability of a horizontal flip."""
    jitter: Share = 0.8
    """Probability of changing the colours, by what the next four say."""
    brightness: NotNegative = 0.4
    """Factor from 1 minus this (0 at least) to 1 plus this."""
    contrast: NotNegative = 0.4
    """Factor from 1 minus this (0 at least) to 1 plus this."""
    saturation: NotNegative = 0.4
    """Factor from 1 minus this (0 at least) to 1 plus this."""
    hue: Annotated[float, Range(0, 0.5)] = 0.1
    """Turns the hue by up to this share of the colour circle, either way."""
    grayscale: Share = 0.2
    """Probability of taking the colours away."""
    blur: Share = 0.0
    """Probability of a Gaussian blur (0.5 in MoCo-v2; off for CIFAR)."""
    blur_sigma: Annotated[tuple[float, float], Range(0, above=True)] = (0.1, 2.0)
    """Smallest and largest standard deviation of the blur, pixels."""
    solarize: Share = 0.0
    """Probability of inverting the pixels that are bright, as BYOL does."""
    synthetic: Share = 1.0
    """Strength of it on synthetic images: 1 is the same as on real ones; below, crops, colour
    changes, blur and all probabilities but that of flips come so much nearer to none."""


@dataclass(frozen=True)
class OptimConfig:
    """SGD or LARS, a cosine schedule to 0; the peak learning rate is base_lr * batch_size / 256."""

    optimizer: Literal["sgd", "lars"] = "sgd"
    """`lars` gives each weight matrix and kernel a learning rate of its own, in proportion to its
    norm over its gradient's; biases and normalisation keep the schedule's and don't decay."""
    base_lr: Annotated[float, Range(0, above=True)] = 0.03
    """Peak learning rate of a batch of 256."""
    momentum: Annotated[float, Range(0, 0.999)] = 0.9
    """Of SGD and LARS."""
    nesterov: bool = False
    """Nesterov's momentum."""
    weight_decay: NotNegative = 5e-4
    """sgd: on every parameter, biases and normalisation included, as the paper does; lars: on
    weight matrices and kernels."""
    trust: Annotated[float, Range(0, above=True)] = 0.001
    """lars: eta, the learning rate's share of a norm (You et al. 2017)."""
    trust_clip: bool = True
    """lars: never beyond the schedule's learning rate (LARC)."""
    schedule: Literal["epoch", "step"] = "epoch"
    """How often the cosine moves: once an epoch, as the paper does, or every step, which suits
    runs of a few epochs."""
    warmup_epochs: NotNegative = 0.0
    """Linear rise of the learning rate, step by step, before the cosine begins."""
    clip_grad_norm: Annotated[float, Range(0, above=True)] | None = None
    """Largest norm of all gradients together; None leaves them alone."""
    accumulate: Count = 1
    """Micro-batches that one batch is split into to save memory; a loss that compares the images
    of a batch then sees one micro-batch at a time."""


@dataclass(frozen=True)
class MonitorConfig:
    """What is watched while training; on the split held out of train, never on test data."""

    knn_every: Annotated[int, Range(0)] = 20
    """Epochs between kNN checks; 0 turns them off."""
    knn_k: Count = 200
    """Neighbours that vote."""
    knn_temperature: Annotated[float, Range(0, above=True)] = 0.1
    """Of the votes' weights."""
    knn_images: Count = 50_000
    """At most this many images of train vote, and at most this many held out are classified."""
    loggers: tuple[LoggerName, ...] = ()
    """Besides `metrics.jsonl`, which is always written."""
    log_every: Count = 20
    """Steps between lines in `metrics.jsonl`."""


@dataclass(frozen=True)
class TrainConfig:
    """The loop. These flags have no section prefix on the command line."""

    epochs: Count = 800
    """Passes over the real images."""
    max_steps: Count | None = None
    """Stop (and end the schedule) after this many optimiser steps, whatever `epochs` says."""
    batch_size: Annotated[int, Range(2)] = 512
    """Global batch: alpha of it synthetic, the rest real images."""
    seed: Seed = 0
    """Draws weights, order, augmentation and latents."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Precision = "auto"
    """auto: bf16 where the hardware computes in it natively, else fp32."""
    num_workers: Annotated[int, Range(0)] = 2
    """Image-decoding workers, where images aren't kept in memory."""
    checkpoint_minutes: NotNegative = 5.0
    """Wall time between checkpoints (0: after every step); one is also written at the end and
    when the run is stopped by SIGTERM or Ctrl-C."""


@dataclass(frozen=True)
class DistillConfig:
    """Everything that determines a run, saved as `config.json` in its folder."""

    data: str = "builtin:cifar10-mini"
    """Data spec of the real images; also sets the length of an epoch for synthetic-only runs."""
    gan: str | None = "builtin:stylegan2-cifar10"
    """Checkpoint file or `builtin:stylegan2-cifar10`; None when alpha is 0."""
    discriminator: str | None = None
    """A second teacher, of real images: `discriminator:FILE` (its last hidden layer) or
    `discriminator-multi:FILE` (the pooled maps of its blocks, too), as `probe` takes them."""
    opening: OpeningConfig = field(default_factory=OpeningConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    method: MethodConfig = field(default_factory=MethodConfig)
    source: SourceConfig = field(default_factory=SourceConfig)
    student: StudentConfig = field(default_factory=StudentConfig)
    images: ImagesConfig = field(default_factory=ImagesConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    monitor: MonitorConfig = field(default_factory=MonitorConfig)


def config_from_dict(values: object, *, where: str = "config") -> DistillConfig:
    """Build a configuration from what `json.load` gives; what is left out keeps its default.

    Args:
        values: nested dicts, as in `config.json`.
        where: what to call the origin in messages.

    Raises:
        UserError: an unknown name, a value of another type, out of range, or that contradicts
            another one; the message names `section.key`.
    """
    config = from_dict(DistillConfig, values, where=where)
    validate(config, where=where)
    return config


def load_config(path: Path) -> DistillConfig:
    """Read a `config.json`, or the same in TOML or YAML.

    Raises:
        UserError: the file cannot be read, or is not a valid configuration.
    """
    config = from_file(DistillConfig, path)
    validate(config, where=str(path))
    return config


def validate(config: DistillConfig, *, where: str = "config", spell: Spelling = str) -> None:
    """Check ranges, and settings against each other, before anything is read or written.

    Args:
        config: the settings.
        where: what to call their origin in messages; empty where names alone say it.
        spell: how messages name a setting.

    Raises:
        UserError: the message names the settings and says what to change.
    """
    check_ranges(config, where=where, spell=spell)
    if problem := contradiction(config, spell):
        raise UserError(located(where, problem))
