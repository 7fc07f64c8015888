"""The shipped nginx configuration in front of two processes: what a user can tell of it, which is nothing.

All of it is thorough: of nginx the suite asks test_door.py.
"""

from __future__ import annotations

import http.client
import re
import signal
from contextlib import ExitStack
from urllib.error import HTTPError

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hermes_site.server import STOPPING
from sessions_app.accounts.throttle import Rule
from tests.deploy.front import Visitor
from tests.live import LiveSite
from tests.peers import Peer, peer, token
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

pytestmark = pytest.mark.thorough

Sites = list[LiveSite]
LARGEST = "\U0001f600" * 200_000
STRANGE = "198.51.100.7"


def new_session(client: Peer) -> str:
    """A session that the client has opened."""
    session_id: str = client.call("session.create")["result"]["session"]["id"]
    client.call("session.open", session_id=session_id)
    return session_id


def ask(client: Peer, session_id: str, text: str = "hello") -> str:
    run_id: str = client.call("turn.start", session_id=session_id, text=text)["result"]["run_id"]
    return run_id


def event(client: Peer, kind: str) -> dict[str, str]:
    """The next event of a kind."""
    found: dict[str, str] = client.until(lambda frame: frame["params"]["event"]["type"] == kind)["params"]["event"]
    return found


def test_pages_files_and_admin(tls_site: LiveSite) -> None:
    visitor = Visitor(tls_site)
    visitor.log_in("admin")
    assert {cookie.name for cookie in visitor.jar if cookie.secure} == {"sessionid", "csrftoken", "known_browser"}
    assert "Site administration" in visitor.get("/admin/").read().decode()
    answer = visitor.get("/")
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
    files = set(re.findall(r"/static/[^\"]+\.(?:css|js)", answer.read().decode()))
    assert files
    for file in files:
        assert "immutable" in visitor.get(file).headers["Cache-Control"]


def test_who_comes_without_tls_is_led_to_it(tls_site: LiveSite, https_ports: dict[str, int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", https_ports["80"], timeout=PATIENCE)
    connection.request("GET", "/accounts/login/?next=/")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://127.0.0.1/accounts/login/?next=/")
    connection.close()


@pytest.mark.parametrize("by", ["cookie", "token", "cookie over TLS"])
def test_an_answer_comes_as_it_is_said(request: pytest.FixtureRequest, provider: Provider, by: str) -> None:
    site: LiveSite = request.getfixturevalue("tls_site" if "TLS" in by else "site")
    visitor = Visitor(site)
    visitor.log_in("owner")
    assert any(cookie.secure for cookie in visitor.jar) == ("TLS" in by)
    gate = Gate()
    provider.script(Answer(["First ", "second"], gates={1: gate}))
    with peer(site, **(token(site) if by == "token" else visitor.headers)) as client:
        ask(client, new_session(client))
        assert event(client, "TEXT_MESSAGE_CONTENT")["delta"] == "First "
        gate.open()
        assert event(client, "TEXT_MESSAGE_CONTENT")["delta"] == "second"
        event(client, "RUN_FINISHED")


def test_a_page_of_another_site_is_refused(site: LiveSite) -> None:
    visitor = Visitor(site)
    visitor.log_in("owner")
    for origin in ("http://127.0.0.1", site.base_url.replace("http", "https")):
        with pytest.raises(InvalidStatus, match="403"), peer(site, **{**visitor.headers, "origin": origin}):
            pass


def test_the_largest_frame_passes(site: LiveSite) -> None:
    with peer(site, **token(site)) as client:
        asked = client.call("turn.start", session_id=new_session(client), text=LARGEST)
        assert asked["result"]["message"]["text"] == LARGEST
        event(client, "RUN_FINISHED")


def test_no_figures_are_told_through_the_door(site: LiveSite) -> None:
    visitor = Visitor(site)
    visitor.log_in("admin")
    for path in ("/metrics", "//metrics", "/%6detrics", "/metrics?from=outside"):
        with pytest.raises(HTTPError, match="404"):
            visitor.get(path)


def test_each_process_tells_its_own_figures(sites: Sites) -> None:
    for process in sites:
        visitor = Visitor(process)
        visitor.log_in("admin")
        assert "hermes_turns_running" in visitor.get("/metrics").read().decode()


def test_the_site_believes_nginx_and_nobody_else(site: LiveSite) -> None:
    def attempts_from(address: str) -> int:
        key = Rule(50, ("login", address)).key
        return len(site.database.run("SELECT id FROM accounts_attempt WHERE key = %s", key))

    forged = {"X-Forwarded-For": STRANGE, "X-Forwarded-Proto": "https", "Daphne-Root-Path": "/elsewhere"}
    visitor = Visitor(site, host="127.0.0.2", **forged)
    assert "/elsewhere" not in visitor.get("/accounts/login/").read().decode()
    assert not any(cookie.secure for cookie in visitor.jar)
    visitor.post("/accounts/login/", username="owner", password="wrong")
    assert (attempts_from("127.0.0.2"), attempts_from(STRANGE)) == (1, 0)


def home_of(site: LiveSite, user: str) -> str:
    """The process that runs the user's turn, asked for over a new connection."""
    with peer(site, **token(site, user)) as client:
        run_id = ask(client, new_session(client))
        event(client, "RUN_FINISHED")
    return str(site.database.run("SELECT process FROM sessions_app_turn WHERE run_id = %s", run_id)[0][0])


@pytest.fixture(scope="module")
def homes(site: LiveSite) -> dict[str, str]:
    """Users whose connections go to different processes, by process."""
    found: dict[str, str] = {}
    for user in (f"user{number}" for number in range(64)):
        site.database.add_user(user)
        found[home_of(site, user)] = user
        if len(found) == 2:
            return found
    raise AssertionError("64 users have the same process")


def test_a_users_connections_go_to_one_process(site: LiveSite, homes: dict[str, str]) -> None:
    for home, user in homes.items():
        assert {home_of(site, user) for _ in range(3)} == {home}


def begin_turns(site: LiveSite, clients: dict[str, Peer], provider: Provider) -> dict[str, tuple[str, Gate]]:
    """A turn of each user, held in the middle of its answer: its session, and what holds it."""
    begun = {}
    for user, client in clients.items():
        gate = Gate()
        provider.script(Answer(["Before ", "after"], gates={1: gate}))
        session_id = new_session(client)
        ask(client, session_id)
        gate.stood(PATIENCE)
        begun[user] = (session_id, gate)
    return begun


def closed_with(client: Peer) -> int | None:
    """The code that a connection was closed with; None where it is open."""
    try:
        client.call("session.list")
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else -1
    return None


def test_a_rolling_restart_shuts_nobody_out(
    site: LiveSite, sites: Sites, homes: dict[str, str], provider: Provider
) -> None:
    for stopping in sites:
        with ExitStack() as stack:
            clients = {user: stack.enter_context(peer(site, **token(site, user))) for user in homes.values()}
            begun = begin_turns(site, clients, provider)
            stopping.process.signal(signal.SIGTERM)
            for _, gate in begun.values():
                gate.open()
            assert stopping.process.wait() == 0
            assert {closed_with(client) for client in clients.values()} == {STOPPING, None}
            for user, (session_id, _) in begun.items():
                with peer(site, **token(site, user)) as again:
                    said = again.call("session.open", session_id=session_id)["result"]["messages"]
                    assert [message["text"] for message in said] == ["hello", "Before after"]
        stopping.start()
