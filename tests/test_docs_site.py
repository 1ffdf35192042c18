"""What the documentation site is generated from: navigation, types, docstrings, results."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from contents import navigation
from docstrings import restructured
from narrow_pages import commands_apart, enlargeable, names_whole, softened
from option_reference import commands, definition, grouped
from result_tables import chosen, crossed

import squeezespan
from squeezespan.cli.gan import VERBS
from squeezespan.cli.main import COMMANDS
from squeezespan.cli.options import list_options
from squeezespan.field_docs import field_docs
from squeezespan.settings import Range

DOCS = Path(__file__).parents[1] / "docs"


@dataclass
class Sample:
    """Options of a command."""

    count: Annotated[int, Range(1, 10)] | None = None
    """How many."""
    crop: Annotated[tuple[float, float], Range(0, above=True)] = (0.5, 1.0)
    """From and to."""
    kind: Literal["a", "b"] = "a"
    """Which."""
    loud: bool = False
    """Say more."""


def test_an_option_is_told_with_its_type_range_and_default() -> None:
    told = [definition(option) for option in list_options(Sample)]
    assert told == [
        "`--count` `INT|None`, at least 1 and at most 10, default `None`\n: How many.\n",
        "`--crop` `FLOAT FLOAT`, above 0, default `0.5 1.0`\n: From and to.\n",
        "`--kind` `{a,b}`, default `a`\n: Which.\n",
        "`--loud` `--no-loud`, default `off`\n: Say more.\n",
    ]


def test_every_command_is_in_the_reference() -> None:
    told = commands()
    assert {name.split()[0] for name in told} == set(COMMANDS)
    assert {f"gan {verb}" for verb in VERBS} <= set(told)


def test_every_option_is_documented() -> None:
    for name, module in commands().items():
        for option in list_options(module.Options):
            documented = field_docs(option.owner)
            assert documented.get(option.setting.rpartition(".")[2]), (name, option.setting)


def test_every_setting_is_in_the_reference() -> None:
    sections = grouped(commands()["distill"])
    assert [option.names[0] for option in sections["optim"]][:2] == [
        "--optim.optimizer",
        "--optim.base-lr",
    ]
    assert "--epochs" in [option.names[0] for option in sections["train"]]
    assert sections[""][0].names == ("--out",)


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    for name in squeezespan.__all__:
        assert re.search(rf"auto\w+:: squeezespan\.{name}\b", page), name


def test_navigation_has_the_pages_of_a_list() -> None:
    text = "# A\n\n- [Not in a section](x.md): x.\n\n## One\n\n- [B](b.md): b.\n- [C](d/c.md): c.\n"
    assert navigation(text + "\n## Two\n\nNo list.\n") == (
        "```{toctree}\n:hidden:\n:caption: One\n\nb\nd/c\n```"
    )


def test_code_and_examples_in_docstrings() -> None:
    docstring = "Give `a*b` of *shape.\n\n    f(x)\n\nArgs:\n    x: `f: g` of it.\n"
    assert restructured(docstring) == (
        "Give ``a*b`` of \\*shape.\n\n.. code-block:: python\n\n    f(x)\n\n"
        "Args:\n    x: ``f: g`` of it."
    )


def test_tables_of_results() -> None:
    rows = [
        {"run": "a", "protocol": "knn", "accuracy": "0.5", "interval_low": "0.4",
         "interval_high": "0.6"},
        {"run": "b", "protocol": "knn", "accuracy": "0.25", "interval_low": "",
         "interval_high": ""},
        {"run": "b", "protocol": "linear", "accuracy": "0.3", "interval_low": "",
         "interval_high": ""},
    ]  # fmt: skip
    assert crossed(rows, "run", "protocol", "accuracy") == [
        ["run", "kNN %", "linear probe %"],
        ["a", "50.0 (40.0 to 60.0)", ""],
        ["b", "25.0", "30.0"],
    ]
    ours = [{"title": "A", "protocol": "knn", "accuracy": "0.5", "low": "0.4", "high": "0.6"}]
    assert crossed(ours, "title = method", "protocol", "accuracy") == [
        ["method", "kNN %"],
        ["A", "50.0 (40.0 to 60.0)"],
    ]
    with pytest.raises(ValueError, match="two rows"):
        crossed([*rows, rows[0]], "run", "protocol", "accuracy")
    assert chosen(rows[:1], "run, accuracy = share") == [["run", "share"], ["a", "0.5"]]
    scored = [{"kimg": "1200", "distance": "41.29272", "date": "2026-11-28"}]
    assert chosen(scored, "kimg, distance, date")[1] == ["1200", "41.29", "2026-11-28"]
    # A zero at the end, which the file leaves out, is as good a digit as the others.
    scored.append({"kimg": "1300", "distance": "40.5", "date": "2026-11-28"})
    assert chosen(scored, "kimg, distance")[1:] == [["1200", "41.29"], ["1300", "40.50"]]
    # No digits beyond those of the file.
    recalls = [{"recall": "0.0043"}, {"recall": "0.1052"}]
    assert chosen(recalls, "recall")[1:] == [["0.0043"], ["0.1052"]]
    with pytest.raises(KeyError):
        chosen(rows, "seed")


def test_commands_stay_apart_and_options_whole() -> None:
    page = (
        '<div class="highlight-sh notranslate"><pre>{0}a {2}b-c{3}<span class="w"> </span>'
        "{2}--out{3} x\n{3}{1}    {2}-f{3} {2}a/{4}{5}/{4}d-e.safetensors{3}\n{3}</pre></div>"
        "<pre> --other</pre>"
    )
    long = 33 * "b"
    assert commands_apart(page.format("", "", "", "", "", long)) == page.format(
        '<span class="command">',
        '<span class="command" style="--indent: 4ch">',
        '<span class="whole">',
        "</span>",
        '</span><wbr><span class="whole">',
        long,
    )


def test_names_and_dates_stay_whole() -> None:
    page = (
        "<td>{0}StyleGAN2-ADA{1}, {0}StyleGAN-XL{1}: few-label</td> {0}2026-11-25{1}"
        '<code>a-1</code><a href="b-1">c-d</a> gan-stylegan2-cifar10'
    )
    assert names_whole(page.format("", "")) == page.format('<span class="whole">', "</span>")


def test_only_code_longer_than_a_line_may_break() -> None:
    short, path = "x/y.py", "src/squeezespan/experiments/catalog/table2.py"
    page = "".join(f'<span class="pre">{word}</span>' for word in (short, path))
    assert softened(page) == (
        '<span class="pre">x/y.py</span><span class="pre long">src/<wbr>squeezespan/<wbr>'
        "experiments/<wbr>catalog/<wbr>table2.<wbr>py</span>"
    )
    listed = '<span class="pre">--metrics=fid50k_full,kid50k_full,pr50k3_full</span>'
    assert '<span class="whole">--metrics</span>=<wbr>fid50k_full,<wbr>kid' in softened(listed)


def test_a_picture_links_to_its_file() -> None:
    picture = '<img alt="Blocks" src="../_images/blocks.svg" />'
    assert enlargeable(f"<p>{picture}</p>") == (
        f'<p><a class="image-reference" href="../_images/blocks.svg">{picture}</a></p>'
    )
