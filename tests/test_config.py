"""Settings survive a file, and a mistake in them is named before anything runs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from squeezespan.config import (
    DistillConfig,
    MethodConfig,
    config_from_dict,
    load_config,
    validate,
)
from squeezespan.errors import UserError
from squeezespan.presets import list_presets
from squeezespan.settings import to_dict


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: str(preset.name))
def test_every_preset_survives_json(preset: Any, tmp_path: Path) -> None:
    config = replace(preset.build(), gan="gan.safetensors")
    file = tmp_path / "config.json"
    file.write_text(json.dumps(to_dict(config)))
    assert load_config(file) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"optim": {"base_lrr": 1.0}}, "unknown setting optim.base_lrr .*optim.base_lr?"),
        ({"trian": {}}, "unknown setting trian .*train?"),
        ({"method": {"name": "vicrag"}}, "method.name is 'vicrag'.*one of.*mean vicreg?"),
        ({"train": {"epochs": "ten"}}, "train.epochs is 'ten'.*whole number"),
        ({"train": {"epochs": 1.5}}, "train.epochs is 1.5.*whole number"),
        ({"train": {"seed": True}}, "train.seed is True.*whole number"),
        ({"train": {"max_steps": 0}}, "train.max_steps is 0.*at least 1"),
        ({"train": {"batch_size": -4}}, "train.batch_size is -4.*at least 2"),
        ({"method": {"alpha": 1.2}}, "method.alpha is 1.2.*at most 1"),
        ({"augment": {"enabled": "no"}}, "augment.enabled is 'no'.*true or false"),
        ({"method": {"target": "standardised"}}, r"method\.target.*mean standardized"),
        ({"optim": {"base_lr": float("nan")}}, "optim.base_lr is nan.*finite"),
        ({"optim": {"clip_grad_norm": 0}}, "optim.clip_grad_norm is 0.*above 0"),
        ({"images": {"resolution": 2}}, "images.resolution is 2.*at least 8"),
        ({"images": {"resolution": "big"}}, "images.resolution is 'big'.*a whole number or auto"),
        ({"images": {"load_resolution": 2}}, "images.load_resolution is 2.*at least 8"),
        ({"augment": {"crop_scale": [0.2]}}, "augment.crop_scale.*2 values"),
        ({"augment": {"crop_scale": [0.5, 0.2]}}, "augment.crop_scale.*low to high"),
        ({"augment": {"crop_ratio": [2.0, 0.5]}}, "augment.crop_ratio.*low to high"),
        ({"augment": {"solarize": 1.5}}, "augment.solarize is 1.5.*at most 1"),
        ({"method": {"patches": 1}}, "method.patches is 1.*at least 2"),
        ({"method": {"projector_dim": 64, "projector_layers": 1}}, "no hidden layer; leave it out"),
        ({"optim": {"nesterov": True, "momentum": 0}}, "optim.nesterov.*optim.momentum above 0"),
        ({"optim": {"optimizer": "lasr"}}, "optim.optimizer is 'lasr'.*mean lars?"),
        ({"monitor": {"loggers": ["tensorbord"]}}, "monitor.loggers is 'tensorbord'"),
        ({"gan": None}, "method.alpha is 0.5.*needs a generator"),
        ({"images": {"holdout": 0}}, "images.holdout is 0.*monitor.knn_every to 0"),
        ({"optim": {"warmup_epochs": 900}}, "optim.warmup_epochs is 900.*800 epochs"),
        (
            {"optim": {"base_lr": 10**400}},
            "base_lr is a number of more than 30 digits, which",
        ),
        ({"method": {"embed_dim": 10**400}}, "method.embed_dim is a number of more than 30 digits"),
        ({"train": {"seed": 2**70}}, "train.seed is 1180591620717411303424.*at most"),
        ({"train": 3}, "train must hold settings by name"),
        (
            {"method": {"name": "simsiam", "covariance_estimate": "unbiased"}},
            "unbiased has no use, as simsiam has no covariance term",
        ),
        (
            {"method": {"covariance": 0, "covariance_estimate": "unbiased"}},
            "no use where method.covariance is 0",
        ),
        (
            {"method": {"alpha": 1, "target": "raw", "covariance_estimate": "unbiased"}},
            "with method.target raw synthetic images have no covariance term",
        ),
        (
            {"source": {"statistics": "mean-std"}, "method": {"name": "vicreg"}},
            "statistics mean-std has no use, as vicreg with method.alpha 0.5 looks at no block",
        ),
        (
            {"source": {"latent": True, "kind": "latent"}},
            "source.latent true has no use where source.kind is latent",
        ),
        (
            {"augment": {"synthetic": 0.5, "enabled": False}},
            "augment.synthetic 0.5 has no use where augment.enabled is false",
        ),
        (
            {"augment": {"synthetic": 0.5}, "method": {"alpha": 0}},
            "as method.alpha 0 has no synthetic images",
        ),
        (
            {"source": {"nearby": 0.2}, "method": {"name": "vicreg", "alpha": 0}},
            "source.nearby 0.2 has no use, as vicreg with method.alpha 0 compares no two synthetic",
        ),
        ({"source": {"nearby": 0.2}, "method": {"name": "emp-ssl"}}, "has no use, as emp-ssl with"),
        (
            {"method": {"real_teacher": 3}},
            "method.real_teacher is 3, but there is no discriminator.*give discriminator ",
        ),
        ({"discriminator": "gan.pkl"}, "must be discriminator:FILE or discriminator-multi:FILE"),
        (
            {"discriminator": "discriminator:x", "method": {"alpha": 1}},
            "teaches the real images of method.name squeeze-span; squeeze-span with method.alpha 1",
        ),
        (
            {"discriminator": "discriminator:x", "method": {"name": "vicreg"}},
            "vicreg with .*no use",
        ),
        (
            {"discriminator": "discriminator:x", "method": {"real_teacher": 0}},
            "method.real_teacher 0 leaves nothing",
        ),
        (
            {"method": {"mixture": "separate"}},
            "method.mixture separate is for method.name vicreg.*not for squeeze-span.*leave it out",
        ),
        (
            {"method": {"name": "vicreg", "alpha": 1, "mixture": "separate"}},
            "not for vicreg with method.alpha 1; leave it out",
        ),
    ],
)
def test_a_mistake_is_named_with_its_section(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        config_from_dict(values)


def test_what_python_code_builds_is_checked_too() -> None:
    config = DistillConfig(method=MethodConfig(alpha=-0.1))
    with pytest.raises(UserError, match=r"method\.alpha is -0\.1"):
        validate(config)


def test_real_images_alone_need_no_generator() -> None:
    validate(DistillConfig(gan=None, method=MethodConfig("vicreg", 0.0)))


@pytest.mark.parametrize("content", ["{", "[]", "\xff", "9" * 5000, "[" * 100_000])
def test_a_file_that_is_no_configuration_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"config\.json"):
        load_config(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.json"):
        load_config(tmp_path / "nowhere.json")
