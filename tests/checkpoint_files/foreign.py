"""Classes and functions of repositories that are not installed here, for pickles that name them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_STAND_INS: dict[tuple[str, str], Any] = {}


def stand_in(module: str, name: str, base: type = object) -> Any:
    """Give a class that a pickle names `module.name`; as it can be called, functions too."""
    if (module, name) not in _STAND_INS:
        _STAND_INS[module, name] = type(name, (base,), {"__module__": module})
    return _STAND_INS[module, name]


def instance(module: str, name: str, state: dict[str, Any]) -> Any:
    """Give an object of a foreign class with these attributes."""
    made = object.__new__(stand_in(module, name))
    made.__dict__.update(state)
    return made


@contextmanager
def importable() -> Iterator[None]:
    """Let picklers find every stand-in where it claims to be."""
    modules: dict[str, ModuleType] = {}
    for (module, name), made in _STAND_INS.items():
        parts = module.split(".")
        for i in range(len(parts)):
            path = ".".join(parts[: i + 1])
            if path not in modules:
                modules[path] = ModuleType(path)
                if i:
                    setattr(modules[".".join(parts[:i])], parts[i], modules[path])
        setattr(modules[module], name, made)
    hidden = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        sys.modules.update(hidden)
