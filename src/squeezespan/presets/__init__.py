"""Named configurations: for one's own images, the paper's and its field's, small ones for a CPU."""

from squeezespan.presets import baselines, mini, own, paper, transfers
from squeezespan.presets.preset import Preset
from squeezespan.presets.registry import find_preset, list_presets

__all__ = ["Preset", "find_preset", "list_presets"]

own.register_all()
paper.register_all()
mini.register_all()
transfers.register_all()
baselines.register_all()
