"""The docstrings of a dataclass's fields, which stand in its source alone."""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

__all__ = ["field_docs"]


@cache
def field_docs(cls: type) -> dict[str, str]:
    """Give the docstring of each documented field, those of base classes included.

    Args:
        cls: a dataclass.
    """
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        for field, text in pairwise(_bodies(base.__module__).get(base.__qualname__, [])):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(doc))),
                ):
                    docs[name] = " ".join(doc.split())
    return docs


@cache
def _bodies(module: str) -> dict[str, list[ast.stmt]]:
    """Give the statements of each class of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
