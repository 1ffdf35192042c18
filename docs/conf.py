"""The documentation site: Sphinx over the Markdown that a forge shows as it is.

Its root is that of the repository, so that links between README, docs and results are the same in
both places.
"""

import sys
from pathlib import Path

from squeezespan import __version__

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "Squeezespan"
author = "Squeezespan contributors"
release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "contents",
    "docstrings",
    "option_reference",
    "result_tables",
    "paper_claims",
    "narrow_pages",
]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "results/**.md"]
exclude_patterns = [".*", "build", "dist", "demo*", "runs", "src", "tests", "**/node_modules"]

# Quotes and ellipses, and no dashes: an option begins with two.
smartquotes_action = "qe"
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
nitpick_ignore_regex = [
    # What other projects document: their pages are not looked up, so that no network is needed.
    ("py:.*", r"(torch|numpy|pathlib|collections|typing|types|nn|Tensor|Path|Any)\b.*"),
    # Types of arguments and fields that the page explains in words.
    ("py:class", r"squeezespan\.(\w+\.)?(choices|config|opening|randomness|settings)\.\w+"),
    ("py:class", r"squeezespan\.presets\.preset\.(Config|Setting)"),
    ("py:class", r"squeezespan\.discriminators\.stylegan2\.network\.StyleGAN2Discriminator"),
]

html_theme = "furo"
html_title = f"Squeezespan {release}"
html_extra_path = ["site"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
