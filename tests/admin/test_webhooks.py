"""Webhooks in admin: a secret is shown once, and nobody has texts sent who may not read them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import DeliveryState, JournalEntry, Webhook, WebhookDelivery
from sessions_app.webhooks import rows
from sessions_app.webhooks.outcomes import Outcome
from tests.admin.conftest import Enter, list_of, page_of, text_of

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


def filled(**changes: Any) -> dict[str, Any]:
    """The form of a webhook."""
    told = {
        "name": "crm",
        "url": "https://hooks.example.org/x",
        "events": ["turn.ended"],
        "all_users": "on",
        "enabled": "on",
    }
    return {**told, "_save": "Save", **changes}


def add(client: Client, **changes: Any) -> str:
    """Add a webhook, and return what the answer says."""
    response = client.post(list_of(Webhook) + "add/", filled(**changes))
    assert response.status_code == 200
    return response.content.decode()


def act(client: Client, webhook: Webhook, action: str) -> Any:
    return client.post(page_of(webhook, "act"), {"action": action})


def test_a_secret_is_shown_once_and_two_sign_while_one_follows_the_other(boss: Client) -> None:
    [first] = SECRET.findall(add(boss))
    webhook = Webhook.objects.get()
    assert webhook.secrets == [first]
    assert first not in webhook.sealed_secret
    [second] = SECRET.findall(act(boss, webhook, "secret").content.decode())
    # Once more would end the first one, unseen.
    assert act(boss, webhook, "secret").status_code == 302
    webhook.refresh_from_db()
    assert webhook.secrets == [second, first]
    page = text_of(boss, page_of(webhook))
    assert "End the earlier secret" in page
    assert not SECRET.search(page)
    act(boss, webhook, "end")
    webhook.refresh_from_db()
    assert webhook.secrets == [second]
    assert "Make a new secret" in text_of(boss, page_of(webhook))
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")][1:] == [
        "Made another secret.",
        "Ended the earlier secret.",
    ]


def test_the_form_refuses_what_cannot_be_told(boss: Client) -> None:
    wrongs: list[dict[str, Any]] = [{"url": "ftp://x.example/"}, {"url": "https://user@x.example/"}]
    for wrong in [*wrongs, {"events": []}, {"events": ["no"]}, {"all_users": ""}]:
        assert boss.post(list_of(Webhook) + "add/", filled(**wrong)).status_code == 200, wrong
        assert not Webhook.objects.exists(), wrong


def test_a_change_keeps_what_processes_have_noted_meanwhile(boss: Client, alice: User) -> None:
    add(boss)
    webhook = Webhook.objects.get()
    Webhook.objects.update(cursor=41)
    boss.post(page_of(webhook), filled(name="CRM"))
    webhook.refresh_from_db()
    assert (webhook.name, webhook.cursor) == ("CRM", 41)
    # Switched off by a process while the form was open: the form switches it on, from now.
    JournalEntry.objects.create(owner=alice, cursor=1, name="turn.ended")
    Webhook.objects.update(enabled=False, cursor=None, stopped="No attempt has succeeded for 5 days.")
    assert "No attempt has succeeded" in text_of(boss, list_of(Webhook))
    assert boss.post(page_of(webhook), filled()).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.cursor, webhook.stopped) == (True, JournalEntry.objects.get().pk, "")


def test_a_test_event_and_a_second_sending_are_seen_in_the_log(boss: Client) -> None:
    add(boss)
    webhook = Webhook.objects.get()
    log = act(boss, webhook, "test").headers["Location"]
    assert "webhook.test" in text_of(boss, log)
    [claimed] = rows.claim(webhook.pk, 8)
    rows.settle(webhook.pk, [(claimed, Outcome(500, 12, "<b>broken</b>"))])
    shown = text_of(boss, log)
    assert "500" in shown
    assert "12 ms" in shown
    page = text_of(boss, page_of(claimed))
    assert "&lt;b&gt;broken" in page
    WebhookDelivery.objects.update(state=DeliveryState.DELIVERED, next_at=None)
    boss.post(list_of(WebhookDelivery), {"action": "send_again", "_selected_action": [claimed.pk]})
    again = WebhookDelivery.objects.get()
    assert (again.state, again.attempts, again.public_id) == (DeliveryState.WAITING, 0, claimed.public_id)


def test_who_may_not_read_has_no_texts_sent(boss: Client, enter: Enter) -> None:
    staff = enter(*("view_webhook", "add_webhook", "change_webhook", "delete_webhook", "view_webhookdelivery"))
    add(staff, with_text="on")
    webhook = Webhook.objects.get()
    assert not webhook.with_text
    boss.post(page_of(webhook), filled(with_text="on"))
    assert Webhook.objects.get().with_text
    forged = filled(url="https://forged.example/")
    assert staff.post(page_of(webhook), forged).status_code == 403
    assert act(staff, webhook, "secret").status_code == 403
    assert Webhook.objects.get().url == filled()["url"]
    rows.ask_for_test(webhook)
    WebhookDelivery.objects.update(state=DeliveryState.DELIVERED, next_at=None)
    staff.post(
        list_of(WebhookDelivery), {"action": "send_again", "_selected_action": [WebhookDelivery.objects.get().pk]}
    )
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


@pytest.mark.parametrize("action", ["test", "secret", "end"])
def test_the_buttons_take_the_right_to_change(enter: Enter, boss: Client, action: str) -> None:
    add(boss)
    webhook = Webhook.objects.get()
    assert act(enter("view_webhook"), webhook, action).status_code == 403
    assert not WebhookDelivery.objects.exists()
