"""Tickets: one WebSocket handshake each, as whoever asked for it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.limited import add_token
from tests.live import LiveSite
from tests.peers import Browser, Peer
from tests.processes import PATIENCE

ELSEWHERE = "http://elsewhere.example:3000"
NOT_AUTHORISED = 4401
REFUSED, LOST = "refused-ticket", "lost-ticket"
# All tickets that sites have given.
_given: list[str] = []


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite]) -> Iterator[LiveSite]:
    """A site that another origin may use; it must end well and have logged no error, and no ticket."""
    started = start_site(HERMES_API_ORIGINS=ELSEWHERE)
    yield started
    assert started.stop() == 0
    assert started.errors() == []
    output = "\n".join(started.process.output)
    assert "Hermes Site is at" in output
    assert [ticket for ticket in (REFUSED, LOST, *_given) if ticket in output] == []


def ask(site: LiveSite, **headers: str) -> tuple[int, dict[str, Any]]:
    """Ask for a ticket; return the status and the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{site.base_url}/api/ticket", b"", named, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def ticket_of(site: LiveSite, token: str) -> str:
    status, answer = ask(site, authorization=f"Bearer {token}")
    assert (status, answer["expires_in"]) == (200, 30)
    _given.append(answer["ticket"])
    return _given[-1]


@contextmanager
def by_ticket(site: LiveSite, ticket: str, **headers: str) -> Iterator[Peer]:
    with connect(f"{site.ws_url}?ticket={ticket}", additional_headers=headers, proxy=None) as socket:
        yield Peer(socket)


def sessions_of(peer: Peer) -> list[str]:
    return [session["title"] for session in peer.call("session.list")["result"]["sessions"]]


def code_of(site: LiveSite, ticket: str, **headers: str) -> int | None:
    """Return the code with which a handshake's connection is closed."""
    with by_ticket(site, ticket, **headers) as peer:
        return peer.closed()


def test_a_ticket_lets_in_who_asked_for_it_once(site: LiveSite) -> None:
    ticket = ticket_of(site, site.database.add_user("once"))
    with by_ticket(site, ticket) as peer:
        assert peer.call("session.create", title="by ticket")["result"]["session"]["title"] == "by ticket"
    assert code_of(site, ticket) == NOT_AUTHORISED


def test_only_its_hash_is_stored_and_it_goes_with_its_use(site: LiveSite) -> None:
    ticket = ticket_of(site, site.tokens["owner"])
    rows = site.database.run("SELECT * FROM sessions_app_ticket")
    assert rows
    assert ticket not in str(rows)
    with by_ticket(site, ticket) as peer:
        peer.call("session.list")
    assert len(site.database.run("SELECT * FROM sessions_app_ticket")) == len(rows) - 1


@pytest.mark.parametrize("ticket", ["", "unknown", "%00", "%ed%a0%80", "x" * 5_000])
def test_an_unknown_ticket_is_accepted_and_closed(site: LiveSite, ticket: str) -> None:
    assert code_of(site, ticket) == NOT_AUTHORISED


def test_an_expired_ticket_lets_nobody_in(site: LiveSite) -> None:
    ticket = ticket_of(site, site.tokens["owner"])
    site.database.run("UPDATE sessions_app_ticket SET expires_at = %s", "2026-01-01 00:00:00+00:00")
    assert code_of(site, ticket) == NOT_AUTHORISED


def test_a_bad_ticket_is_not_mended_by_a_good_cookie(site: LiveSite) -> None:
    browser = Browser(site)
    browser.log_in("owner")
    assert code_of(site, "unknown", **browser.headers) == NOT_AUTHORISED


def test_a_ticket_has_the_limits_of_its_token(site: LiveSite) -> None:
    site.database.add_user("limited")
    ticket = ticket_of(site, add_token(site.database, "limited", reads_only=True))
    with by_ticket(site, ticket) as peer:
        assert sessions_of(peer) == []
        assert peer.call("session.create")["error"]["code"] == -32005


def test_a_connection_ends_with_the_token_of_its_ticket(site: LiveSite) -> None:
    ticket, unused = (ticket_of(site, site.database.add_user(name)) for name in ("ending", "ended"))
    with by_ticket(site, ticket) as peer:
        peer.call("session.list")
        for name in ("ending", "ended"):
            owner = "(SELECT id FROM auth_user WHERE username = %s)"
            site.database.run(f"DELETE FROM sessions_app_apitoken WHERE owner_id = {owner}", name)
        assert peer.closed() == NOT_AUTHORISED
    assert code_of(site, unused) == NOT_AUTHORISED


