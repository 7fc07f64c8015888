"""Bounds on attempts at passwords that many processes keep together: rows in the database.

An attempt is counted before it is judged, so that attempts made at the same time cannot slip through together.

1. By name and address, and by address: so many in 15 minutes.
2. By name, wherever the attempts come from: after ten wrong ones each next has to wait, longer each time, up to a
   minute. That slows who guesses from many addresses and locks nobody out: a right password counts after the wait.
3. A browser in which the user has logged in before ("known") is judged by itself, so that nobody else's attempts can
   keep its user waiting (OWASP: "device cookies").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from sessions_app.accounts.models import Attempt, Wait

WINDOW = timedelta(minutes=15)
FREE_FAILURES = 10
LONGEST_WAIT = timedelta(minutes=1)


class TooManyAttempts(Exception):
    """Try again after `wait`. `is_first`: of this name or place, the first refusal in the window."""

    def __init__(self, wait: timedelta, *, is_first: bool = False) -> None:
        super().__init__(wait)
        self.wait = wait
        self.is_first = is_first


@dataclass(frozen=True)
class Rule:
    """At most `limit` attempts per window with this name and these parts."""

    limit: int
    parts: tuple[str, ...]

    @property
    def key(self) -> str:
        return _key(self.parts)


@dataclass(frozen=True)
class Counted:
    """An attempt that may be judged, so that a right password can take it back."""

    attempts: tuple[Attempt, ...] = ()
    before: Wait | None = None
    after: Wait | None = None


def admit(rules: Iterable[Rule], name: str | None = None) -> Counted:
    """Count an attempt under each rule, and for `name` wherever it comes from. Raises TooManyAttempts."""
    since = timezone.now() - WINDOW
    Attempt.objects.filter(at__lt=since).delete()
    Wait.objects.filter(until__lt=since).delete()
    counted: list[Attempt] = []
    for rule in rules:
        counted.append(Attempt.objects.create(key=rule.key))
        if Attempt.objects.filter(key=rule.key, at__gte=since).count() > rule.limit:
            # Who is refused anyway does not push the end of the wait away.
            _take_back(counted)
            raise TooManyAttempts(WINDOW, is_first=_is_first_refusal(rule.parts))
    if name is None:
        return Counted(tuple(counted))
    try:
        before, after = _wait_for(name)
    except TooManyAttempts as refusal:
        _take_back(counted)
        raise TooManyAttempts(refusal.wait, is_first=_is_first_refusal(("name", name))) from None
    return Counted(tuple(counted), before, after)


def forgive(counted: Counted) -> None:
    """Take an attempt back: the password was right."""
    _take_back(counted.attempts)
    if counted.before is not None and counted.after is not None:
        _swap(counted.after, counted.before)


def address(request: HttpRequest) -> str:
    """Where a request comes from. One subscriber has a whole /64 of IPv6, so that counts as one."""
    try:
        parsed = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((parsed, 64), strict=False) if parsed.version == 6 else parsed)


def _wait_for(name: str) -> tuple[Wait, Wait]:
    """Let one attempt at the name through and begin the next wait; return the rows before and after."""
    key = _key(("name", name))
    Wait.objects.bulk_create([Wait(key=key, until=timezone.now())], ignore_conflicts=True)
    while True:
        before, now = Wait.objects.get(key=key), timezone.now()
        if before.until > now:
            raise TooManyAttempts(before.until - now)
        after = Wait(key=key, failures=before.failures + 1, until=now + _length(before.failures + 1))
        if _swap(before, after):
            return before, after


def _swap(before: Wait, after: Wait) -> bool:
    """Replace the row where nobody has done so in between."""
    unchanged = Wait.objects.filter(key=before.key, failures=before.failures, until=before.until)
    return bool(unchanged.update(failures=after.failures, until=after.until))


def _length(failures: int) -> timedelta:
    beyond = failures - FREE_FAILURES
    return min(timedelta(seconds=2 ** min(beyond, 10)), LONGEST_WAIT) if beyond >= 0 else timedelta(0)


def _is_first_refusal(parts: Iterable[str]) -> bool:
    """Tell whether nobody was refused for this in the window, and note that somebody is."""
    key = _key(("refused", *parts))
    if Attempt.objects.filter(key=key, at__gte=timezone.now() - WINDOW).exists():
        return False
    Attempt.objects.create(key=key)
    return True


def _take_back(attempts: Iterable[Attempt]) -> None:
    Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).delete()


def _key(parts: Iterable[str]) -> str:
    return salted_hmac(__name__, "\0".join(parts), algorithm="sha256").hexdigest()
