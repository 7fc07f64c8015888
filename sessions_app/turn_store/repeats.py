"""Requests that programs send again: one whose answer got lost must not become a second turn that nobody has seen.

OpenAI's clients repeat by themselves what got no answer, with the same body, within seconds, and count in a header how
many times. A program may also name its request by a key. Either way the request is known by its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.conversations.reach import reached
from sessions_app.conversations.schemas import unborn_message_shape
from sessions_app.models import Turn, TurnStatus
from sessions_app.turn_store.message_ids import AcceptedTurn

# A client that repeats by itself waits 8 s at the most.
_AGAIN = timedelta(seconds=15)
_KEYED = timedelta(hours=24)
_ALIVE = (TurnStatus.QUEUED, TurnStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent. ``request`` is what is kept of it with its turn, ``digest`` that of all of it.

    ``is_repeat``: its client says that it has sent it before. ``is_keyed``: it has a key of the program's own, and the
    digest is of that too.
    """

    request: dict[str, Any] | None = None
    digest: str | None = None
    is_repeat: bool = False
    is_keyed: bool = False

    @property
    def may_be_again(self) -> bool:
        """Whether there may be a turn for it already."""
        return self.digest is not None and (self.is_repeat or self.is_keyed)


UNMARKED = Sent()
"""A request of which nothing is kept."""


def sent_before(user_id: int, sent: Sent) -> AcceptedTurn | None:
    """Return the turn that the same request has begun, None where it has begun none.

    Of one without a key only a turn that is alive, or that has just ended with an answer: who asks the same later
    wants another one.
    """
    if not sent.may_be_again:
        return None
    sent_by_user = Turn.objects.filter(owner=user_id, request_digest=sent.digest)
    turns = reached(sent_by_user, "chat_session__profile").select_related("chat_session")
    if sent.is_keyed:
        turns = turns.filter(created_at__gt=Now() - _KEYED)
    else:
        just_ended = Q(status=TurnStatus.COMPLETE, ended_at__gt=Now() - _AGAIN)
        turns = turns.filter(Q(status__in=_ALIVE) | just_ended)
    turn = turns.order_by("-pk").first()
    return AcceptedTurn(turn, unborn_message_shape(turn), repeated=True) if turn else None
