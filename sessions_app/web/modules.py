"""The scripts that the page of the chat begins with: a browser that knows them asks for all at once."""

import re
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders

_IMPORT = re.compile(r'\bfrom "\./([a-z_]+\.js)"')


@cache
def modules_of(entry: str) -> tuple[str, ...]:
    """Return the static path of a module and of all that it imports, at once or by others, in the order of their names.

    What a script imports later, when it is needed, is not among them.
    """
    found: set[Path] = set()
    path = finders.find(entry)
    waiting = [Path(path)] if path else []
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [module.parent / name for name in _IMPORT.findall(module.read_text())]
    folder = entry.rpartition("/")[0]
    return tuple(sorted(f"{folder}/{module.name}" for module in found))
