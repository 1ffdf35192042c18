"""Presets hold the numbers of the appendix, and the small ones can be compared."""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import make_images

from squeezespan.errors import UserError
from squeezespan.experiments.catalog.demo import DEMO
from squeezespan.experiments.catalog.search import SEARCH, SEARCH_DEMO
from squeezespan.experiments.cells import passes_per_image
from squeezespan.experiments.experiment import Arm
from squeezespan.presets import find_preset, list_presets
from squeezespan.presets.gan import GAN_PRESETS, find_gan_preset
from squeezespan.settings import changed

ROOT = Path(__file__).parents[2]
STRONG = ("vicreg-strong", "simsiam-strong", "emp-ssl")


@pytest.mark.parametrize(
    ("name", "batch", "epochs", "base_lr", "decay", "side", "blur", "weights"),
    [
        ("squeeze-span-cifar10", 512, 800, 0.03, 5e-4, 32, 0.0, (25, 25, 1)),
        ("squeeze-span-cifar100", 512, 800, 0.03, 5e-4, 32, 0.0, (10, 10, 1)),
        ("squeeze-span-stl10", 512, 200, 0.05, 1e-4, 64, 0.5, (25, 25, 1)),
        ("squeeze-span-imagenet100", 256, 100, 0.05, 1e-4, 96, 0.5, (25, 25, 1)),
        ("squeeze-span-imagenet", 256, 100, 0.05, 1e-4, 96, 0.5, (25, 25, 1)),
        ("vicreg-mixed-cifar100", 512, 800, 0.03, 5e-4, 32, 0.0, (25, 25, 1)),
        ("vicreg-mixed-imagenet", 256, 100, 0.05, 1e-4, 96, 0.5, (25, 25, 1)),
    ],
)
def test_paper_presets_have_the_appendix_numbers(
    name: str,
    batch: int,
    epochs: int,
    base_lr: float,
    decay: float,
    side: int,
    blur: float,
    weights: tuple[float, float, float],
) -> None:
    config = find_preset(name).build()
    assert (config.train.batch_size, config.train.epochs) == (batch, epochs)
    assert (config.optim.base_lr, config.optim.weight_decay) == (base_lr, decay)
    assert (config.images.resolution, config.augment.blur) == (side, blur)
    method = config.method
    assert (method.invariance, method.variance, method.covariance) == weights
    assert method.alpha == 0.5


def test_domains_differ_in_alpha_alone() -> None:
    alphas = [
        find_preset(f"simsiam-{domain}-stl10").build().method.alpha
        for domain in ("real", "syn", "mixed")
    ]
    assert alphas == [0.0, 1.0, 0.5]
    assert find_preset("squeeze-stl10").build().method.alpha == 1.0


def test_standardized_twins_differ_in_the_target_alone() -> None:
    for name in ("squeeze-span-stl10", "squeeze-imagenet100", "squeeze-span-cifar10"):
        paper, twin = find_preset(name).build(), find_preset(f"{name}-standardized").build()
        assert (paper.method.target, twin.method.target) == ("squeeze", "standardized")
        assert replace(twin, method=replace(twin.method, target="squeeze")) == paper


def test_vanilla_regresses_alone_with_the_authors_weight() -> None:
    for scale in ("cifar10", "cifar100", "mini"):
        for name, kind, augmented in (
            ("vanilla", "feature", True),
            ("vanilla-noaug", "feature", False),
            ("vanilla-latent", "latent", True),
            ("vanilla-latent-noaug", "latent", False),
        ):
            config = find_preset(f"{name}-{scale}").build()
            method = config.method
            assert (method.alpha, method.target, method.invariance) == (1.0, "raw", 1.0)
            assert (config.source.kind, config.augment.enabled) == (kind, augmented)


def test_the_ablation_takes_one_term_after_the_other() -> None:
    names = ("ablation-c-cifar10", "ablation-d-cifar10", "squeeze-cifar10", "squeeze-span-cifar10")
    configs = [find_preset(name).build() for name in names]
    methods = [config.method for config in configs]
    assert [(m.variance, m.covariance) for m in methods] == [(0, 0), (25, 0), (25, 1), (25, 1)]
    assert [m.alpha for m in methods] == [1, 1, 1, 0.5]
    assert {m.target for m in methods} == {"squeeze"}
    bare = {replace(m, variance=0, covariance=0, alpha=1) for m in methods}
    assert len(bare) == 1


def test_a_source_is_all_that_differs_from_squeeze() -> None:
    for name, plain in (
        ("squeeze-latent-cifar100", "squeeze-cifar100"),
        ("squeeze-span-latent-cifar10-standardized", "squeeze-span-cifar10-standardized"),
        ("squeeze-b64-b128-stl10", "squeeze-stl10"),
        ("squeeze-span-latent-mini", "squeeze-span-mini"),
        ("squeeze-latent-paper-mini", "squeeze-paper-mini"),
        ("squeeze-b4-b8-mini", "squeeze-mini"),
    ):
        config, squeeze = find_preset(name).build(), find_preset(plain).build()
        assert config.source != squeeze.source
        assert replace(config, source=squeeze.source) == squeeze


