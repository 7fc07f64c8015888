"""Access ends in both processes when it ends: for who is disabled, who leaves a group, and who signs out.

The suite asks on PostgreSQL, of one way to disable somebody; of who leaves a group in turns/test_lost_access.py and
groups/test_tool_servers.py, of who signs out in api/test_everywhere.py, and of what waits for a profile in one process
(api/test_profiles.py).
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any, TypeVar, cast

import pytest

from sessions_app.api.consumer import NOT_AUTHORISED
from tests import databases, sharing
from tests.limited import add_profile
from tests.live import LiveSite, fill
from tests.many.conftest import Sites
from tests.many.outside import until
from tests.many.tab import Tab
from tests.many.test_approvals import asked
from tests.peers import Browser, peer, token
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.scim.conftest import GROUP, PATCH

T = TypeVar("T")

DATABASES = POSTGRESQL, SQLITE = ("PostgreSQL", "SQLite")
FILE_BYTES = 12_000_000  # more than all buffers on the way
FILE = 'Content-Disposition: form-data; name="file"; filename="a.txt"'
USERS = "from django.contrib.auth.models import User"
NO_LONGER = "The model of this chat is no longer offered. Choose another to go on."
PARTS = "multipart/form-data; boundary=B"


@pytest.fixture(scope="module", params=DATABASES)
def sites(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sites]:
    """Two processes over one database, whose default profile has a server of mails."""
    folder = tmp_path_factory.mktemp("sites")
    env = {**environment, "HERMES_FILES": str(folder / "files")}
    if request.param == POSTGRESQL:
        running = cast(Sites, request.getfixturevalue("start_sites")(2, **env))
    else:
        request.getfixturevalue("static_files")
        template = sharing.made_once(sharing.SQLITE, lambda: fill(databases.sqlite(sharing.folder(), None)))
        database = databases.sqlite(folder, template)
        running = [LiveSite(database, **env) for _ in range(2)]
        for site in running:
            site.start()
    server = f"{sys.executable} -m tests.tool_servers.mail_server {folder / 'mails'}"
    running[0].manage("mcp_server", "mail", "--command", server, "--profiles", "Default", "--ask", "send")
    yield running
    for site in running:
        assert site.stop() == 0
        assert site.errors() == []


def provision(site: LiveSite, method: str, path: str, **body: Any) -> dict[str, Any]:
    """What an identity provider is answered by a site."""
    key = f"SCIM of {site.database.url}"
    if key not in site.tokens:
        site.tokens[key] = site.manage("create_token", "admin", "--scim").strip()
    status, told = ask(site, method, f"/scim/v2{path}", site.tokens[key], body)
    assert status < 300, told
    return cast(dict[str, Any], told)


def ask(site: LiveSite, method: str, path: str, key: str, body: Any = None) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)) as connection:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}


def by_sql(sites: Sites, user: str) -> None:
    sites[0].database.run("UPDATE auth_user SET is_active = false WHERE username = %s", user)


def by_scim(sites: Sites, user: str) -> None:
    [(key,)] = sites[0].database.run("SELECT id FROM auth_user WHERE username = %s", user)
    off = {"op": "replace", "value": {"active": False}}
    provision(sites[0], "PATCH", f"/Users/{key}", schemas=[PATCH], Operations=[off])


def by_command(sites: Sites, user: str) -> None:
    """The ORM, in a third process."""
    disable = f"user = User.objects.get(username={user!r}); user.is_active = False; user.save()"
    sites[0].manage("shell", "-c", f"{USERS}; {disable}")


class Stream:
    """A request whose answer is read in the background."""

    def __init__(self, site: LiveSite, path: str, key: str, body: dict[str, Any]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept": "text/event-stream"}
        self._connection.request("POST", path, json.dumps(body), headers)
        self._text = b""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        self._text = self._connection.getresponse().read()

    def end(self) -> str:
        """All that was said until the site ended it."""
        self._reading.join(PATIENCE)
        assert not self._reading.is_alive()
        self._connection.close()
        return self._text.decode()


class Download:
    """A file on its way to a client that reads nothing."""

    def __init__(self, site: LiveSite, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
        body = f"--B\r\n{FILE}\r\nContent-Type: text/plain\r\n\r\n".encode()
        body += b"word " * (FILE_BYTES // 5) + b"\r\n--B--\r\n"
        self._connection.request("POST", "/api/files/", body, {"Authorization": f"Bearer {key}", "Content-Type": PARTS})
        made = json.loads(self._connection.getresponse().read())
        self._connection.request("GET", f"/api/files/{made['id']}", headers={"Authorization": f"Bearer {key}"})
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200

    def is_broken_off(self) -> bool:
        try:
            return len(self._answer.read()) < FILE_BYTES
        except (http.client.IncompleteRead, ConnectionError):
            return True
        finally:
            self._connection.close()


class Held:
    """Turns of a user that are held in the midst of their answers, two of sockets and two of streams over HTTP."""

    def __init__(self, sites: Sites, a: Tab, b: Tab, provider: Provider, key: str) -> None:
        self.gates: list[Gate] = []
        self._provider = provider
        self.chat = a.new_session()
        self._begin(lambda: a.ask(self.chat))
        self._begin(lambda: b.ask(b.new_session()))
        self.streams = [
            self._begin(lambda: Stream(sites[1], "/v1/chat/completions", key, CHAT)),
            self._begin(lambda: Stream(sites[0], "/ag-ui/", key, RUN)),
        ]

    def _begin(self, begin: Callable[[], T]) -> T:
        self.gates.append(Gate())
        self._provider.script(Answer(["One ", "two"], gates={1: self.gates[-1]}))
        begun = begin()
        self.gates[-1].stood(PATIENCE)
        return begun

    def open(self) -> None:
        for gate in self.gates:
            gate.open()


@pytest.mark.parametrize(
    ("sites", "disable"),
    [
        (POSTGRESQL, by_sql),
        pytest.param(POSTGRESQL, by_scim, marks=pytest.mark.thorough),
        pytest.param(POSTGRESQL, by_command, marks=pytest.mark.thorough),
        pytest.param(SQLITE, by_sql, marks=pytest.mark.thorough),
    ],
    indirect=["sites"],
    scope="module",
)
def test_who_is_disabled_loses_everything_in_both_processes(
    sites: Sites, user: str, a: Tab, b: Tab, provider: Provider, disable: Callable[[Sites, str], None]
) -> None:
    database, key, browser = sites[0].database, sites[0].tokens[user], Browser(sites[0])
    browser.log_in(user)
    asked(a, a.new_session(), provider, "send", "Bo")
    ticket = ask(sites[0], "POST", "/api/ticket", key)[1]["ticket"]
    download, held = Download(sites[1], key), Held(sites, a, b, provider, key)
    a.ask(held.chat, "waits")
    requests = len(provider.requests)
    with ExitStack() as stack:
        page = stack.enter_context(peer(sites[1], **{**browser.headers, "origin": sites[1].base_url}))
        page.call("session.list")
        disable(sites, user)
        late = stack.enter_context(peer(sites[1], f"?ticket={ticket}"))
        assert [each.closed() for each in (a, b, page, late)] == [NOT_AUTHORISED] * 4
    assert all("One" in said and "two" not in said for said in [stream.end() for stream in held.streams])
    assert download.is_broken_off()
    [(user_id,)] = database.run("SELECT id FROM auth_user WHERE username = %s", user)
    until(database, 0, "SELECT 1 FROM sessions_app_turn WHERE owner_id = %s AND ended_at IS NULL", user_id)
    statuses = database.run("SELECT status FROM sessions_app_turn WHERE owner_id = %s", user_id)
    assert sorted(status for (status,) in statuses) == ["complete", *["stopped"] * 4, "withdrawn"]
    until(database, 0, "SELECT 1 FROM sessions_app_approval WHERE owner_id = %s AND decision = 'waiting'", user_id)
    held.open()
    assert len(provider.requests) == requests
    for active in (False, True):  # it does not come back with the user
        database.run("UPDATE auth_user SET is_active = %s WHERE id = %s", active, user_id)
        assert [ask(site, "GET", "/v1/models", key)[0] for site in sites] == [401, 401]
        assert browser.open("/").endswith("/accounts/login/?next=/")


CHAT = {"model": "Default", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
RUN = {
    "threadId": "thread",
    "runId": "run",
    "messages": [{"id": "1", "role": "user", "content": "hello"}],
    "tools": [],
    "context": [],
    "state": {},
    "forwardedProps": {},
}


def leave_by_sql(sites: Sites, group: str, user_id: int) -> None:
    sites[0].database.run("DELETE FROM auth_user_groups WHERE group_id = %s AND user_id = %s", int(group), user_id)


def leave_by_scim(sites: Sites, group: str, user_id: int) -> None:
    gone = {"op": "remove", "path": f'members[value eq "{user_id}"]'}
    provision(sites[1], "PATCH", f"/Groups/{group}", schemas=[PATCH], Operations=[gone])


def with_profile_of_a_group(sites: Sites, user: str, name: str) -> tuple[int, str, int]:
    """A profile for the members of a group of its name, of which the user is one: the user, the group, the profile."""
    [(user_id,)] = sites[0].database.run("SELECT id FROM auth_user WHERE username = %s", user)
    members = [{"value": str(user_id)}]
    group = provision(sites[0], "POST", "/Groups", schemas=[GROUP], displayName=name, members=members)["id"]
    return user_id, group, add_profile(sites[0].database, name, group=name)


BOTH = pytest.mark.parametrize(
    ("sites", "leave"),
    [(POSTGRESQL, leave_by_scim), pytest.param(SQLITE, leave_by_sql, marks=pytest.mark.thorough)],
    indirect=["sites"],
    scope="module",
)


@pytest.mark.thorough
@BOTH
def test_who_leaves_a_group_loses_what_it_alone_allowed(
    sites: Sites, user: str, a: Tab, b: Tab, provider: Provider, leave: Callable[[Sites, str, int], None]
) -> None:
    name = f"of {user}"
    user_id, group, profile = with_profile_of_a_group(sites, user, name)
    for tab in (a, b):
        tab.result("account.features")  # from here on it is told
        assert name in offered(tab)
    gate, other = Gate(), Gate()
    chat = a.result("session.create", profile=profile)["session"]["id"]
    a.open(chat)
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    run = a.ask(chat)
    gate.stood(PATIENCE)
    queued = a.ask(chat, "waits")
    provider.script(Answer(["Three ", "four"], gates={1: other}))
    allowed = b.ask(b.new_session())
    other.stood(PATIENCE)
    requests = len(provider.requests)
    leave(sites, group, user_id)
    for tab in (a, b):
        tab.until(lambda frame: frame.get("method") == "account.changed")
        assert name not in offered(tab)
    for each in (run, queued):
        assert a.end_of(each)["event"]["message"] == NO_LONGER
    other.open()
    gate.open()
    assert b.end_of(allowed)["event"]["type"] == "RUN_FINISHED"
    assert len(provider.requests) == requests
    # The chat is readable, and says why it does not go on.
    assert [message["text"] for message in b.open(chat)["messages"]] == ["hello", "One ", "waits"]
    assert b.call("turn.start", session_id=chat, text="more")["error"]["code"] == -32004


@BOTH
@pytest.mark.thorough
def test_who_leaves_a_group_loses_what_waits_for_its_profile(
    sites: Sites, user: str, a: Tab, b: Tab, provider: Provider, leave: Callable[[Sites, str, int], None]
) -> None:
    user_id, group, profile = with_profile_of_a_group(sites, user, f"later of {user}")
    asking = a.new_session()
    approval = asked(a, asking, provider, "send", "Bo")
    a.result("session.update", session_id=asking, profile=profile)
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = b.new_session()
    running = b.ask(chat)
    gate.stood(PATIENCE)
    b.result("session.update", session_id=chat, profile=profile)
    queued = b.ask(chat, "waits")
    leave(sites, group, user_id)
    for tab in (a, b):
        withdrawn = tab.event(lambda event: event["event"].get("name") == "turn.withdrawn")["event"]["value"]
        assert (withdrawn["run_id"], withdrawn["error"]["text"]) == (queued, NO_LONGER)
        refused = tab.event(lambda event: event["event"].get("name") == "approval.decided")["event"]["value"]
        assert (refused["id"], refused["decision"]) == (approval, "refused")
    gate.open()
    assert b.end_of(running)["event"]["type"] == "RUN_FINISHED"
    assert [message["text"] for message in b.open(chat)["messages"]] == ["hello", "One two"]


def offered(tab: Tab) -> list[str]:
    return [profile["name"] for profile in tab.result("profile.list")["profiles"]]


@pytest.mark.thorough
def test_who_signs_out_loses_the_sockets_of_that_login_alone(
    sites: Sites, user: str, a: Tab, provider: Provider
) -> None:
    leaver, stayer = Browser(sites[0]), Browser(sites[1])
    gate = Gate()
    for browser in (leaver, stayer):
        browser.log_in(user)
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    run = a.ask(a.new_session())
    gate.stood(PATIENCE)
    with ExitStack() as stack:
        gone, there = (
            [stack.enter_context(peer(site, **{**browser.headers, "origin": site.base_url})) for site in sites]
            for browser in (leaver, stayer)
        )
        there.append(stack.enter_context(peer(sites[1], **token(sites[1], user))))
        for each in (*gone, *there):
            each.call("session.list")
        leaver.post("/accounts/logout/")
        assert [each.closed() for each in gone] == [NOT_AUTHORISED] * 2
        assert all("result" in each.call("session.list") for each in there)
    gate.open()
    assert a.end_of(run)["event"]["type"] == "RUN_FINISHED"
