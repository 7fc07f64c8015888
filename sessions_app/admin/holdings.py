"""What a user has: chats, turns with what they have cost, tokens. Each for who may view those rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now

from sessions_app.admin import rights
from sessions_app.admin.words import number, paid
from sessions_app.conversations.spending import Totals, by_cause
from sessions_app.models import BESIDE, ApiToken, ChatSession, Turn

DAYS = 30


@dataclass(frozen=True, slots=True)
class Holding:
    """How many rows of a kind a user has; ``link`` leads to the list of them, ``more`` says what else is known."""

    name: str
    count: str
    link: str
    more: str = ""


def of(request: HttpRequest, user: User) -> list[Holding]:
    """Return what the reader may see of what the user has: four queries at most, of the user's rows alone."""
    found = []
    if rights.may_view(request, "chatsession"):
        found.append(_holding("chatsession", "Chat sessions", ChatSession.objects.filter(owner=user).count(), user))
    if rights.may_view(request, "turn"):
        turns = Turn.objects.filter(owner=user).exclude(kind__in=BESIDE)
        found.append(_holding("turn", "Turns", turns.count(), user, _spent(user)))
    if rights.may_view(request, "apitoken"):
        found.append(_holding("apitoken", "API tokens", ApiToken.objects.filter(owner=user).count(), user))
    return found


def _holding(model: str, name: str, count: int, user: User, more: str = "") -> Holding:
    link = reverse(f"admin:sessions_app_{model}_changelist")
    return Holding(name, number(count), f"{link}?owner={user.pk}", more)


def _spent(user: User) -> str:
    lately = Turn.objects.filter(owner=user, created_at__gte=now() - timedelta(days=DAYS))
    total = sum(by_cause(lately).values(), Totals())
    tokens = f"{number(total.usage.input_tokens)} tokens in, {number(total.usage.output_tokens)} out"
    return f"In the last {DAYS} days {number(total.turns)} that were counted: {tokens}, {paid(total)}"
