"""The digest of the software that makes a request's bytes out of rows.

That is a module of ours and all that it imports of us, directly or not, as its source says: a module that can change a
byte belongs to it as soon as it is imported there, wherever it lies. Imports for type checkers alone change none.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
"""Where `sessions_app` lies."""
ROOT = f"{PACKAGE.name}.llm.request"
"""The module that makes requests."""
LIBRARIES = ("pydantic-ai-slim", "openai", "anthropic")


def modules() -> dict[str, Path]:
    """The modules that make a request's bytes, by name, with their files."""
    found: dict[str, Path] = {}
    waiting = [ROOT]
    while waiting:
        name = waiting.pop()
        if name not in found and (file := _file_of(name)) is not None:
            found[name] = file
            waiting += _imported(ast.parse(file.read_bytes()))
    return found


def _file_of(name: str) -> Path | None:
    """The file of a module of ours; None for a package, and for what is none of our modules."""
    file = PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")
    return file if name.startswith(f"{PACKAGE.name}.") and file.is_file() else None


def _imported(tree: ast.AST) -> Iterator[str]:
    """The names that code imports when it runs, in functions too; of what is imported from, each may be a module."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=orelse):
                yield from (name for other in orelse for name in _imported(other))
            case ast.expr():
                pass  # most of a module, and nothing is imported in one
            case _:
                yield from _imported(node)


def _digest() -> str:
    files = modules()
    sources = [files[name].read_bytes() for name in sorted(files)]
    libraries = [version(name).encode() for name in LIBRARIES]
    return hashlib.sha256(b"".join([*sources, *libraries])).hexdigest()[:32]


SOFTWARE = _digest()
"""Made at import: it reads the disk, which the event loop must not wait for."""
