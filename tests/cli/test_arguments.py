"""Options from dataclasses, and what is said about wrong ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest

from squeezespan.cli.arguments import parse
from squeezespan.cli.begin import peek
from squeezespan.cli.options import Aliases, Flat, Positional, Switch
from squeezespan.errors import UserError
from squeezespan.settings import Range


@dataclass(frozen=True)
class Loop:
    """How long it goes on."""

    epochs: Annotated[int, Range(1)] = 800
    """Passes over the images."""
    max_steps: int | None = None


@dataclass(frozen=True)
class Method:
    name: Literal["squeeze-span", "vicreg"] = "squeeze-span"
    alpha: float = 0.5
    squeeze: bool = True
    scale: tuple[float, float] = (0.2, 1.0)


@dataclass(frozen=True)
class Config:
    train: Flat[Loop] = field(default_factory=Loop)
    method: Method = field(default_factory=Method)


@dataclass(frozen=True, kw_only=True)
class Options(Config):
    out: Path
    """Where it goes."""
    resume: Switch = False
    side: int | Literal["auto"] = "auto"
    labels: Annotated[tuple[int, ...], Aliases("--class")] = ()
    files: Positional[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Look:
    image: Positional[str]
    """What is looked at."""


def _parse(*argv: str, default: Config | None = None) -> Options:
    return parse(Options, argv, prog="squeezespan try", description="Tries it.", default=default)


def test_sections_and_shared_flags() -> None:
    options = _parse(
        *("--out", "runs/a", "--epochs", "3", "--max_steps=7", "--resume"),
        *("--method.alpha", "1", "--method.no-squeeze", "--method.scale", "0.5", "1"),
    )
    method = Method(alpha=1.0, squeeze=False, scale=(0.5, 1.0))
    train = Loop(epochs=3, max_steps=7)
    assert options == Options(train=train, method=method, out=Path("runs/a"), resume=True)


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["--side", "32"], "side", 32),
        (["--side=auto"], "side", "auto"),
        (["--labels", "2", "0", "1"], "labels", (2, 0, 1)),
        (["--class", "-1"], "labels", (-1,)),
        (["--labels", "2", "0", "--class", "1", "3"], "labels", (1, 3)),
        (["a", "ß.png"], "files", ("a", "ß.png")),
        (["--", "--side"], "files", ("--side",)),
        (["--resume", "a"], "files", ("a",)),
        (["--side", "8", "--side", "16"], "side", 16),
    ],
)
def test_values(argv: list[str], name: str, value: object) -> None:
    assert getattr(_parse("--out", "a", *argv), name) == value


def test_none_is_a_value_where_it_is_one() -> None:
    default = Config(train=Loop(max_steps=5))
    assert _parse("--out", "a", "--max-steps", "None", default=default).train.max_steps is None
    with pytest.raises(UserError, match=r"^--epochs takes INT, not 'None'"):
        _parse("--out", "a", "--epochs", "None")


def test_default_fills_what_is_left_out_and_the_rest_is_required() -> None:
    preset = Config(method=Method(alpha=0.25))
    assert _parse("--out", "a", "--epochs", "2", default=preset) == Options(
        train=Loop(epochs=2), method=Method(alpha=0.25), out=Path("a")
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
        (["--max-steps", "soon"], r"--max-steps takes INT\|None, not 'soon'"),
        (["--method.name", "vicerg"], r"takes \{squeeze-span,vicreg\}, not 'vicerg'"),
        (["--method.scale", "1"], r"--method\.scale takes FLOAT FLOAT, not '1'"),
        (["--method.squeeze", "False"], r"write --method\.squeeze or --method\.no-squeeze"),
        (["--resume", "true"], r"--resume takes no value: write --resume;"),
        (["--method.squeeze=perhaps"], r"--method\.squeeze takes no value"),
        (["--epochs", "0"], r"^--epochs is 0, but must be at least 1; "),
        (["--class", "x"], r"--class takes \[INT \.\.\.\], not 'x'"),
        (["--epochs", "1", "extra", "--größe", "3"], r"unknown option --größe; "),
        (["-x"], r"unknown option -x; "),
        (["-"], r"unknown option -; "),
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


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--epochs", "2", "3"], "^--epochs takes INT, not '2 3'; "),
        (["extra", "--epochs", "2"], "^unexpected argument 'extra'; "),
        (
            ["--method.squeeze", "extra"],
            "^unexpected argument 'extra': --method.squeeze takes no value: write --method.squeeze",
        ),
    ],
)
def test_a_word_too_many_is_named(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(Config, argv, prog="squeezespan try", description="")


def test_a_missing_word_is_explained() -> None:
    with pytest.raises(UserError, match=r"^an argument is missing: IMAGE \(What is looked at\); "):
        parse(Look, [], prog="squeezespan try", description="")


@pytest.mark.parametrize("before", [[], ["--out"], ["--nonsense"]])
def test_help_goes_to_stdout_and_begins_with_what_is_required(
    before: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        _parse(*before, "--help", default=Config(train=Loop(epochs=31)))
    assert not end.value.code
    page = capsys.readouterr().out
    assert "Tries it." in page
    assert "How long it goes on." in page
    assert "Passes over the images. [default: 31]" in page
    places = [page.index(word) for word in ("Where it goes.", "--resume", "--epochs", "--method")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["--preset", "mini", "--out", "a"], "mini"),
        (["--out", "a", "--preset=mini"], "mini"),
        (["--preset", "mini", "--preset", "paper"], "paper"),
        (["--preset"], None),
        (["--out", "a"], None),
    ],
)
def test_peek(argv: list[str], value: str | None) -> None:
    assert peek(argv, "--preset") == value
