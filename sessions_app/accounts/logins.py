"""Logins: in which browsers a user is logged in, since when, and how one ends.

Django's session table has no owner, so a row beside it has (``Login``). A login holds while its session is there, has
not expired, and was begun with the password that the user has now; the table never says more than that.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from sessions_app import audit
from sessions_app.accounts.models import Login
from sessions_app.audit import Action, Object, ObjectKind

T = TypeVar("T", bound=Model)

USE_STEP = timedelta(minutes=1)
"""How fine "last used" is: a busy browser need not write with every page."""
LOGINS_PER_USER = 100
"""How many logins a user has at most: a new one ends those that were used longest ago."""
_AT_ONCE = 100


@transaction.atomic
def note_new(request: HttpRequest, user: User, **_: Any) -> None:
    """Write down that a user has just logged in (``user_logged_in``). What cannot be written down is no login."""
    if request.session.session_key is None:
        request.session.save()  # another user was logged in here: the session has begun again, and has no key yet
    note(request, user.pk, str(request.session.session_key))
    obj, where = Object(ObjectKind.USER, user.pk), address_of(request) or ""
    audit.record(Action.LOGGED_IN, obj, actor=audit.user(user.pk), address=where)


@transaction.atomic
def note_left(request: HttpRequest, user: User | None, **_: Any) -> None:
    """End a user's login and write it down (``user_logged_out``, which comes before Django ends the session)."""
    if user is not None:
        request.session.delete()
        obj, where = Object(ObjectKind.USER, user.pk), address_of(request) or ""
        audit.record(Action.LOGGED_OUT, obj, actor=audit.user(user.pk), address=where)


def note(request: HttpRequest, owner_id: int, session_key: str) -> None:
    """Write down that a login was used for a page; a new one ends the oldest, and removes what has expired."""
    now, browser, address = (
        timezone.now(),
        request.headers.get("User-Agent", "").replace("\0", "")[:300],
        address_of(request),
    )
    login = Login.objects.filter(session_key=session_key, owner=owner_id).first()
    if login is None:
        login = Login(owner_id=owner_id, session_key=session_key, user_agent=browser, address=address, last_used_at=now)
        Login.objects.bulk_create([login], ignore_conflicts=True)
        _end_oldest(owner_id)
        remove_expired()
    elif login.last_used_at < now - USE_STEP or (login.user_agent, login.address) != (browser, address):
        Login.objects.filter(pk=login.pk).update(user_agent=browser, address=address, last_used_at=now)


def valid(user: User) -> list[Login]:
    """Return the user's logins that still hold, the last used first."""
    rows = {login.session_key: login for login in Login.objects.filter(owner=user).order_by("-last_used_at", "-pk")}
    sessions = Session.objects.filter(pk__in=rows, expire_date__gt=timezone.now())
    held = {session.pk for session in sessions if _has_password_of(session, user)}
    return [login for key, login in rows.items() if key in held]


def end(logins: QuerySet[Login]) -> int:
    """End the logins, in every process within two seconds, and return how many they were."""
    owners = dict(logins.values_list("session_key", "owner_id"))
    with transaction.atomic():
        Session.objects.filter(pk__in=owners).delete()
        Login.objects.filter(session_key__in=owners).delete()
        for owner_id, count in sorted(Counter(owners.values()).items()):
            audit.record(Action.LOGINS_ENDED, Object(ObjectKind.USER, owner_id), count=count)
    return len(owners)


@transaction.atomic
def remove_expired() -> None:
    """Remove expired sessions, and logins without a session: some hundred at once, so that no request waits for it.

    Rows that another process removes at this moment are left to it.
    """
    expired = Session.objects.filter(expire_date__lte=timezone.now()).order_by("expire_date")
    Session.objects.filter(pk__in=[session.pk for session in _locked(expired)]).delete()
    oldest = {login.session_key for login in _locked(Login.objects.order_by("last_used_at"))}
    there = Session.objects.filter(pk__in=oldest).values_list("pk", flat=True)
    Login.objects.filter(session_key__in=oldest - set(there)).delete()


def _locked(rows: QuerySet[T]) -> list[T]:
    return list(rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)[:_AT_ONCE])


def _end_oldest(owner_id: int) -> None:
    newest_first = Login.objects.filter(owner=owner_id).order_by("-last_used_at", "-pk")
    if surplus := list(newest_first.values_list("pk", flat=True)[LOGINS_PER_USER:][:_AT_ONCE]):
        end(Login.objects.filter(pk__in=surplus))


def _has_password_of(session: Session, user: User) -> bool:
    begun_with = session.get_decoded().get(HASH_SESSION_KEY, "")
    known = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(begun_with, hashed) for hashed in known)


def address_of(request: HttpRequest) -> str | None:
    """Return the address that a request comes from; None over a Unix socket."""
    address: str = request.META.get("REMOTE_ADDR", "")
    try:
        validate_ipv46_address(address)
    except ValidationError:
        return None
    return address
