"""Every option of every command, from the types that the commands are read by.

`options` is a directive: with a command's name, such as `gan train`, the options of that command;
without one, those of all commands but the two that have pages of their own.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, ClassVar, get_args

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import squeezespan.cli
from squeezespan.cli.options import Option, list_options
from squeezespan.cli.values import takes
from squeezespan.field_docs import field_docs
from squeezespan.settings import Range

__all__ = ["commands", "definition", "grouped", "setup"]

_PAGES_OF_THEIR_OWN = ("distill", "gan train")


def commands() -> dict[str, ModuleType]:
    """Give the module of each command that has options, by what is typed."""
    prefix = f"{squeezespan.cli.__name__}."
    found = {}
    for module_info in pkgutil.walk_packages(squeezespan.cli.__path__, prefix):
        module = importlib.import_module(module_info.name)
        if "Options" in getattr(module, "__all__", []):
            name = module_info.name.removeprefix(prefix)
            found[name.replace(".", " ").replace("_", "-")] = module
    return found


def grouped(module: ModuleType) -> dict[str, list[Option]]:
    """Give a command's options by section; its own, without one, come first.

    Args:
        module: of a command.
    """
    options = list_options(module.Options)
    sections: dict[str, list[Option]] = {"": []}
    for option in options:
        sections.setdefault(option.setting.rpartition(".")[0], []).append(option)
    return sections


def definition(option: Option) -> str:
    """Give an option as an item of a definition list, in Markdown.

    Args:
        option: of any command.
    """
    facts = [*map(str, _ranges(option.hint))]
    facts.append("required" if option.is_required else f"default `{_shown(option.default)}`")
    usage = takes(option.hint)
    names = " ".join(f"`{name}`" for name in option.flags)
    meaning = field_docs(option.owner)[option.setting.rpartition(".")[2]]
    term = f"{names} `{usage}`" if usage else names
    return f"{term}, {', '.join(facts)}\n: {meaning}\n"


def _ranges(hint: Any) -> Iterator[Range]:
    """Find the ranges of a type, wherever in it."""
    if isinstance(hint, Range):
        yield hint
    for part in get_args(hint):
        yield from _ranges(part)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


class Options(SphinxDirective):
    """The directive."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Give a section for each group of options, or for each command."""
        known = commands()
        if self.arguments:
            name = self.arguments[0]
            if name not in known:
                raise self.error(f"there is no command {name} with options")
            return self._groups(name, known[name])
        others = {name: known[name] for name in sorted(known) if name not in _PAGES_OF_THEIR_OWN}
        return [self._command(name, module) for name, module in others.items()]

    def _command(self, name: str, module: ModuleType) -> nodes.section:
        section = self._section(f"squeezespan {name}", name)
        section += nodes.paragraph(text=(module.__doc__ or "").partition("\n")[0])
        section += self._groups(name, module)
        return section

    def _groups(self, command: str, module: ModuleType) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for title, options in grouped(module).items():
            if not options:
                continue
            listed = self.parse_text_to_nodes("\n".join(map(definition, options)))
            if title:
                section = self._section(title, f"{command} {title}")
                summary = (options[0].owner.__doc__ or "").partition("\n")[0]
                section += [nodes.paragraph(text=summary), *listed]
                listed = [section]
            found += listed
        return found

    def _section(self, title: str, name: str) -> nodes.section:
        section = nodes.section("", nodes.title(text=title), ids=[nodes.make_id(name)])
        self.set_source_info(section)
        return section


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("options", Options)
    return {"parallel_read_safe": True}
