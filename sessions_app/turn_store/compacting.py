"""Put a summary in the place of the earlier part of a line: asked for as a turn, stored by it, written by a person.

A summary is appended like any row, and changes none: what it covers stays to be read, searched, branched from, and is
only no longer sent (``llm.content.summaries``). So what goes for every write goes for it:

- *fence*: a turn that was stopped, or is another's by now, stores none, however late its summary comes;
- *stamp*: it is made of the transcript that had the stamp ``seen``. If another program has written since, nothing is
  stored (``TranscriptChanged``): its row might be covered by a summary that does not know of it;
- *one turn a session*: two processes make one summary, and what is said meanwhile waits, so it gets a position behind.

A person writes or undoes one only while no turn of the session runs or waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from agentcache import Stamp
from sessions_app.conversations import access, branches, sent_rows, storage, transcript, waiting_calls
from sessions_app.conversations.access import ActingUser
from sessions_app.conversations.profiles import check_profile
from sessions_app.conversations.schemas import message_shape
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.conversations.transcript import NewMessage, stamp_of
from sessions_app.conversations.windows import check_fits
from sessions_app.errors import Conflict
from sessions_app.journal import Fact, record
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.parts import Summary
from sessions_app.llm.content.summaries import INSTRUCTION
from sessions_app.models import ChatSession, FactName, MessageKind, MessageRole, Turn, TurnKind
from sessions_app.turn_store.admitting import admit, bytes_of
from sessions_app.turn_store.alive import check_free
from sessions_app.turn_store.beginning import begin, enqueue, touch
from sessions_app.turn_store.ending import locked
from sessions_app.turn_store.message_ids import AcceptedTurn, claim_of


class TranscriptChanged(Exception):
    """Another program has changed the transcript of which a summary was made."""


def ask(user_id: int, session_id: UUID, *, process: str, accepting: bool) -> AcceptedTurn:
    """Begin a turn that summarises the line. Raises NotFound, Conflict, TooMany, StillStopping."""
    chat_session, user = _free(user_id, session_id)
    _check_anything_new(chat_session)
    check_profile(chat_session)
    turn = Turn(owner_id=user_id, chat_session=chat_session, kind=TurnKind.COMPACTION, message_id=uuid4())
    claim_of(turn).save(force_insert=True)
    admit(user, turn, "", bytes_of(INSTRUCTION))
    if not accepting:
        return AcceptedTurn(turn, enqueue(turn))
    begun = begin(turn, chat_session, process, user)
    return AcceptedTurn(turn, begun.answered, begun)


def _check_anything_new(chat_session: ChatSession) -> None:
    """Make sure that the line has something that can be summarised. Raises Conflict.

    A summary alone is nothing: neither one that was just made, nor what a person has made of it.
    """
    covered = _in_force(chat_session)
    kinds = branches.values(chat_session, "kind", start=covered.before if covered else 0)
    if all(kind == MessageKind.SUMMARY for (kind,) in kinds):
        since = "since the last summary" if covered else "in this chat yet"
        raise Conflict(f"Nothing was said {since}.", revision=chat_session.stamp.revision)


def write(user_id: int, session_id: UUID, text: str) -> None:
    """Make a person's text the summary: in the place of the one in force, or of the whole line where there is none.

    Raises NotFound, Conflict, TooLarge (for the model), TooMany, StillStopping.
    """
    chat_session, _ = _free(user_id, session_id)
    covered = _in_force(chat_session)
    if covered is None:
        _check_anything_new(chat_session)
        covered = Summary(before=branches.next_position(chat_session))
    check_fits(chat_session, chat_session.profile, text)
    storage.admit_text(user_id, len(text))
    _append_written(chat_session, text, covered)


def undo(user_id: int, session_id: UUID) -> None:
    """Have the whole line sent again. Raises NotFound, Conflict, StillStopping."""
    chat_session, _ = _free(user_id, session_id)
    if _in_force(chat_session) is None:
        raise Conflict("The whole chat is used already.", revision=chat_session.stamp.revision)
    _append_written(chat_session, "", Summary(before=0))


def _free(user_id: int, session_id: UUID) -> tuple[ChatSession, ActingUser]:
    """Return the user's session, locked and without a turn that runs or waits, and the user, who may act.

    A summary never stands between a call that waits and its result.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    user = access.require_user(user_id)
    check_free(chat_session)
    if waiting_calls.at_end(chat_session) is not None:
        raise Conflict("A tool's call is waited for in this chat. Decide on it, or write something first.")
    return chat_session, user


def _in_force(chat_session: ChatSession) -> Summary | None:
    """Return what the summary covers that is sent in the place of earlier rows; None where none is."""
    summary = sent_rows.latest_summary(chat_session)
    covered = sent_rows.covered_by(summary) if summary else None
    return covered if covered and covered.before else None


def _append_written(chat_session: ChatSession, text: str, covered: Summary) -> None:
    made = MadeSummary(text, "", covered, stamp_of(chat_session), uuid4())
    _append(chat_session, None, made, RequestRecord.from_json(chat_session.last_request))


@dataclass(frozen=True, slots=True)
class MadeSummary:
    """What was made of the transcript with the stamp ``seen``; ``message_id`` will be the row's.

    By a turn's ``model``; empty where a person has written it.
    """

    text: str
    model: str
    covered: Summary
    seen: Stamp
    message_id: UUID


def store(turn: Turn, made: MadeSummary, last: RequestRecord | None) -> None:
    """Store the summary that a running turn has made; ``last`` is the session's latest request before it.

    Raises OwnershipLost, TranscriptChanged; then nothing is stored.
    """
    chat_session = locked(turn)
    transcript.write_fenced(turn)
    if stamp_of(chat_session) != made.seen:
        raise TranscriptChanged
    _append(chat_session, turn, made, last)


def _append(chat_session: ChatSession, turn: Turn | None, made: MadeSummary, last: RequestRecord | None) -> None:
    """Append the row of a summary and tell of it; the ``last`` request says no more how long a prompt is."""
    summary = MessageKind.SUMMARY
    row = NewMessage(MessageRole.USER, made.text, (made.covered,), kind=summary, public_id=made.message_id)
    [message] = transcript.append_claimed(chat_session, turn, [row]).messages
    touch(chat_session, None, uncounted(last))
    owner_id, session_id = chat_session.owner_id, chat_session.pk
    shape = message_shape(message).model_copy(update={"model": made.model or None})
    record(Fact(owner_id, FactName.MESSAGE_CREATED, session_id, message.public_id, shape))
    record(Fact(owner_id, FactName.SESSION_UPDATED, session_id, value=session_shape(chat_session)))


def uncounted(last: RequestRecord | None) -> RequestRecord | None:
    """Return a session's last request without its tokens: the next one has others, and nobody has counted them."""
    return replace(last, tokens=None) if last else None