def test_encoding_has_the_papers_batch_and_learning_rate() -> None:
    for name, alpha in (("encoding-syn-cifar10", 1.0), ("encoding-mixed-cifar100", 0.5)):
        config = find_preset(name).build()
        assert (config.train.batch_size, config.optim.base_lr) == (128, 0.01)
        assert (config.method.alpha, config.method.projector_layers) == (alpha, 2)
        assert (config.method.perceptual, config.augment.enabled) == ("lpips", False)
    assert find_preset("encoding-syn-mini").build().method.perceptual == "efficientnet-lite0"


def test_small_presets_regress_the_standardized_target_and_have_the_papers_beside() -> None:
    for name in ("squeeze", "squeeze-span"):
        own, paper = (find_preset(f"{name}{end}").build() for end in ("-mini", "-paper-mini"))
        assert (own.method.target, paper.method.target) == ("standardized", "squeeze")
        assert own.method.alpha == paper.method.alpha


def test_simsiam_has_a_deeper_projector_for_larger_images() -> None:
    assert find_preset("simsiam-real-cifar10").build().method.projector_layers == 2
    assert find_preset("simsiam-real-stl10").build().method.projector_layers == 3


def test_stl10_also_learns_from_unlabelled_images() -> None:
    assert find_preset("vicreg-real-stl10").build().images.unlabeled


def test_small_presets_see_equally_many_images_with_the_same_student() -> None:
    small = {p.name: p.build() for p in list_presets() if p.name.endswith("-mini")}
    ours = [config for name, config in small.items() if name.removesuffix("-mini") not in STRONG]
    assert len(ours) == 28
    assert len({(c.train, c.student, replace(c.optim, base_lr=1.0)) for c in ours}) == 1


SEARCHED = (
    "vicreg-real",
    "vicreg-mixed",
    "simsiam-real",
    "squeeze-standardized",
    "squeeze-span-standardized",
    "squeeze-span",
)


def searched(name: str) -> dict[str, float]:
    """Accuracy of each trial of a search, by logistic regression on held-out images."""
    file = ROOT / "results" / "mini-cifar10" / name / "table.csv"
    with file.open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["protocol"] == "logistic"]
    return {row["arm"]: float(row["accuracy"]) for row in rows}


@pytest.mark.parametrize("method", SEARCHED)
def test_small_presets_have_the_settings_of_their_best_trial(method: str) -> None:
    found = searched("search")
    trials = [arm for arm in SEARCH.arms if arm.key.rpartition("--")[0] == method]
    assert len(trials) == 5
    best = max(trials, key=lambda arm: found[arm.key])
    # The preset is the trial's, so that the trial changes nothing of it but the monitor.
    preset = find_preset(best.mini).build()
    trial = changed(preset, best.mini_changes, where="search")
    assert replace(trial, monitor=preset.monitor) == preset
    others = [
        changed(preset, arm.mini_changes, where="search") for arm in trials if arm is not best
    ]
    assert all(replace(other, monitor=preset.monitor) != preset for other in others)


@pytest.mark.parametrize("arm", DEMO.arms, ids=lambda arm: arm.key)
def test_the_demo_has_the_settings_of_its_own_best_trials(arm: Arm) -> None:
    trials = [trial for trial in SEARCH_DEMO.arms if trial.mini == arm.mini]
    assert len(trials) == 5
    found = searched("search-demo")
    best = max(trials, key=lambda trial: found[trial.key])
    preset = find_preset(arm.mini).build()
    demo = changed(preset, arm.mini_changes, where="demo")
    trial = changed(preset, best.mini_changes, where="search-demo")
    assert (demo.method, demo.augment) == (trial.method, trial.augment)
    assert demo.optim.base_lr == trial.optim.base_lr


def test_small_baselines_make_as_many_passes_through_the_same_student() -> None:
    usual = find_preset("vicreg-real-mini").build()
    for name in STRONG:
        config = find_preset(f"{name}-mini").build()
        passes = [
            one.train.batch_size * (one.train.max_steps or 0) * passes_per_image(one.method)
            for one in (config, usual)
        ]
        assert passes == [1_792_000] * 2
        assert (config.student, config.images) == (usual.student, usual.images)


