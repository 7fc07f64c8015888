"""A real site whose model is the loopback provider, and OpenAI's official client, as its users have it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from openai import DefaultHttpxClient, OpenAI

from tests.api.conftest import owner, runner
from tests.live import LiveSite
from tests.peers import Peer, peer, token
from tests.providers.fixtures import Provider

__all__ = ["owner", "runner"]

_numbers = itertools.count(1)
MODEL = "Default"


@pytest.fixture(scope="session")
def loopback() -> Iterator[Provider]:
    """The provider of the site."""
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="session")
def site(start_site: Callable[..., LiveSite], loopback: Provider) -> Iterator[LiveSite]:
    """A site that lets its users have many turns; it must end well and have logged no error."""
    env = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "loopback", "HERMES_TURNS_PER_MINUTE": "1000"}
    started = start_site(HERMES_MODEL="openai-chat:loopback", **env)
    yield started
    connections().close()
    assert started.stop() == 0
    assert started.errors() == []


@pytest.fixture
def model(loopback: Provider) -> Provider:
    """The provider, which knows nothing of the tests before."""
    loopback.forget()
    return loopback


@cache
def connections() -> DefaultHttpxClient:
    """Return the connections of all programs: to load the certificates for some takes longer than most tests."""
    return DefaultHttpxClient()


@dataclass
class Program:
    """A user's program: OpenAI's client, and the same user's page."""

    site: LiveSite
    user: str

    def client(self, **options: Any) -> OpenAI:
        given = {"api_key": self.site.tokens[self.user], "max_retries": 0, **options}
        return OpenAI(base_url=f"{self.site.base_url}/v1", http_client=connections(), **given)

    def say(self, *said: str | dict[str, Any], **options: Any) -> str:
        """Send a conversation, user and assistant in turn, and return the answer."""
        completion = self.client().chat.completions.create(model=MODEL, messages=conversation(*said), **options)
        return completion.choices[0].message.content or ""

    def page(self) -> Any:
        return peer(self.site, **token(self.site, self.user))

    def sessions(self) -> list[dict[str, Any]]:
        with self.page() as page:
            found: list[dict[str, Any]] = page.call("session.list")["result"]["sessions"]
        return found

    def texts(self, session_id: str) -> list[str]:
        with self.page() as page:
            return shown(page, session_id)


def shown(page: Peer, session_id: str) -> list[str]:
    """Return the texts of a session, as the page shows them."""
    opened = page.call("session.open", session_id=session_id, limit=200)["result"]
    return [message["text"] for message in opened["messages"]]


def conversation(*said: str | dict[str, Any]) -> Any:
    """Return messages: texts are the user's and the assistant's in turn."""
    roles = itertools.cycle(["user", "assistant"])
    return [each if isinstance(each, dict) else {"role": next(roles), "content": each} for each in said]


@pytest.fixture
def program(site: LiveSite, model: Provider) -> Program:
    """The program of a user whom no other test knows."""
    return newcomer(site)


@pytest.fixture(scope="module")
def refused_program(site: LiveSite) -> Iterator[Program]:
    """A program all of whose requests are refused, whatever they are, and leave nothing behind."""
    its_own = newcomer(site)
    yield its_own
    assert its_own.sessions() == []


def newcomer(site: LiveSite) -> Program:
    """Return the program of a new user."""
    name = f"programmer{next(_numbers)}"
    site.database.add_user(name)
    return Program(site, name)
