"""Options from dataclasses, and what is said about wrong ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
import tyro

from squeezespan.cli.arguments import parse, peek
from squeezespan.errors import UserError


@dataclass(frozen=True)
class Loop:
    epochs: int = 800
    max_steps: int | None = None


@dataclass(frozen=True)
class Method:
    name: Literal["squeeze-span", "vicreg"] = "squeeze-span"
    alpha: float = 0.5
    squeeze: bool = True
    scale: tuple[float, float] = (0.2, 1.0)


@dataclass(frozen=True)
class Config:
    train: Annotated[Loop, tyro.conf.arg(name="")] = field(default_factory=Loop)
    method: Method = field(default_factory=Method)


@dataclass(frozen=True)
class Options:
    out: Path
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    config: Annotated[Config, tyro.conf.arg(name="")] = field(default_factory=Config)


def _parse(*argv: str, default: Options | None = None) -> Options:
    return parse(Options, argv, prog="squeezespan try", description="Tries it.", default=default)


def test_sections_and_shared_flags() -> None:
    options = _parse(
        *("--out", "runs/a", "--epochs", "3", "--max_steps=7", "--resume"),
        *("--method.alpha", "1", "--method.no-squeeze", "--method.scale", "0.5", "1"),
    )
    method = Method(alpha=1.0, squeeze=False, scale=(0.5, 1.0))
    expected = Config(train=Loop(epochs=3, max_steps=7), method=method)
    assert options == Options(Path("runs/a"), resume=True, config=expected)


def test_default_fills_what_is_left_out_and_can_require() -> None:
    preset = Options(out=tyro.MISSING, config=Config(method=Method(alpha=0.25)))
    assert _parse("--out", "a", "--epochs", "2", default=preset) == Options(
        Path("a"), config=Config(train=Loop(epochs=2), method=Method(alpha=0.25))
    )
    with pytest.raises(UserError, match=r"^--out PATH is required"):
        _parse("--epochs", "2", default=preset)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["--method.alhpa", "1"],
            r"unknown option --method\.alhpa \(did you mean --method\.alpha\?",
        ),
        (["--alpha=1"], r"unknown option --alpha \(did you mean --method\.alpha\?\)"),
        (["--train.epochs", "3"], r"unknown option --train\.epochs \(did you mean --epochs\?\)"),
        (["--ouut", "x"], r"unknown option --ouut \(did you mean --out\?\)"),
        (["--wings"], r"unknown option --wings; "),
        (["--epochs", "1.5"], r"--epochs takes INT, not '1\.5'"),
        (["--epochs"], r"--epochs needs INT"),
        (["--out", ""], r"^--out is empty; "),
        (["--out="], r"--out is empty"),
        (["--max-steps", "soon"], r"--max-steps takes .*INT, not 'soon'"),
        (["--method.name", "vicerg"], r"takes \{squeeze-span,vicreg\}, not 'vicerg'"),
        (["--method.scale", "1"], r"--method\.scale takes FLOAT FLOAT, not '1'"),
        (["--method.squeeze", "False"], r"write --method\.squeeze or --method\.no-squeeze"),
        (["--resume", "true"], r"--resume takes no value: write --resume;"),
        (["extra"], r"[Uu]nrecognized options: extra"),
    ],
)
@pytest.mark.parametrize("columns", ["40", "200"])
def test_wrong_option_is_told_in_one_line(
    argv: list[str],
    message: str,
    columns: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(UserError, match=message) as caught:
        _parse("--out", "a", *argv)
    assert "\n" not in str(caught.value)
    assert "`squeezespan try --help`" in str(caught.value)
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


def test_help_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        _parse("--help")
    assert not end.value.code
    page = capsys.readouterr().out
    assert "Tries it." in page
    assert "--method.alpha" in page


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["--preset", "mini", "--out", "a"], "mini"),
        (["--out", "a", "--preset=mini"], "mini"),
        (["--preset"], None),
        (["--out", "a"], None),
    ],
)
def test_peek(argv: list[str], value: str | None) -> None:
    assert peek(argv, "--preset") == value
