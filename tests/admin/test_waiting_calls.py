"""Calls that wait for somebody, at the pages of their session and turn: who decided what, and never a word of it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.models import Approval, CallState, ChatSession, Decision, StandingApproval, WaitingCall, WaitingKind
from tests.admin.conftest import make_session, make_turn, page_of, say, text_of


def test_decisions_and_waiting_calls_stand_at_session_and_turn(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    ChatSession.objects.filter(pk=chat_session.pk).update(asks_approval=True, client_tools="x")
    message = say(chat_session, 1, "Let me see.")
    turn = make_turn(chat_session)
    common = {"owner": alice, "chat_session": chat_session, "turn": turn, "message": message}
    Approval.objects.create(**common, tool_call_id="c1", tool="mail_send", arguments_digest="x")
    decided = Approval.objects.create(
        **common,
        tool_call_id="c2",
        tool="<b>mail_delete</b>",
        arguments_digest="x",
        decision=Decision.APPROVED,
        decided_by=alice,
        decided_at=timezone.now(),
        note="private words",
        always=True,
        resumed_by=turn,
        state=CallState.UNKNOWN,
    )
    StandingApproval.objects.create(chat_session=chat_session, tool=decided.tool)
    WaitingCall.objects.create(
        owner=alice, chat_session=chat_session, message=message, tool_call_id="w1", kind=WaitingKind.CLIENT
    )
    told = "approved by alice"
    for page in (page_of(chat_session), reverse("admin:sessions_app_turn_change", args=[turn.pk])):
        seen = text_of(boss, page)
        assert "mail_send: nobody has decided" in seen
        assert told in seen
        assert "nobody knows whether it was made" in seen
        assert "<b>mail_delete" not in seen
        assert "private words" not in seen
    assert "w1, since" in text_of(boss, page_of(chat_session))
    decided.decision, decided.decided_by, decided.state = Decision.REFUSED, None, CallState.NONE
    decided.save()
    assert "refused by nobody, since its user was deactivated, on" in text_of(boss, page_of(chat_session))
