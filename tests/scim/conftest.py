"""An identity provider that speaks to the site as its own documents say."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import ApiToken

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Directory:
    """An identity provider with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"authorization": f"Bearer {token}", "user-agent": "Okta SCIM Client 1.0.0"})

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Return status and body of an answer; a text or bytes are sent as they are."""
        sent = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        answer = self.client.generic(method, f"/scim/v2{path}", sent, content_type="application/scim+json")
        told = json.loads(answer.content) if answer.content else {}
        if answer.content:
            assert answer.headers["Content-Type"] == "application/scim+json"
        if answer.status_code >= 400:
            assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert told["status"] == str(answer.status_code)
            assert told["detail"]
        return answer.status_code, told

    def get(self, path: str) -> dict[str, Any]:
        status, told = self.send("GET", path)
        assert status == 200, told
        return told

    def make(self, name: str, **attributes: Any) -> dict[str, Any]:
        """Make a user."""
        status, told = self.send("POST", "/Users", {"schemas": [USER], "userName": name, **attributes})
        assert status == 201, told
        return told

    def make_group(self, name: str, *members: str) -> dict[str, Any]:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        status, told = self.send("POST", "/Groups", body)
        assert status == 201, told
        return told

    def patch(self, path: str, *operations: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, str | None]:
        """Return status and `scimType` of a refusal."""
        status, told = self.send(method, path, body)
        assert status >= 400, told
        return status, told.get("scimType")

    def filtered(self, path: str, asked: str, more: str = "") -> list[dict[str, Any]]:
        """Return what a filter finds."""
        found: list[dict[str, Any]] = self.get(f"{path}?filter={quote(asked)}{more}")["Resources"]
        return found

    def found(self, path: str, asked: str, more: str = "") -> list[str]:
        """Return the names of what a filter finds."""
        name = "userName" if path == "/Users" else "displayName"
        return [each[name] for each in self.filtered(path, asked, more)]


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password="of the site")


@pytest.fixture
def directory(boss: User) -> Directory:
    return Directory(ApiToken.issue(boss, "SCIM", is_for_scim=True)[1])
