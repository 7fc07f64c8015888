"""Titles that a model makes: claimed once for each session, stored where nobody has named it meanwhile.

1. The claim is one statement: of several processes one gets it. It is never given back, so a title that does not come
   is not asked for again: the first words stay.
2. What the model cost is entered in the ledger, as a turn of the kind ``title``, whatever became of the title.
3. The title is stored by a statement that compares: what a person has set since stays.

None of this is a change of the transcript, so the session's stamp does not move.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists

from sessions_app.budgets import holding
from sessions_app.budgets.amounts import counted
from sessions_app.conversations import access, beside
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.journal import Fact, record
from sessions_app.llm.step_events import StepResult
from sessions_app.models import ChatSession, FactName, Message, MessageRole, TitleSource, TurnKind


def claim(user_id: int, session_id: UUID, words: str, turn_id: int) -> bool:
    """Claim to make a session's title in the place of its first ``words``, once a turn has brought its first answer.

    False where another process has, where a person has named the session, where there was an answer before, and where
    a budget of the user is used up.
    """
    answers = Message.objects.filter(chat_session=session_id, role=MessageRole.ASSISTANT).exclude(turn=turn_id)
    if holding.is_used_up(user_id):
        return False
    unnamed = ChatSession.objects.filter(pk=session_id, owner_id=user_id, title=words, title_by=TitleSource.WORDS)
    return bool(unnamed.exclude(Exists(answers)).update(title_by=TitleSource.MODEL))


def store(user_id: int, session_id: UUID, words: str, title: str, made: StepResult) -> None:
    """Store the title, if any, that a model has made of a claim, and what that cost.

    Raises NotFound where the session is gone.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    if made.entry is not None:
        beside.enter(chat_session, TurnKind.TITLE, made)
        holding.charge(user_id, counted(made.usage, made.entry))
    claimed = ChatSession.objects.filter(pk=session_id, title=words, title_by=TitleSource.MODEL)
    if title and claimed.update(title=title):
        chat_session.title = title
        record(Fact(user_id, FactName.SESSION_UPDATED, session_id, value=session_shape(chat_session)))