def test_a_page_of_the_site_gets_a_ticket_by_its_login(site: LiveSite) -> None:
    site.database.add_user("browsing")
    browser = Browser(site)
    browser.log_in("browsing")
    csrf = {"X-CSRFToken": browser.cookies["csrftoken"]}
    status, answer = ask(site, **browser.headers, **csrf)
    assert status == 200
    with by_ticket(site, answer["ticket"]) as peer:
        assert sessions_of(peer) == []
        browser.post("/accounts/logout/")
        assert peer.closed() == NOT_AUTHORISED


def test_without_the_csrf_token_a_login_gets_no_ticket(site: LiveSite) -> None:
    browser = Browser(site)
    browser.log_in("owner")
    good = {**browser.headers, "X-CSRFToken": browser.cookies["csrftoken"]}
    assert ask(site, **good)[0] == 200
    other_host = {"host": "evil.example", "origin": "http://evil.example"}
    other_page = ({"origin": ELSEWHERE}, {"origin": "null"}, other_host)
    for wrong in ({"X-CSRFToken": ""}, {"X-CSRFToken": "x" * 64}, *other_page):
        status, answer = ask(site, **{**good, **wrong})
        assert (status, answer["error"]["code"]) == (403, "csrf_failed")


def test_with_a_token_the_cookie_does_not_count(site: LiveSite) -> None:
    browser = Browser(site)
    browser.log_in("owner")
    good = {**browser.headers, "X-CSRFToken": browser.cookies["csrftoken"]}
    assert ask(site, **good, authorization="Bearer wrong")[0] == 401
    # And the token needs no CSRF token beside it.
    assert ask(site, cookie=good["cookie"], authorization=f"Bearer {site.tokens['owner']}")[0] == 200


def test_the_cookie_never_counts_for_openais_api(site: LiveSite) -> None:
    browser = Browser(site)
    browser.log_in("owner")
    headers = {**browser.headers, "X-CSRFToken": browser.cookies["csrftoken"]}
    request = urllib.request.Request(f"{site.base_url}/v1/models", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE)
    refused.value.close()
    assert refused.value.code == 401


def test_who_is_not_known_gets_no_ticket(site: LiveSite) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "sessionid=wrong"}):
        assert ask(site, **headers)[0] == 401


def test_a_listed_origin_comes_by_a_ticket_and_no_other(site: LiveSite) -> None:
    with by_ticket(site, ticket_of(site, site.database.add_user("elsewhere")), origin=ELSEWHERE) as peer:
        assert sessions_of(peer) == []
    unlisted = ticket_of(site, site.tokens["owner"])
    with pytest.raises(InvalidStatus, match="403"), by_ticket(site, unlisted, origin="http://evil.example"):
        pass
    # It was refused before anything else: the ticket is still good.
    with by_ticket(site, unlisted) as peer:
        peer.call("session.list")


@pytest.mark.thorough
def test_of_handshakes_at_the_same_instant_one_gets_in(start_sites: Callable[..., list[LiveSite]]) -> None:
    sites = start_sites(2)
    ticket = ticket_of(sites[0], sites[0].tokens["owner"])
    together = threading.Barrier(8)

    def shake_hands(number: int) -> bool:
        together.wait(PATIENCE)
        with by_ticket(sites[number % 2], ticket) as peer:
            try:
                return "result" in peer.call("session.list")
            except ConnectionClosed as closed:
                return closed.rcvd is None or closed.rcvd.code != NOT_AUTHORISED

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(shake_hands, range(8))) == [False] * 7 + [True]


def test_no_ticket_is_written_to_the_log(site: LiveSite) -> None:
    """The site, whose log is looked at when it has ended, refuses some, and one was used."""
    with by_ticket(site, ticket_of(site, site.tokens["owner"])) as peer:
        peer.call("session.list")
    with pytest.raises(InvalidStatus), by_ticket(site, REFUSED, origin="http://evil.example"):
        pass
    with pytest.raises(InvalidStatus), connect(f"{site.base_url}/ws/other/?ticket={LOST}".replace("http", "ws")):
        pass
    assert _given
