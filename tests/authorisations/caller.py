"""A script: a process that calls a tool server once it is told to.

`python -m tests.authorisations.caller USER_ID SERVER_ID`; the database is named by the environment. It says "ready",
waits for a line, says "asking", and then the access token that it was given, or why it was given none.
"""

from __future__ import annotations

import asyncio
import sys

import django

django.setup()

from sessions_app.authorisations.credentials import access_token  # noqa: E402
from sessions_app.authorisations.errors import AuthorisationError  # noqa: E402
from sessions_app.models import ToolServer  # noqa: E402


def main(user_id: int, server_id: int) -> None:
    server = ToolServer.objects.get(pk=server_id)
    print("ready", flush=True)
    sys.stdin.readline()
    print("asking", flush=True)
    try:
        print("token", asyncio.run(access_token(user_id, server)), flush=True)
    except AuthorisationError as error:
        print("token none:", error, flush=True)


main(int(sys.argv[1]), int(sys.argv[2]))
