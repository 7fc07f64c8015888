"""This process as one that runs turns: its parts, put together, from its start to its end.

Lives as long as the process and belongs to its event loop; made in ``hermes_site.asgi`` and injected where it is
needed.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sessions_app.jobs.running import Jobs
from sessions_app.journal import Fact
from sessions_app.models import FactName
from sessions_app.purging.nightly import NightlyPurge
from sessions_app.realtime.bus import Bus, Layer, Message, group_of
from sessions_app.realtime.delivery import Delivery
from sessions_app.realtime.publishing import Publisher
from sessions_app.realtime.remote_runs import RemoteRuns
from sessions_app.realtime.subscriptions import Subscription
from sessions_app.turn_store.heartbeat import silence_of
from sessions_app.turn_store.liveness import Process
from sessions_app.turns.launcher import Launcher
from sessions_app.turns.pool import AgentPool
from sessions_app.turns.refreshing import Refresher
from sessions_app.turns.registry import RunRegistry
from sessions_app.turns.run import Run
from sessions_app.turns.service import TurnService
from sessions_app.turns.stopping import Stopping
from sessions_app.turns.supervisor import Supervisor
from sessions_app.turns.titling import TitleMaker
from sessions_app.webhooks.running import Webhooks

NO_BUDGET = Decimal(0)


class Runner:
    """The parts that run this process's turns and tell its clients.

    ``lease`` is HERMES_TURN_LEASE, in seconds; ``title_model`` HERMES_TITLE_MODEL, empty where no model makes titles;
    ``warm_budget`` HERMES_WARM_BUDGET, in dollars a day, 0 where no prompt is kept warm.
    """

    def __init__(
        self,
        pool: AgentPool,
        *,
        lease: float,
        layer: Layer | None = None,
        title_model: str = "",
        warm_budget: Decimal = NO_BUDGET,
    ) -> None:
        self.pool = pool
        self._process = Process()
        name = self._process.name
        self.registry = RunRegistry(name)
        self.delivery = Delivery(self._hear)
        self.bus = Bus(layer, name, self._receive)
        self.remote = RemoteRuns(name, self.bus, self.delivery)
        self.publisher = Publisher(self.delivery, self.bus)
        self.titles = TitleMaker(title_model, self.publisher) if title_model else None
        self.refresher = Refresher(pool, warm_budget) if warm_budget else None
        self.launcher = Launcher(
            self.registry, self.publisher, self.delivery, self.bus, pool, self.titles, self.refresher, lease=lease
        )
        self.stopping = Stopping(self.registry, self.bus)
        self.service = TurnService(
            self.registry, self.publisher, self.launcher, self.remote, self.stopping, silence=silence_of(lease)
        )
        self.jobs = Jobs(name, self.publisher, lease)
        self.purge = NightlyPurge(name, self.publisher, lease)
        self.webhooks = Webhooks()
        self.supervisor = Supervisor(
            *(self.registry, self.publisher, self.launcher, self.delivery, self.remote, pool),
            *(lease, self.refresher, self.webhooks),
        )

    async def start(self) -> None:
        """Begin to keep watch. What dead processes left is taken over beside the first clients, not before them."""
        self._process.start()
        self.bus.start()
        self.supervisor.start()
        self.jobs.start()
        self.purge.start()

    async def drain(self, grace: float) -> None:
        """End: begin no more turns, let the running ones end for ``grace`` seconds, cut the rest."""
        await self.jobs.stop()
        await self.purge.stop()
        if self.refresher is not None:
            await self.refresher.stop()
        await self.launcher.drain(grace)
        if self.titles is not None:
            await self.titles.stop()
        await self.supervisor.stop()
        await self.webhooks.stop()
        await self.service.tidying.stop()
        await self.bus.stop()
        await self.pool.close()
        self._process.end()

    @property
    def process(self) -> str:
        """This process's name, as turns have it."""
        return self._process.name

    @property
    def runs(self) -> list[Run]:
        """The turns that run in this process."""
        return self.registry.runs

    def connect(self, subscription: Subscription) -> None:
        """Begin to deliver to a connection."""
        self.delivery.subscriptions.add(subscription)
        self.bus.join(group_of(subscription.user_id))

    def disconnect(self, subscription: Subscription) -> None:
        """Deliver nothing more to a connection."""
        self.delivery.subscriptions.remove(subscription)
        if not self.delivery.subscriptions.has(subscription.user_id):
            self.bus.leave(group_of(subscription.user_id))

    def _hear(self, fact: Fact) -> None:
        """Take a fact of a user of this process just before it is delivered."""
        self.remote.hear(fact)
        self.stopping.hear(fact)
        if fact.name == FactName.TURN_ENDED and fact.session_id is not None and fact.subject is not None:
            self.registry.forget([fact.subject])
            run = self.registry.named(fact.session_id, fact.subject)
            if run is not None and run.ending is None:
                run.stop("lost")  # somebody else has ended it; nothing comes after the last event

    def _receive(self, message: Message) -> None:
        """Take what another process has sent."""
        match message["kind"]:
            case "hint":
                self.delivery.hint(message["user"], message["cursor"])
            case "event":
                self.remote.take(message)
            case "watch":
                self.launcher.watched.note(map(UUID, message["sessions"]))
            case "repeat":
                # It watches too; its word of that may be still to come.
                self.launcher.watched.note([UUID(message["session"])])
                if (run := self._named(message)) is not None:
                    run.feed.repeat(message["after"])
            case "stop":
                if (run := self._named(message)) is not None:
                    run.stop("stopped")

    def _named(self, message: Message) -> Run | None:
        return self.registry.named(UUID(message["session"]), UUID(message["run"]))
