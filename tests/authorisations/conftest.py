"""People who connect to tool servers."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import AgentProfile, ToolServer
from tests.authorisations.server import ProtectedServer, protected, running_server

__all__ = ["protected", "running_server"]

PAGE = "/accounts/tool-servers/"


class Person:
    """A user with a browser that is logged in."""

    def __init__(self, name: str) -> None:
        self.user = User.objects.create_user(name, password=name)
        self.browser = Client()
        self.browser.force_login(self.user)

    def led_to(self, server: ToolServer) -> str:
        """Press Connect; the address that the page leads to."""
        response = self.browser.post(f"{PAGE}{server.pk}/connect/")
        assert response.status_code == 200, self.told(response.status_code)
        return str(response.context["address"])

    def back(self, address: str) -> str:
        """Come back with the address that the authorisation server leads to; what the page says then."""
        parts = urlsplit(address)
        assert self.browser.get(f"{parts.path}?{parts.query}").status_code == 302
        return self.told()

    def told(self, *_: object) -> str:
        """The messages of the page of tool servers."""
        page = self.browser.get(PAGE).content.decode()
        return " ".join(re.findall(r'<li class="notice [\w ]+">(.+?)</li>', page))

    def connect(self, protected: ProtectedServer, server: ToolServer) -> None:
        """Connect, and agree."""
        assert self.back(protected.decide(self.led_to(server))) == f"You are connected to {server}."


def asked(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.fixture
def alice(db: None) -> Person:
    return Person("alice")


@pytest.fixture
def bob(db: None) -> Person:
    return Person("bob")


@pytest.fixture
def notes(db: None, protected: ProtectedServer) -> ToolServer:
    """The row of the protected server, whose tools the default profile has."""
    server = ToolServer.objects.create(name="notes", url=protected.url, asks_users=True)
    server.profiles.add(AgentProfile.default())
    return server
