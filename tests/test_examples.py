"""The examples run as their pages say."""

import runpy
from pathlib import Path

import pytest
from tiny_runs import make_gan, make_images

_EXAMPLES = Path(__file__).parents[1] / "examples"


def test_one_file_trains_and_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(_EXAMPLES / "one_file.py"))["main"]
    gan = make_gan(tmp_path / "gan.safetensors")
    data = make_images(tmp_path / "images")
    accuracy = main(str(gan), data, steps=3, batch_size=16)
    assert 0 <= accuracy <= 1
    assert "kNN accuracy on 8 images" in capsys.readouterr().out
