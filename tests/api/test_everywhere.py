"""What is ended in one process ends in all: the connections of whoever may no longer act."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from sessions_app.api.consumer import NOT_AUTHORISED
from tests.live import PASSWORD, LiveSite
from tests.peers import Browser, Peer, peer, token

Sites = list[LiveSite]
LEAVER = "(SELECT max(id) FROM auth_user)"


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites]) -> Sites:
    """Two processes over one database."""
    return start_sites(2)


def log_out(browser: Browser) -> None:
    browser.post("/accounts/logout/")


def change_password(browser: Browser) -> None:
    new = f"another {PASSWORD}"
    browser.post("/accounts/password_change/", old_password=PASSWORD, new_password1=new)


def reset_password(browser: Browser) -> None:
    browser.site.database.run(f"UPDATE auth_user SET password = '!' WHERE id = {LEAVER}")


def let_the_login_expire(browser: Browser) -> None:
    browser.site.database.run("UPDATE django_session SET expire_date = now() - interval '1 second'")


def deactivate(browser: Browser) -> None:
    browser.site.database.run(f"UPDATE auth_user SET is_active = false WHERE id = {LEAVER}")


def listen(sites: Sites, stack: ExitStack, **headers: str) -> list[Peer]:
    """A connection in each process, which was let in and only listens from then on."""
    peers = [stack.enter_context(peer(site, **{**headers, "origin": site.base_url})) for site in sites]
    for each in peers:
        each.call("session.list")
    return peers


@pytest.mark.parametrize("end", [log_out, change_password, reset_password, let_the_login_expire, deactivate])
def test_the_end_of_a_login_closes_its_connections_in_every_process(
    sites: Sites, end: Callable[[Browser], None]
) -> None:
    sites[0].database.add_user(end.__name__)
    browser = Browser(sites[0])
    browser.log_in(end.__name__)
    with ExitStack() as stack:
        gone = listen(sites, stack, **browser.headers)
        others = listen(sites, stack, **token(sites[0]))
        end(browser)
        assert [each.closed() for each in gone] == [NOT_AUTHORISED] * 2
        assert all("result" in each.call("session.list") for each in others)


@pytest.mark.parametrize(
    "sql",
    [
        f"DELETE FROM sessions_app_apitoken WHERE owner_id = {LEAVER}",
        f"UPDATE auth_user SET is_active = false WHERE id = {LEAVER}",
    ],
)
def test_the_end_of_a_token_closes_its_connections_in_every_process(sites: Sites, sql: str) -> None:
    name = f"holder {hash(sql)}"
    sites[0].database.add_user(name)
    with ExitStack() as stack:
        gone = listen(sites, stack, **token(sites[0], name))
        sites[0].database.run(sql)
        assert [each.closed() for each in gone] == [NOT_AUTHORISED] * 2
