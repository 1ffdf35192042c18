"""Settings in JSON, TOML and YAML: the same values, and one line for what can't be read."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from squeezespan.cli.main import main
from squeezespan.config import DistillConfig, MethodConfig, OptimConfig, TrainConfig, load_config
from squeezespan.errors import UserError
from squeezespan.presets import find_preset
from squeezespan.settings import to_dict

TOML = """
gan = "builtin:stylegan2-cifar10"  # the shipped one

[method]
alpha = 1
[optim]
base_lr = 1e-3
[augment]
crop_scale = [0.5, 1.0]
enabled = false
"""
YAML = """
gan: builtin:stylegan2-cifar10  # the shipped one
method: {alpha: 1}
optim:
  base_lr: 1e-3
augment:
  crop_scale: [0.5, 1.0]
  enabled: false
"""


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_three_formats_say_the_same(tmp_path: Path) -> None:
    from_toml = load_config(written(tmp_path, "run.toml", TOML))
    from_yaml = load_config(written(tmp_path, "run.YML", YAML))
    from_json = load_config(written(tmp_path, "run", json.dumps(to_dict(from_toml))))
    assert from_toml == from_yaml == from_json
    assert from_yaml.optim.base_lr == 0.001
    assert from_yaml.augment.crop_scale == (0.5, 1.0)
    assert not from_yaml.augment.enabled
    assert from_yaml.train == TrainConfig()


def test_a_null_is_none(tmp_path: Path) -> None:
    text = "gan: null\nmethod: {alpha: 0, name: vicreg}\noptim: {clip_grad_norm: ~}"
    config = load_config(written(tmp_path, "run.yaml", text))
    assert config == DistillConfig(gan=None, method=MethodConfig("vicreg", 0.0))


def test_anchors_and_merges_of_yaml_are_followed(tmp_path: Path) -> None:
    text = "monitor: &often {log_every: 5}\nimages: {holdout: &share 0.25}\nmethod: {alpha: *share}"
    config = load_config(written(tmp_path, "run.yaml", text))
    assert (config.monitor.log_every, config.images.holdout, config.method.alpha) == (5, 0.25, 0.25)


def test_yaml_is_version_1_2_in_which_no_is_a_word(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"source\.noise is 'no', but must be one of .*mean none"):
        load_config(written(tmp_path, "run.yaml", "source: {noise: no}"))


def test_a_mark_of_byte_order_is_no_part_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"train": {"seed": 3}}).encode())
    assert load_config(file).train.seed == 3


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "gan = \n", "a.toml is not valid TOML: .*line 1"),
        ("a.toml", "gan = 'a'\ngan = 'b'\n", "a.toml is not valid TOML: .*overwrite.*line 2"),
        ("a.toml", "[train]\nepochs = 2026-01-31", "train.epochs is the date or time 2026-01-31"),
        (
            "a.toml",
            "[train]\nmax_steps = 'None'",
            "max_steps is 'None', but must be",
        ),
        ("a.toml", "train = 3", "a.toml: train must hold settings by name"),
        ("a.yaml", "gan: [a", "a.yaml is not valid YAML: .*line 1"),
        ("a.yaml", "gan: a\ngan: b", "a.yaml is not valid YAML: .*duplicate key.*line 2"),
        ("a.yaml", "train: {epochs: 2026-01-31}", "train.epochs is the date or time 2026-01-31"),
        (
            "a.yaml",
            "gan: !!python/object:os.system {}",
            "not valid YAML: .*python/object",
        ),
        ("a.yaml", "gan: *nobody", "a.yaml is not valid YAML: .*undefined alias.*nobody"),
        ("a.yaml", "gan: a\n---\ngan: b", "a.yaml is not valid YAML: .*document"),
        ("a.yaml", "method: &all {name: *all}", r"method.name is \{.*\}, but must be one of"),
        ("a.yaml", "train:", "a.yaml: train must hold settings by name"),
        ("a.yaml", "train: {seed: }", "train.seed is None, but must be a whole number"),
        ("a.yaml", "3: 4", "a.yaml: unknown setting 3"),
        ("a.yaml", "", "a.yaml: the file must hold settings by name"),
        ("a.yaml", "\x07", "a.yaml is not valid YAML: "),
        ("a.json", '{"gan": "a", "gan": "b"}', "a.json is not valid JSON: gan is given twice"),
        ("a.json", YAML, "a.json is not valid JSON: "),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file_s_key(
    name: str, text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, name, text)
    with pytest.raises(UserError, match=message):
        load_config(file)
    for command in (["distill"], ["gan", "train"]):
        assert main([*command, "--config", str(file), "--out", str(tmp_path / "run")]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1
        assert name in error
        assert len(error) < 500


def test_anchors_that_multiply_do_not_fill_the_message(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    file = written(tmp_path, "bomb.yaml", "method:\n  name:\n    " + "\n    ".join(rows))
    with pytest.raises(UserError, match=r"method\.name is .*must be one of") as caught:
        load_config(file)
    assert len(str(caught.value)) < 1000


def test_a_preset_survives_yaml(tmp_path: Path) -> None:
    config = replace(find_preset("squeeze-span-mini").build(), gan="näher.safetensors")
    # JSON is YAML, too.
    file = written(tmp_path, "run.yaml", json.dumps(to_dict(config), ensure_ascii=False))
    assert load_config(file) == config


@pytest.mark.parametrize("kind", ["toml", "yaml"])
def test_the_page_s_files_can_be_read(kind: str, tmp_path: Path) -> None:
    page = Path(__file__).parents[1] / "docs" / "command-line.md"
    (text,) = re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    config = load_config(written(tmp_path, f"run.{kind}", text))
    assert config == DistillConfig(
        data="folder:IMAGES",
        gan="GAN.safetensors",
        train=TrainConfig(epochs=100, batch_size=256),
        optim=OptimConfig(base_lr=0.06),
    )
