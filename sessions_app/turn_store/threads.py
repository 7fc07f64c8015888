"""Begin a run in a client's thread, or find the one that it asks for: what AG-UI's requests do in the database.

A thread is a session, by its id or by a name of the client's own. Each request brings messages by their ids, all that
the client has or the new ones alone. In one transaction, under the session's lock:

1. The id of a run of this thread is asked for again: that run is followed.
2. Nothing is new: an answer is asked for again where the last message is the user's, and its answer is not on its way;
   else what runs is followed.
3. Interrupts are answered: the turn goes on with that, unless all are refused and the user says something instead.
4. Something is new: it goes on behind the last message that is known, which may begin a branch; where none is known, at
   the end. Behind a turn that is alive it waits.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ag_ui.core import BaseEvent, RunFinishedCancelledOutcome, RunFinishedEvent

from sessions_app.conversations import access, approvals, branches, profiles, reach, waiting_calls
from sessions_app.conversations.line_digests import Said
from sessions_app.conversations.said_rows import said_after
from sessions_app.conversations.turn_results import ending_of, interrupted, last_event
from sessions_app.errors import BadInput, Conflict, NotFound
from sessions_app.files.brought import Brought
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.tools.client_tools import digest_of
from sessions_app.models import ChatSession, Message, MessageKind, MessageRole, Turn, TurnStatus
from sessions_app.session_store.client_tools import bring
from sessions_app.turn_store import asking, continuing, deciding
from sessions_app.turn_store.alive import alive, check_free
from sessions_app.turn_store.brought_sessions import Moved
from sessions_app.turn_store.deciding import GivenDecision
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.recognising import Found, Heard, Place, named
from sessions_app.turn_store.thread_history import History, ThreadMessage, canonical, history_of, name_messages
from sessions_app.turn_store.thread_said import check_order, known_said, said_of

NOT_WAITING = "This interrupt does not wait for an answer any more."
# Ids of runs that are strings of a client's own are made of them.
_NAMESPACE = UUID("6d5ae1f4-8f0c-4d3c-9a4f-2f5b7c1f0e33")


@dataclass(frozen=True, slots=True)
class InterruptAnswer:
    """What a client answers an interrupt, by its id as the client has it.

    One that it has given up (``is_cancelled``) is refused; where it does not wait any more, that changes nothing.
    """

    interrupt: str
    decision: GivenDecision
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class ThreadRequest:
    """What a client asks for: ``thread`` and ``run`` as it calls them, its messages, and its own ``tools``.

    ``prompt`` is the system prompt that came with the messages, None where none did. ``answers`` are those to
    interrupts.
    """

    thread: str
    run: str
    prompt: str | None
    messages: tuple[ThreadMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    answers: tuple[InterruptAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadRun:
    """The run that a request is told of, None where there is none; ``asked`` where it was asked for just now.

    ``is_exact``: what the client has of the thread is what is stored.
    """

    session_id: UUID
    run_id: UUID | None
    asked: AcceptedTurn | None = None
    is_exact: bool = True


def take(user_id: int, request: ThreadRequest, *, process: str, accepting: bool) -> ThreadRun:
    """Begin the run that a request asks for, or find it.

    Raises Moved, NotKept, NotFound (the profile, or the user may no longer act), BadInput (nothing to answer, calls
    without their results), Conflict, StillStopping, TooLarge, TooMany.
    """
    return _Taking(user_id, request, process, accepting).run()


def end_of(user_id: int, session_id: UUID, run_id: UUID) -> BaseEvent | None:
    """Return the event that ended a run; None where it has not. Raises NotFound."""
    turn = access.chat_session(user_id, session_id).turns.filter(run_id=run_id).first()
    if turn is None or turn.ended_at is None:
        return None
    if turn.status == TurnStatus.WITHDRAWN and not turn.error_code:
        ids = {"thread_id": str(session_id), "run_id": str(run_id)}
        return RunFinishedEvent(**ids, outcome=RunFinishedCancelledOutcome())
    return last_event(session_id, run_id, ending_of(turn, approvals.asked_by([turn.pk])[turn.pk]))


class _Taking:
    """One request in its transaction."""

    def __init__(self, user_id: int, request: ThreadRequest, process: str, accepting: bool) -> None:
        self._user_id = user_id
        self._request = request
        self._process, self._accepting = process, accepting
        self._ids = _run_ids(user_id, request)

    def run(self) -> ThreadRun:
        """Begin the run, or find it."""
        session_id = named(self._user_id, self._request.thread)
        if session_id is None:
            return self._first()
        try:
            chat_session = access.chat_session(self._user_id, session_id, lock=True)
        except NotFound:
            if reach.profile() is not None:
                raise Conflict("This thread is a chat of another profile than your token is for.") from None
            raise Moved from None
        if (earlier := chat_session.turns.filter(run_id__in=self._ids).first()) is not None:
            return ThreadRun(session_id, earlier.run_id)
        history = history_of(chat_session, self._request.messages)
        new, names = said_of(history.new)
        if (answers := self._answers(chat_session)) and not _is_refused_by_saying(answers, new):
            asked = self._decide(chat_session, history, new, answers)
            name_messages(chat_session, names)
            return ThreadRun(session_id, asked.run_id, asked, is_exact=False)
        if not new and (found := _followed(chat_session, history)) is not None:
            return found
        asked = self._go_on(chat_session, history, new)
        name_messages(chat_session, names)
        return ThreadRun(session_id, asked.run_id, asked, history.is_exact)

    def _first(self) -> ThreadRun:
        """Begin a thread with all that was said in it, and its first run."""
        request = self._request
        if not all(each.is_cancelled for each in request.answers):
            raise Conflict(NOT_WAITING)
        said, names = said_of(request.messages)
        check_order((), (), said)
        profile = profiles.default(self._user_id)
        heard = Heard(profile.pk, request.prompt, said, request.thread, request.tools)
        asked = self._say(heard, Found(name=request.thread))
        name_messages(asked.turn.chat_session, names)
        return ThreadRun(asked.turn.chat_session_id, asked.run_id, asked)

    def _answers(self, chat_session: ChatSession) -> list[InterruptAnswer]:
        """Return the answers to what waits, and to what was decided by somebody else. Raises Conflict."""
        given = self._request.answers
        if not given:
            return []
        waiting = {str(each.approval.public_id) for each in approvals.at_end(chat_session)}
        answers = [each for each in given if each.interrupt in waiting or not each.is_cancelled]
        if any(each.interrupt not in waiting for each in answers):
            raise Conflict(NOT_WAITING)
        return answers

    def _decide(
        self, chat_session: ChatSession, history: History, new: Sequence[Said], answers: Sequence[InterruptAnswer]
    ) -> AcceptedTurn:
        """Go on with the answers to interrupts, and with results that the client's own tools have brought."""
        if any(each.role != MessageRole.TOOL for each in new):
            raise BadInput("Results of tools alone come with answers that approve a call. Say the rest afterwards.")
        waiting = waiting_calls.at_end(chat_session)
        calls = waiting.calls if waiting else ()
        if new:
            check_order((Said(MessageRole.ASSISTANT, "", calls),), history.answered, new)
        return deciding.decide(
            self._user_id,
            chat_session.pk,
            [each.decision for each in answers],
            process=self._process,
            accepting=self._accepting,
            results=continuing.rows_of(new, 0, before=calls, files=Brought(self._user_id, new)),
            run_id=_free(self._ids),
        )

    def _go_on(self, chat_session: ChatSession, history: History, new: tuple[Said, ...]) -> AcceptedTurn:
        """Begin a turn with what is new behind the last message that is known; without one, at the end of the line."""
        last, session_id = history.last, chat_session.pk
        if last is None:
            last = next(iter(branches.latest(chat_session, 1)[0]), None)
        before = known_said(last) if last is not None and last.kind == MessageKind.SAID else ()
        if new:
            check_order(before, history.answered, new)
        ends = _ends(chat_session, last)
        if ends and self._may_wait(chat_session, new):
            return self._wait(session_id, new[0])
        check_free(chat_session)
        bring(chat_session, self._request.tools)
        place = Place(session_id, chat_session.stamp.revision, last, len(before), ends)
        return self._say(Heard(chat_session.profile_id or 0, None, (*before, *new)), Found(place))

    def _wait(self, session_id: UUID, said: Said) -> AcceptedTurn:
        access.require_user(self._user_id)
        files = [file.pk for file in Brought(self._user_id, [said]).of(said)]
        process, accepting, run_id = self._process, self._accepting, _free(self._ids)
        return asking.ask(
            self._user_id,
            session_id,
            said.text,
            said.id,
            process=process,
            accepting=accepting,
            run_id=run_id,
            files=files,
        )

    def _may_wait(self, chat_session: ChatSession, new: Sequence[Said]) -> bool:
        """Tell whether what is new is one message that has to wait for a turn, and can."""
        is_one = [each.role for each in new] == [MessageRole.USER]
        return is_one and digest_of(self._request.tools) == chat_session.client_tools and bool(alive(chat_session))

    def _say(self, heard: Heard, found: Found) -> AcceptedTurn:
        process, accepting = self._process, self._accepting
        return continuing.say(
            self._user_id, heard, found, None, process=process, accepting=accepting, run_id=_free(self._ids)
        )


