"""Go on with an answer whose calls have waited for results from outside: these are stored, and a turn begins with them.

One transaction, under the session's lock: of two programs that bring results at once one begins the turn, and to the
other nothing waits any more. It is the same from any process, and after any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from sessions_app.conversations import access, branches, storage, waiting_calls
from sessions_app.conversations.access import ActingUser
from sessions_app.conversations.profiles import check_profile
from sessions_app.conversations.transcript import NewMessage
from sessions_app.conversations.waiting_calls import Waiting
from sessions_app.conversations.windows import check_fits
from sessions_app.errors import BadInput, Conflict, TooLarge
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.rows import tool_row
from sessions_app.llm.content.unicode import clean
from sessions_app.models import ChatSession, MessageRole, Turn, TurnKind, WaitingKind
from sessions_app.turn_store.admitting import admit, bytes_of
from sessions_app.turn_store.alive import check_free
from sessions_app.turn_store.beginning import Forked, append_results, begin, enqueue
from sessions_app.turn_store.message_ids import AcceptedTurn, claim_of


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a client's tool has brought for one call."""

    call_id: str
    text: str


def resume(
    user_id: int,
    session_id: UUID,
    results: Sequence[CallResult],
    sampling: dict[str, Any] | None,
    *,
    process: str,
    accepting: bool,
) -> AcceptedTurn:
    """Begin a turn with the results of all calls that wait at the end of a session's line.

    Raises NotFound, BadInput (a call has none, or two), Conflict (a call does not wait, or not any more), TooLarge,
    TooMany, StillStopping.
    """
    check_results(results)
    chat_session = access.chat_session(user_id, session_id, lock=True)
    user = access.require_user(user_id)
    check_free(chat_session)
    waiting = _waiting(chat_session, results)
    texts = {result.call_id: result.text for result in results}
    turn = Turn(owner_id=user_id, chat_session=chat_session, kind=TurnKind.RESUMPTION, sampling=sampling)
    admit_resumption(user, turn, texts.values())
    waiting_calls.forget(waiting.answer.pk, WaitingKind.CLIENT)
    rows = result_rows((call, texts[call.id]) for call in waiting.calls)
    return go_on(turn, chat_session, user, rows, process=process, accepting=accepting)


def check_results(results: Iterable[CallResult]) -> None:
    """Make sure that each result can be stored, and that no call has two. Raises BadInput, TooLarge."""
    seen: set[str] = set()
    for result in results:
        if result.call_id in seen:
            raise BadInput(f"The call {result.call_id} has two results.", tool_call_id=result.call_id)
        seen.add(result.call_id)
        check_text(result.text)


def check_text(text: str) -> None:
    """Make sure that a result's text can be stored. Raises BadInput, TooLarge."""
    if len(text) > settings.HERMES_MAX_TEXT:
        told = f"A result of {len(text):,} characters; {settings.HERMES_MAX_TEXT:,} are allowed."
        raise TooLarge(told, limit=settings.HERMES_MAX_TEXT)
    if clean(text) != text:
        raise BadInput("A result has a NUL character, or half of a surrogate pair.")


def _waiting(chat_session: ChatSession, results: Sequence[CallResult]) -> Waiting:
    """Return what the results are for. Raises BadInput, Conflict."""
    waiting = waiting_calls.at_end(chat_session)
    wanted = [call.id for call in waiting.calls] if waiting else []
    brought = [result.call_id for result in results]
    unknown = [call_id for call_id in brought if call_id not in wanted]
    if not wanted or waiting is None or unknown:
        raise Conflict(_listed("No call waits here", unknown), revision=chat_session.stamp.revision)
    if missing := [call_id for call_id in wanted if call_id not in brought]:
        raise BadInput(_listed("All calls that wait need a result; there is none", missing), missing=missing)
    return waiting


def _listed(told: str, call_ids: Sequence[str]) -> str:
    return f"{told} for {', '.join(call_ids)}." if call_ids else f"{told}."


def admit_resumption(user: ActingUser, turn: Turn, texts: Iterable[str]) -> None:
    """Store the turn's claim, and make sure that there is room for it. Raises Conflict, TooLarge, TooMany."""
    said = "\n".join(texts)
    check_profile(turn.chat_session)
    check_fits(turn.chat_session, turn.chat_session.profile, said)
    turn.message_id = turn.answer_id
    claim_of(turn, claimed=turn.answer_id).save(force_insert=True)
    admit(user, turn, "", bytes_of(said))
    storage.admit_text(turn.owner_id, len(said))


def result_rows(results: Iterable[tuple[ToolCall, str]]) -> list[NewMessage]:
    """Return the rows of results of a client's calls, to be appended."""
    rows = [tool_row(call.id, call.name, text, client=True) for call, text in results]
    return [NewMessage(MessageRole.TOOL, row.text, row.parts) for row in rows]


def go_on(
    turn: Turn,
    chat_session: ChatSession,
    user: ActingUser,
    rows: Sequence[NewMessage],
    forked: Forked | None = None,
    *,
    process: str,
    accepting: bool,
) -> AcceptedTurn:
    """Append the results, and begin the turn; where this process is stopping, it waits for another with them stored.

    It answers what the user has said last.
    """
    asked_for = branches.last_of_role(chat_session, MessageRole.USER)
    turn.message_id = asked_for.public_id if asked_for else turn.answer_id
    if accepting:
        begun = begin(turn, chat_session, process, user, forked, rows)
        return AcceptedTurn(turn, begun.answered, begun)
    asked = enqueue(turn)
    append_results(chat_session, rows, turn)
    return AcceptedTurn(turn, asked)
