"""A script: a process that changes a user's row, records it, and stops for good before it commits. It says so.

`python -m tests.audit.appending USER_ID`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterable
from typing import Any

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import transaction  # noqa: E402

from sessions_app.database import plain  # noqa: E402
from tests.audit.rows import record  # noqa: E402


def stop_when_written() -> None:
    write = plain.each

    def written(sql: str, params: Collection[Iterable[Any]]) -> None:
        write(sql, params)
        print("appended", flush=True)
        threading.Event().wait()

    plain.each = written


stop_when_written()
with transaction.atomic():
    User.objects.filter(pk=int(sys.argv[1])).update(first_name="1")
    record(0)
