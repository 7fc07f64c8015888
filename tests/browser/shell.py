"""A shell beside a site, which programs of the tests run in: a start of `manage.py` for each costs what a visit does.

It ends with the process of the tests, which is when its input ends.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache

from tests.live import ENVIRONMENT, LiveSite
from tests.processes import Process

_DONE = "The program has ended:"
_SERVE = f"""
import json, sys, traceback
from django.db import connection
for line in sys.stdin:
    failed = False
    try:
        exec(json.loads(line), {{}})
    except BaseException:
        failed = True
        traceback.print_exc(file=sys.stdout)
    connection.close()
    print({_DONE!r}, "failed" if failed else "well", flush=True)
"""


def act(site: LiveSite, program: str) -> list[str]:
    """Run a program beside a site; the lines that it prints. Raises AssertionError where it fails."""
    shell = _shell(site)
    begin = len(shell.output)
    shell.write(json.dumps(program))
    ended = shell.line(_DONE)
    *printed, _ = shell.output[begin:]
    assert ended == f"{_DONE} well", "\n".join(printed)
    return printed


@cache
def _shell(site: LiveSite) -> Process:
    command = [sys.executable, "manage.py", "shell", "-c", _SERVE]
    return Process(command, {**os.environ, **ENVIRONMENT, **site.env}, listens=True)
