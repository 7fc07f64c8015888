"""Links to chats: made of what is shown, listed, revoked; what each shows, and to whom."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AbstractUser, Group
from django.test import override_settings
from django.utils import timezone

from hermes_site.headers import SERVER
from sessions_app import database
from sessions_app.api.limits import VISIT_BURST, Limits
from sessions_app.api.revocation import Doorkeeper
from sessions_app.conversations import branches
from sessions_app.files import store
from sessions_app.http_api import file_answers
from sessions_app.http_api.breaking_off import BROKEN_OFF
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    AuditEntry,
    ChatSession,
    ContentState,
    Feature,
    FeatureRule,
    FileContent,
    Message,
    MessageFile,
    Share,
    SharePage,
    UserFile,
)
from sessions_app.models import sealed as seals
from sessions_app.share_pages import visits
from sessions_app.share_pages.application import SharedChats
from sessions_app.sharing import line, links
from sessions_app.turn_store import deleting
from sessions_app.turns.runner import Runner
from sessions_app.web import rendering
from tests.api.client import Client
from tests.api.conftest import Connect, bearer, cookie, login
from tests.api.rows import change, everything, say


@pytest.fixture(autouse=True)
def everybody() -> Iterator[None]:
    """On this site chats may be shared with everybody."""
    with override_settings(HERMES_SHARING="everybody"):
        yield
    rendering.close()


class Answer:
    """What a door of shared chats has answered."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        start, *bodies = messages
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.text = b"".join(body.get("body", b"") for body in bodies).decode()


def scope(url: str, headers: Iterable[tuple[bytes, bytes]], method: str, address: str) -> dict[str, Any]:
    """A request as the server tells it."""
    path, _, query = url.partition("?")
    asked = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": list(headers)}
    return {**asked, "client": [address or "192.0.2.1", 1]}


async def nothing() -> dict[str, Any]:
    raise AssertionError("the body of a request is not asked for")


