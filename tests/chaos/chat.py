"""One chat of a user: what is said, stopped, withdrawn, edited, asked for again, renamed and deleted in it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from tests.chaos.clock import passes
from tests.chaos.doings import Doings, Sent
from tests.chaos.tab import CONFLICT, NOT_FOUND, OUR_FAULT, TOO_MANY, Lost, Refused, Tab
from tests.chaos.view import Json, Said

# Texts of one chat that may wait for their answers.
AHEAD = 4


class Chat:
    """One chat of a user, in which texts are said one after the other: the next when the one before is acknowledged."""

    def __init__(self, user: str, name: str, tabs: Sequence[Tab], doings: Doings, chance: random.Random) -> None:
        self.name = name
        self._user = user
        self._tabs = tabs
        self._doings = doings
        self._chance = chance
        self._said = 0
        self._id = ""

    async def live(self, over: asyncio.Event) -> None:
        """Until it is over, or the chat is deleted."""
        self._id = (await self._insist("session.create", title=self.name))["session"]["id"]
        first, *others = self._tabs
        first.open(self._id)
        for tab in others:
            if self._chance.random() < 0.8:
                tab.open(self._id)
        acts = self._acts()
        while not await passes(over, self._chance.uniform(0.3, 6)):
            [act] = self._chance.choices(list(acts), list(acts.values()))
            await act()
            if self._id in self._doings.deleted:
                return

    def _acts(self) -> dict[Callable[[], Any], float]:
        return {
            self._say: 10,
            self._say_much: 4,
            self._stop: 2,
            self._withdraw: 2,
            self._edit: 3,
            self._regenerate: 3,
            self._rename: 1,
            self._delete: 0.2,
        }

    async def _say(self) -> None:
        if self._waiting() >= AHEAD:
            return
        sent = self._text()
        if self._chance.random() < 0.1:
            asyncio.get_running_loop().call_later(self._chance.uniform(0, 0.05), self._tab().drop)
        sent.run_id = await self._start(sent)
        self._doings.unacknowledged.remove(sent)
        self._doings.sent.append(sent)
        if self._chance.random() < 0.05:
            assert await self._start(sent) == sent.run_id, f"another turn for {sent}"

    def _text(self) -> Sent:
        self._said += 1
        message_id = str(UUID(int=self._chance.getrandbits(128), version=4))
        filler = " ".join(["so"] * self._chance.randint(0, 60))
        sent = Sent(self._user, self._id, message_id, f"{self.name} text {self._said} {filler}")
        self._doings.unacknowledged.append(sent)
        return sent

    async def _start(self, sent: Sent) -> str:
        params = {"session_id": sent.session_id, "text": sent.text, "message_id": sent.message_id}
        started = await self._insist("turn.start", **params)
        assert started["message"]["id"] == sent.message_id
        return str(started["run_id"])

    async def _say_much(self) -> None:
        for _ in range(self._chance.randint(2, 3)):
            await self._say()

    def _waiting(self) -> int:
        return max((len(tab.views[self._id].queued) for tab in self._tabs if self._id in tab.views), default=0)

    async def _stop(self) -> None:
        tab = self._tab()
        view = tab.views.get(self._id)
        if view is not None and view.run is not None:
            await self._end(tab, view.run.run_id)

    async def _withdraw(self) -> None:
        tab = self._tab()
        view = tab.views.get(self._id)
        if view is not None and view.queued:
            await self._end(tab, self._chance.choice(view.queued)["run_id"])

    async def _end(self, tab: Tab, run_id: str) -> None:
        self._doings.stop_asked.add(run_id)
        self._doings.counts["stops asked for"] += 1
        await self._try(tab, "turn.stop", session_id=self._id, run_id=run_id)

    async def _edit(self) -> None:
        """Say something in the place of one of the last texts, where nothing is on its way."""
        if not (said := self._shown("user")):
            return
        edited, sent = self._chance.choice(said[-3:]), self._text()
        params = {"message_id": edited.id, "text": sent.text, "new_id": sent.message_id}
        try:
            sent.run_id = str((await self._insist("message.edit", **params))["run_id"])
            self._doings.sent.append(sent)
            self._doings.counts["edits"] += 1
        except Refused as refused:  # another tab's turn has begun, or the line is another one
            if refused.code != CONFLICT:
                raise
            self._doings.perhaps.append(sent)
            self._doings.counts["edits refused"] += 1
        self._doings.unacknowledged.remove(sent)

    async def _regenerate(self) -> None:
        """Ask for another answer, once: of a request that is lost nobody knows whether it was carried out."""
        if not (said := self._shown("assistant")):
            return
        named = {"message_id": said[-1].id} if self._chance.random() < 0.5 else {}
        self._doings.regenerations[self._id] += 1
        try:
            if await self._try(self._tab(), "turn.regenerate", session_id=self._id, **named):
                self._doings.counts["regenerations"] += 1
        except Refused as refused:
            if refused.code != CONFLICT:
                raise

    def _shown(self, role: str) -> list[Said]:
        """The stored messages that a tab shows of this chat, where it shows nothing under way."""
        view = self._tab().views.get(self._id)
        if view is None or view.run is not None or view.queued:
            return []
        return [said for said in view.messages if said.role == role and said.position is not None]

    async def _rename(self) -> None:
        await self._try(self._tab(), "session.update", session_id=self._id, title=f"{self.name} {self._said}")

    async def _delete(self) -> None:
        self._doings.deleted.add(self._id)
        self._doings.counts["chats deleted"] += 1
        try:
            await self._insist("session.delete", session_id=self._id)
        except Refused as refused:  # an earlier try of this request has done it
            if refused.code != NOT_FOUND:
                raise

    def _tab(self) -> Tab:
        return self._chance.choice(self._tabs)

    async def _insist(self, method: str, **params: Any) -> Json:
        """The answer to a request, asked again, of whichever process, until one comes. Raises Refused."""
        while True:
            if (answer := await self._try(self._tab(), method, **params)) is not None:
                return answer
            await asyncio.sleep(self._chance.uniform(0.05, 0.5))

    async def _try(self, tab: Tab, method: str, **params: Any) -> Json | None:
        """The answer, or None where the connection was lost or the server could not. Raises Refused."""
        try:
            return await tab.call(method, **params)
        except Lost:
            self._doings.counts["requests lost"] += 1
        except Refused as refused:
            if refused.code not in (OUR_FAULT, TOO_MANY):
                raise
            self._doings.counts[f"refused with {refused.code}: {method}"] += 1
        return None
