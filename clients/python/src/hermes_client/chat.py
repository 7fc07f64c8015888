"""An open session: what is said in it, and the turns that answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast
from uuid import uuid4

from hermes_client.following import Following
from hermes_client.run import Run
from hermes_client.types import (
    EditResult,
    FactNotification,
    MessageShape,
    OpenResult,
    RegenerateResult,
    SessionShape,
    StartResult,
    WindowResult,
)

Begun = StartResult | EditResult | RegenerateResult


class Requests(Protocol):
    """Who sends a chat's requests."""

    async def request(self, method: str, params: dict[str, Any], take: Callable[[Any], Any]) -> Any:
        """Return what ``take`` makes of the result, before anything that follows on the wire. Raises Refused."""

    async def reopen(self, chat: Chat) -> None:
        """Open the chat's session again."""

    def mend(self, chat: Chat) -> None:
        """Do that soon."""

    def forget(self, chat: Chat) -> None:
        """Tell the chat nothing more."""


def _as_it_is(result: Any) -> Any:
    return result


class Chat:
    """A session that is open: made by `Client.open` and `Client.create`, and kept true until `close`.

    ``session`` is the session as it was last told, ``messages`` those of its end when it was opened last; ``has_more``:
    there are older ones.
    """

    def __init__(self, requests: Requests, session_id: str, limit: int) -> None:
        self.id = session_id
        self.limit = limit
        self.session: SessionShape
        self.messages: list[MessageShape] = []
        self.has_more = False
        self.following = Following(session_id, lambda: requests.mend(self))
        self._requests = requests

    @property
    def running(self) -> Run | None:
        """The turn that is on, whoever has begun it."""
        return self._run(self.following.running) if self.following.running else None

    async def send(
        self,
        text: str,
        *,
        files: list[str] | None = None,
        message_id: str | None = None,
        revision: int | None = None,
    ) -> Run:
        """Say something; returns once it is stored, whatever happens to the connection meanwhile. Raises Refused.

        ``files`` are ids. With a ``message_id`` (a UUID) of your own it is one turn however often it is sent, also by
        another process.
        """
        given = {"session_id": self.id, "text": text, "files": files, "revision": revision}
        run = await self._begin("turn.start", {**given, "message_id": message_id or str(uuid4())})
        followed = self.following.run(run.id)
        if message_id is not None and not followed.began and run.outcome is None:
            # It may have ended long ago.
            self.following.doubt([run.id])
            await self._requests.reopen(self)
        return run

    async def edit(
        self, message_id: str, text: str, *, files: list[str] | None = None, new_id: str | None = None
    ) -> Run:
        """Say something in the place of an earlier message: both stay, each in its branch. Raises Refused.

        Without ``files`` it has those of the earlier message.
        """
        given = {"message_id": message_id, "text": text, "files": files}
        return await self._begin("message.edit", {**given, "new_id": new_id or str(uuid4())})

    async def regenerate(self, message_id: str | None = None, *, profile: int | None = None) -> Run:
        """Ask for another answer in the place of one, or of the last. Raises Refused, Disconnected.

        Disconnected: nobody knows whether that was carried out; `running` says so once the client is connected again.
        """
        return await self._begin(
            "turn.regenerate", {"session_id": self.id, "message_id": message_id, "profile": profile}
        )

    async def stop(self) -> bool:
        """Stop the running turn; the text so far is kept. False: none ran. Raises Refused, Disconnected."""
        run = self.running
        return await run.stop() if run is not None else False

    async def earlier(self, before: int, *, limit: int = 50) -> WindowResult:
        """Return messages before a position. Raises Refused."""
        params = {"session_id": self.id, "before": before, "limit": limit}
        return cast("WindowResult", await self._requests.request("session.messages", params, _as_it_is))

    async def close(self) -> None:
        """Hear no more of its turns. They go on. Raises Disconnected."""
        self._requests.forget(self)
        await self._requests.request("session.close", {"session_id": self.id}, _as_it_is)

    def opened(self, result: OpenResult) -> None:
        """Take the answer to ``session.open``, whose facts have been told."""
        self.session, self.messages, self.has_more = result["session"], result["messages"], result["has_more"]
        self.following.opened(result)

    def hear_fact(self, fact: FactNotification) -> None:
        """Take a fact of this session."""
        event = fact["event"]
        if event["name"] in ("session.updated", "branch.selected") and event["value"] is not None:
            self.session = event["value"]
        self.following.hear_fact(fact)

    async def _begin(self, method: str, given: dict[str, Any]) -> Run:
        self.following.ask()
        try:
            params = {key: each for key, each in given.items() if each is not None}
            run = await self._requests.request(method, params, self._begun)
        finally:
            self.following.asked()
        return cast("Run", run)

    def _begun(self, result: Begun) -> Run:
        followed = self.following.run(result["run_id"])
        if (message := cast("dict[str, Any]", result).get("message")) is not None:
            followed.asked = message["id"]
        return self._run(result["run_id"])

    def _run(self, run_id: str) -> Run:
        return Run(self.id, run_id, self.following.run(run_id).feed, self._stop)

    async def _stop(self, run_id: str) -> bool:
        params = {"session_id": self.id, "run_id": run_id}
        return bool((await self._requests.request("turn.stop", params, _as_it_is))["stopped"])
