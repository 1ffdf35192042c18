"""All hostile files, by what they try."""

from untrusted.content import Maker
from untrusted.hostile_archives import ARCHIVES
from untrusted.hostile_attributes import ATTRIBUTES
from untrusted.hostile_bombs import BOMBS
from untrusted.hostile_calls import CALLS
from untrusted.hostile_foreign import FOREIGN
from untrusted.hostile_instructions import INSTRUCTIONS
from untrusted.hostile_networks import NETWORKS
from untrusted.hostile_safetensors import SAFETENSORS
from untrusted.hostile_sizes import SIZES
from untrusted.hostile_streams import STREAMS

__all__ = ["HOSTILE"]

_GROUPS = {
    "calls": CALLS,
    "instructions": INSTRUCTIONS,
    "bombs": BOMBS,
    "networks": NETWORKS,
    "attributes": ATTRIBUTES,
    "archives": ARCHIVES,
    "streams": STREAMS,
    "safetensors": SAFETENSORS,
    "foreign": FOREIGN,
    "sizes": SIZES,
}

HOSTILE: dict[str, Maker] = {
    f"{group}: {name}": make for group, makers in _GROUPS.items() for name, make in makers.items()
}
