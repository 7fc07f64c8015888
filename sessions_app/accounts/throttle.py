"""A bound on attempts that many processes keep together: rows in the database.

An attempt is counted before it is judged, so that attempts made at the same time cannot slip through together.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from sessions_app.accounts.models import Attempt

WINDOW = timedelta(minutes=15)


class TooManyAttempts(Exception):
    """Try again when the window has passed."""


@dataclass(frozen=True)
class Rule:
    """At most `limit` attempts per window with this name and these parts."""

    limit: int
    parts: tuple[str, ...]

    @property
    def key(self) -> str:
        return salted_hmac(__name__, "\0".join(self.parts), algorithm="sha256").hexdigest()


def admit(rules: Iterable[Rule]) -> list[Attempt]:
    """Count an attempt under each rule; returns it, so that a success can be forgiven. Raises TooManyAttempts."""
    since = timezone.now() - WINDOW
    Attempt.objects.filter(at__lt=since).delete()
    counted = []
    for rule in rules:
        counted.append(Attempt.objects.create(key=rule.key))
        if Attempt.objects.filter(key=rule.key, at__gte=since).count() > rule.limit:
            # Who is refused anyway does not push the end of the wait away.
            forgive(counted)
            raise TooManyAttempts
    return counted


def forgive(attempts: Iterable[Attempt]) -> None:
    """Take attempts back."""
    Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).delete()


def address(request: HttpRequest) -> str:
    """Where a request comes from. One subscriber has a whole /64 of IPv6, so that counts as one."""
    try:
        parsed = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((parsed, 64), strict=False) if parsed.version == 6 else parsed)
