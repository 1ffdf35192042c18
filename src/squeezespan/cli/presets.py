"""List the presets, or print one resolved as JSON."""

import inspect
import json
import sys
from dataclasses import dataclass

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional
from squeezespan.errors import UserError

__all__ = ["Options", "run"]


@dataclass(frozen=True)
class Options:
    """What `squeezespan presets` takes."""

    name: Positional[str] = ""
    """The preset to print; all are listed without it."""


def run(argv: list[str]) -> None:
    """Run `squeezespan presets`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: there is no such preset.
    """
    options = parse(Options, argv, prog="squeezespan presets", description=__doc__ or "")
    from squeezespan.presets import find_preset, list_presets
    from squeezespan.presets.gan import AUTO, GAN_PRESETS
    from squeezespan.presets.gan_auto import auto_gan_preset
    from squeezespan.settings import to_dict

    if options.name in GAN_PRESETS:
        build = GAN_PRESETS[options.name]
        print(inspect.cleandoc(build.__doc__ or ""), file=sys.stderr)
        print(json.dumps(to_dict(build()), indent=2))
        return
    if options.name == AUTO:
        raise UserError(
            "auto follows from the images: "
            "squeezespan gan train --preset auto --data folder:IMAGES --out DIR --dry-run"
        )
    if options.name:
        preset = find_preset(options.name)
        print(preset.description, file=sys.stderr)
        print(json.dumps(to_dict(preset.build()), indent=2))
        return
    of_students = {preset.name: preset.summary for preset in list_presets()}
    builders = {AUTO: auto_gan_preset, **GAN_PRESETS}
    of_gans = {name: (build.__doc__ or "").partition("\n")[0] for name, build in builders.items()}
    width = max(map(len, of_students | of_gans))
    for command, summaries in (("distill", of_students), ("gan train", of_gans)):
        print(f"squeezespan {command} --preset")
        for name, summary in summaries.items():
            print(f"  {name:{width}}  {summary}")
