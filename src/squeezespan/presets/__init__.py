"""Named configurations: the paper's (Tables 2 to 4 of its appendix) and small ones for a CPU."""

from squeezespan.presets import mini, paper
from squeezespan.presets.registry import Preset, find_preset, list_presets

__all__ = ["Preset", "find_preset", "list_presets"]

paper.register_all()
mini.register_all()
