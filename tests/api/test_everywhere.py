"""What is ended in one process ends in all: the connections of whoever may no longer act."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain

import pytest

from sessions_app.api.consumer import NOT_AUTHORISED
from tests.live import PASSWORD, LiveSite
from tests.peers import Browser, Peer, peer, token

Sites = list[LiveSite]


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites]) -> Sites:
    """Two processes over one database."""
    return start_sites(2)


def log_out(browser: Browser, user: str) -> None:
    browser.post("/accounts/logout/")


def change_password(browser: Browser, user: str) -> None:
    new = f"another {PASSWORD}"
    browser.post("/accounts/password_change/", old_password=PASSWORD, new_password1=new)


def reset_password(browser: Browser, user: str) -> None:
    browser.site.database.run("UPDATE auth_user SET password = '!' WHERE username = %s", user)


def let_the_login_expire(browser: Browser, user: str) -> None:
    expire = "UPDATE django_session SET expire_date = now() - interval '1 second' WHERE session_key = %s"
    browser.site.database.run(expire, browser.cookies["sessionid"])


def deactivate(browser: Browser, user: str) -> None:
    browser.site.database.run("UPDATE auth_user SET is_active = false WHERE username = %s", user)


def listen(sites: Sites, stack: ExitStack, **headers: str) -> list[Peer]:
    """A connection in each process, which was let in and only listens from then on."""
    peers = [stack.enter_context(peer(site, **{**headers, "origin": site.base_url})) for site in sites]
    for each in peers:
        each.call("session.list")
    return peers


def newcomer(sites: Sites, name: str) -> Browser:
    """The browser of a new user."""
    sites[0].database.add_user(name)
    browser = Browser(sites[0])
    browser.log_in(name)
    return browser


def test_the_end_of_a_login_closes_its_connections_in_every_process(sites: Sites) -> None:
    ends = (log_out, change_password, reset_password, let_the_login_expire, deactivate)
    with ExitStack() as stack:
        browsers = [newcomer(sites, end.__name__) for end in ends]
        gone = [listen(sites, stack, **browser.headers) for browser in browsers]
        others = [*listen(sites, stack, **token(sites[0])), *listen(sites, stack, **token(sites[0], "log_out"))]
        for end, browser in zip(ends, browsers, strict=True):
            end(browser, end.__name__)
        assert [each.closed() for each in chain(*gone)] == [NOT_AUTHORISED] * 2 * len(ends)
        assert all("result" in each.call("session.list") for each in others)


def test_the_end_of_a_token_closes_its_connections_in_every_process(sites: Sites) -> None:
    ends = {
        "revoked": "DELETE FROM sessions_app_apitoken WHERE owner_id = (SELECT id FROM auth_user WHERE username = %s)",
        "off": "UPDATE auth_user SET is_active = false WHERE username = %s",
    }
    for name in ends:
        sites[0].database.add_user(name)
    with ExitStack() as stack:
        gone = [listen(sites, stack, **token(sites[0], name)) for name in ends]
        for name, sql in ends.items():
            sites[0].database.run(sql, name)
        assert [each.closed() for each in chain(*gone)] == [NOT_AUTHORISED] * 4
