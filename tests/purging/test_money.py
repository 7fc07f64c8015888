"""What was spent stays spent, when the chats and their users are gone: by whatever way they go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.admin import deletion
from sessions_app.conversations import kept_spending, spending
from sessions_app.conversations.spending import Totals
from sessions_app.models import AgentProfile, ChatSession, KeptSpending, Turn, TurnKind
from tests.admin.conftest import boss, make_session, make_turn
from tests.purging.conftest import policy, purge_now
from tests.thorough import thorough_on_postgresql

__all__ = ["boss"]

pytestmark = pytest.mark.django_db(transaction=True)

SINCE = datetime.now(UTC) - timedelta(days=90)
FIGURES: list[dict[str, Any]] = [
    {"cost": Decimal("0.25"), "saved": Decimal("0.5"), "input_tokens": 1000, "cached_tokens": 600, "output_tokens": 70},
    {
        "cost": Decimal("0.125"),
        "saved": Decimal("-0.1"),
        "expected_tokens": 900,
        "cached_tokens": 400,
        "miss": "expired",
    },
    {"cost": None, "input_tokens": 50, "reasoning_tokens": 7, "cache_write_tokens": 9},
    {"cost": Decimal("0.001"), "kind": TurnKind.TITLE, "input_tokens": 11},
]


def spent() -> dict[tuple[Any, ...], Totals]:
    sums: dict[tuple[Any, ...], Totals] = {}
    for one in kept_spending.postings(SINCE):
        key = one.day, one.profile, one.beside, one.cause
        sums[key] = sums.get(key, Totals()) + one.totals
    return sums


def estimates() -> tuple[int, Decimal]:
    today = datetime.now(UTC).date()
    rows = [*kept_spending.kept_on(today), *spending.spent_on(today)]
    tokens, cost = (sum(row[f"uncounted_{name}_"] for row in rows) for name in ("tokens", "cost"))
    return tokens, Decimal(cost)


def by_policy(owner: User) -> None:
    policy(1)
    assert purge_now(force=True).chats == 2


def by_admin(owner: User) -> None:
    deletion.erase(ChatSession.objects.filter(owner=owner))
    owner.delete()


def by_cascade(owner: User) -> None:
    owner.delete()


def by_raw_delete(owner: User) -> None:
    Turn.objects.all()._raw_delete("default")


@pytest.mark.parametrize("delete", [by_policy, *map(thorough_on_postgresql, (by_admin, by_cascade, by_raw_delete))])
def test_the_figures_are_the_same_when_the_turns_are_gone(delete: Callable[[User], None], boss: Client) -> None:
    owner = User.objects.create_user("somebody")
    other = AgentProfile.objects.create(name="another")
    old = datetime.now(UTC) - timedelta(days=3)
    for profile in (AgentProfile.default(), other):
        chat = make_session(owner, "words", profile=profile)
        for figures in FIGURES * 2:
            make_turn(chat, text="secret words", prefix_digest="d", **figures)
    Turn.objects.filter(pk__in=Turn.objects.values("pk")[:3]).update(created_at=old)
    ChatSession.objects.update(updated_at=old)
    make_turn(chat, text="was never counted")
    make_turn(chat, text="was broken off", uncounted_tokens=300, uncounted_cost=Decimal("0.03"))
    before, estimated, page = spent(), estimates(), boss.get("/admin/sessions_app/turn/ledger/").content
    console = boss.get("/admin/").context
    assert len(before) > 4
    owner_id = owner.pk
    delete(owner)
    assert not Turn.objects.exists()
    assert spent() == before
    assert estimates() == estimated == (300, Decimal("0.03"))
    assert boss.get("/admin/sessions_app/turn/ledger/").content.count(b"<tr") == page.count(b"<tr")
    assert boss.get("/admin/").context["table"][:1] == console["table"][:1]
    assert {row.owner_id for row in KeptSpending.objects.all()} == {owner_id}


def test_a_profile_that_is_gone_is_told_as_removed() -> None:
    owner = User.objects.create_user("somebody")
    profile = AgentProfile.objects.create(name="another")
    make_turn(make_session(owner, profile=profile), prefix_digest="d", cost=Decimal(1))
    owner.delete()
    [posting] = kept_spending.postings(SINCE)
    assert posting.profile == profile.pk
    profile.delete()
    [posting] = kept_spending.postings(SINCE)
    assert (posting.profile, posting.totals.cost) == (None, Decimal(1))
