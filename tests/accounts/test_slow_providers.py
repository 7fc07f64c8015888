"""A provider that sends a byte at a time, of whatever it sends, holds no request longer than the whole may take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from sessions_app.accounts.providers import requests as asking
from tests.outbound.dripping import BODY, HANDSHAKE, HEAD, Dripping
from tests.processes import PATIENCE
from tests.thorough import thorough

pytestmark = pytest.mark.django_db

OTHERS = (("http", b"H"), ("http", HEAD), ("http", BODY))


@pytest.fixture(params=[("https", HANDSHAKE), *map(thorough, OTHERS)], ids=str)
def slow(request: pytest.FixtureRequest) -> Iterator[tuple[str, Dripping]]:
    scheme, first = request.param
    with closing(Dripping(first)) as server:
        yield f"{scheme}://{server.address}/.well-known/openid-configuration", server


@pytest.mark.one_database
def test_the_whole_exchange_is_bounded(slow: tuple[str, Dripping], monkeypatch: pytest.MonkeyPatch) -> None:
    url, server = slow
    monkeypatch.setattr(asking, "SECONDS", 1.0)
    with (
        asking.ProviderSession() as session,
        pytest.raises(asking.UnusableAnswer, match="did not answer in"),
    ):
        session.request("GET", url)
    assert server.left.wait(PATIENCE)
