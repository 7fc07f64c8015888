"""Several caches over one real database, several sessions of one user, and everything that others may do to them.

Three oracles. *What the provider was sent*: each request, held at a gate, is compared with what is stored at that
moment, whole, made by nothing that production keeps (oracle.py); it repeats the last request of its session byte for
byte unless somebody rewrote the transcript; and it tells the model the user's memory as it is. *What the guard said*:
from its own notes of what each cache has seen, the machine knows for each turn whether the transcript must have been
kept or read, and why; so our own turns, in any order of sessions, never cause a reload. *What the ledger says*: a
shortfall of the provider's cache has a cause that somebody has given it, and where nobody has there is none: the host
itself causes no miss.

HERMES_TEST_EXAMPLES in the environment asks for more runs than the suite's (tests/examples.py).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from blockbuster import BlockBuster
from django.contrib.auth import get_user_model
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sessions_app import database
from sessions_app.errors import Conflict, NotFound
from sessions_app.llm.cache_ledger import entries as ledger
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.rows import Row
from sessions_app.llm.content.summaries import INSTRUCTION, sent_of
from sessions_app.llm.context import RESERVE_SHARE, tokens_of
from sessions_app.models import AgentProfile, Turn, TurnStatus
from sessions_app.turn_store.deciding import GivenDecision
from sessions_app.turns import pool, supervisor
from tests.agentcache.world import everyone_waits
from tests.examples import examples, fewer_on_postgresql
from tests.guard.notes import MODELS, Bill, Plan, Process, Seen, Steering, Talk, Turning, World
from tests.guard.oracle import Stored, all_of, stored
from tests.guard.slow import slow_builds
from tests.guard.writes import Effect, write
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.client_tools import bring, resume, waiting
from tests.turns.fixtures import NEVER
from tests.turns.host import Host, guard_of, new_session, stands_at, stored_turn, worked
from tests.turns.remembered import MEMORY_CHANGES, change_memory, memories_in_effect, told_by
from tests.turns.summaries import set_window
from tests.turns.tool_server import MailServer, decide, give_tools, send, serve
from tests.turns.tool_server import waiting as asked_of_person

pytestmark = pytest.mark.both_databases  # raw SQL of others, at any moment, and the triggers that notice it

HOSTS, SESSIONS = 3, 3


WRITES = st.lists(st.tuples(st.integers(0, SESSIONS - 1), st.integers(0, 9_999)), max_size=2).map(tuple)
PLANS = st.builds(
    Plan,
    st.lists(WRITES, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["complete", "complete", "complete", "stopped", "cut", "silent"]),
)
OWN_PLANS = PLANS.map(lambda plan: Plan(((),) * plan.steps, plan.end))
# The word of a summary before which the connection breaks.
END_AT = {"cut": 1}
CHOICE = st.integers(0, 9_999)
MESSAGE_BYTES = 200
HOST, SESSION = st.integers(0, HOSTS - 1), st.integers(0, SESSIONS - 1)


def window_around(before: Stored, share: float) -> int:
    """A window whose room is the prefix, a message, and so much of what else is sent."""
    said = sum(len(row.text) for row in sent_of(before.rows))
    room = tokens_of(len(before.prefix) + int(share * said) + MESSAGE_BYTES, None)
    return room * RESERVE_SHARE // (RESERVE_SHARE - 2)


class GuardMachine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Process] = []
        self.talks: list[Talk] = []
        self.gates: list[Gate] = []

    def teardown(self) -> None:
        """Let go of what a failure has left held."""
        self.world.may_build.set()
        for gate in self.gates:
            gate.open()
        self.world.run(self._everything_ends())

    async def _everything_ends(self) -> None:
        for process in self.processes:
            for run in process.host.runner.runs:
                await run.ended.wait()
            process.host.runner.disconnect(process.host.listener.subscription)
        self.world.provider._server.queue.clear()

    @initialize()
    def begin(self) -> None:
        self.world.run(self._begin())

    async def _begin(self) -> None:
        user = await database.write(get_user_model().objects.create_user, uuid.uuid4().hex)
        while len(self.world.hosts) < HOSTS:
            self.world.hosts.append(await self._started(user.pk))
        for host in self.world.hosts:
            self.processes.append(Process(host.of(user.pk)))
        self.talks = [Talk(await new_session(user.pk)) for _ in range(SESSIONS)]
        for talk in self.talks:
            await give_tools(talk.session_id)
        await database.write(lambda: AgentProfile.objects.update(model=MODELS[0], memory=True))

    async def _started(self, user_id: int) -> Host:
        host = await Host.start(user_id)
        serve(host, MailServer())
        return host

    @rule(host=HOST, session=SESSION, plan=OWN_PLANS)
    def turn_of_our_own(self, host: int, session: int, plan: Plan) -> None:
        self.world.run(self._turn(self.processes[host], self.talks[session], plan))

    @rule(host=HOST, session=SESSION, plan=PLANS)
    def turn_amid_writes(self, host: int, session: int, plan: Plan) -> None:
        self.world.run(self._turn(self.processes[host], self.talks[session], plan))

    @rule(host=HOST, session=SESSION, plan=PLANS, kind=st.sampled_from(["regenerate", "edit"]), number=CHOICE)
    def turn_from_an_earlier_place(self, host: int, session: int, plan: Plan, kind: str, number: int) -> None:
        talk = self.talks[session]
        line = self.world.run(database.read(stored, talk.session_id)).messages
        if (steering := Steering.chosen(kind, number, line)) is not None:
            self.world.run(self._turn(self.processes[host], talk, plan, steering=steering))

    @rule(host=HOST, session=SESSION)
    def client_brings_its_tool(self, host: int, session: int) -> None:
        talk = self.talks[session]
        if self.world.run(bring(self.processes[host].host, talk.session_id, "weather")):
            talk.rewritten = talk.bill.forced = True

    @rule(host=HOST, session=SESSION, plan=PLANS)
    def turn_that_calls_the_clients_tool(self, host: int, session: int, plan: Plan) -> None:
        talk = self.talks[session]
        if self._has_tool(talk):
            self.world.run(self._turn(self.processes[host], talk, replace(plan, end="left")))

    @rule(host=HOST, session=SESSION, plan=PLANS, asks_again=st.booleans())
    def results_arrive(self, host: int, session: int, plan: Plan, asks_again: bool) -> None:
        process, talk = self.processes[host], self.talks[session]
        plan = replace(plan, end="left") if asks_again and self._has_tool(talk) else plan
        if call_ids := self.world.run(waiting(process.host, talk.session_id)):
            self.world.run(self._turn(process, talk, plan, steering=Steering("resume", call_ids=tuple(call_ids))))
        else:
            with pytest.raises(Conflict):
                self.world.run(resume(process.host, talk.session_id, {"nobody's": "sun"}))

    @rule(host=HOST, session=SESSION, plan=PLANS)
    def turn_that_asks_a_person(self, host: int, session: int, plan: Plan) -> None:
        talk = self.talks[session]
        if self._may_ask(talk):
            self.world.run(self._turn(self.processes[host], talk, replace(plan, end="asked")))

    @rule(host=HOST, session=SESSION, plan=PLANS, asks_again=st.booleans(), word=st.sampled_from(["yes", "no", "both"]))
    def a_person_decides(self, host: int, session: int, plan: Plan, asks_again: bool, word: str) -> None:
        process, talk = self.processes[host], self.talks[session]
        plan = replace(plan, end="asked") if asks_again and self._may_ask(talk) else plan
        if calls := [each.tool_call_id for each in self.world.run(asked_of_person(process.host, talk.session_id))]:
            approves = tuple(word == "yes" or (word == "both" and number == 0) for number in range(len(calls)))
            steering = Steering("decide", call_ids=tuple(calls), approves=approves)
            self.world.run(self._turn(process, talk, plan, steering=steering))
        else:
            with pytest.raises(NotFound):
                self.world.run(send(process.host, talk.session_id, [GivenDecision(uuid.uuid4(), approve=True)]))

    def _may_ask(self, talk: Talk) -> bool:
        """Whether the session has a tool that needs a person's word, which other programs may have taken away."""
        now = self.world.run(database.read(stored, talk.session_id))
        return any(tool.name == "mail_send" for tool in FrozenPrefix.from_json(now.prefix).tools)

    def _has_tool(self, talk: Talk) -> bool:
        """Whether the session's client has brought a tool, which other programs may have taken away."""
        now = self.world.run(database.read(stored, talk.session_id))
        return bool(FrozenPrefix.from_json(now.prefix).client_tools)

    @rule(host=HOST, session=SESSION, number=CHOICE)
    def select_another_line(self, host: int, session: int, number: int) -> None:
        self.world.run(self._select(self.processes[host], self.talks[session], number))

    async def _select(self, process: Process, talk: Talk, number: int) -> None:
        rows = await database.read(all_of, talk.session_id)
        if rows:
            before = await database.read(stored, talk.session_id)
            chosen = rows[number % len(rows)]
            service, user_id = process.host.runner.service, process.host.user_id
            await service.select_branch(user_id, chosen.public_id, 50)
            now = await database.read(stored, talk.session_id)
            assert chosen in now.messages
            talk.rewritten |= now.stamp != before.stamp
            talk.bill.forced |= now.stamp != before.stamp

    @rule(host=HOST, session=SESSION, writes=WRITES, end=st.sampled_from(["complete", "complete", "cut", "stopped"]))
    def summarise(self, host: int, session: int, writes: tuple[tuple[int, int], ...], end: str) -> None:
        self.world.run(self._summarise(self.processes[host], self.talks[session], writes, end))

    async def _summarise(self, process: Process, talk: Talk, writes: tuple[tuple[int, int], ...], end: str) -> None:
        before = await database.read(stored, talk.session_id)
        gate, service = Gate(), process.host.runner.service
        await process.host.show(talk.session_id)
        verdict = process.verdict(before)
        self.world.provider.script(Answer([f"summary {uuid.uuid4().hex}", "."], gates={0: gate}, cut=END_AT.get(end)))
        try:
            asked = await service.compact(process.host.user_id, talk.session_id)
        except Conflict:
            self.world.provider._server.queue.clear()
            return
        process.has_agent = True
        self.gates.append(gate)
        await stands_at(gate)
        await self._check_summary_request(before)
        seen = process.seen[talk.session_id] = Seen(before.stamp, before.model, before.prefix)
        for number in writes:
            await self._write(*number)
        untouched = (await database.read(stored, talk.session_id)).stamp == before.stamp
        if end == "stopped":
            assert await process.host.stop(talk.session_id, asked.run_id)
        gate.open()
        await process.host.listener.end_of(asked.run_id)
        assert guard_of(await stored_turn(asked.run_id)) == verdict
        now = await database.read(stored, talk.session_id)
        if end == "complete" and untouched:
            assert (now.messages[-1].kind, now.messages[:-1]) == ("summary", before.messages)
            talk.rewritten = talk.bill.forced = True
        assert (now.stamp != before.stamp) == (end == "complete" or not untouched)
        if untouched:
            seen.stamp = now.stamp

    async def _check_summary_request(self, before: Stored) -> None:
        """It is the stored transcript, whole, and one instruction."""
        rows = [*before.rows, Row("user", INSTRUCTION, position=2**40)]
        body = await self.world.oracles[before.model].body(before.session_id, before.prefix, rows)
        assert self.world.provider.bodies[-1] == body

    @rule(host=HOST, session=SESSION, undoes=st.booleans())
    def write_or_undo_a_summary(self, host: int, session: int, undoes: bool) -> None:
        self.world.run(self._write_summary(self.processes[host], self.talks[session], undoes))

    async def _write_summary(self, process: Process, talk: Talk, undoes: bool) -> None:
        service, user_id = process.host.runner.service, process.host.user_id
        with suppress(Conflict):
            if undoes:
                await service.undo_summary(user_id, talk.session_id)
            else:
                await service.write_summary(user_id, talk.session_id, f"mine {uuid.uuid4().hex}")
            talk.rewritten = talk.bill.forced = True

    @rule(host=HOST, session=SESSION, writes=WRITES, share=st.sampled_from([0.5, 0.9, 1.5]))
    def turn_in_a_small_window(
        self, host: int, session: int, writes: tuple[tuple[int, int], ...], share: float
    ) -> None:
        self.world.run(self._small_turn(self.processes[host], self.talks[session], writes, share))

    async def _small_turn(
        self, process: Process, talk: Talk, writes: tuple[tuple[int, int], ...], share: float
    ) -> None:
        """A turn in a window of which its conversation takes more or less than all; others write amid a summary."""
        before = await database.read(stored, talk.session_id)
        await set_window(window_around(before, share))
        turning = await self._ask(process, talk, Plan(((),), "complete"))
        end = asyncio.ensure_future(process.host.listener.end_of(turning.run_id))
        at_gate = asyncio.ensure_future(turning.gates[0].reached())
        await asyncio.wait([end, at_gate], return_when=asyncio.FIRST_COMPLETED)
        if at_gate.done() and INSTRUCTION.encode() in self.world.provider.bodies[-1]:
            for number in writes:
                await self._write(*number)
        turning.gates[0].open()
        turn = await self._ended(turning)
        await set_window(None)
        self.world.provider._server.queue.clear()
        assert guard_of(turn) == turning.verdict
        await self._check_small_turn(turning, turn)

    async def _check_small_turn(self, turning: Turning, turn: Turn) -> None:
        """It was answered from what is stored before its answer, whatever was summarised for that."""
        talk, before = turning.talk, turning.before
        now, head = await database.read(stored, talk.session_id), (before.model, before.prefix)
        turning.process.seen[talk.session_id] = Seen(now.stamp, *head)
        assert turn.miss in talk.bill.causes(head) | {"", Cause.COMPACTED, Cause.EDITED}
        assert turn.status == TurnStatus.COMPLETE
        *rows, answer = now.rows
        assert answer.role == "assistant"
        talk.request, talk.head = self.world.provider.bodies[-1], head
        assert talk.request == await self.world.oracles[head[0]].body(talk.session_id, head[1], rows)
        talk.rewritten, talk.bill = False, Bill(head)

    @rule(host=HOST, session=SESSION, plan=OWN_PLANS, inner=PLANS)
    def two_sessions_at_once(self, host: int, session: int, plan: Plan, inner: Plan) -> None:
        talk, other = self.talks[session], self.talks[(session + 1) % SESSIONS]
        writes = tuple(tuple(w for w in some if self.talks[w[0]] is other) for some in inner.writes)
        amid = self._turn(self.processes[host], other, Plan(writes, inner.end))
        self.world.run(self._turn(self.processes[host], talk, plan, amid=amid))

    @rule(host=HOST, session=SESSION)
    def two_sessions_asked_at_once_while_the_agent_is_built(self, host: int, session: int) -> None:
        pair = [self.talks[session], self.talks[(session + 1) % SESSIONS]]
        self.world.run(self._both(self.processes[host], pair))

    @rule(session=SESSION, number=st.integers(0, 9_999))
    def write_elsewhere(self, session: int, number: int) -> None:
        self.world.run(self._write(session, number))

    @rule(model=st.sampled_from(MODELS), prompt=st.text(max_size=5))
    def edit_the_profile(self, model: str, prompt: str) -> None:
        prompt = prompt.replace("\0", "")

        def edit() -> None:
            AgentProfile.objects.update(model=model, system_prompt=prompt, tools=["calculator"])

        self.world.run(database.write(edit))

    @rule(change=st.sampled_from(MEMORY_CHANGES), session=SESSION)
    def change_the_memory(self, change: str, session: int) -> None:
        user_id, session_id = self.processes[0].host.user_id, self.talks[session].session_id
        self.world.run(database.write(change_memory, change, user_id, session_id))

    @rule(host=HOST)
    def evict(self, host: int) -> None:
        self.world.run(self._evict(self.processes[host]))

    async def _evict(self, process: Process) -> None:
        await worked(process.host)  # a turn's end is told before its agent is free
        await process.host.runner.pool.sweep()
        process.forgets()

    @rule(host=HOST)
    def restart(self, host: int) -> None:
        self.world.run(self._restart(host))

    async def _restart(self, number: int) -> None:
        process = self.processes[number]
        await process.host.runner.drain(0)
        self.world.hosts[number] = process.host = await self._started(process.host.user_id)
        process.forgets()

    async def _write(self, session: int, number: int) -> None:
        effect = await database.write(write, self.talks[session].session_id, number)
        talk = self.talks[session]
        talk.rewritten |= effect is Effect.REWRITTEN
        talk.bill.forced |= effect is Effect.REWRITTEN

    async def _turn(
        self,
        process: Process,
        talk: Talk,
        plan: Plan,
        amid: Coroutine[Any, Any, None] | None = None,
        steering: Steering | None = None,
    ) -> None:
        """A whole turn, its requests held at gates; `amid` is carried out while the first is held."""
        turning = await self._ask(process, talk, plan, steering)
        for step in range(plan.steps):
            await stands_at(turning.gates[step])
            seen = process.seen[talk.session_id] = await self._check_request(turning, self.world.provider.bodies[-1])
            assert step > 0 or turning.has_approved or told_by(talk.request) == turning.memories
            says_nothing = turning.says_nothing_new or turning.has_approved
            assert step > 0 or says_nothing or turning.text.encode() in talk.request
            self._bill(turning, step)
            if amid is not None:
                await amid
                amid = None
            for session, number in plan.writes[step]:
                await self._write(session, number)
            untouched = (await database.read(stored, talk.session_id)).stamp == seen.stamp
            await self._let_go(turning, step)
        turn = await self._ended(turning)
        assert guard_of(turn) in turning.verdicts
        _check_ledger(turning, turn)
        now = await database.read(stored, talk.session_id)
        if turning.says_nothing_new and now.messages == turning.before.messages:
            # It brought no word, and the line before is shown again: memory has only its beginning.
            talk.rewritten = talk.bill.forced = True
        elif untouched:
            seen.stamp = now.stamp

    async def _both(self, process: Process, talks: list[Talk]) -> None:
        """Two turns that find the same agent, or both find none: the build ends when both have come for it."""
        agents = ["reused", "reused"] if process.has_agent else ["built", "reused"]
        self.world.may_build.clear()
        turnings = [await self._ask(process, talk, Plan(((),), "complete")) for talk in talks]
        await everyone_waits()
        self.world.may_build.set()
        for turning in turnings:
            await stands_at(turning.gates[0])
        for turning in turnings:
            [request] = [body for body in self.world.provider.bodies[-2:] if turning.text.encode() in body]
            process.seen[turning.talk.session_id] = await self._check_request(turning, request)
            assert told_by(request) == turning.memories
            self._bill(turning, 0)
        for turning in turnings:
            turning.gates[0].open()
        turns = [await self._ended(turning) for turning in turnings]
        assert sorted(turn.guard_agent for turn in turns) == agents
        for turning, turn in zip(turnings, turns, strict=True):
            assert guard_of(turn)[1:] == turning.verdict[1:]
            _check_ledger(turning, turn)
            session_id = turning.talk.session_id
            process.seen[session_id].stamp = (await database.read(stored, session_id)).stamp

    async def _ask(self, process: Process, talk: Talk, plan: Plan, steering: Steering | None = None) -> Turning:
        before = await database.read(stored, talk.session_id)
        gates = [Gate() for _ in range(plan.steps)]
        self.gates += gates
        memories = await database.read(memories_in_effect, talk.session_id)
        turning = Turning(process, talk, plan, before, process.verdict(before), gates, memories, steering)
        self.world.provider.script(plan.answer(0, gates[0]))
        turning.run_id = await self._begin_turn(turning)
        process.has_agent = True
        return turning

    async def _begin_turn(self, turning: Turning) -> uuid.UUID:
        host, talk, steering = turning.process.host, turning.talk, turning.steering
        if steering is None:
            return (await host.ask(talk.session_id, turning.text)).run_id
        await host.show(talk.session_id)
        if steering.kind == "resume":
            results = {call_id: f"{turning.text} {number}" for number, call_id in enumerate(steering.call_ids)}
            return (await resume(host, talk.session_id, results)).run_id
        if steering.kind == "decide":
            words = dict(zip(steering.call_ids, steering.approves, strict=True))
            return (await decide(host, talk.session_id, words, note=turning.text)).run_id
        # Its request begins like the last one, and no longer has what stood there.
        talk.rewritten = talk.bill.forced = True
        service, message = host.runner.service, steering.message
        if steering.kind == "edit" and message is not None:
            branched = await service.edit_message(host.user_id, message.public_id, turning.text, None)
        else:
            branched = await service.regenerate(host.user_id, talk.session_id, message.public_id if message else None)
        return branched.asked.run_id

    async def _check_request(self, turning: Turning, request: bytes) -> Seen:
        """The request is the stored transcript, whole, and extends the last one unless that was rewritten."""
        talk, before = turning.talk, turning.before
        now = await database.read(stored, talk.session_id)
        head = (before.model, before.prefix)
        assert request == await self.world.oracles[before.model].body(talk.session_id, before.prefix, now.rows)
        if not talk.rewritten and talk.head == head:
            assert extends(request, talk.request)
        talk.request, talk.head, talk.rewritten = request, head, False
        return Seen(now.stamp, *head)

    def _bill(self, turning: Turning, step: int) -> None:
        """Note what the ledger may say of the request that stands at its gate."""
        if not turning.plan.is_counted(step):
            return
        bill, head = turning.talk.bill, turning.talk.head
        turning.causes.append(bill.causes(head))
        turning.talk.bill = Bill(head)

    async def _let_go(self, turning: Turning, step: int) -> None:
        plan, host = turning.plan, turning.process.host
        if step < plan.steps - 1:
            self.world.provider.script(plan.answer(step + 1, turning.gates[step + 1]))
        elif plan.end == "stopped":
            assert await host.stop(turning.talk.session_id, turning.run_id)
        turning.gates[step].open()

    async def _ended(self, turning: Turning) -> Turn:
        await turning.process.host.listener.end_of(turning.run_id)
        return await stored_turn(turning.run_id)


