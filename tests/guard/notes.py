"""The state machine's notes: what each cache has seen, what each session was last asked with, how a turn is to go."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from agentcache import Stamp
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.models import Message
from tests.guard.oracle import Oracle, Stored
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.client_tools import asks
from tests.turns.host import Host
from tests.turns.tool_server import sends

R = TypeVar("R")

MODELS = ["openai-chat:one", "openai-chat:two"]


@dataclass
class Seen:
    """What a cache must hold of a session: read with this model and prefix, true under this stamp."""

    stamp: Stamp
    model: str
    prefix: str


@dataclass
class Bill:
    """What the ledger may say of a session's next request: who has forced the provider to read again.

    `counted` is the (model, prefix) of the last request that the provider has counted, `forced` if the transcript was
    rewritten since it was sent.
    """

    counted: tuple[str, str] | None = None
    forced: bool = False

    def causes(self, head: tuple[str, str]) -> set[str]:
        """The causes that a request which begins with this head may have; "" is none."""
        if self.counted is None:
            return {Cause.FIRST}
        if self.counted[0] != head[0]:
            return {"", Cause.MODEL}
        if self.counted[1] != head[1]:
            return {"", Cause.PROMPT, Cause.TOOLS, Cause.PROFILE}
        return {"", Cause.EDITED, Cause.COMPACTED} if self.forced else {""}


@dataclass
class Talk:
    """A session: its last request, the model and prefix that had, and if the transcript was rewritten since."""

    session_id: UUID
    request: bytes = b""
    head: tuple[str, str] = ("", "")
    rewritten: bool = False
    bill: Bill = field(default_factory=Bill)


@dataclass
class Process:
    """A process, and what its cache must hold by session."""

    host: Host
    has_agent: bool = False
    seen: dict[UUID, Seen] = field(default_factory=dict)

    def forgets(self) -> None:
        self.has_agent, self.seen = False, {}

    def verdict(self, live: Stored) -> tuple[str, str, str]:
        """What the guard must decide on a turn of this session."""
        agent = "reused" if self.has_agent else "built"
        seen = self.seen.get(live.session_id)
        if seen is None:
            return (agent, "read", "first turn here")
        rows = live.stamp.message_count - seen.stamp.message_count
        changes = live.stamp.revision - seen.stamp.revision
        if changes:
            return (agent, "read", f"grew by {rows} elsewhere" if rows == changes else "rewritten elsewhere")
        if (seen.model, seen.prefix) != (live.model, live.prefix):
            return (agent, "read", "another model or prefix")
        return (agent, "kept", "same stamp")


@dataclass(frozen=True)
class Plan:
    """How a turn goes: for each of its steps the writes (session, number) while its request is held; and the end.

    It ends `left` with calls of the client's tools, whose results come later, or `asked` with calls that a person must
    approve.
    """

    writes: tuple[tuple[tuple[int, int], ...], ...]
    end: str

    @property
    def steps(self) -> int:
        return len(self.writes)

    def is_counted(self, step: int) -> bool:
        """Whether the provider comes to say what the request of a step has cost."""
        return step < self.steps - 1 or self.end in ("complete", "silent", "left", "asked")

    def answer(self, step: int, gate: Gate) -> Answer:
        if step < self.steps - 1:
            call = Call("calculator", '{"expression": "6 * 7"}')
            return Answer(["Let me see. "][: step % 2], calls=[call] * (1 + step), gates={0: gate})
        if self.end == "left":
            own = [Call("calculator", "{}")] if self.steps % 2 else []
            calls = [*[asks("Bonn")] * self.steps, *own]
            return Answer(["Let me ask. "][: self.steps % 2], calls=calls, gates={0: gate})
        if self.end == "asked":
            calls = [*[sends("Bo")] * self.steps, *[sends("Al", tool="mail_read")] * (self.steps % 2)]
            return Answer(["May I? "][: self.steps % 2], calls=calls, gates={0: gate})
        words = [] if self.end == "silent" else [f"answer {uuid.uuid4().hex} "]
        return Answer(words, gates={0: gate}, cut=1 if self.end == "cut" else None)


@dataclass(frozen=True)
class Steering:
    """A turn that goes on from an earlier place: a regeneration of an answer, or an edit of what was said.

    Or a resumption, with results for these calls, or with decisions on them, each of which `approves` or does not.
    """

    kind: str
    message: Message | None = None
    call_ids: tuple[str, ...] = ()
    approves: tuple[bool, ...] = ()

    @staticmethod
    def chosen(kind: str, number: int, line: Sequence[Message]) -> Steering | None:
        """One that is possible in a line; None where there is none."""
        role = "user" if kind == "edit" else "assistant"
        line = [message for message in line if not message.kind]
        choice: list[Message | None] = [message for message in line if message.role == role]
        if kind == "regenerate":
            asked = [index for index, message in enumerate(line) if message.role == "user" and not message.kind]
            choice = [message for message in line[asked[0] :] if message.role == role] if asked else []
            choice += [None] if asked else []
        return Steering(kind, choice[number % len(choice)]) if choice else None


@dataclass
class Turning:
    """A turn under way: the session as it was before, what the guard must say, and the gates of its requests.

    `memories` are those of the user that the model must be told.
    """

    process: Process
    talk: Talk
    plan: Plan
    before: Stored
    verdict: tuple[str, str, str]
    gates: list[Gate]
    memories: list[str]
    steering: Steering | None = None
    text: str = field(default_factory=lambda: f"asked {uuid.uuid4().hex}")
    run_id: UUID = field(default_factory=uuid.uuid4)
    causes: list[set[str]] = field(default_factory=list)

    @property
    def verdicts(self) -> set[tuple[str, str, str]]:
        """What the guard may say: it may go on amid an answer that called tools, where others have written."""
        agent, transcript, _ = self.verdict
        uncut = (agent, "read", "cannot be cut there")
        is_cut = self.steering is not None and self.steering.kind not in ("resume", "decide")
        return {self.verdict, uncut} if is_cut and transcript == "kept" else {self.verdict}

    @property
    def has_approved(self) -> bool:
        """Whether it begins with calls that a person has approved: their results come before anything else is told."""
        return self.steering is not None and any(self.steering.approves)

    @property
    def says_nothing_new(self) -> bool:
        """Whether it answers what was said before."""
        return self.steering is not None and self.steering.kind == "regenerate"


class World:
    """The processes, which outlive the examples, in their event loop; and the provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.loop = asyncio.new_event_loop()
        self.oracles = {model: Oracle(model) for model in MODELS}
        self.may_build = asyncio.Event()
        self.may_build.set()
        self.hosts: list[Host] = []

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        for host in self.hosts:
            self.run(host.runner.drain(0))
        self.loop.close()
