"""What must be true afterwards: each check returns a sentence for every case in which it is not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from tests.chaos.doings import Sent
from tests.chaos.evidence import Evidence, StoredMessage, StoredTurn
from tests.chaos.provider import Request, request_of

Check = Callable[[Evidence], Iterator[str]]


def everything_ended(evidence: Evidence) -> Iterator[str]:
    """No turn is queued or running, and every text was acknowledged."""
    for turn in evidence.turns:
        if turn.ended_at is None:
            yield f"turn {turn.run_id} is still {turn.status}"
    for sent in evidence.doings.unacknowledged:
        yield f"never acknowledged: {sent}"


def stored_once(evidence: Evidence) -> Iterator[str]:
    """Every acknowledged text is one turn and one message, none if it was withdrawn; and nobody else's is there.

    What stands in another line counts: an edit leaves what it was said in the place of.
    """
    turns: dict[str, list[StoredTurn]] = defaultdict(list)
    messages: dict[str, list[StoredMessage]] = defaultdict(list)
    for turn in evidence.turns:
        if turn.kind != "regeneration":
            turns[turn.message_id].append(turn)
    for message in evidence.messages:
        if message.role == "user":
            messages[message.id].append(message)
    for sent in (*evidence.doings.sent, *_carried_out(evidence)):
        own, said = turns.pop(sent.message_id, []), messages.pop(sent.message_id, [])
        if sent.session_id in evidence.doings.deleted:
            if sent.session_id not in evidence.prefixes and (own or said):
                yield f"left behind of a deleted session: {sent}"
        elif [(turn.run_id, turn.session_id, turn.text) for turn in own] != [(sent.run_id, sent.session_id, sent.text)]:
            yield f"{sent} has the turns {own}"
        elif len(said) != (own[0].status != "withdrawn") or any(message.text != sent.text for message in said):
            yield f"{sent}, {own[0].status}, has the messages {said}"
    yield from (f"nobody said: {turn}" for rows in turns.values() for turn in rows)
    yield from (f"nobody said: {message}" for rows in messages.values() for message in rows)


def _carried_out(evidence: Evidence) -> list[Sent]:
    """The edits that were stored although their user was told that they were not: of their lost requests."""
    runs = {turn.message_id: turn.run_id for turn in evidence.turns if turn.kind == "edit"}
    perhaps = evidence.doings.perhaps
    return [replace(sent, run_id=runs[sent.message_id]) for sent in perhaps if sent.message_id in runs]


def regenerated_as_asked(evidence: Evidence) -> Iterator[str]:
    """Each regeneration answers a text of its session, and there are no more of them than were asked for."""
    said = {(message.session_id, message.id) for message in evidence.messages if message.role == "user"}
    turns = [turn for turn in evidence.turns if turn.kind == "regeneration"]
    for turn in turns:
        if (turn.session_id, turn.message_id) not in said:
            yield f"answers what nobody said: {turn}"
    for session_id, count in Counter(turn.session_id for turn in turns).items():
        if count > (asked := evidence.doings.regenerations[session_id]):
            yield f"{count} regenerations in {session_id}, where {asked} were asked for"


def in_order(evidence: Evidence) -> Iterator[str]:
    """The texts of a line stand in the order in which they were acknowledged."""
    sent = {each.message_id: (number, each) for number, each in enumerate(evidence.doings.sent)}
    for branch in evidence.branches.values():
        line = [sent[message.id] for message in evidence.line(branch) if message.id in sent]
        for (before, _), (after, late) in pairwise(line):
            if before > after:
                yield f"after a later one: {late}"


def counted(evidence: Evidence) -> Iterator[str]:
    """Each session's stamp counts its messages."""
    rows = Counter(message.session_id for message in evidence.messages)
    for session_id, count in evidence.counted.items():
        if rows[session_id] != count:
            yield f"session {session_id} has {rows[session_id]} messages and counts {count}"


def answered_truly(evidence: Evidence) -> Iterator[str]:
    """An answer is what the provider sent for a request of its turn; what is not complete is the beginning of that."""
    turns = {turn.run_id: turn for turn in evidence.turns}
    answers: Counter[str] = Counter()
    used: set[int] = set()
    for message in evidence.messages:
        if message.role == "user":
            continue
        turn, request = turns.get(message.run_id or ""), _request(evidence, message)
        if turn is None or request is None or request.text != turn.text:
            yield f"an answer to nothing: {message} of {turn}"
        elif message.status != turn.status or not _fits(message, request):
            yield f"{message} of {turn} is not what was sent: {request.answer!r}"
        elif request.number in used:
            yield f"stored twice: {message} of {turn}"
        else:
            used.add(request.number)
        answers[message.run_id or ""] += 1
    for turn in evidence.turns:
        if answers[turn.run_id] > 1 or (turn.status == "complete" and not answers[turn.run_id]):
            yield f"{answers[turn.run_id]} answers: {turn}"