class Doors:
    """The pages of shared chats, of one process."""

    def __init__(self, runner: Runner, limits: Limits) -> None:
        self.application = SharedChats(runner, Doorkeeper(), limits, SERVER)

    async def get(self, url: str, *headers: tuple[bytes, bytes], method: str = "GET", address: str = "") -> Answer:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application(scope(url, headers, method, address), nothing, send)
        return Answer(sent)

    @asynccontextmanager
    async def reading(self, url: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Ask for something, and take each message of the answer before the next is sent."""
        taken: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=1)

        async def ask() -> None:
            await self.application(scope(url, (), "GET", ""), nothing, taken.put)
            await taken.put(None)

        async def messages() -> AsyncIterator[dict[str, Any]]:
            while (message := await taken.get()) is not None:
                yield message

        asking = asyncio.ensure_future(ask())
        yield messages()
        await asking


@pytest.fixture
def doors(runner: Runner, limits: Limits) -> Doors:
    """The doors of a process."""
    return Doors(runner, limits)


async def begin(client: Client, *texts: str) -> tuple[str, list[str]]:
    """Make a chat in which a user has said these texts, and return the ids of both."""
    session_id = (await client.call("session.create", title="A plan"))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    return session_id, await say(session_id, *texts)


async def answer(session_id: str, text: str, parts: Any = None, role: str = "assistant", kind: str = "") -> str:
    """Append a message of another kind."""

    def add() -> str:
        [public_id] = _say(session_id, text, role)
        Message.objects.filter(public_id=public_id).update(parts=parts, kind=kind)
        return public_id

    return await database.write(add)


def _say(session_id: str, text: str, role: str) -> list[str]:
    chat_session = ChatSession.objects.select_related("active_branch").get(pk=session_id)
    row = Message.objects.create(
        owner_id=chat_session.owner_id,
        chat_session=chat_session,
        branch=chat_session.active_branch,
        position=branches.next_position(chat_session),
        role=role,
        text=text,
    )
    return [str(row.public_id)]


async def share(client: Client, session_id: str, **params: Any) -> dict[str, Any]:
    """Make a link."""
    made: dict[str, Any] = (await client.call("share.create", session_id=session_id, **params))["share"]
    return made


async def test_a_link_is_made_listed_and_revoked(connect: Connect, owner: AbstractUser, doors: Doors) -> None:
    client = await connect(owner)
    session_id, [first, last] = await begin(client, "What is **here**?", "And then?")
    end = (timezone.now() + timedelta(days=3)).isoformat()
    whole = await share(client, session_id)
    part = await share(client, session_id, until=first, audience="users", expires_at=end)
    assert (whole["until"], whole["audience"], whole["expires_at"]) == (last, "everybody", None)
    assert (part["until"], part["audience"]) == (first, "users")
    assert re.fullmatch(r"/share/[A-Za-z0-9_-]{43}/", whole["url"])
    listed = await client.call("share.list", session_id=session_id)
    assert listed == {"shares": [whole, part], "audiences": ["users", "everybody"]}
    assert "And then?" in (await doors.get(whole["url"])).text
    assert await client.call("share.revoke", share_id=whole["id"]) == {}
    assert (await doors.get(whole["url"])).status == 404
    assert (await client.refusal("share.revoke", share_id=whole["id"])).code == -32001
    assert (await client.call("share.list", session_id=session_id))["shares"] == [part]
    rows = await database.read(lambda: list(AuditEntry.objects.order_by("number").values_list("action", "details")))
    told = [(action, json.loads(details)) for action, details in rows if action.startswith("share.")]
    assert [action for action, _ in told] == ["share.made", "share.made", "share.revoked"]
    assert told[1][1] == {"audience": "users", "days": 3, "session": session_id, "user": owner.pk}


async def test_the_key_is_not_in_the_database(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    key = (await share(client, session_id))["url"].split("/")[-2]
    [row] = await database.read(lambda: list(Share.objects.values()))
    assert key not in json.dumps(row, default=str)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        [listed] = (await client.call("share.list", session_id=session_id))["shares"]
    assert listed["url"] is None
    assert seals.unseal(row["sealed"]) == key


async def test_a_link_shows_what_was_said_then(connect: Connect, owner: AbstractUser, doors: Doors) -> None:
    """Later messages, other branches and a new title are not in it."""
    client = await connect(owner)
    session_id, [first, _] = await begin(client, "Say <i>this</i>", "second question")
    await answer(session_id, "**Bold** and $x^2$\n\n```python\nprint(1)\n```")
    url = (await share(client, session_id))["url"]
    await say(session_id, "later words")
    await change(session_id, title="Another title")
    forked = await client.call("message.edit", message_id=first, text="edited words")
    await client.run_ends(forked["run_id"])
    page = await doors.get(url)
    assert page.status == 200
    assert "Say &lt;i&gt;this&lt;/i&gt;" in page.text
    assert "<strong>Bold</strong>" in page.text
    assert "<math" in page.text
    assert '<span class="nb">print</span>' in page.text
    assert '<h1 dir="auto">A plan</h1>' in page.text
    for word in ("later words", "edited words", "Another title", "<script", owner.get_username()):
        assert word not in page.text
    other = (await share(client, session_id))["url"]
    shown = (await doors.get(other)).text
    assert "edited words" in shown
    assert "second question" not in shown


async def test_a_page_runs_no_script_and_is_kept_and_named_nowhere(
    connect: Connect, owner: AbstractUser, doors: Doors
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    url = (await share(client, session_id))["url"]
    for page in (await doors.get(url), await doors.get(f"{url}?page=7"), await doors.get(url, method="POST")):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'none'" in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "private, no-store"
        assert page.headers["X-Robots-Tag"].startswith("noindex")
        assert "Set-Cookie" not in page.headers
        assert "<script" not in page.text


SECRETS = ("secret argument", "secret result", "secret thought", "secret memory", "secret summary", "secret-picture")


async def test_what_nobody_has_said_is_not_shown(connect: Connect, owner: AbstractUser, doors: Doors) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Look it up")
    call = {"kind": "call", "id": "1", "name": "look_up", "arguments": '{"q": "secret argument"}'}
    thought = {"kind": "reasoning", "text": "secret thought"}
    file = {"kind": "file", "id": str(uuid4()), "name": "secret-picture", "media_type": "image/png", "folder": "f"}
    await answer(session_id, "One moment.", [thought, call])
    await answer(session_id, "secret result", [{"kind": "result", "id": "1", "name": "look_up"}, file], role="tool")
    await answer(session_id, "Found it.")
    await answer(session_id, "secret memory", [{"kind": "note"}], role="user", kind="note")
    await answer(session_id, "secret summary", [{"kind": "summary", "before": 1}], role="user", kind="summary")
    page = await doors.get((await share(client, session_id))["url"])
    assert page.text.count("<article") == 2
    assert "Used look up" in page.text
    assert "Found it." in page.text
    assert not [secret for secret in SECRETS if secret in page.text]


async def test_whatever_is_not_shown_is_answered_alike(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, doors: Doors
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    other_id, _ = await begin(client, "Gone")
    end = (timezone.now() + timedelta(hours=1)).isoformat()
    shared = {
        "revoked": await share(client, session_id),
        "over": await share(client, session_id, expires_at=end),
        "of a deleted chat": await share(client, other_id),
        "good": await share(client, session_id),
    }
    for made in shared.values():
        assert (await doors.get(made["url"])).status == 200
    await client.call("share.revoke", share_id=shared["revoked"]["id"])
    await database.write(lambda: Share.objects.filter(expires_at__gt=timezone.now()).update(expires_at=timezone.now()))
    await client.call("session.delete", session_id=other_id)
    guessed = f"/share/{'A' * 43}/"
    visitors = [await doors.get(url) for url in (guessed, *(made["url"] for made in shared.values()))]
    assert [page.status for page in visitors] == [404, 404, 404, 404, 200]
    by_cookie = cookie(await database.write(login, outsider))
    users = [await doors.get(url, by_cookie) for url in (guessed, *(made["url"] for made in shared.values()))]
    assert [page.status for page in users] == [404, 404, 404, 404, 200]
    assert {page.text for page in users[:4]} == {users[0].text}
    assert {re.sub('next=[^"]*', "", page.text) for page in visitors[:4]} == {
        re.sub('next=[^"]*', "", visitors[0].text)
    }
    good = shared["good"]["url"]
    assert [(await doors.get(f"{good}?page={number}")).status for number in ("0", "2", "-1", "x", "1%00", "")] == [
        404
    ] * 6
    assert [
        (await doors.get(path)).status for path in ("/share/", "/share/a/b/", "/share/\u0660/", good + "files/x")
    ] == [404] * 4
    moved = await doors.get(good[:-1] + "?page=1")
    assert (moved.status, moved.headers["Location"]) == (308, good + "?page=1")


async def test_links_of_who_may_not_share_show_nothing_and_can_be_revoked(
    connect: Connect, owner: AbstractUser, doors: Doors
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    made, other = await share(client, session_id), await share(client, session_id)

    def limit() -> None:
        group = Group.objects.create(name="team")
        FeatureRule.objects.create(feature=Feature.SHARING).groups.add(group)

    await database.write(limit)
    assert (await doors.get(made["url"])).status == 404
    assert (await client.refusal("share.create", session_id=session_id)).code == -32005
    await database.write(lambda: owner.groups.add(Group.objects.get()))
    assert (await doors.get(made["url"])).status == 200
    with override_settings(HERMES_SHARING="off"):
        assert (await doors.get(made["url"])).status == 404
        assert (await client.refusal("share.create", session_id=session_id)).code == -32005
        assert (await client.call("account.features"))["features"] == ["files", "api_tokens"]
        listed = await client.call("share.list", session_id=session_id)
        assert listed == {"shares": [made, other], "audiences": []}
        assert await client.call("share.revoke", share_id=other["id"]) == {}
    await database.write(lambda: type(owner).objects.filter(pk=owner.pk).update(is_active=False))
    assert (await doors.get(made["url"])).status == 404


def keep(owner_id: int, name: str, content: bytes) -> UserFile:
    """Keep a file of a user, as if it had been sent."""
    digest = hashlib.sha256(content).hexdigest()
    made = {"digest": digest, "kept": digest, "size": len(content), "stored_size": len(content)}
    row = FileContent.objects.create(owner_id=owner_id, state=ContentState.READY, media_type="text/html", **made)
    store.put(store.key_of(owner_id, row.folder, digest), io.BytesIO(content))
    return UserFile.objects.create(owner_id=owner_id, content=row, name=name)


async def test_files_are_given_by_the_link_that_shows_them(
    connect: Connect, owner: AbstractUser, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(owner)
    session_id, [first, second] = await begin(client, "With a file", "With another")
    files = [
        await database.write(keep, owner.pk, name, name.encode() * 100_000) for name in ("a.html", "b.html", "c.html")
    ]

    def attach() -> None:
        for public_id, file, role in ((first, files[0], "user"), (second, files[1], "user"), (third, files[2], "tool")):
            rows = Message.objects.filter(public_id=public_id)
            part = {"kind": "file", "id": str(file.pk), "name": file.name, "media_type": "text/html", "folder": "f"}
            rows.update(parts=[part], role=role)
            MessageFile.objects.create(message=rows.get(), file=file)

    [third] = await say(session_id, "What a tool has brought")
    await database.write(attach)
    whole = (await share(client, session_id))["url"]
    part = (await share(client, session_id, until=first))["url"]
    given = await doors.get(f"{whole}files/{files[0].pk}")
    assert (given.status, given.text) == (200, "a.html" * 100_000)
    assert given.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a.html"
    assert given.headers["Content-Type"] == "application/octet-stream"
    assert given.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert given.headers["Cache-Control"] == "private, no-store"
    assert (await doors.get(f"{whole}files/{files[1].pk}")).status == 200
    assert f'href="files/{files[0].pk}"' in (await doors.get(part)).text
    for hidden in (files[1].pk, files[2].pk, uuid4()):
        assert (await doors.get(f"{part}files/{hidden}")).status == 404
    assert (await doors.get(f"{whole}files/{files[2].pk}")).status == 404
    # Revoked while it is read: what is sent is not taken for the whole file.
    monkeypatch.setattr(file_answers, "ASKING_SECONDS", -1)
    async with doors.reading(f"{whole}files/{files[0].pk}") as pieces:
        await anext(pieces)
        await database.write(lambda: Share.objects.all().delete())
        rest = [message["type"] async for message in pieces]
    assert rest[-1] == BROKEN_OFF
    assert (await doors.get(f"{whole}files/{files[1].pk}")).status == 404


async def test_a_link_for_users_tells_visitors_nothing(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, doors: Doors
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    for_users = (await share(client, session_id, audience="users"))["url"]
    for_everybody = (await share(client, session_id))["url"]
    page = await doors.get(for_users)
    assert page.status == 404
    assert f"/accounts/login/?next={for_users.replace('/', '%2F')}" in page.text
    by_cookie = cookie(await database.write(login, outsider))
    assert (await doors.get(for_users, by_cookie)).status == 200
    assert (await doors.get(for_users, await bearer(outsider))).status == 404
    with override_settings(HERMES_SHARING="users"):
        assert (await doors.get(for_everybody)).status == 404
        assert (await doors.get(for_everybody, by_cookie)).status == 200
        assert (await client.refusal("share.create", session_id=session_id, audience="everybody")).code == -32005
        assert (await share(client, session_id))["audience"] == "users"


@pytest.mark.both_databases
async def test_a_page_that_another_program_has_changed_is_not_shown(
    connect: Connect, owner: AbstractUser, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PAGE_MESSAGES", 3)
    monkeypatch.setattr(links, "_STEP_MESSAGES", 2)
    client = await connect(owner)
    session_id, said = await begin(client, *(f"message {number}" for number in range(8)))
    url = (await share(client, session_id))["url"]
    first, second, third = [await doors.get(f"{url}?page={number}") for number in (1, 2, 3)]
    assert re.findall(r"message \d", first.text) == ["message 0", "message 1", "message 2"]
    assert re.findall(r"message \d", third.text) == ["message 6", "message 7"]
    assert 'href="?page=3"' in second.text
    assert 'href="?page=1"' in second.text
    assert (await doors.get(f"{url}?page=4")).status == 404

    def rewrite(text: str) -> None:
        Message.objects.filter(public_id=said[4]).update(text=text)

    await database.write(rewrite, "other words")
    page = await doors.get(f"{url}?page=2")
    assert page.status == 200
    assert "changed after it was shared" in page.text
    assert "words" not in re.sub(r"<head>.*</head>", "", page.text, flags=re.DOTALL)
    assert (await doors.get(url)).text == first.text
    await database.write(rewrite, "message 4")
    assert (await doors.get(f"{url}?page=2")).text == second.text
    # What has come between two pages is on neither.
    move = lambda: Message.objects.filter(public_id=said[5]).update(position=100)  # noqa: E731
    await database.write(move)
    assert "message 5" not in "".join([(await doors.get(f"{url}?page={number}")).text for number in (1, 2, 3)])


async def test_a_long_message_has_a_page_of_its_own(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PAGE_CHARACTERS", 10)
    client = await connect(owner)
    session_id, _ = await begin(client, "short", "short", "much longer than a page", "short")
    await share(client, session_id)
    rows = await database.read(lambda: list(SharePage.objects.order_by("number").values_list("first", "last")))
    assert rows == [(0, 1), (2, 2), (3, 3)]


async def test_what_cannot_be_shared_is_refused(connect: Connect, owner: AbstractUser, outsider: AbstractUser) -> None:
    client = await connect(owner)
    empty = (await client.call("session.create"))["session"]["id"]
    assert (await client.refusal("share.create", session_id=empty)).code == -32602
    session_id, [said] = await begin(client, "Hello")
    _, [elsewhere] = await begin(client, "Other chat")
    past = (timezone.now() - timedelta(minutes=1)).isoformat()
    assert (await client.refusal("share.create", session_id=session_id, expires_at=past)).code == -32602
    assert (await client.refusal("share.create", session_id=session_id, until=elsewhere)).code == -32001
    edited = await client.call("message.edit", message_id=said, text="Good day")
    await client.run_ends(edited["run_id"])
    assert (await client.refusal("share.create", session_id=session_id, until=said)).code == -32004
    made = await share(client, session_id)
    before = await everything()
    theirs = await connect(outsider)
    missing = await theirs.refusal("share.revoke", share_id=str(uuid4()))
    foreign = await theirs.refusal("share.revoke", share_id=made["id"])
    assert missing.frame.replace('"id":1,', "") == foreign.frame.replace('"id":2,', "")
    assert await everything() == before
    assert await database.read(Share.objects.count) == 1


async def test_a_token_of_one_profile_reaches_the_links_of_its_chats_alone(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    made = await share(client, session_id)
    other = await database.write(lambda: AgentProfile.objects.create(name="Narrow", model="demo"))
    _, clear_text = await database.write(ApiToken.issue, owner, profile=other)
    narrow = await connect(headers=[(b"authorization", f"Bearer {clear_text}".encode())])
    assert (await narrow.refusal("share.revoke", share_id=made["id"])).code == -32001


async def test_more_links_than_are_allowed_are_refused_and_old_ones_removed(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "SHARES_PER_USER", 2)
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    first, second = await share(client, session_id), await share(client, session_id)
    refusal = await client.refusal("share.create", session_id=session_id)
    assert (refusal.code, refusal.data) == (-32003, {"quota": "shares", "used": 2, "limit": 2})
    over = lambda: Share.objects.filter(pk=first["id"]).update(expires_at=timezone.now())  # noqa: E731
    await database.write(over)
    third = await share(client, session_id)
    assert (await client.call("share.list", session_id=session_id))["shares"] == [second, third]
    actions = await database.read(lambda: list(AuditEntry.objects.values_list("action", flat=True)))
    assert "share.revoked" not in actions


@pytest.mark.both_databases
async def test_a_chat_that_is_deleted_while_it_is_shared_leaves_no_link(connect: Connect, owner: AbstractUser) -> None:
    """Between the reading of its line and the storing of the link."""
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    kept_id, _ = await begin(client, "Kept")
    await share(client, kept_id)
    found = await database.read(links.find, owner.pk, UUID(session_id), None)
    pages = line.Pages()
    assert await database.read(links.read_some, owner.pk, found, pages, 0) is None
    await share(client, session_id)
    await database.write(deleting.delete, owner.pk, UUID(session_id), 30)
    with pytest.raises(Exception, match="Not found"):
        await database.write(links.make, owner.pk, found, pages.done, links.Terms())
    left = await database.read(lambda: (Share.objects.count(), SharePage.objects.count()))
    assert left == (1, 1)


async def test_visitors_are_bounded_by_address_and_together(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    url = (await share(client, session_id))["url"]
    limits = doors.application._limits
    for _ in range(VISIT_BURST):
        limits.visits.excess("192.0.2.1")
    refused = await doors.get(url)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) >= 1
    by_cookie = cookie(await database.write(login, outsider))
    assert (await doors.get(url, by_cookie)).status == 200
    assert (await doors.get(url, address="192.0.2.2")).status == 200
    monkeypatch.setattr(visits, "VISITS", 0)
    assert (await doors.get(url, address="192.0.2.2")).status == 429
    assert (await doors.get(url, by_cookie)).status == 200


async def test_a_page_is_rendered_once(
    connect: Connect, owner: AbstractUser, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(owner)
    session_id, _ = await begin(client, "Hello")
    await answer(session_id, "**Rendered**")
    url = (await share(client, session_id))["url"]
    asked: list[tuple[int, list[str]]] = []

    async def render(user: int, texts: list[str]) -> list[str]:
        asked.append((user, texts))
        return [f"<p>{text}</p>" for text in texts]

    monkeypatch.setattr(rendering, "render_all", render)
    pages = [await doors.get(url) for _ in range(3)]
    assert {page.text for page in pages} == {pages[0].text}
    assert asked == [(0, ["**Rendered**"])]
