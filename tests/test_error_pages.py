"""The error pages: the site's card, one sentence, a way back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.messages.storage import default_storage
from django.http import Http404, HttpRequest
from django.test import Client, RequestFactory
from django.views.defaults import page_not_found

from hermes_site import health

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One answer of each kind."""

    def fail() -> bool:
        raise RuntimeError

    monkeypatch.setattr(health, "_database_answers", fail)
    client.raise_request_exception = False
    client.force_login(User.objects.create_user("anna"))
    return [
        client.get("/", headers={"Host": "evil.example"}),
        client.get("/accounts/login/?next=/admin/"),
        client.get("/nothing-is-here"),
        client.get("/healthz"),
        Client(enforce_csrf_checks=True).post("/", headers={"Origin": "https://evil.example"}),
    ]


def test_each_error_is_a_card_with_a_way_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answers(client, monkeypatch)
    assert [answer.status_code for answer in found] == [400, 403, 404, 500, 403]
    for answer in found:
        page = answer.text
        assert page.count("<main") == page.count("<h1>") == page.count('class="lead"') == 1
        assert '<a href="/">Back to your chats</a>' in page
        assert re.search(r"<title>.+ · Hermes Site</title>", page)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_an_error_page_takes_no_message_away(rf: RequestFactory) -> None:
    request: HttpRequest = rf.get("/favicon.ico")
    request.session = {}  # type: ignore[assignment]
    storage = default_storage(request)
    request._messages = storage  # type: ignore[attr-defined]
    messages.success(request, "That login was ended.")
    assert "That login was ended." not in page_not_found(request, Http404()).text
    assert not storage.used
    assert len(get_messages(request)) == 1
