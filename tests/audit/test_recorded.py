"""What is recorded, of whom and from where; and not a word of what people write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sessions_app import audit
from sessions_app.accounts.models import IdentityProvider, ProviderGroup
from sessions_app.audit import Action, verifying
from sessions_app.authorisations import rows as authorisations
from sessions_app.authorisations.tokens import Grant
from sessions_app.jobs import rows as jobs
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    AuditEntry,
    Budget,
    ChatSession,
    DeletionRequest,
    FeatureRule,
    LegalHold,
    ProvisionedGroup,
    RetentionPolicy,
    Share,
    ToolServer,
    ToolServerTool,
    ToolStanding,
    Webhook,
)
from sessions_app.scim import users as accounts
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.listing import OfferedTool
from sessions_app.webhooks import rows
from sessions_app.webhooks.outcomes import Outcome
from tests.accounts.conftest import LOGIN, LOGINS, NEW_PASSWORD, PASSWORD, TOKENS, browser_of
from tests.admin.conftest import list_of, make_session, page_of, say
from tests.admin.worlds import share
from tests.audit.rows import told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

WORD = "zebra-ox"
"""Stands in all that is typed, said or named."""
OVER_HTTP = {Action.EXPORT_TAKEN, Action.SESSION_EXPORTED}
"""Those are looked at in tests/transfer/test_http.py, of a real site."""
OF_TURNS = {Action.APPROVAL_DECIDED}
"""And this in tests/turns/test_approvals.py."""
ADDRESS = "192.0.2.7"


@pytest.fixture
def owner(transactional_db: None) -> User:
    return User.objects.create_user("owner", f"{WORD}@example.org", PASSWORD)


@pytest.fixture
def boss(transactional_db: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


@pytest.fixture(autouse=True)
def _sends_mail(settings: Settings) -> None:
    settings.HERMES_SENDS_MAIL = True


def last(action: Action) -> AuditEntry:
    row = AuditEntry.objects.filter(action=action).order_by("number").last()
    assert row is not None, action
    return row


def try_to_log_in(owner: User) -> None:
    outsider = Client(REMOTE_ADDR="192.0.2.8")
    outsider.post(LOGIN, {"username": WORD, "password": WORD})
    assert (last(Action.LOGIN_FAILED).object_id, last(Action.LOGIN_FAILED).actor_kind) == ("", "visitor")
    for _ in range(9):
        outsider.post(LOGIN, {"username": "owner", "password": WORD})
    failed = AuditEntry.objects.filter(action=Action.LOGIN_FAILED, object_id=str(owner.pk))
    assert failed.count() == 5
    assert told(action=Action.LOGIN_THROTTLED) == [("login.throttled", str(owner.pk), {"by": "password"})]
    outsider.post("/accounts/password_reset/", {"email": f"{WORD}@example.com"})
    assert last(Action.PASSWORD_LINK_ASKED).object_id == ""


def use_the_account(owner: User) -> None:
    browser, other = browser_of("owner"), browser_of("owner")
    assert (last(Action.LOGGED_IN).actor_id, last(Action.LOGGED_IN).address) == (owner.pk, ADDRESS)
    browser.post(TOKENS, {"name": WORD, "days": "7", "reads_only": "on"})
    token = ApiToken.objects.get()
    made = {
        "user": owner.pk,
        "days": 7,
        "reads_only": True,
        "profile": None,
        "can_read_metrics": False,
        "is_for_scim": False,
    }
    assert told(action=Action.TOKEN_MADE) == [("token.made", str(token.pk), made)]
    token.can_read_metrics = True
    token.save()
    browser.post(f"{TOKENS}{token.pk}/revoke/")
    browser.post(NEW_PASSWORD, {"old_password": WORD, "new_password1": WORD})
    assert last(Action.PASSWORD_REFUSED).object_id == str(owner.pk)
    browser.post(f"{LOGINS}end/")
    assert json.loads(last(Action.LOGINS_ENDED).details) == {"count": 1}
    assert other.get(TOKENS).status_code == 302
    browser.post(NEW_PASSWORD, {"old_password": PASSWORD, "new_password1": f"{WORD} {WORD} {WORD}"})
    assert last(Action.PASSWORD_CHANGED).actor_id == owner.pk
    browser.post("/accounts/logout/")
    assert last(Action.LOGGED_OUT).actor_id == owner.pk


def change_rights(owner: User, boss: Client) -> None:
    group = Group.objects.create(name=WORD)
    right = Permission.objects.get(codename="view_auditentry")
    group.permissions.add(right)
    group.user_set.add(owner)
    owner.groups.clear()
    group.name = f"{WORD} {WORD}"
    group.save()
    owner.is_staff, owner.first_name = True, WORD
    owner.save()
    changed = [details for _, _, details in told(action=Action.USER_CHANGED)]
    added, removed = {"groups_added": [group.pk]}, {"groups_removed": [group.pk]}
    assert changed == [added, removed, {"fields": ["first_name", "is_staff"], "staff": True}]
    rights = {"permissions_added": ["sessions_app.view_auditentry"]}
    assert [details for _, _, details in told(action=Action.GROUP_CHANGED)] == [rights, {"fields": ["name"]}]
    filled = ProvisionedGroup.objects.create(group=group)
    filled.may_hold_rights = True
    filled.save()
    filled.delete()
    assert json.loads(last(Action.GROUP_HANDED_OVER).details) == {"may_hold_rights": False}
    assert json.loads(last(Action.GROUP_CHANGED).details) == {"fields": ["may_hold_rights"], "may_hold_rights": True}
    assert last(Action.GROUP_TAKEN_BACK).object_id == str(group.pk)
    group.delete()
    # By the admin's page: who did it, and where from.
    fields = {"username": "owner", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    assert boss.post(page_of(owner), fields).status_code == 302
    row = last(Action.USER_CHANGED)
    assert (row.actor_id, row.address) == (User.objects.get(username="boss").pk, ADDRESS)
    assert json.loads(row.details)["staff"] is False


def change_what_there_is(owner: User) -> None:
    profile = AgentProfile.objects.create(name=WORD, system_prompt=WORD)
    profile.system_prompt, profile.sealed_key = f"{WORD} {WORD}", WORD
    profile.save()
    changed = [("profile.changed", str(profile.pk), {"fields": ["sealed_key", "system_prompt"]})]
    assert told(action=Action.PROFILE_CHANGED) == changed
    server = ToolServer.objects.create(name="server", url=f"https://{WORD}.example/mcp", sealed_headers=WORD)
    server.profiles.add(profile)
    offers.record(server, [OfferedTool("send", WORD, '{"type": "object"}')])
    tool = ToolServerTool.objects.get()
    offers.decide(server, {tool.pk: ToolStanding.ASK})
    asked = {"tool": "server_send", "fields": ["standing"], "standing": "ask"}
    added = {"profiles_added": [profile.pk]}
    assert [details for _, _, details in told(action=Action.TOOL_SERVER_CHANGED)] == [added, asked]
    authorisations.keep(owner.pk, server, grant())
    authorisations.remove(owner.pk, server)
    connected = {"user": owner.pk, "tool_server": server.pk}
    assert json.loads(last(Action.AUTHORISATION_CONNECTED).details) == connected
    assert json.loads(last(Action.AUTHORISATION_DISCONNECTED).details) == connected
    server.delete()
    profile.delete()


def tell_others() -> None:
    """A webhook is switched by hand, tried, has its event sent again, and is switched off by the site."""
    webhook = Webhook.objects.create(name=WORD, url=f"https://{WORD}.example/", enabled=False, sealed_secret=WORD)
    webhook.with_text, webhook.cursor, webhook.enabled = True, 7, True
    webhook.save()
    switched = {"fields": ["enabled", "with_text"], "enabled": True}
    assert [details for _, _, details in told(action=Action.WEBHOOK_CHANGED)] == [switched]
    webhook.enabled = False
    webhook.cursor = None
    webhook.save()
    assert json.loads(last(Action.WEBHOOK_CHANGED).details) == {"fields": ["enabled"], "enabled": False}
    rows.ask_for_test(webhook)
    rows.ask_again(list(webhook.deliveries.values_list("pk", flat=True)))
    webhook.enabled, webhook.cursor = True, 7
    webhook.save()
    rows.settle(webhook.pk, [(webhook.deliveries.get(), Outcome(410, 1, WORD))])
    about = str(webhook.pk)
    assert told(action=Action.WEBHOOK_TESTED) == [("webhook.tested", about, {})]
    assert told(action=Action.WEBHOOK_RESENT) == [("webhook.resent", about, {"count": 1})]
    assert told(action=Action.WEBHOOK_STOPPED) == [("webhook.stopped", about, {"by": "receiver"})]
    webhook.delete()


def come_and_go_by_scim() -> None:
    made = accounts.create({"username": WORD, "externalid": WORD})
    accounts.delete(str(made.pk))
    accounts.create({"username": WORD, "externalid": WORD})
    for action in (Action.USER_ENDED, Action.USER_RETURNED):
        assert [row[1:] for row in told(action=action)] == [(str(made.pk), {})]


def grant() -> Grant:
    client = {"client_id": WORD, "redirect_uris": ["https://here.example/"]}
    terms = {"client": client, "resource": WORD, "token_endpoint": "https://there.example/token"}
    return Grant.model_validate({"terms": terms, "tokens": {"access_token": WORD}})


def let_others_say_who_it_is(owner: User) -> None:
    provider = IdentityProvider.objects.create(
        key="there", name=WORD, issuer=f"https://{WORD}.example", client_id=WORD, sealed_secret=WORD
    )
    group = Group.objects.create(name=f"{WORD} 2")
    given = ProviderGroup.objects.create(provider=provider, value=WORD, group=group)
    assert told(action=Action.IDENTITY_PROVIDER_CHANGED) == [
        ("identity_provider.changed", str(provider.pk), {"group": group.pk})
    ]
    link = SocialAccount.objects.create(user=owner, provider=WORD, uid=WORD)
    link.save()
    factor = Authenticator.objects.create(user=owner, type="totp", data={"secret": WORD})
    factor.save()
    for row in (factor, link, given, provider):
        row.delete()
    assert json.loads(last(Action.FACTOR_REMOVED).details) == {"user": owner.pk, "format": "totp"}
    rule = FeatureRule.objects.create(feature="files")
    rule.groups.add(group)
    assert told(action=Action.FEATURE_CHANGED) == [("feature.changed", "files", {"groups_added": [group.pk]})]
    rule.groups.clear()


def set_bounds(owner: User) -> None:
    budget, _ = Budget.objects.update_or_create(user=owner, per="day", unit="tokens", defaults={"amount": 5})
    Budget.objects.update_or_create(user=owner, per="day", unit="tokens", defaults={"amount": 7})
    about = {"user": owner.pk, "group": None, "per": "day", "unit": "tokens", "warn_at": 80}
    changed = [("budget.changed", str(budget.pk), {"fields": ["amount"], "amount": 7, **about})]
    assert told(action=Action.BUDGET_CHANGED) == changed
    policy = RetentionPolicy.objects.create(days=30)
    policy.days = 20
    policy.save()
    hold = LegalHold.objects.create(owner=owner, reason=WORD)
    request = DeletionRequest.objects.create(owner=owner, kind="chats", due_at=timezone.now())
    for row in (request, hold, policy, budget):
        row.delete()
    assert told(action=Action.HOLD_ENDED)[0][2] == {"user": owner.pk}


def look_and_take(owner: User, boss: Client) -> None:
    profile = AgentProfile.default()
    chat_session = make_session(owner, WORD, profile=profile)
    say(chat_session, 0, WORD)
    profile.system_prompt = WORD
    profile.save()
    share(chat_session, WORD)
    Share.objects.get().delete()
    assert json.loads(last(Action.SHARE_REVOKED).details)["session"] == str(chat_session.pk)
    boss.get(page_of(chat_session))
    read = ("transcript.read", str(chat_session.pk), {"user": owner.pk})
    assert told(action=Action.TRANSCRIPT_READ) == [read]
    boss.get(list_of(ChatSession, f"?q={WORD}"))
    chosen = {"_selected_action": str(chat_session.pk), "post": "yes"}
    boss.post(list_of(ChatSession), {"action": "apply_profile", **chosen})
    boss.post(list_of(ChatSession), {"action": "delete_selected", **chosen})
    assert json.loads(last(Action.SESSION_DELETED).details) == {"user": owner.pk}
    jobs.ask_for_export(owner.pk)
    jobs.begin_import(owner.pk, jobs.reserve_import(owner.pk, "0" * 64).pk)
    boss.post(reverse("admin:sessions_app_auditentry_export"))
    boss.post(page_of(owner, "delete"), {"post": "yes"})
    assert last(Action.USER_DELETED).object_id == str(owner.pk)


def test_all_is_recorded_and_no_word_of_it(owner: User, boss: User) -> None:
    administrator = browser_of("boss")
    try_to_log_in(owner)
    use_the_account(owner)
    change_rights(User.objects.get(pk=owner.pk), administrator)
    change_what_there_is(owner)
    let_others_say_who_it_is(owner)
    set_bounds(owner)
    tell_others()
    come_and_go_by_scim()
    look_and_take(User.objects.get(pk=owner.pk), administrator)
    recorded = set(AuditEntry.objects.values_list("action", flat=True))
    assert recorded == set(Action) - OVER_HTTP - OF_TURNS
    assert verifying.verify().problems == []
    for values in AuditEntry.objects.values_list():
        assert not any(word in str(values).lower() for word in (WORD, "zebra", "owner", "boss", PASSWORD))


def test_a_failed_login_is_answered_where_nothing_can_be_recorded(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise audit.NoAuditHead

    monkeypatch.setattr(audit, "record", fail)
    answer = Client().post(LOGIN, {"username": "owner", "password": "wrong"})
    assert "The username or the password is wrong" in answer.content.decode()
    with pytest.raises(audit.NoAuditHead):
        Client().post(LOGIN, {"username": "owner", "password": PASSWORD})
