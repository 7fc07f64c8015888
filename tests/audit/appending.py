"""A script: a process that changes a user's row and records it, so many times.

`python -m tests.audit.appending MODE USER_ID TIMES`: it records before it locks the row ("first") or after ("last");
or it stops for good when its rows are written and not committed ("stuck"). It says so.
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


def change(user_id: int) -> None:
    user = User.objects.select_for_update().get(pk=user_id)
    User.objects.filter(pk=user_id).update(first_name=int(user.first_name or 0) + 1)


def stop_when_written() -> None:
    write = plain.each

    def written(sql: str, params: Collection[Iterable[Any]]) -> None:
        write(sql, params)
        print("appended", flush=True)
        threading.Event().wait()

    plain.each = written


mode, user_id, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if mode == "stuck":
    stop_when_written()
for number in range(times):
    with transaction.atomic():
        if mode == "first":
            record(number)
        change(user_id)
        if mode != "first":
            record(number)
print("done", flush=True)
