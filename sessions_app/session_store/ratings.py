"""What users think of answers."""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations import access
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.schemas import MessageShape
from sessions_app.errors import WrongKind
from sessions_app.journal import Fact, record
from sessions_app.models import FactName, MessageRating, MessageRole


def rate(user_id: int, message_id: UUID, rating: int | None, comment: str) -> MessageShape:
    """Rate an answer 1 or -1, or take that back with None. Raises NotFound, WrongKind.

    It changes nothing that a model is sent, so the session's stamp stays.
    """
    message = access.message(user_id, message_id)
    if message.role != MessageRole.ASSISTANT:
        raise WrongKind("Only an answer can be rated.")
    if rating is None:
        MessageRating.objects.filter(message=message).delete()
    else:
        MessageRating.objects.update_or_create(message=message, defaults={"rating": rating, "comment": comment})
    [shape] = message_shapes([message])
    record(Fact(user_id, FactName.MESSAGE_UPDATED, message.chat_session_id, message.public_id, shape))
    return shape
