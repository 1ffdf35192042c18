"""Self-supervised baselines as their field tunes them today, at their own scale and small.

VICReg and SimSiam have the recipes that solo-learn publishes for CIFAR (da Costa et al. 2022;
github.com/vturrisi/solo-learn, scripts/pretrain/cifar, commit 9187ea3), EMP-SSL its authors'
(Tong et al. 2023; github.com/tsb0601/EMP-SSL, commit 8fc3758). What is ours in all of them: crops
are resized bilinearly with antialiasing, images are normalized by their own data set's statistics,
and some of train is held out for the kNN monitor. The small ones keep batch, optimizer, projector
and augmentation, and are as long as VICReg's small preset in passes through the student; EMP-SSL
needs no rise of the learning rate, the rise of the others takes one epoch in place of ten of a
thousand.
"""

from dataclasses import replace
from functools import partial
from typing import Literal

from squeezespan.config import (
    AugmentConfig,
    DistillConfig,
    MethodConfig,
    MonitorConfig,
    OptimConfig,
    TrainConfig,
)
from squeezespan.presets import mini, paper
from squeezespan.presets.registry import register

__all__ = ["register_all"]

_Scale = Literal["cifar10", "cifar100", "mini"]

_SCALES: tuple[_Scale, ...] = ("cifar10", "cifar100", "mini")
_PUBLISHED = TrainConfig(epochs=1000, batch_size=256)
_EMP_BATCH = 100
_EMP_RATE = 0.3
_EMP_EPOCHS = 30


def vicreg(scale: _Scale) -> DistillConfig:
    """VICReg as solo-learn tunes it{where}: LARS, three projector layers of 2048, solarization.

    {more}Hardware, time and accuracy: unmeasured.
    """
    return _config(
        scale,
        MethodConfig("vicreg", 0.0, projector_layers=3, projector_dim=2048, embed_dim=2048),
        OptimConfig("lars", base_lr=0.3, weight_decay=1e-4, trust=0.02, schedule="step"),
        AugmentConfig(saturation=0.2, solarize=0.1),
    )


def simsiam(scale: _Scale) -> DistillConfig:
    """SimSiam as solo-learn tunes it{where}: three projector layers of 2048, smaller crops, blur.

    {more}Hardware, time and accuracy: unmeasured.
    """
    return _config(
        scale,
        MethodConfig("simsiam", 0.0, projector_layers=3, projector_dim=2048, embed_dim=2048),
        OptimConfig(base_lr=0.5, weight_decay=1e-5, schedule="step"),
        AugmentConfig(crop_scale=(0.08, 1.0), blur=0.5),
    )


def emp_ssl(scale: _Scale) -> DistillConfig:
    """EMP-SSL as its authors tune it{where}: 20 patches of a quarter of the image, LARS.

    {more}Its students have seen patches alone, and its authors judge them by patches, too (`probe
    --patches`). Hardware, time and accuracy: unmeasured.
    """
    method = MethodConfig(
        "emp-ssl", 0.0, projector_layers=3, projector_dim=4096, embed_dim=1024, patches=20
    )
    optim = OptimConfig(
        "lars",
        # 0.3 for their batch.
        base_lr=_EMP_RATE * 256 / _EMP_BATCH,
        nesterov=True,
        weight_decay=1e-4,
        trust=0.005,
        schedule="step",
    )
    augment = AugmentConfig(
        crop_scale=(0.25, 0.25), crop_ratio=(1.0, 1.0), hue=0.2, blur=0.1, solarize=0.1
    )
    published = TrainConfig(epochs=_EMP_EPOCHS, batch_size=_EMP_BATCH)
    config = _config(scale, method, optim, augment, published, method.patches, warmup_epochs=0.0)
    return replace(config, monitor=MonitorConfig(knn_every=1))


def _config(
    scale: _Scale,
    method: MethodConfig,
    optim: OptimConfig,
    augment: AugmentConfig,
    published: TrainConfig = _PUBLISHED,
    views: int = 2,
    warmup_epochs: float = 10.0,
) -> DistillConfig:
    if scale == "mini":
        base = mini.mini_config("vicreg", 0.0)
        batch = published.batch_size
        train = replace(base.train, batch_size=batch, max_steps=mini.PASSES // (batch * views))
        optim = replace(optim, warmup_epochs=min(warmup_epochs, 1.0))
    else:
        base = paper.vicreg(paper.ROWS[scale], 0.0)
        train = published
        optim = replace(optim, warmup_epochs=warmup_epochs)
    return replace(base, train=train, method=method, optim=optim, augment=augment)


def register_all() -> None:
    """Register the strong baselines on CIFAR and small."""
    named = (
        ("vicreg-strong", vicreg, "1,000 epochs. "),
        ("simsiam-strong", simsiam, "1,000 epochs. "),
        ("emp-ssl", emp_ssl, "30 epochs, the longest of its paper on CIFAR. "),
    )
    for prefix, build, length in named:
        for scale in _SCALES:
            small = scale == "mini"
            where = ", small, for a CPU" if small else f" on {paper.ROWS[scale].title}"
            more = "" if small else length
            register(f"{prefix}-{scale}", partial(build, scale), where=where, more=more)