def _request(evidence: Evidence, message: StoredMessage) -> Request | None:
    number = request_of(message.text)
    return evidence.requests[number] if number is not None and number < len(evidence.requests) else None


def _fits(message: StoredMessage, request: Request) -> bool:
    if message.status == "complete":
        return request.whole and message.text == request.answer
    return request.answer.startswith(message.text)


def ended_by_somebody(evidence: Evidence) -> Iterator[str]:
    """Only what a user asked to end was stopped or withdrawn."""
    for turn in evidence.turns:
        deleted = turn.session_id in evidence.doings.deleted
        if turn.status in ("stopped", "withdrawn") and turn.run_id not in evidence.doings.stop_asked and not deleted:
            yield f"nobody asked for that: {turn}"


def one_at_a_time(evidence: Evidence) -> Iterator[str]:
    """By the database's clock, a session's turn begins when the one before has ended."""
    begun: dict[str, list[StoredTurn]] = defaultdict(list)
    for turn in evidence.turns:
        if turn.started_at is not None:
            begun[turn.session_id].append(turn)
    for turns in begun.values():
        turns.sort(key=lambda turn: (turn.started_at, turn.ended_at))
        for before, after in pairwise(turns):
            if before.ended_at is None or after.started_at is None or after.started_at < before.ended_at:
                yield f"{before} and {after} overlap"


def one_request_at_a_time(evidence: Evidence) -> Iterator[str]:
    """A session's request comes when the one before is over, unless the process of one of both had lost its turn.

    A process that is stopped between its last look and its request, for longer than the lease, sends it when it wakes.
    """
    turns = evidence.by_text
    for request in evidence.requests:
        for number in request.beside:
            other = turns.get(evidence.requests[number].text, [])
            if other and not _was_lost(other) and not _was_lost(turns.get(request.text, [])):
                yield f"request {request.number} ({request.text[:40]}) came while {number} was under way: {other}"


def _was_lost(turns: list[StoredTurn]) -> bool:
    return any(turn.status == "interrupted" and not turn.told for turn in turns)


def views_agree(evidence: Evidence) -> Iterator[str]:
    """What a tab shows is what a tab that has just opened the session shows, and nothing is left dangling."""
    for seen in evidence.seen:
        if not seen.agrees:
            turns = [turn for turn in evidence.turns if turn.session_id == seen.session_id]
            wrong = f"{seen.tab} shows of {seen.session_id}:", seen.here, "instead of", seen.fresh
            yield "\n    ".join(map(str, (*wrong, "It has heard:", *seen.heard, "There were:", *turns)))
        elif seen.fresh.run or seen.fresh.queued:
            yield f"{seen.tab} shows of {seen.session_id} what runs or waits: {seen.fresh}"


def facts_are_the_database(evidence: Evidence) -> Iterator[str]:
    """A tab that was away again and again has every fact once, and together they say what is stored."""
    for user, tab, facts in evidence.facts:
        yield from (f"{tab}: {fault}" for fault in facts.faults)
        if facts.cursor != evidence.heads.get(user, 0):
            yield f"{tab} has facts up to {facts.cursor} of {evidence.heads.get(user, 0)}"
        stored, known = evidence.known(user), facts.known
        for name, there, here in (
            ("titles", stored.titles, known.titles),
            ("messages", stored.messages, known.messages),
            ("turns", stored.turns, known.turns),
        ):
            if there != here:
                yield f"{tab} knows from facts the {name} {here} and not {there}"


def budgets_settled(evidence: Evidence) -> Iterator[str]:
    """Nothing is reserved any more, and what is spent is what the ledger has, with that of chats which are deleted."""
    deleted = evidence.doings.deleted
    have_deleted = {sent.user for sent in evidence.doings.sent if sent.session_id in deleted}
    for budget in evidence.budgets:
        lacks = budget.spent < budget.counted
        if budget.reserved or lacks or (budget.spent != budget.counted and budget.user not in have_deleted):
            yield f"not settled: {budget}"


CHECKS: list[Check] = [
    budgets_settled,
    everything_ended,
    stored_once,
    regenerated_as_asked,
    in_order,
    counted,
    answered_truly,
    ended_by_somebody,
    one_at_a_time,
    one_request_at_a_time,
    views_agree,
    facts_are_the_database,
]
