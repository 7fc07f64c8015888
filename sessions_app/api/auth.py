"""Who is at the other end of a connection, and whether that still holds.

Who it is, ``identifying`` finds out. A connection lives for days, so every command asks again, in the command's own
transaction: the user is active, and the token (which they may use), or the session row and the password behind it, are
still there and have not expired. One query each. ``valid`` asks the same for many connections at once.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, ParamSpec, TypeVar, Unpack

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from sessions_app import audit, database
from sessions_app.accounts.models import Login
from sessions_app.audit import Action, Object
from sessions_app.conversations.features import with_rule
from sessions_app.conversations.reach import limited
from sessions_app.database.users import of_users
from sessions_app.errors import Forbidden
from sessions_app.models import ApiToken, Feature, Ticket
from sessions_app.scheduling.allowance import Allowance

P = ParamSpec("P")
R = TypeVar("R")

# SQL, because these two run with every command: 20 µs, where the ORM takes 590 to make the same.
_KEY_IS_VALID = """
SELECT token.id FROM sessions_app_apitoken AS token JOIN {users} AS owner ON owner.id = token.owner_id
WHERE token.id = %s AND owner.is_active AND (token.expires_at IS NULL OR token.expires_at > %s) AND {rule}
"""
_LOGIN_IS_VALID = """
SELECT owner.password FROM {users} AS owner, django_session AS login
WHERE login.session_key = %s AND login.expire_date > %s AND owner.id = %s AND owner.is_active
"""
# What a user's commands may read: a page reads for some milliseconds each. Writes are bounded by their number alone.
READS = Allowance(saved=5.0, fraction=0.1, at_once=2)
# How fresh the "last used" of a token or a login is kept: a busy connection need not write each time.
_USE_STEP = timedelta(minutes=1)


class Unauthorised(Exception):  # an outcome, not a fault
    """What the connection was let in by no longer holds; nothing was carried out."""


@dataclass(frozen=True, slots=True)
class Caller(ABC):
    """The user behind a connection; the only way for a command to the database.

    One that ``reads_only`` changes nothing; with a ``profile_id`` there are only the chats of that profile. ``address``
    is the one that they come from.
    """

    user_id: int
    address: str = field(default="", kw_only=True, compare=False)
    reads_only: bool = field(default=False, kw_only=True)
    profile_id: int | None = field(default=None, kw_only=True)
    # When this connection has last noted that it is used: at most one entry, of the monotonic clock.
    _noted: list[float] = field(default_factory=list, init=False, repr=False, compare=False)

    @abstractmethod
    def note_use(self) -> None:
        """Keep "last used" true (in a database thread)."""

    @abstractmethod
    def is_valid(self) -> bool:
        """Tell whether the user may still act (in a database thread)."""

    @abstractmethod
    def actor(self) -> audit.Actor:
        """Return who acts, as the audit names them."""

    @abstractmethod
    def make_ticket(self) -> str:
        """Make a ticket that lets in as this caller, and return its clear text (in a database thread)."""

    @abstractmethod
    def may_read_metrics(self) -> bool:
        """Tell whether the process's figures are for them (in a database thread)."""

    async def read(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` on the snapshot on which the caller was checked. Raises Unauthorised."""
        async with READS.use(self.user_id) as account:
            checked = account.counted(self._checked)
            return await database.of(self.user_id).read(checked, partial(function, *args, **kwargs))

    async def write(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` in the transaction in which the caller was checked. Raises Unauthorised, Forbidden."""
        if self.reads_only:
            await self.check()
            raise Forbidden("This API token may only read.")
        used = partial(self._used, partial(function, *args, **kwargs))
        return await database.of(self.user_id).write(self._checked, used)

    async def issue_ticket(self) -> str:
        """Return the clear text of a new ticket, also to one who only reads. Raises Unauthorised."""
        return await database.of(self.user_id).write(self._checked, self.make_ticket)

    async def record(self, action: Action, obj: Object, **details: Unpack[audit.Details]) -> None:
        """Write a row of the audit about what they do, also of one who only reads. Raises Unauthorised."""
        written = partial(audit.record, action, obj, **details)
        await database.of(self.user_id).write(self._checked, written)

    async def check(self) -> None:
        """Raise Unauthorised where the caller may no longer act."""
        await self.read(lambda: None)

    def _used(self, work: Callable[[], R]) -> R:
        """Do the work first: who deletes a user locks their sessions before their tokens and logins."""
        result = work()
        now = time.monotonic()
        if not self._noted or self._noted[0] < now - _USE_STEP.total_seconds():
            self._noted[:] = [now]
            self.note_use()
        return result

    def _checked(self, work: Callable[[], R]) -> R:
        if not self.is_valid():
            raise Unauthorised
        with limited(self.profile_id), audit.acting(lambda: audit.Origin(self.actor(), self.address)):
            return work()


@dataclass(frozen=True, slots=True)
class TokenCaller(Caller):
    """A user by an API token: valid until it expires or is revoked, and while its user is active and may use tokens."""

    token_id: int

    def is_valid(self) -> bool:
        sql = with_rule(_KEY_IS_VALID, Feature.API_TOKENS, "owner.id")
        return _first(sql, [self.token_id, _now()]) is not None

    def note_use(self) -> None:
        note_use_of(ApiToken.objects.filter(pk=self.token_id))

    def actor(self) -> audit.Actor:
        return audit.user(self.user_id, self.token_id)

    def make_ticket(self) -> str:
        return Ticket.issue(token_id=self.token_id)

    def may_read_metrics(self) -> bool:
        return ApiToken.objects.filter(pk=self.token_id, can_read_metrics=True).exists()


@dataclass(frozen=True, slots=True)
class CookieCaller(Caller):
    """A user by a Django session: valid until its end, a new password, or deactivation."""

    session_key: str = field(repr=False)
    auth_hash: str = field(repr=False)

    def is_valid(self) -> bool:
        password = _first(_LOGIN_IS_VALID, [self.session_key, _now(), self.user_id])
        if password is None:
            return False
        return constant_time_compare(_auth_hash(password), self.auth_hash)

    def note_use(self) -> None:
        note_use_of(Login.objects.filter(session_key=self.session_key))

    def actor(self) -> audit.Actor:
        return audit.user(self.user_id)

    def make_ticket(self) -> str:
        return Ticket.issue(session_key=self.session_key)

    def may_read_metrics(self) -> bool:
        return get_user_model().objects.filter(pk=self.user_id, is_superuser=True).exists()


def _first(sql: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(of_users(sql), params)
        row = cursor.fetchone()
    return row and row[0]


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def note_use_of(row: QuerySet[Any]) -> None:
    """Keep "last used" of a token or a login true, a minute old at most."""
    now = timezone.now()
    row.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_STEP)).update(last_used_at=now)


def valid(callers: Collection[Caller]) -> set[Caller]:
    """Return those of the callers who may still act, by a few queries however many they are (in a database thread)."""
    tokens = {caller for caller in callers if isinstance(caller, TokenCaller)}
    logins = {caller for caller in callers if isinstance(caller, CookieCaller)}
    return _valid_tokens(tokens) | _valid_logins(logins)


def _valid_tokens(callers: set[TokenCaller]) -> set[Caller]:
    if not callers:
        return set()
    keys = ApiToken.valid().filter(pk__in=[caller.token_id for caller in callers])
    there = set(keys.values_list("pk", flat=True))
    return {caller for caller in callers if caller.token_id in there}


def _valid_logins(callers: set[CookieCaller]) -> set[Caller]:
    if not callers:
        return set()
    logins = Session.objects.filter(
        session_key__in=[caller.session_key for caller in callers], expire_date__gt=timezone.now()
    )
    there = set(logins.values_list("session_key", flat=True))
    users = get_user_model().objects.filter(pk__in={caller.user_id for caller in callers}, is_active=True)
    hashes = {pk: _auth_hash(password) for pk, password in users.values_list("pk", "password")}
    return {
        caller
        for caller in callers
        if caller.session_key in there and constant_time_compare(hashes.get(caller.user_id, ""), caller.auth_hash)
    }


@lru_cache(maxsize=10_000)
def _auth_hash(password: str) -> str:
    return get_user_model()(password=password).get_session_auth_hash()
