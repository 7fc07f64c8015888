"""Who spends what on which profile, by day: as CSV, a day at a time, so that any number of rows takes no memory."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from datetime import date, timedelta
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.timezone import localdate

from sessions_app.admin.words import NO_PROFILE
from sessions_app.conversations.kept_spending import kept_on
from sessions_app.conversations.spending import spent_on

COLUMNS = {
    "day": "day",
    "user": "user",
    "profile": "named",
    "beside": "beside",
    "turns": "turns_",
    "input_tokens": "input_tokens_",
    "cached_tokens": "cached_tokens_",
    "cache_write_tokens": "cache_write_tokens_",
    "output_tokens": "output_tokens_",
    "usd": "cost_",
    "without_price": "unpriced_",
    "estimated_tokens": "uncounted_tokens_",
    "estimated_usd": "uncounted_cost_",
}
"""The columns, with what each is called in a row. What is estimated was charged to budgets, and never counted."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def response(days: int, owner_id: int | None) -> StreamingHttpResponse:
    """Return the spending of so many days, today included, of all users or one, as a file."""
    headers = {"Content-Disposition": f'attachment; filename="spending-{localdate()}.csv"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_lines(days, owner_id), content_type="text/csv; charset=utf-8", headers=headers)


async def _lines(days: int, owner_id: int | None) -> AsyncIterator[str]:
    yield _written([list(COLUMNS)])
    for before in reversed(range(days)):
        day = localdate() - timedelta(days=before)
        if rows := await sync_to_async(_rows)(day, owner_id):
            yield _written([[_cell(value) for value in _values({**row, "day": day})] for row in rows])


def _rows(day: date, owner_id: int | None) -> list[dict[str, Any]]:
    """Return who has spent what on a day, also what was spent in chats that are gone."""
    return [*spent_on(day, owner_id), *kept_on(day, owner_id)]


def _values(row: dict[str, Any]) -> list[Any]:
    return [NO_PROFILE if column == "named" and row[column] is None else row[column] for column in COLUMNS.values()]


def _cell(value: Any) -> Any:
    """Return what a spreadsheet shows as it is: a name that begins like a formula is none."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _written(rows: list[list[Any]]) -> str:
    written = StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