@pytest.mark.parametrize(
    ("name", "epochs", "batch", "rate", "optim", "projector", "augment"),
    [
        (
            "vicreg-strong",
            1000,
            256,
            0.3,
            {"optimizer": "lars", "weight_decay": 1e-4, "trust": 0.02, "warmup_epochs": 10},
            (3, 2048, 2048),
            {"crop_scale": (0.2, 1.0), "saturation": 0.2, "solarize": 0.1, "blur": 0.0},
        ),
        (
            "simsiam-strong",
            1000,
            256,
            0.5,
            {"optimizer": "sgd", "weight_decay": 1e-5, "nesterov": False, "warmup_epochs": 10},
            (3, 2048, 2048),
            {"crop_scale": (0.08, 1.0), "saturation": 0.4, "solarize": 0.0, "blur": 0.5},
        ),
        (
            "emp-ssl",
            30,
            100,
            0.3,
            {"optimizer": "lars", "nesterov": True, "trust": 0.005, "warmup_epochs": 0},
            (3, 4096, 1024),
            {"crop_scale": (0.25, 0.25), "crop_ratio": (1.0, 1.0), "hue": 0.2, "blur": 0.1},
        ),
    ],
)
def test_strong_baselines_have_the_published_numbers(
    name: str,
    epochs: int,
    batch: int,
    rate: float,
    optim: dict[str, Any],
    projector: tuple[int, int, int],
    augment: dict[str, Any],
) -> None:
    whole = [find_preset(f"{name}-{scale}").build() for scale in ("cifar10", "cifar100", "mini")]
    assert [config.train.epochs for config in whole[:2]] == [epochs] * 2
    for config in whole:
        method = config.method
        assert config.train.batch_size == batch
        assert config.optim.base_lr * batch / 256 == pytest.approx(rate)
        rise = optim["warmup_epochs"] if config is not whole[2] else min(optim["warmup_epochs"], 1)
        wanted = {**optim, "warmup_epochs": rise}
        assert {key: getattr(config.optim, key) for key in wanted} == wanted
        assert (method.projector_layers, method.projector_dim, method.embed_dim) == projector
        assert {key: getattr(config.augment, key) for key in augment} == augment
        assert method.alpha == 0
    method = find_preset("emp-ssl-cifar10").build().method
    constants = (method.patches, method.similarity, method.coding_rate, method.coding_eps)
    assert constants == (20, 200, 1, 0.2)


def test_every_preset_says_what_it_is() -> None:
    for preset in list_presets():
        assert preset.summary.endswith(".")
        assert "{" not in preset.description


DESCRIPTIONS = {
    **{preset.name: preset.description for preset in list_presets()},
    **{name: build.__doc__ or "" for name, build in GAN_PRESETS.items()},
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_every_preset_has_figures_with_their_file_or_is_called_unmeasured(name: str) -> None:
    """Accuracies and distances must stand in the folder of results that is named."""
    words = " ".join(DESCRIPTIONS[name].split())
    if (named := re.search(r"\bresults/[\w-]+", words)) is None:
        assert "unmeasured" in words
        return
    folder = ROOT / named[0]
    assert re.search(r"\d (minutes|hours)", words), "how long did it take?"
    held = "".join(
        file.read_text("utf-8") for file in folder.rglob("*") if file.suffix in (".md", ".csv")
    )
    figures = re.findall(r"\b\d+\.\d+(?=%|\b)", words)
    assert figures or "stand in results/" in words
    for figure in figures:
        assert figure in held or f"{float(figure) / 100:.3f}" in held, figure


def test_a_misspelt_name_is_suggested() -> None:
    with pytest.raises(UserError, match=r"squeze-mini.*mean squeeze-mini\?"):
        find_preset("squeze-mini")


def test_a_preset_of_gan_training_is_told_apart() -> None:
    with pytest.raises(UserError, match="'stylegan2-cpu' is one of `squeezespan gan train`"):
        find_preset("stylegan2-cpu")


def test_settings_change_in_one_call() -> None:
    preset = find_preset("squeeze-span-mini")
    changed = preset.build(gan="GAN.pkl", train={"max_steps": 20}, augment={"crop_scale": (0.5, 1)})
    usual = preset.build()
    assert (changed.gan, changed.train.max_steps) == ("GAN.pkl", 20)
    assert changed.augment.crop_scale == (0.5, 1.0)
    train = replace(changed.train, max_steps=usual.train.max_steps)
    assert replace(changed, gan=usual.gan, train=train, augment=usual.augment) == usual


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"max_step": 20}}, r"unknown setting train.max_step \(did you mean train.max_"),
        ({"trian": {"max_steps": 20}}, r"unknown setting trian \(did you mean train\?\)"),
        ({"train": {"max_steps": "20"}}, "train.max_steps is '20', but must be a whole number"),
        ({"train": {"max_steps": 0}}, "train.max_steps is 0, but must be at least 1"),
        ({"train": 20}, "train must hold settings by name"),
    ],
)
def test_a_change_that_is_none_is_refused_in_one_line(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=f"^preset squeeze-span-mini: {message}"):
        find_preset("squeeze-span-mini").build(**changes)


def test_gan_presets_are_built_alike(tmp_path: Path) -> None:
    config = find_gan_preset("stylegan2-cpu").build(data="folder:IMAGES", train={"kimg": 10})
    assert config.data == "folder:IMAGES"
    assert config.train == replace(GAN_PRESETS["stylegan2-cpu"]().train, kimg=10)
    with pytest.raises(UserError, match="auto looks at the images: name their data spec"):
        find_gan_preset("auto")
    make_images(tmp_path / "images")
    assert find_gan_preset("auto", f"folder:{tmp_path / 'images'}").build().data
