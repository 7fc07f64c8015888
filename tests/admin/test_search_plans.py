"""How a search in admin is planned, outside of a test's own transaction."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from sessions_app.models import ChatSession
from tests.admin.conftest import list_of, make_session, say

SEARCHES = ("FROM auth_user AS owner", "WITH entry AS MATERIALIZED", "FROM hermes_search_keys")


def _is_planned_as_it_asks() -> bool:
    if connection.vendor == "sqlite":
        return not connection.in_atomic_block  # which would take the writer's lock
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_seqscan') = 'off'")
        return bool(cursor.fetchone()[0])


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["?q=heron", "?q=heron&owner={owner}"])
def test_a_search_is_planned_as_it_asks_to_be(query: str) -> None:
    alice, boss = User.objects.create_user("alice"), User.objects.create_superuser("boss")
    say(make_session(alice), 0, "The heron")
    client, planned = Client(), []
    client.force_login(boss)

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(part in sql for part in SEARCHES):
            planned.append(_is_planned_as_it_asks())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        assert client.get(list_of(ChatSession, query.format(owner=alice.pk))).status_code == 200
    assert planned == [True]