def interrupts(user_id: int, session_id: UUID) -> BaseEvent | None:
    """Return the event that tells that a thread waits for a person; None where it does not. Raises NotFound."""
    waiting = approvals.at_end(access.chat_session(user_id, session_id))
    if not waiting:
        return None
    outcome = interrupted([approvals.asked_again(each.approval) for each in waiting])
    return RunFinishedEvent(thread_id=str(session_id), run_id=str(waiting[0].approval.turn.run_id), outcome=outcome)


def _is_refused_by_saying(answers: Sequence[InterruptAnswer], new: Sequence[Said]) -> bool:
    """Tell whether nothing is approved, and the user says something instead."""
    says = any(each.role == MessageRole.USER for each in new)
    return says and not any(each.decision.approve for each in answers)


def _run_ids(user_id: int, request: ThreadRequest) -> list[UUID]:
    """Return what the run's id is, the first that is free: the client's own UUID, else one made of its string."""
    made = uuid.uuid5(_NAMESPACE, json.dumps([user_id, request.thread, request.run]))
    own = canonical(request.run)
    return [own, made] if own else [made]


def _free(ids: Sequence[UUID]) -> UUID:
    """Return the first id that no run has, whoever's."""
    taken = set(Turn.objects.filter(run_id__in=ids).values_list("run_id", flat=True))
    return next((each for each in ids if each not in taken), None) or uuid.uuid4()


def _followed(chat_session: ChatSession, history: History) -> ThreadRun | None:
    """Return the run that is to be followed where nothing is new, None where an answer is asked for again."""
    last, session_id = history.last, chat_session.pk
    if history.turn is not None:
        return ThreadRun(session_id, history.turn.run_id)
    own_turns = chat_session.turns.filter(pk__in=alive(chat_session))
    if last is not None and known_said(last)[-1].role != MessageRole.ASSISTANT:
        answering = own_turns.filter(message_id=last.public_id).first()
        return ThreadRun(session_id, answering.run_id) if answering else None
    running = own_turns.filter(status=TurnStatus.RUNNING).first()
    return ThreadRun(session_id, running.run_id if running else None)


def _ends(chat_session: ChatSession, last: Message | None) -> bool:
    """Tell whether nothing was said behind a message of the line that is shown."""
    if last is None:
        return True
    return branches.is_shown(chat_session, last) and not said_after(chat_session, last.position)
