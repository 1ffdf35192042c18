"""Persistent pickles as StyleGAN's repositories write them: class name, arguments and state.

Our modules have the published names, so a published pickle is made by walking them.
"""

import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from checkpoint_files.foreign import importable, stand_in
from torch import nn

_RECONSTRUCT = stand_in("torch_utils.persistence", "_reconstruct_persistent_obj")
SOURCE = "import os\nprint('the source of a training script, which nobody should run')\n"


@dataclass(frozen=True)
class Part:
    """What a pickle says of one module besides its weights."""

    class_name: str
    attributes: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)


class Persistent:
    """Pickles as one call of `_reconstruct_persistent_obj`."""

    def __init__(self, class_name: str, state: dict[str, Any], source: str) -> None:
        self.meta = {
            "type": "class",
            "version": 6,
            "module_src": source,
            "class_name": class_name,
            "state": state,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _RECONSTRUCT, (self.meta,)


def persistent(
    module: nn.Module,
    describe: Callable[[str, nn.Module], Part],
    *,
    source: str = SOURCE,
    container: type[dict[str, Any]] = dict,
    path: str = "",
) -> Any:
    """Give a module as a published pickle has it.

    Args:
        module: ours, with the published names.
        describe: gives class name, attributes and arguments by dotted name and module.
        source: text of the module that the pickle carries.
        container: of parameters, buffers and submodules; OrderedDict before torch 2.
        path: dotted name of the module.
    """
    if type(module).__module__.startswith("torch."):
        return module
    part = describe(path, module)
    state = nn.Module().eval().__dict__ | {
        "_parameters": container(module._parameters),
        "_buffers": container(module._buffers),
        "_modules": container(
            (
                name,
                persistent(
                    child,
                    describe,
                    source=source,
                    container=container,
                    path=f"{path}.{name}" if path else name,
                ),
            )
            for name, child in module._modules.items()
            if child is not None
        ),
        **part.attributes,
        "_init_args": (),
        "_init_kwargs": easy_dict(part.arguments),
    }
    return Persistent(part.class_name, state, source)


def easy_dict(values: dict[str, Any]) -> Any:
    """Give `values` as the dict subclass of the saved constructor arguments."""
    made = stand_in("dnnlib.util", "EasyDict", dict)()
    made.update(values)
    return made


def snapshot(generator: Any, discriminator: Any = None, **more: Any) -> dict[str, Any]:
    """Give the outer dict of a training snapshot; G and G_ema are the same here."""
    options = {"class_name": "training.dataset.ImageFolderDataset", "use_labels": False}
    return {
        "G": generator,
        "D": discriminator,
        "G_ema": generator,
        "augment_pipe": None,
        "training_set_kwargs": options,
        **more,
    }


def dump(value: Any, protocol: int = 4, *, location: str = "cpu", dill: Any = None) -> bytes:
    """Pickle as the repositories do.

    Args:
        value: what to pickle.
        protocol: of the pickle.
        location: where the weights claim to have been.
        dill: the module, to write with it.
    """
    buffer = io.BytesIO()
    with importable(), _located(location):
        (pickle if dill is None else dill).dump(value, buffer, protocol=protocol)
    return buffer.getvalue()


@contextmanager
def _located(location: str) -> Iterator[None]:
    tag = mock.patch("torch.serialization.location_tag", return_value=location)
    with nullcontext() if location == "cpu" else tag:
        yield
