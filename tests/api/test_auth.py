"""Who is let in, by cookie and by token, and that it is asked again with every command."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.test import override_settings
from django.utils import timezone

from sessions_app import database
from sessions_app.accounts import logins
from sessions_app.accounts.models import Login
from sessions_app.api import auth, revocation
from sessions_app.api.examples import EXAMPLES
from sessions_app.models import ApiToken, ChatSession
from tests.api.client import Client, Closed
from tests.api.conftest import Connect, bearer, cookie, login

NOT_AUTHORISED = 4401


async def test_a_token_and_a_cookie_let_the_same_user_in(connect: Connect, owner: AbstractUser) -> None:
    by_token = await connect(headers=[await bearer(owner)])
    by_cookie = await connect(headers=[cookie(await database.write(login, owner))])
    session = (await by_token.call("session.create"))["session"]
    assert (await by_cookie.call("session.list"))["sessions"] == [session]


async def test_a_new_connection_notes_when_its_token_was_used(connect: Connect, owner: AbstractUser) -> None:
    await connect(owner)
    token = await database.read(ApiToken.objects.get)
    assert token.last_used_at is not None


async def test_a_connection_notes_by_the_minute_that_it_is_used(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await database.write(login, owner)
    await database.write(Login.objects.create, owner=owner, session_key=session.session_key)
    clock = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr(auth, "time", clock)

    async def is_noted(client: Client, rows: Any) -> bool:
        long_ago = timezone.now() - timedelta(hours=1)
        await database.write(rows.objects.update, last_used_at=long_ago)
        await client.call("session.create")
        return bool((await database.read(rows.objects.get)).last_used_at != long_ago)

    by_cookie, by_token = await connect(headers=[cookie(session)]), await connect(owner)
    for client, rows in ((by_cookie, Login), (by_token, ApiToken)):
        assert await is_noted(client, rows)
        assert not await is_noted(client, rows)
    clock.monotonic = lambda: 1061.0
    for client, rows in ((by_cookie, Login), (by_token, ApiToken)):
        assert await is_noted(client, rows)


async def refused(connect: Connect, *headers: tuple[bytes, bytes]) -> bool:
    client = await connect(headers=headers)
    code = await client.closed()
    return code == NOT_AUTHORISED and not client.events


async def test_who_cannot_be_known_is_accepted_and_closed(connect: Connect) -> None:
    for header in (
        (b"x-other", b"1"),
        (b"authorization", b"Bearer "),
        (b"authorization", b"Bearer wrong"),
        (b"authorization", b"Basic b3duZXI6YSBsb25nIG9uZQ=="),
        (b"cookie", b"sessionid=wrong"),
        (b"cookie", b"sessionid="),
        (b"cookie", b"\xff;;;=="),
    ):
        assert await refused(connect, header), header


@pytest.mark.both_databases
async def test_a_token_that_no_database_takes_is_not_known(connect: Connect) -> None:
    assert await refused(connect, (b"authorization", b"Bearer \xff\x00"))


async def test_a_bad_token_is_not_mended_by_a_good_cookie(connect: Connect, owner: AbstractUser) -> None:
    good = cookie(await database.write(login, owner))
    assert await refused(connect, (b"authorization", b"Bearer wrong"), good)
    client = await connect(headers=[(b"authorization", b"Basic eDp5"), good])
    assert (await client.call("session.list"))["sessions"] == []


async def test_an_inactive_user_is_not_let_in(connect: Connect, owner: AbstractUser) -> None:
    headers = [await bearer(owner), cookie(await database.write(login, owner))]
    owner.is_active = False
    await database.write(owner.save)
    for header in headers:
        assert await refused(connect, header)


def _expire(session_key: str | None) -> None:
    Session.objects.filter(pk=session_key).update(expire_date=timezone.now() - timedelta(seconds=1))


def _empty_session() -> Any:
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session["cart"] = 1
    session.save()
    return session


async def test_a_session_that_expired_or_is_nobodys_does_not_let_in(connect: Connect, owner: AbstractUser) -> None:
    session = await database.write(login, owner)
    await database.write(_expire, session.session_key)
    assert await refused(connect, cookie(session))
    assert await refused(connect, cookie(await database.write(_empty_session)))


async def test_a_session_of_an_old_secret_key_holds_while_that_is_a_fallback(
    connect: Connect, owner: AbstractUser
) -> None:
    session = await database.write(login, owner)
    with override_settings(SECRET_KEY="rotated", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        client = await connect(headers=[cookie(session)])
        assert (await client.call("session.list"))["sessions"] == []


async def test_a_tab_connects_again_when_a_page_has_renewed_its_login(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django gives a login that was signed with an earlier key another one with the first page that is asked for."""
    monkeypatch.setattr(revocation, "EVERY_SECONDS", 0.05)
    session, browser = await database.write(login, owner), Browser()
    browser.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    with override_settings(SECRET_KEY="rotated", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        tab = await connect(headers=[cookie(session)])
        assert (await database.write(browser.get, "/")).status_code == 200
        assert await tab.closed() == NOT_AUTHORISED
    renewed = browser.cookies[settings.SESSION_COOKIE_NAME].value
    with override_settings(SECRET_KEY="rotated"):
        tab = await connect(headers=[(b"cookie", f"{settings.SESSION_COOKIE_NAME}={renewed}".encode())])
        assert (await tab.call("session.list"))["sessions"] == []


def _by_raw_update(**fields: Any) -> Any:
    """Return a change of the user that sends no signal, as another process's would not."""
    return lambda user, session: type(user).objects.filter(pk=user.pk).update(**fields)


QUIETLY = {
    "deactivated": _by_raw_update(is_active=False),
    "password changed": _by_raw_update(password="md5$new"),
    "session expired": lambda user, session: _expire(session.session_key),
    "session gone": lambda user, session: Session.objects.all()._raw_delete("default"),
}


@pytest.mark.parametrize("loss", QUIETLY)
async def test_a_cookie_that_no_longer_holds_closes_at_the_next_command(
    connect: Connect, owner: AbstractUser, loss: str
) -> None:
    session = await database.write(login, owner)
    client = await connect(headers=[cookie(session)])
    await database.write(QUIETLY[loss], owner, session)
    await client.ask("session.create")
    assert await client.closed() == NOT_AUTHORISED
    assert await database.read(ChatSession.objects.count) == 0


TOKEN_LOSSES: dict[str, Any] = {
    "deactivated": lambda user: type(user).objects.filter(pk=user.pk).update(is_active=False),
    "token gone": lambda user: ApiToken.objects.all()._raw_delete("default"),
    "token expired": lambda user: ApiToken.objects.update(expires_at=timezone.now()),
}


@pytest.mark.parametrize("loss", TOKEN_LOSSES)
async def test_a_token_that_no_longer_holds_closes_at_the_next_command(
    connect: Connect, owner: AbstractUser, loss: str
) -> None:
    client = await connect(owner)
    await database.write(TOKEN_LOSSES[loss], owner)
    await client.notify("session.create")
    assert await client.closed() == NOT_AUTHORISED
    assert await database.read(ChatSession.objects.count) == 0


async def test_every_method_asks_again(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session = (await client.call("session.create"))["session"]
    for method, example in EXAMPLES.items():
        # A token of its own: all of a user end with a deactivation, and whom nobody knows is turned away at the door.
        client = await connect(headers=[await bearer(owner)])
        assert (await client.call("session.list"))["sessions"] == [session]
        named = {"session_id": session["id"]} if "session_id" in example.params else {}
        await database.write(_by_raw_update(is_active=False), owner, None)
        with pytest.raises(Closed) as closed:
            await client.call(method, **{**example.params, **named})
        assert closed.value.code == NOT_AUTHORISED, method
        await client.leave()
        left = await database.read(ChatSession.objects.get)
        assert (left.title, await database.read(left.turns.count)) == ("", 0)
        await database.write(_by_raw_update(is_active=True), owner, None)


async def test_what_was_answered_before_is_still_sent_before_the_close(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    asked = [await client.ask("session.create") for _ in range(3)]
    for request_id in asked:
        await client.answer(request_id)
    await database.write(_by_raw_update(is_active=False), owner, None)
    for _ in range(3):
        await client.ask("session.create")
    assert await client.closed() == NOT_AUTHORISED
    assert await database.read(ChatSession.objects.count) == 3


def _change_password(user: AbstractUser) -> None:
    user.set_password("another long one")
    user.save()


def _deactivate(user: AbstractUser) -> None:
    user.is_active = False
    user.save()


@pytest.mark.parametrize(
    ("loss", "cookie_ends", "token_ends"),
    [
        (lambda user, session: session.flush(), True, False),
        (lambda user, session: logins.end(Login.objects.all()), True, False),
        (lambda user, session: _change_password(user), True, True),
        (lambda user, session: _deactivate(user), True, True),
        (lambda user, session: ApiToken.objects.all().delete(), False, True),
        (lambda user, session: ApiToken.objects.update(expires_at=timezone.now()), False, True),
        (lambda user, session: user.delete(), True, True),
    ],
    ids=[
        "logged out",
        "login ended",
        "password changed",
        "deactivated",
        "token revoked",
        "token expired",
        "user deleted",
    ],
)
async def test_a_connection_that_only_listens_is_closed_at_once(
    connect: Connect,
    owner: AbstractUser,
    monkeypatch: pytest.MonkeyPatch,
    loss: Any,
    cookie_ends: bool,
    token_ends: bool,
) -> None:
    monkeypatch.setattr(revocation, "EVERY_SECONDS", 0.05)
    session = await database.write(login, owner)
    await database.write(Login.objects.create, owner=owner, session_key=session.session_key)
    by_cookie, by_token = await connect(headers=[cookie(session)]), await connect(owner)
    await database.write(loss, owner, session)
    for client, ends in ((by_cookie, cookie_ends), (by_token, token_ends)):
        if ends:
            assert await client.closed() == NOT_AUTHORISED
        else:
            assert (await client.call("session.list"))["sessions"] == []


async def test_a_deleted_user_without_a_token_is_cut_off_too(
    connect: Connect, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "EVERY_SECONDS", 0.05)
    client = await connect(headers=[cookie(await database.write(login, owner))])
    await database.write(owner.delete)
    assert await client.closed() == NOT_AUTHORISED


async def test_a_login_elsewhere_leaves_connections_alone(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(headers=[cookie(await database.write(login, owner))])
    await database.write(login, owner)
    await database.write(owner.save)
    assert (await client.call("session.list"))["sessions"] == []