def _check_ledger(turning: Turning, turn: Turn) -> None:
    """A turn's miss is the first one of its requests; where none can have one, there is none."""
    assert turn.miss in set().union({""}, *turning.causes)
    assert turn.miss or all("" in causes for causes in turning.causes)
    assert bool(turn.prefix_digest) == bool(turning.causes)


@pytest.fixture
def world(
    transactional_db: None,
    model: str,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    blockbuster: BlockBuster,
) -> Iterator[World]:
    # Every sweep lets all go that is in no turn, and a build takes until the machine says so.
    monkeypatch.setattr(pool, "MAX_IDLE_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "SWEEP_SECONDS", NEVER)
    # Prompts are short here, and a token is four bytes: every element that was read again shows.
    monkeypatch.setattr(ledger, "SLACK", 2)
    for function in blockbuster.functions.values():
        function.can_block_in("turn_store/liveness.py", ("start", "end", "_is_held"))
    world = World(provider)
    slow_builds(monkeypatch, world.may_build.wait)
    yield world
    world.close()


def test_what_is_sent_is_what_is_stored_and_our_own_turns_never_cause_a_reload(world: World) -> None:
    class Machine(GuardMachine):
        pass

    Machine.world = world
    run_state_machine_as_test(
        Machine,
        settings=hypothesis_settings(examples(fewer_on_postgresql(6)), stateful_step_count=20),
    )
