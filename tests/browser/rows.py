"""Rows for a site whose pages are looked at: chats, turns of every status, a profile that has changed since.

Run in the site's own database: `act(site, "from tests.browser.rows import fill; fill()")`.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from sessions_app.conversations import windows
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    Audience,
    ChatSession,
    ToolServer,
    ToolStanding,
    Webhook,
)
from sessions_app.sharing import links
from sessions_app.sharing.line import Pages
from sessions_app.sharing.links import Terms
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.listing import OfferedTool
from sessions_app.webhooks.events import make_secret
from tests.admin.conftest import make_session, make_turn, say
from tests.live import PASSWORD

CITY = '{"properties":{"city":{"description":"Its name.","type":"string"}},"required":["city"],"type":"object"}'
CITY_AND_UNIT = CITY.replace('"city":{', '"unit":{"enum":["C","F"],"type":"string"},"city":{')
ANSWER = """# What a table is

| Operator | Means |
| --- | --- |
| `+` | *sum* |
| `-` | **difference** |

```python
def area(radius: float) -> float:
    return 3.14159 * radius**2  # about
```

1. See [the manual](https://example.org/) first.
2. Then the formula $E = mc^2$.

> A quote, and a task:

- [x] done
"""
SPENT = {
    "prefix_digest": "d",
    "provider": "openai",
    "model": "gpt-5-mini",
    "input_tokens": 12_000,
    "cached_tokens": 9_500,
    "output_tokens": 800,
    "expected_tokens": 11_000,
    "miss": "evicted",
    "retention": 3600,
    "retention_reason": "pauses below 10 minutes (44% between 5 minutes and 1 hour): an hour's cache is cheaper",
    "cost": Decimal("0.0153"),
    "saved": Decimal("0.0042"),
}


def fill() -> None:
    """Add all of it, once. Prints the ids that the addresses of pages are made of."""
    anna = User.objects.create_user("anna", "anna@example.org", PASSWORD)
    anna.groups.add(Group.objects.create(name="Research"))
    profile = AgentProfile.objects.create(name="Thorough", description="Takes its time.", model="demo")
    windows.learn(profile.pk, "demo", "", 8_192)
    profile.groups.set(Group.objects.all())
    chat_session = _talk(anna, profile)
    _week(anna, chat_session)
    AgentProfile.objects.filter(pk=profile.pk).update(system_prompt="Be brief.")
    for name in ("laptop", "phone"):
        ApiToken.issue(anna, name)
    server = _tool_server(profile)
    told = {
        "server": server.pk,
        "webhook": _webhook(anna).pk,
        "user": anna.pk,
        "profile": profile.pk,
        "session": chat_session.pk,
        "shared": _share(chat_session),
        "turn": chat_session.turns.earliest("pk").pk,
    }
    print("rows", *(f"{name}={key}" for name, key in told.items()))


def _webhook(anna: User) -> Webhook:
    """A webhook that the site has switched off, with a delivery that failed."""
    webhook = Webhook(name="crm", url="https://hooks.example.org/hermes", events=["turn.ended", "approval.waiting"])
    webhook.take_secret(make_secret())
    webhook.enabled, webhook.stopped, webhook.stopped_at = False, "No attempt has succeeded.", timezone.now()
    webhook.save()
    webhook.groups.set(anna.groups.all())
    webhook.deliveries.create(
        name="turn.ended",
        owner_id=anna.pk,
        cursor=7,
        happened_at=timezone.now(),
        state="failed",
        next_at=None,
        status=500,
    )
    webhook.deliveries.create(name="webhook.test", happened_at=timezone.now())
    return webhook


def _share(chat_session: ChatSession) -> str | None:
    """Share a chat, and return where."""
    user_id = chat_session.owner_id
    line, pages = links.find(user_id, chat_session.pk, None), Pages()
    links.read_some(user_id, line, pages, 0)
    return links.make(user_id, line, pages.done, Terms(Audience.EVERYBODY)).url


def _tool_server(profile: AgentProfile) -> ToolServer:
    """A server whose tools are of every kind: allowed and changed since, off and new, unusable, no longer offered."""
    server = ToolServer.objects.create(name="weather", url="https://tools.example.org/mcp", asks_users=True)
    server.keep_headers({"X-Api-Key": "secret"})
    server.failure, server.failed_at = "The tool server weather could not be reached.", timezone.now()
    server.save()
    server.profiles.set([profile, AgentProfile.default()])
    gone = OfferedTool("tides", "Tell the tides of a port.", CITY.replace("city", "port"))
    offers.record(server, [OfferedTool("forecast", "Tell the weather of a city.", CITY), gone])
    offers.switch(server, {"forecast": ToolStanding.ALLOWED})
    changed = OfferedTool("forecast", "Tell the weather of a city, and of the sea beside it.", CITY_AND_UNIT)
    new = OfferedTool("warn_everybody", "Send a warning to all who live in a city.", CITY)
    odd = OfferedTool("odd", "", "", "Its schema is odd.")
    offers.record(server, [changed, new, odd])
    ToolServer.objects.create(name="local", command="weather-station --port /dev/ttyUSB0")
    return server


def _talk(owner: User, profile: AgentProfile) -> ChatSession:
    chat_session = make_session(owner, "What is a table?", profile=profile)
    turn = make_turn(chat_session, **SPENT, started_at=timezone.now(), ended_at=timezone.now())
    say(chat_session, 0, "What is a table?\nPlease **show** one.", turn=turn)
    call = {"kind": "call", "id": "1", "name": "calculator", "arguments": '{"expression":"6*7"}'}
    thought = {"kind": "reasoning", "text": "A table has rows."}
    say(chat_session, 1, "", parts=[thought, call], turn=turn)
    say(chat_session, 2, "42", role="tool", parts=[{"kind": "result", "id": "1", "name": "calculator"}], turn=turn)
    say(chat_session, 3, ANSWER, turn=turn)
    say(chat_session, 4, "And what is", status="stopped")
    covered = [{"kind": "summary", "before": 4}]
    say(chat_session, 5, "**Tables** were explained.", role="user", kind="summary", parts=covered)
    say(chat_session, 6, "Anna likes tables.", role="user", kind="note", parts=[{"kind": "note"}])
    return chat_session


def _week(owner: User, chat_session: ChatSession) -> None:
    now = timezone.now()
    for days in range(7):
        for _ in range(1 + days % 3):
            make_turn(chat_session, **SPENT, created_at=now - timedelta(days=days))
    failed: dict[str, Any] = {"status": "failed", "error_code": "provider", "error_text": "The provider is overloaded."}
    make_turn(chat_session, **failed)
    make_turn(chat_session, status="interrupted", error_code="interrupted", error_text="The process has ended.")
    waiting = make_session(owner, "Why is the nightly import slow?")
    make_turn(
        waiting,
        status="running",
        claim=uuid.uuid4(),
        # Of no process by name: one that is not there would be known to be dead.
        process="",
        # A turn of a process that nobody here can see dead: its lease is far from over.
        heartbeat_at=now + timedelta(days=1),
        started_at=now - timedelta(seconds=72),
    )
    make_turn(waiting, status="queued")
