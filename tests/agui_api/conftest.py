"""A real site, and AG-UI's official JavaScript clients in a process of their own."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.api.conftest import owner, runner
from tests.live import LiveSite
from tests.openai_api.conftest import Program, loopback, model, program, refused_program, site
from tests.processes import ROOT, Process

__all__ = ["loopback", "model", "owner", "program", "refused_program", "runner", "site"]

NEW, OLD = "1.0.0", "0.0.59"
BOTH = pytest.mark.parametrize("version", [NEW, pytest.param(OLD, marks=pytest.mark.thorough)])
"""The suite asks the older client of threads and steps; of all the rest `make test-thorough` does."""
_NODE = str(ROOT / ".venv/bin/node")
_AGENTS = str(ROOT / "tests/agui_api/agents.js")

NewClients = Callable[[LiveSite, str], "Clients"]


@dataclass
class Outcome:
    """What a client made of a run: its events, and what it has afterwards; or why it refused."""

    events: list[dict[str, Any]]
    messages: list[dict[str, Any]] = field(default_factory=list)
    new_messages: list[dict[str, Any]] = field(default_factory=list)
    failed: str = ""
    status: int | None = None
    payload: Any = None

    @property
    def kinds(self) -> list[str]:
        """The events' types, each once where it comes several times in a row."""
        return [kind for kind, _ in itertools.groupby(event["type"] for event in self.events)]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Who has said what, as the client has it; without thoughts."""
        said = [each for each in self.messages if each["role"] != "reasoning"]
        return [(each["role"], each.get("content") or "") for each in said]


class Agent:
    """One HttpAgent. It sends all messages that it has, as it does for everybody."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name

    def say(self, text: str | list[dict[str, Any]], message_id: str = "", **parameters: Any) -> Outcome:
        self.add(text, message_id)
        return self.run(**parameters)

    def add(self, text: str | list[dict[str, Any]], message_id: str = "") -> str:
        """Add a message of the user, a text or parts, and return its id."""
        message_id = message_id or next(self._clients.ids)
        self.do("addMessage", {"id": message_id, "role": "user", "content": text})
        return message_id

    def run(self, **parameters: Any) -> Outcome:
        self.start(**parameters)
        return self.outcome()

    def start(self, **parameters: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self._clients.command(agent=self._name, do="run", parameters=parameters)

    def until(self, kind: str) -> dict[str, Any]:
        """Return the next event of a type of the run that was started."""
        while True:
            told = self._clients.next(self._name)
            self.told.append(told["event"])
            if told["event"]["type"] == kind:
                return self.told[-1]

    def outcome(self) -> Outcome:
        """Return what became of the run that was started."""
        while "event" in (told := self._clients.next(self._name)):
            self.told.append(told["event"])
        if told.get("failed"):
            return Outcome(self.told, [], [], told["failed"], told.get("status"), told.get("payload"))
        return Outcome(self.told, told["messages"], told["newMessages"])

    def do(self, method: str, *given: Any) -> None:
        self._clients.command(agent=self._name, do=method, given=given)


class Node:
    """The process in which all clients run. What an agent tells waits for who asks for it."""

    def __init__(self) -> None:
        self._told: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self._process = Process([_NODE, _AGENTS], listens=True)
        self.names = (f"agent-{number}" for number in itertools.count(1))

    def command(self, **command: Any) -> None:
        self._process.write(json.dumps(command))

    def next(self, agent: str) -> dict[str, Any]:
        """Return what an agent tells next."""
        while not self._told[agent]:
            told = json.loads(self._process.line('{"agent":'))
            self._told[told["agent"]].append(told)
        return self._told[agent].popleft()

    def end(self) -> None:
        self._process.wait()


class Clients:
    """The clients of one user. `close` them."""

    def __init__(self, node: Node, site: LiveSite, user: str) -> None:
        self.site, self.user = site, user
        self.ids = (f"message-{number}" for number in itertools.count(1))
        self.command, self.next = node.command, node.next
        self._names = node.names
        self._agents: list[str] = []

    def agent(self, thread: str | None = None, version: str = NEW, **config: Any) -> Agent:
        name = next(self._names)
        named = {"threadId": thread} if thread else {}
        headers = {"Authorization": f"Bearer {self.site.tokens[self.user]}", **config.pop("headers", {})}
        url = f"{self.site.base_url}/ag-ui/"
        self.command(agent=name, do="make", version=version, url=url, headers=headers, **named, **config)
        self._agents.append(name)
        return Agent(self, name)

    def close(self) -> None:
        """End what still runs of them."""
        for name in self._agents:
            self.command(agent=name, do="forget")


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A process takes longer to start than most tests to run."""
    running = Node()
    yield running
    running.end()


@pytest.fixture
def new_clients(node: Node) -> Iterator[NewClients]:
    """Makes the clients of a user of a site."""
    made: list[Clients] = []

    def new(site: LiveSite, user: str) -> Clients:
        made.append(Clients(node, site, user))
        return made[-1]

    yield new
    for clients in made:
        clients.close()


@pytest.fixture
def clients(new_clients: NewClients, program: Program) -> Clients:
    """The clients of a user whom no other test knows."""
    return new_clients(program.site, program.user)
