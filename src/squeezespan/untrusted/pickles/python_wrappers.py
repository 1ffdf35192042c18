"""What takes the place of Python's and dill's functions in a pickle, as `torch_wrappers`."""

from typing import Any

from squeezespan.untrusted.pickles.arguments import expect, is_key
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.values import OPAQUE, NamedDict, Opaque, Symbol, bytes_of_text

__all__ = [
    "bound_setter",
    "empty_dict",
    "encode_text",
    "instance_of_old_protocol",
    "make_set",
    "opaque",
    "set_cell",
]

_MAX_SET = 1_000


def make_set(arguments: tuple[Any, ...]) -> set[Any]:
    """`set` of names or numbers, as protocols before 4 write it."""
    items = arguments[0] if arguments else []
    expect(len(arguments) <= 1 and isinstance(items, list | tuple), "a set")
    expect(len(items) <= _MAX_SET, "a set")
    expect(all(item is not None and is_key(item) for item in items), "a set")
    return set(items)


def encode_text(arguments: tuple[Any, ...]) -> memoryview:
    """`_codecs.encode`: bytes, as protocols before 3 write them."""
    expect(len(arguments) == 2 and arguments[1] == "latin1", "a string of bytes")
    expect(type(arguments[0]) is str, "a string of bytes")
    return bytes_of_text(arguments[0])


def instance_of_old_protocol(arguments: tuple[Any, ...]) -> Any:
    """`copyreg._reconstructor`: an instance without a state, as protocols 0 and 1 write it."""
    what = "an instance"
    expect(len(arguments) == 3 and isinstance(arguments[0], Symbol), what)
    symbol, base, content = arguments
    if symbol.create is None:
        raise MalformedError(f"it makes an instance of {symbol}")
    instance = symbol.create(symbol)
    if not symbol.is_known:
        return instance
    expect(isinstance(base, Symbol) and base.name in ("object", "dict"), what)
    if isinstance(instance, NamedDict) and type(content) is dict:
        instance.update(content)
    else:
        expect(content is None, what)
    return instance


def opaque(_: tuple[Any, ...]) -> Opaque:
    """Anything that no generator needs."""
    return OPAQUE


def empty_dict(_: Any) -> NamedDict:
    """An instance that is a dict, or of a class of options that may be filled like one."""
    return NamedDict()


def bound_setter(arguments: tuple[Any, ...]) -> Symbol:
    """`getattr(dill._dill, "_setattr", setattr)`, the one use of it that dill makes."""
    what = "an attribute"
    expect(len(arguments) == 3 and arguments[1] == "_setattr", what)
    names = [str(item) for item in arguments[::2] if isinstance(item, Symbol)]
    expect(names in (["dill._dill", x] for x in ("builtins.setattr", "__builtin__.setattr")), what)
    return Symbol("dill._dill", "_setattr", apply=set_cell)


def set_cell(arguments: tuple[Any, ...]) -> Opaque:
    """Fills a closure's cell: nothing is kept."""
    expect(len(arguments) == 3 and isinstance(arguments[0], Opaque), "a closure")
    return OPAQUE
