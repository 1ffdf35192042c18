"""Write docs/generator-arguments.md: what is done with each argument of the published classes.

python tools/list_arguments.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from squeezespan.discriminators.stylegan2.settings import CLASSES as DISCRIMINATOR
from squeezespan.discriminators.stylegan2.tensorflow_settings import (
    TENSORFLOW_CLASSES as TENSORFLOW_DISCRIMINATORS,
)
from squeezespan.generators.fastgan.settings import CLASSES as FASTGAN
from squeezespan.generators.published import PublishedClass, Setting
from squeezespan.generators.stylegan2.settings import CLASSES as STYLEGAN2
from squeezespan.generators.stylegan2.tensorflow_settings import TENSORFLOW_CLASSES
from squeezespan.generators.stylegan3.settings import CLASSES as STYLEGAN3
from squeezespan.generators.stylegan3.settings import XL_CLASSES

PAGE = Path(__file__).parents[1] / "docs" / "generator-arguments.md"

_TABLES: dict[str, tuple[PublishedClass, ...]] = {
    "StyleGAN2 and StyleGAN2-ADA (PyTorch)": STYLEGAN2,
    "StyleGAN2 and StyleGAN2-ADA (TensorFlow)": TENSORFLOW_CLASSES[:1],
    "StyleGAN3": STYLEGAN3,
    "StyleGAN-XL": XL_CLASSES,
    "Projected GAN's FastGAN": FASTGAN,
    "StyleGAN2's discriminator (PyTorch)": DISCRIMINATOR,
    "StyleGAN2's discriminators (TensorFlow)": TENSORFLOW_DISCRIMINATORS,
}
_HEAD = """# What a file says of its network

Pickles keep the constructor's arguments and every module's attributes. Each of them is *honoured*
(the network is built so, and a value that contradicts the rest of the file is refused), *checked*
(one value is supported, any other refused) or *inert* (it changes no image). What is in no table
is refused by its name. (`python tools/list_arguments.py` writes this page from the tables in the
code, and a test changes every entry in a file.)

Bare state dicts keep neither. What their weights don't show is taken to be as published; `gan
inspect` says it, and [Bring your own GAN](generators.md) has the options that change it. AutoGAN,
BigGAN and DCGAN come as bare weights, as do rosinality's, MMGeneration's and GenForce's
StyleGAN2.
"""


def page() -> str:
    """Give the whole page."""
    return "\n".join([_HEAD, *(line for name in _TABLES for line in _section(name))])


def _section(name: str) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| class | argument or attribute | treatment | detail |"
    yield "|---|---|---|---|"
    for known in _TABLES[name]:
        both: Mapping[str, Setting] = {**known.arguments, **known.attributes}
        for setting in dict.fromkeys((x.treatment, x.note) for x in both.values()):
            names = [key for key, x in both.items() if (x.treatment, x.note) == setting]
            listed = ", ".join(f"`{key}`" for key in names)
            yield f"| {known.name} | {listed} | {setting[0]} | {setting[1]} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
